/** @module Who asks: a token of 256 random bits, of which the site's file has the hash alone. */
import { createHash, randomBytes } from 'node:crypto';
import type { Refusal } from '@syndrome/base/http/problem.ts';
import { refuse } from './errors.ts';
import type { Role } from './roles.ts';

/** A token as the file of a site names it. */
export interface TokenOf {
  /** The person or program that has it: stands in the audit. */
  name: string;
  roles: readonly Role[];
  /** SHA-256 of the token, 64 hex digits. */
  sha256: string;
  /** Good before this, ms UTC; for ever where it is missing. */
  until?: number | undefined;
}

/** Who asks, and what for. */
export interface Caller {
  name: string;
  roles: readonly Role[];
}

const PREFIX = 'syn_';
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A new token, and what of it goes into the file of a site. */
export function newToken(): { token: string; sha256: string } {
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  return { token, sha256: hashOf(token) };
}

/** How long an end is waited for at once, ms: a clock that is set is seen, and no timer takes more than 2^31-1 ms. */
const LOOK_MS = 60_000;

/** Looks a token up by its hash: the time that it takes tells nothing of others. */
export class Tokens {
  readonly #byHash: ReadonlyMap<string, TokenOf>;
  readonly #now: () => number;
  readonly #ends = new Map<TokenOf, AbortSignal>();

  constructor(tokens: readonly TokenOf[], now: () => number = () => Date.now()) {
    this.#byHash = new Map(tokens.map(token => [token.sha256, token]));
    this.#now = now;
  }

  /**
   * @param authorization the header (RFC 6750, 2.1)
   * @throws Refusal 401; neither it nor any log has the token
   */
  callerOf(authorization: string | undefined): Caller {
    const { token, known } = this.#find(authorization);
    const isOver = known?.until !== undefined && known.until <= this.#now();
    if (known !== undefined && !isOver) return { name: known.name, roles: known.roles };
    const why =
      token === undefined ? 'a token is needed' : isOver ? 'the token is over' : 'the token is none of this site';
    // RFC 6750, 3.1: no error code where no token was given.
    const challenge = `Bearer realm="syndrome"${token === undefined ? '' : ', error="invalid_token"'}`;
    throw refuse(401, 'E_API_TOKEN', why, {
      hint: 'Send the header Authorization: Bearer TOKEN; `syndrome api token NAME` makes a token.',
      headers: { 'WWW-Authenticate': challenge },
    });
  }

  /**
   * The end of a token, for what goes on longer than a request: one signal for all that was begun with it.
   * @param authorization the header, as {@link callerOf} takes it
   * @returns aborted once the token is over; undefined where it has no end, or is none
   */
  endOf(authorization: string | undefined): AbortSignal | undefined {
    const { known } = this.#find(authorization);
    if (known?.until === undefined) return undefined;
    const begun = this.#ends.get(known);
    if (begun !== undefined) return begun;
    const { until } = known;
    const ending = new AbortController();
    const look = (): void => {
      const left = until - this.#now();
      if (left <= 0) ending.abort();
      else setTimeout(look, Math.min(left, LOOK_MS)).unref();
    };
    look();
    this.#ends.set(known, ending.signal);
    return ending.signal;
  }

  #find(authorization: string | undefined): { token: string | undefined; known: TokenOf | undefined } {
    const [, token] = /^Bearer ([\w.~+/=-]{1,512})$/i.exec(authorization ?? '') ?? [];
    return { token, known: token === undefined ? undefined : this.#byHash.get(hashOf(token)) };
  }
}

/** Whether a role of the caller covers it; to read any token is enough. */
export const hasRole = ({ roles }: Caller, role: Role): boolean => role === 'viewer' || roles.includes(role);

/** What somebody is told whose roles do not cover it. */
export const noRole = ({ name }: Caller, role: Role): Refusal =>
  refuse(403, 'E_API_ROLE', `${name} has no role ${role}`, {
    headers: { 'WWW-Authenticate': 'Bearer realm="syndrome", error="insufficient_scope"' },
  });
