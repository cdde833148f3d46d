/** @module Who may ask at all, before anything is looked up: the right host, no other origin, nothing but reading. */
import type { Context, MiddlewareHandler } from 'hono';
import { Refusal } from './problem.ts';

/** Names of this machine alone. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
/** Of its reads; everything else changes something. */
const METHODS: readonly string[] = ['GET', 'HEAD'];
/** Longer than any address here. */
const MAX_URL = 4096;

/** The host that a request is for. A page that turns its own name towards 127.0.0.1 sends its own name here. */
function checkHost(c: Context): string {
  const host = c.req.header('host') ?? '';
  // A target with a host of its own (`GET http://… HTTP/1.1`) would be read instead of the header.
  if (LOOPBACK.test(host) && new URL(c.req.url).host === new URL(`http://${host}`).host) return host;
  throw new Refusal(421, 'E_HTTP_HOST', 'this server answers for localhost only', {
    hint: 'Use the address that was printed. Through ssh -L it is that port of localhost.',
  });
}

/**
 * Pages of other origins get nothing, whether the browser says so by `Origin` or by `Sec-Fetch-Site`. That somebody follows
 * a link to here is no request of a page.
 */
function checkOrigin(c: Context, host: string): void {
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site') ?? 'none';
  const opens = c.req.header('sec-fetch-mode') === 'navigate' && c.req.header('sec-fetch-dest') === 'document';
  const isOurs =
    (origin === undefined || origin === `http://${host}`) && (/^(?:none|same-origin)$/.test(site) || opens);
  if (!isOurs) throw new Refusal(403, 'E_HTTP_ORIGIN', 'the request was made by a page of another origin');
}

function checkMethod(c: Context): void {
  if (METHODS.includes(c.req.method)) return;
  const headers = { Allow: METHODS.join(', '), Connection: 'close' };
  throw new Refusal(405, 'E_HTTP_METHOD', 'this server only reads', { headers });
}

function checkSize(c: Context): void {
  if (c.req.url.length > MAX_URL) throw new Refusal(414, 'E_HTTP_REQUEST', 'the address is too long');
  const hasBody = (c.req.header('content-length') ?? '0') !== '0' || c.req.header('transfer-encoding') !== undefined;
  if (!hasBody) return;
  // What it sends is not read: the connection ends with the answer.
  throw new Refusal(413, 'E_HTTP_BODY', 'nothing here takes a body', { headers: { Connection: 'close' } });
}

/** Refuses what no request to a server for one user of one machine is like. @throws Refusal */
export const guard: MiddlewareHandler = async (c, next) => {
  const host = checkHost(c);
  checkOrigin(c, host);
  checkMethod(c);
  checkSize(c);
  await next();
};
