/** @module The server itself: on loopback, on a unix socket or over TLS, bounded in what it takes, and ended in a bounded time. */
import { once } from 'node:events';
import { createServer, type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { HttpEnv } from './app.ts';
import type { Certified } from './certified.ts';
import { HttpError } from './errors.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { Refusal, writeRefusal } from './problem.ts';
import { listenOnSocket } from '../disk/socket-place.ts';
import { prepareSocket } from './socket-file.ts';

/** Where a server listens: on loopback, on a unix socket, or over TLS for other machines. */
export type Place = { port: number } | { socket: string } | { address: string; port: number; certified: Certified };

/** A server that takes requests. */
export interface Served {
  /** Undefined for a unix socket. */
  port: number | undefined;
  /** Resolved when the signal was aborted and nothing of the server is left. */
  ended: Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** Of a request that comes slowly, or of which too much comes. Names and cookies take little. */
const BOUNDS: ServerOptions = {
  maxHeaderSize: 16 << 10,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
};
const MAX_CONNECTIONS = 200;
/** How long a peer may take nothing and say nothing, ms. Streams of events speak more often. */
const IDLE_MS = 60_000;
/** How long answers may go on after the end has begun, ms. */
const END_MS = 2000;
/** How often a certificate is looked at, ms: a new one needs no restart. */
const RENEW_MS = 60_000;

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What no application can answer, for it is no request. */
function noRequest(status: number): { headers: Record<string, string>; body: string } {
  const refusal = new Refusal(status, 'E_HTTP_REQUEST', 'this is no request that the server understands');
  const { headers, body } = writeRefusal(refusal, undefined);
  return { headers: { ...SECURITY_HEADERS, ...headers, Connection: 'close' }, body };
}

/** To what Node could not parse. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = STATUS[error.code ?? ''] ?? 400;
  const { headers, body } = noRequest(status);
  const length = { 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}

/** To what is HTTP, and names no address: a host of two ports, a path with a backslash. */
function refuseRequest(): Response {
  const { headers, body } = noRequest(400);
  return new Response(body, { status: 400, headers });
}

/** A certificate that cannot be read any more stays what it was: whoever has put it there sees it at the next start. */
function renew(server: TlsServer, certified: Certified): void {
  try {
    if (certified.renew()) server.setSecureContext({ ...certified.context, minVersion: 'TLSv1.2' });
  } catch {
    // As above.
  }
}

/** Ends a server: no new connection, streams by their signal, and what is left after its time by force. */
async function end(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const began = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - began < END_MS) server.closeIdleConnections();
    else server.closeAllConnections();
  }, 20);
  await closed;
  clearInterval(timer);
}

const addressOf = (place: { port: number; address?: string }): string => place.address ?? LOOPBACK;

const inUse = (what: string): HttpError =>
  new HttpError('E_HTTP_IN_USE', `${what} is in use by another program`, {
    hint: 'End that, name another one, or leave --port out: then a free one is taken.',
  });

/**
 * Serves an application until the signal is aborted. The streams of its events end by the same signal.
 * @param place a port of 127.0.0.1, 0 for a free one; the absolute path of a socket, which is its user's alone; or an address with a certificate
 * @throws HttpError
 * @example
 * const { port, ended } = await serve(app, { port: 0 }, signal);
 * await ended;
 */
export async function serve(app: Hono<HttpEnv>, place: Place, signal: AbortSignal): Promise<Served> {
  if ('socket' in place) await prepareSocket(place.socket);
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: refuseRequest });
  const answer = (...asked: Parameters<typeof listener>): void => void listener(...asked);
  let server: Server;
  let renewing: NodeJS.Timeout | undefined;
  if ('certified' in place) {
    const { certified } = place;
    const secure = createTlsServer({ ...BOUNDS, ...certified.context, minVersion: 'TLSv1.2' }, answer);
    renewing = setInterval(renew, RENEW_MS, secure, certified);
    renewing.unref();
    server = secure;
  } else server = createServer(BOUNDS, answer);
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  server.on('clientError', refuseRaw);
  let takeAway = (): void => {};
  try {
    if ('socket' in place) takeAway = await listenOnSocket(server, place.socket);
    else {
      server.listen(place.port, addressOf(place));
      await once(server, 'listening');
    }
  } catch (error) {
    const what = 'socket' in place ? `--socket ${place.socket}` : `port ${place.port} of ${addressOf(place)}`;
    clearInterval(renewing);
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw inUse(what);
    throw new HttpError('E_HTTP_LISTEN', `${what} cannot be listened on`, { cause: error });
  }
  const ended = (async () => {
    if (!signal.aborted) await once(signal, 'abort');
    takeAway();
    clearInterval(renewing);
    await end(server);
  })();
  return { port: 'socket' in place ? undefined : (server.address() as AddressInfo).port, ended };
}
