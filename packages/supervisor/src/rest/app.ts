/** @module The API as an application: the table of routes, with everything that each of them has in common. */
import { createHash } from 'node:crypto';
import { type HttpEnv, newApp } from '@syndrome/base/http/app.ts';
import { eventStream, lastEventId } from '@syndrome/base/http/events.ts';
import { Refusal } from '@syndrome/base/http/problem.ts';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import type { Context, Hono } from 'hono';
import type { Desk } from '../controller/desk.ts';
import { toJson } from '../wire/json.ts';
import { refuse } from './errors.ts';
import { lastNumber } from './follow.ts';
import { paramsOf, queryOf } from './parameters.ts';
import type { Reply, Route } from './route.ts';
import { requireRole, type Tokens } from './tokens.ts';

interface RestOptions {
  routes: readonly Route[];
  tokens: Tokens;
  /** The desk of a controller that works; undefined while this one does not. */
  desk: () => Desk | undefined;
  /** Ends streams of events. */
  signal: AbortSignal;
  /** Is told of defects; the peer learns nothing of them. */
  onFault: (error: unknown) => void;
}

/** What others throw, as an answer. Whatever is not here is a defect. */
const REFUSALS: Readonly<Record<string, number>> = {
  E_CONTROLLER_ASK: 404,
  E_CONTROLLER_STOPPED: 503,
  E_STORE_BUSY: 503,
  E_STORE_FULL: 503,
  E_STORE_LOST: 503,
  E_STORE_USE: 503,
};

const RETRY = { 'Retry-After': '2' };

function refusalOf(error: unknown): unknown {
  if (!(error instanceof SyndromeError) || error instanceof Refusal) return error;
  const status = REFUSALS[error.code];
  if (status === undefined) return error;
  return new Refusal(status, error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(status === 503 ? { headers: RETRY } : {}),
  });
}

/** Of what is answered: the same answer has the same. */
const tagOf = (body: string): string => `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;

/** RFC 9110, 13.1.2: weak comparison. */
const isKnown = (tag: string, header: string | undefined): boolean =>
  header !== undefined && header.split(',').some(one => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);

function answer(c: Context, { status, body, headers }: Reply): Response {
  const text = `${toJson(body)}\n`;
  const tag = tagOf(text);
  if (c.req.method === 'GET' || c.req.method === 'HEAD') {
    const said = { ETag: tag, 'Cache-Control': 'no-cache', ...headers };
    if (isKnown(tag, c.req.header('if-none-match'))) return new Response(undefined, { status: 304, headers: said });
    return new Response(text, { status, headers: { ...said, 'Content-Type': 'application/json' } });
  }
  return new Response(text, { status, headers: { ...headers, 'Content-Type': 'application/json' } });
}

async function handle(c: Context<HttpEnv>, route: Route, options: RestOptions): Promise<Response> {
  // Who nobody knows learns nothing of what is wrong with the rest.
  const caller =
    route.role === 'public' ? { name: '', roles: [] } : options.tokens.callerOf(c.req.header('authorization'));
  if (route.role !== 'public') requireRole(caller, route.role);
  const params = paramsOf(route, c);
  const query = queryOf(route, c);
  if (route.kind === 'plain') return answer(c, route.run());
  const desk = options.desk();
  if (desk === undefined)
    throw refuse(503, 'E_API_STANDBY', 'this controller does not work at the moment', { headers: RETRY });
  if (route.kind === 'events') {
    const last = lastEventId(c);
    lastNumber(last);
    return eventStream(c, signal => route.follow(desk, last, signal), AbortSignal.any([options.signal, desk.over]));
  }
  const asked = { params, query, body: undefined, desk, caller } as unknown as Parameters<typeof route.run>[0];
  return answer(c, await route.run(asked));
}

/** The application of the API. */
export function restApp(options: RestOptions): Hono<HttpEnv> {
  const app = newApp(options.onFault);
  for (const route of options.routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(route.method, path, async c => {
      try {
        return await handle(c, route, options);
      } catch (error) {
        throw refusalOf(error);
      }
    });
  }
  return app;
}
