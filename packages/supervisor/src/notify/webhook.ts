/** @module One try to hand a notice to a webhook. */
import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Notice } from '../core/notice.ts';
import { CLOUD_EVENT_TYPE, cloudEvent } from './cloud-event.ts';
import { NotifyError } from './errors.ts';
import { isAmong, mayReach, parseNetwork } from './public-address.ts';
import { readSecret } from './secret-file.ts';
import { signedHeaders } from './signature.ts';
import type { Delivery, WebhookTarget } from './target.ts';
import { checkTemplate, fillTemplate } from './template.ts';
import { wordsOf } from './words.ts';

const DEADLINE_MS = 10_000;
/** What is read of an answer; it is shown to a person when it is no success. */
const MAX_ANSWER = 2048;
/** A receiver may ask for a pause, but not for one that hides an outage: an hour at most. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** @throws NotifyError for what can be known to be wrong before anything is sent */
export function checkWebhook(target: WebhookTarget): void {
  const wrong = (why: string, hint: string): NotifyError =>
    new NotifyError('E_NOTIFY_URL', `the webhook ${target.name}: ${why}`, { hint });
  const url = URL.canParse(target.url) ? new URL(target.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw wrong('its URL is no http or https URL', 'Write https://host/path.');
  if (url.username !== '' || url.password !== '')
    throw wrong('its URL holds a password', 'Requests are signed: name a secret file instead.');
  if (url.hash !== '') throw wrong('its URL has a fragment', 'Leave out what begins with #.');
  for (const network of target.allow ?? [])
    if (parseNetwork(network) === undefined)
      throw wrong(`${safeText(network, 100)} is no network`, 'Write an address, or one with its bits: 10.1.0.0/16.');
  const allow = target.allow ?? [];
  const host = hostOf(url);
  // Where a name leads is looked at when it connects.
  if (url.protocol === 'http:' && (allow.length === 0 || (isIP(host) !== 0 && !isAmong(host, allow))))
    throw wrong('plain http is for receivers of the allow list', 'Use https, or name its network under allow.');
  if (target.secretFiles.length < 1 || target.secretFiles.length > 2)
    throw wrong(`it has ${target.secretFiles.length} secret files`, 'Name one, or two while one replaces the other.');
  for (const file of target.secretFiles) readSecret(file);
  if (target.body !== undefined) checkTemplate(target.body);
}

/** The name or address of a URL, an IPv6 one without its brackets. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Why a host with these addresses is not connected to. One bad address among good ones is how such names are made. */
function whyNot(
  { protocol }: URL,
  host: string,
  addresses: readonly string[],
  allow: readonly string[],
): Error | undefined {
  const leads = `${host} leads to ${addresses.join(', ')}`;
  if (!addresses.every(address => mayReach(address, allow)))
    return new Error(`${leads}, which is not public; put its network under allow if it is meant`);
  if (protocol === 'http:' && !addresses.every(address => isAmong(address, allow)))
    return new Error(`${leads}, and plain http is for networks under allow; use https`);
  return undefined;
}

/** Resolves a name as Node does, and hands on only what may be reached: the address that was checked is the one that is used. */
function guardedLookup(url: URL, allow: readonly string[]): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const found = addresses.map(({ address }) => address);
      const refused = whyNot(url, hostname, found, allow);
      const [first] = addresses;
      if (refused !== undefined || first === undefined)
        return callback(refused ?? new Error(`${hostname} has no address`), '', 0);
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

/** `Retry-After` in ms (RFC 9110 §10.2.3: seconds, or a date). */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

/**
 * Tries once. Redirects are not followed: a receiver that moved is configured anew. Never rejects.
 * @param now the time of the signature, ms UTC; a receiver refuses one that is too old
 * @returns ok for a status of 2xx only
 */
export function sendWebhook(
  target: WebhookTarget,
  site: string,
  notice: Notice,
  now: number,
  signal?: AbortSignal,
): Promise<Delivery> {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const failed = (why: string, retryAfterMs?: number): void =>
    resolve({ ok: false, why, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  try {
    const url = new URL(target.url);
    const allow = target.allow ?? [];
    const host = hostOf(url);
    const refused = isIP(host) === 0 ? undefined : whyNot(url, host, [host], allow);
    if (refused !== undefined) throw refused;
    const event = cloudEvent(site, notice);
    const body = JSON.stringify(target.body === undefined ? event : fillTemplate(target.body, wordsOf(notice)));
    const deadline = AbortSignal.timeout(target.deadlineMs ?? DEADLINE_MS);
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      lookup: guardedLookup(url, allow),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      headers: {
        'content-type': target.body === undefined ? CLOUD_EVENT_TYPE : 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'syndrome',
        ...signedHeaders(notice.id, Math.floor(now / 1000), body, target.secretFiles.map(readSecret)),
      },
    });
    const lost = (error: unknown): void =>
      failed(
        deadline.aborted ? `no answer within ${target.deadlineMs ?? DEADLINE_MS} ms` : safeText(messageOf(error), 300),
      );
    request.on('error', lost);
    request.on('response', response => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        answer += text;
        if (answer.length <= MAX_ANSWER) return;
        answer = answer.slice(0, MAX_ANSWER);
        request.destroy();
        end();
      });
      response.on('error', lost);
      response.on('end', end);
      function end(): void {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) return resolve({ ok: true });
        failed(
          `HTTP ${status}${answer === '' ? '' : `: ${safeText(answer, 200)}`}`,
          retryAfter(response.headers['retry-after'], now),
        );
      }
    });
    request.end(body);
  } catch (error) {
    failed(safeText(messageOf(error), 300));
  }
  return promise;
}
