/** @module Who may ask at all, before anything is looked up: the right host, no other origin, a method and a size that are taken. */
import type { Context, MiddlewareHandler } from 'hono';
import { Refusal } from './problem.ts';

/** Names of this machine alone. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
/** What a server takes. */
export interface Takes {
  /** In capitals; whatever is neither GET nor HEAD may have a body. */
  methods: readonly string[];
  /** Bytes of a body. */
  maxBody: number;
  /** Over TLS: whether the certificate is one of a name. Over anything else it answers for names of this machine alone. */
  answersFor?: ((name: string) => boolean) | undefined;
}
/** Of a server that only reads; everything else changes something. */
const READS: Takes = { methods: ['GET', 'HEAD'], maxBody: 0 };
/** Longer than any address here. */
const MAX_URL = 4096;

/** The host that a request is for. A page that turns its own name towards 127.0.0.1 sends its own name here. */
function checkHost(c: Context, { answersFor }: Takes): string {
  const host = c.req.header('host') ?? '';
  const { protocol, host: asked } = new URL(c.req.url);
  const named = URL.parse(`${protocol}//${host}`);
  const isOurs =
    LOOPBACK.test(host) || (protocol === 'https:' && named !== null && answersFor?.(named.hostname) === true);
  // A target with a host of its own (`GET http://… HTTP/1.1`) would be read instead of the header.
  if (isOurs && asked === named?.host) return `${protocol}//${host}`;
  throw new Refusal(
    421,
    'E_HTTP_HOST',
    answersFor === undefined
      ? 'this server answers for localhost only'
      : 'this server answers for localhost and the names of its certificate only',
    {
      hint: 'Use the address that was printed. Through ssh -L it is that port of localhost.',
    },
  );
}

/**
 * Pages of other origins get nothing, whether the browser says so by `Origin` or by `Sec-Fetch-Site`. That somebody follows
 * a link to here is no request of a page.
 */
function checkOrigin(c: Context, own: string): void {
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site') ?? 'none';
  const opens = c.req.header('sec-fetch-mode') === 'navigate' && c.req.header('sec-fetch-dest') === 'document';
  const isOurs = (origin === undefined || origin === own) && (/^(?:none|same-origin)$/.test(site) || opens);
  if (!isOurs) throw new Refusal(403, 'E_HTTP_ORIGIN', 'the request was made by a page of another origin');
}

function checkMethod(c: Context, { methods, maxBody }: Takes): void {
  if (methods.includes(c.req.method)) return;
  const headers = { Allow: methods.join(', '), Connection: 'close' };
  const why = maxBody === 0 ? 'this server only reads' : `this server knows ${methods.join(', ')} only`;
  throw new Refusal(405, 'E_HTTP_METHOD', why, { headers });
}

function checkSize(c: Context, { maxBody }: Takes): void {
  if (c.req.url.length > MAX_URL) throw new Refusal(414, 'E_HTTP_REQUEST', 'the address is too long');
  const length = c.req.header('content-length') ?? '0';
  const unsaid = c.req.header('transfer-encoding') !== undefined;
  const takes = READS.methods.includes(c.req.method) ? 0 : maxBody;
  if (!unsaid && Number(length) <= takes) return;
  // What it sends is not read: the connection ends with the answer.
  const headers = { Connection: 'close' };
  if (takes === 0) throw new Refusal(413, 'E_HTTP_BODY', 'nothing here takes a body', { headers });
  if (unsaid) throw new Refusal(411, 'E_HTTP_BODY', 'a body has to say its length beforehand', { headers });
  throw new Refusal(413, 'E_HTTP_BODY', `a body has at most ${takes} bytes here`, { headers });
}

/** Refuses what no request to a server for one user of one machine is like. */
export const guard =
  (takes: Takes = READS): MiddlewareHandler =>
  async (c, next) => {
    checkOrigin(c, checkHost(c, takes));
    checkMethod(c, takes);
    checkSize(c, takes);
    await next();
  };
