/** @module An application of hono that answers as all servers of this program do. */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { guard, type Takes } from './guard.ts';
import { securityHeaders } from './headers.ts';
import { Refusal, writeRefusal } from './problem.ts';

/** What the handlers of a server are given. */
export interface HttpEnv {
  Bindings: HttpBindings;
}

function refuse(c: Context, refusal: Refusal): Response {
  const { status, headers, body } = writeRefusal(refusal, c.req.header('accept'));
  return new Response(body, { status, headers });
}

/**
 * An application with everything that comes before the first route: headers, refusals as problems, and the guard.
 * @param onFault told of what a handler throws that is no {@link Refusal}; the peer learns nothing of it
 * @param takes methods and bodies; without it the server only reads
 */
export function newApp(onFault: (error: unknown) => void, takes?: Takes): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(securityHeaders);
  app.use(guard(takes));
  app.notFound(c => refuse(c, new Refusal(404, 'E_HTTP_NONE', 'there is nothing at this address')));
  app.onError((error, c) => {
    if (error instanceof Refusal) return refuse(c, error);
    onFault(error);
    return refuse(c, new Refusal(500, 'E_HTTP_FAULT', 'the server failed at this answer'));
  });
  return app;
}
