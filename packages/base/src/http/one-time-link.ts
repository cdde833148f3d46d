/**
 * @module A session for one browser. Other users of a machine can connect to its loopback, so a printed link carries a token
 * that is exchanged once for a cookie. Cookies know no ports: what another user serves on 127.0.0.1 would be sent ours too.
 * So everything lies below a folder of a random name, and the cookie is for that folder alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { Refusal } from './problem.ts';

const COOKIE = 'syndrome';
const PARAMETER = 'token';
/** More browsers than one person has. */
const MAX_SESSIONS = 100;

const secret = (): string => randomBytes(32).toString('base64url');
/** What is kept of a secret: to look one up by its hash tells nothing of others by the time it takes. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/** All values of the cookie: others on 127.0.0.1 may have set one of that name too. */
function cookiesOf(c: Context): string[] {
  const pairs = (c.req.header('cookie') ?? '').split(/;\s*/);
  return pairs.flatMap(pair => (pair.startsWith(`${COOKIE}=`) ? [pair.slice(COOKIE.length + 1)] : []));
}

/** Hands out links, and knows the browsers that came by one. */
export class OneTimeLinks {
  /** Where everything lies: `/…/`. It is in every address, and nobody can guess it. */
  readonly folder: string = `/${randomBytes(9).toString('base64url')}/`;
  readonly #onUse: () => void;
  /** Of tokens, the last one made and those that were used. */
  #unused: string | undefined;
  readonly #used = new Set<string>();
  readonly #sessions = new Set<string>();

  /** @param onUse called when a link was used */
  constructor(onUse: () => void = () => {}) {
    this.#onUse = onUse;
  }

  /**
   * A link for one browser; the one before it is no longer good.
   * @returns path and query, behind `http://127.0.0.1:PORT`
   */
  link(): string {
    const token = secret();
    this.#unused = hashOf(token);
    return `${this.folder}?${PARAMETER}=${token}`;
  }

  /** Lets nobody on who has no session, and gives one for a token. @throws Refusal */
  readonly check: MiddlewareHandler = async (c, next) => {
    const known = cookiesOf(c).some(value => this.#sessions.has(hashOf(value)));
    const token = c.req.path === this.folder ? c.req.query(PARAMETER) : undefined;
    if (token !== undefined) return this.#lead(known ? undefined : this.#exchange(c, token));
    if (known) return next();
    throw new Refusal(403, 'E_HTTP_SESSION', 'this browser has no session with the server', {
      hint: 'Open the link that was printed; each is good for one browser.',
    });
  };

  /** @returns the cookie */
  #exchange(c: Context, token: string): string {
    const hash = hashOf(token);
    if (hash !== this.#unused) {
      const why = this.#used.has(hash) ? 'the link was used before' : 'the link is not the last one that was printed';
      throw new Refusal(403, 'E_HTTP_TOKEN', why, {
        hint: 'Each link is good for one browser. If it was not you who used it, another user of this machine was faster: end the server.',
      });
    }
    // A browser that looks ahead, and whoever asks what a link leads to, must not use it up.
    if (c.req.method !== 'GET' || c.req.header('sec-purpose')?.startsWith('prefetch') === true)
      throw new Refusal(503, 'E_HTTP_SESSION', 'a link is good for one visit, and this is none');
    this.#unused = undefined;
    this.#used.add(hash);
    const session = secret();
    for (const old of this.#sessions) if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(old);
    this.#sessions.add(hashOf(session));
    this.#onUse();
    return `${COOKIE}=${session}; Path=${this.folder}; HttpOnly; SameSite=Strict`;
  }

  /**
   * To the page, without the token in the address or in the history. Not by a redirect: a browser that comes from elsewhere
   * (a file that leads here) sends no strict cookie along its whole chain.
   */
  #lead(cookie: string | undefined): Response {
    const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Syndrome</title>
<meta http-equiv="refresh" content="0; url=${this.folder}">
<p><a href="${this.folder}">Go on</a></p>
</html>
`;
    const headers = { 'Content-Type': 'text/html; charset=utf-8' };
    return new Response(page, { headers: cookie === undefined ? headers : { ...headers, 'Set-Cookie': cookie } });
  }
}
