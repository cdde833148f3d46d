/** @module The API as an application: the table of routes, with everything that each of them has in common. */
import { type HttpEnv, newApp } from '@syndrome/base/http/app.ts';
import { eventStream, lastEventId } from '@syndrome/base/http/events.ts';
import { Refusal } from '@syndrome/base/http/problem.ts';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Context, Hono } from 'hono';
import type { Desk } from '../controller/desk.ts';
import { refuse } from './errors.ts';
import { lastNumber } from './follow.ts';
import { paramsOf, queryOf } from './parameters.ts';
import { askedUnder, Once, type Written } from './once.ts';
import type { Ordering, Reply, Route, Standing } from './route.ts';
import { SCHEMAS, type SchemaName } from './schemas.ts';
import { isTagOf, tagOf, textOf } from './tag.ts';
import { type Caller, hasRole, noRole, type Tokens } from './tokens.ts';

/** A ledger, and where its routes are. */
interface RestLedger {
  /** What their paths begin with. */
  below: string;
  /** The desk of a controller that works; undefined while this one does not. */
  desk: () => Desk | undefined;
  /** Where it is one of several: how it stands with it. */
  standing?: () => Standing;
}

interface RestOptions {
  routes: readonly Route[];
  tokens: Tokens;
  ledgers: readonly RestLedger[];
  /** Over TLS: whether the server's certificate is one of a name. */
  answersFor?: ((name: string) => boolean) | undefined;
  /** The page for people, with its policy, of each ledger; anybody may load it: it has nothing of the site. */
  page?: (() => Promise<{ html: string; policy: string }>) | undefined;
  /** Ends streams of events. */
  signal: AbortSignal;
  /** Is told of defects; the peer learns nothing of them. */
  onFault: (error: unknown) => void;
}

/** What others throw, as an answer. Whatever is not here is a defect. */
const REFUSALS: Readonly<Record<string, number>> = {
  E_CONTROLLER_ASK: 404,
  E_CONTROLLER_BUSY: 503,
  E_CONTROLLER_REFUSED: 409,
  E_CONTROLLER_STATE: 422,
  E_CONTROLLER_STOPPED: 503,
  E_POLICY: 422,
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

const TYPE = { 'Content-Type': 'application/json' };

function answer(c: Context, { status, body, headers }: Reply): Response {
  const text = textOf(body);
  const tag = tagOf(text);
  const said = { ETag: tag, 'Cache-Control': 'no-cache', ...headers };
  const known = c.req.header('if-none-match');
  if (known !== undefined && isTagOf(tag, known)) return new Response(undefined, { status: 304, headers: said });
  return new Response(text, { status, headers: { ...said, ...TYPE } });
}

/** Longer than a policy with all its characters escaped. */
const MAX_BODY = 1024 * 1024;

/** The body of a request, as its schema wants it. @throws Refusal 400, 415 */
async function bodyOf(c: Context, takes: SchemaName): Promise<{ text: string; body: unknown }> {
  if (!/^application\/json *(?:; *charset=utf-8)?$/i.test(c.req.header('content-type') ?? ''))
    throw refuse(415, 'E_API_BODY', 'the body has to be application/json');
  const text = await c.req.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(400, 'E_API_BODY', 'the body is no JSON');
  }
  const parsed = SCHEMAS[takes].safeParse(value);
  if (parsed.success) return { text, body: parsed.data };
  const [first] = parsed.error.issues;
  const at = first?.path.join('.') ?? '';
  throw refuse(400, 'E_API_BODY', safeText(`${at}${at === '' ? '' : ': '}${first?.message}`, 300));
}

/** Writes into the audit that somebody ordered what no role of theirs covers; the same once a minute. */
class Denials {
  readonly #written = new Map<string, number>();

  async note(desk: Desk | undefined, { name }: Caller, { id }: Route): Promise<void> {
    const key = `${name} ${id}`;
    const now = performance.now();
    for (const [old, at] of this.#written) if (now - at > 60_000) this.#written.delete(old);
    if (desk === undefined || this.#written.has(key)) return;
    this.#written.set(key, now);
    await desk.put([], { actor: name, via: 'api', note: { action: id, outcome: 'denied', about: {} } });
  }
}

const standbyOf = ({ why }: Standing): string =>
  why === undefined
    ? 'this controller does not work at the moment'
    : safeText(`this controller could not go on with this ledger, and tries it again: ${why}`, 500);

interface Kept {
  desk: RestLedger['desk'];
  standing: () => Standing;
  once: Once;
  denials: Denials;
}

async function handle(
  c: Context<HttpEnv>,
  route: Route,
  options: RestOptions,
  { desk: deskNow, standing, once, denials }: Kept,
): Promise<Response> {
  // Who nobody knows learns nothing of what is wrong with the rest.
  const caller =
    route.role === 'public' ? { name: '', roles: [] } : options.tokens.callerOf(c.req.header('authorization'));
  if (route.role !== 'public' && !hasRole(caller, route.role)) {
    if (route.kind === 'order') await denials.note(deskNow(), caller, route);
    throw noRole(caller, route.role);
  }
  const params = paramsOf(route, c);
  const query = queryOf(route, c);
  if (route.kind === 'plain') return answer(c, route.run());
  const desk = deskNow();
  if (route.kind === 'text')
    return new Response(await route.run(desk, standing()), {
      headers: { 'Content-Type': 'text' in route ? route.text : 'text/plain', 'Cache-Control': 'no-store' },
    });
  if (desk === undefined) throw refuse(503, 'E_API_STANDBY', standbyOf(standing()), { headers: RETRY });
  if (route.kind === 'events') {
    const last = lastEventId(c);
    lastNumber(last);
    // Whoever is not let in any more is not told any more either.
    const end = options.tokens.endOf(c.req.header('authorization'));
    const ending = AbortSignal.any([options.signal, desk.over, ...(end === undefined ? [] : [end])]);
    return eventStream(c, signal => route.follow(desk, last, signal), ending);
  }
  if (route.kind === 'desk') {
    const asked = { params, query, body: undefined, desk, caller } as unknown as Parameters<typeof route.run>[0];
    return answer(c, await route.run(asked));
  }
  const { text, body } = await bodyOf(c, route.takes);
  const ifMatch = c.req.header('if-match');
  const run = (keep: Ordering<never, never, never>['keep']): Promise<Reply> =>
    route.run({ params, query, body, desk, caller, ifMatch, keep } as unknown as Ordering<never, never, never>);
  const send = ({ status, headers, text: said }: Written): Response =>
    new Response(said, {
      status,
      headers: { ...headers, 'Content-Type': status < 400 ? TYPE['Content-Type'] : 'application/problem+json' },
    });
  if (query['dryRun'] === true) {
    const { status, body: would } = await run(async () => {});
    return send({ status, headers: {}, text: textOf(would) });
  }
  const asked = [c.req.method, c.req.url, ifMatch ?? '', text];
  const under = askedUnder(caller.name, c.req.header('idempotency-key'), asked);
  return send(await once.do(desk, under, run));
}

/** The application of the API. */
export function restApp(options: RestOptions): Hono<HttpEnv> {
  const app = newApp(options.onFault, {
    methods: ['GET', 'HEAD', 'POST', 'PUT'],
    maxBody: MAX_BODY,
    answersFor: options.answersFor,
  });
  const methods = new Map<string, string[]>();
  const routes = options.ledgers.flatMap(({ below, desk, standing = () => ({ failures: 0 }) }) => {
    const kept: Kept = { desk, standing, once: new Once(), denials: new Denials() };
    return options.routes.map(route => ({ route, below, kept }));
  });
  const { page } = options;
  if (page !== undefined)
    for (const { below } of options.ledgers)
      app.get(`${below}/`, async c => {
        const { html, policy } = await page();
        return c.html(html, 200, { 'Content-Security-Policy': policy });
      });
  for (const { route, below, kept } of routes) {
    const path = `${below}${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    methods.set(path, [...(methods.get(path) ?? []), ...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])]);
    app.on(route.method, path, async c => {
      try {
        return await handle(c, route, options, kept);
      } catch (error) {
        throw refusalOf(error);
      }
    });
  }
  for (const [path, known] of methods)
    app.all(path, () => {
      throw new Refusal(405, 'E_HTTP_METHOD', `this address knows ${known.join(', ')} only`, {
        headers: { Allow: known.join(', ') },
      });
    });
  return app;
}
