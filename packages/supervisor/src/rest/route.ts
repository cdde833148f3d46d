/** @module What a route of the API is: data that the server, the document, the client and the tests are made of. */
import { z } from 'zod';
import type { ServerEvent } from '@syndrome/base/http/events.ts';
import type { Query } from '@syndrome/base/store/store.ts';
import type { Desk } from '../controller/desk.ts';
import type { Role } from './roles.ts';
import type { SchemaName, SCHEMAS } from './schemas.ts';
import type { Caller } from './tokens.ts';

/** An answer that is no problem. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** How it stands with a ledger that this controller does not work on, or does not any more. */
export interface Standing {
  /** How often this process could not go on with it. */
  failures: number;
  /** Why it could not, until it works on it again or another controller is seen to. */
  why?: string;
}

/** What a route is asked with, checked. */
interface Asked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  desk: Desk;
  caller: Caller;
}

/** What a route that orders is asked with. */
export interface Ordering<P, Q, B> extends Asked<P, Q, B> {
  ifMatch: string | undefined;
  /** Keeps the answer for who asks again, in the transaction of what was ordered. */
  keep: (query: Query, reply: Reply) => Promise<void>;
}

type Fields = Readonly<Record<string, z.ZodType>>;
type Of<F extends Fields> = { [K in keyof F]: z.infer<F[K]> };

interface Described {
  method: 'GET' | 'POST' | 'PUT';
  /** With parameters in braces. */
  path: string;
  /** Its name in the client. */
  id: string;
  summary: string;
  /** Who may; `public` needs no token. */
  role: Role | 'public';
  /** Codes of problems that it has beside those of all routes, by status. */
  problems?: Readonly<Record<number, string>>;
}

/** What is answered, by what it is of. */
type Answered =
  | { answer: SchemaName; status: number; what: string }
  /** No JSON but a text of this type. */
  | { text: string; what: string }
  /** Events, as they come, from behind the last one that the caller has. */
  | { events: string };

export type Route = Described &
  Answered & {
    params: Fields;
    query: Fields;
  } & (
    | { kind: 'plain'; run: () => Reply }
    | { kind: 'text'; run: (desk: Desk | undefined, standing: Standing) => Promise<string> }
    | { kind: 'desk'; run: (asked: Asked<never, never, never>) => Reply | Promise<Reply> }
    | {
        kind: 'order';
        takes: SchemaName;
        /** What its If-Match has to name; it needs none where this is missing. */
        ifMatch?: string;
        run: (asked: Ordering<never, never, never>) => Promise<Reply>;
      }
    | {
        kind: 'events';
        follow: (desk: Desk, last: string | undefined, signal: AbortSignal) => AsyncGenerator<ServerEvent, void>;
      }
  );

/** A route that reads what a controller that works has. Its types are those of its schemas. */
export function reads<P extends Fields = Fields, Q extends Fields = Fields>(
  given: Omit<Described, 'method' | 'role'> & {
    role?: Role;
    params?: P;
    query?: Q;
    answer: SchemaName;
    what: string;
    run: (asked: Asked<Of<P>, Of<Q>, undefined>) => unknown;
  },
): Route {
  const { params, query, run, role = 'viewer', ...rest } = given;
  return {
    ...rest,
    method: 'GET',
    role,
    status: 200,
    params: params ?? {},
    query: query ?? {},
    kind: 'desk',
    run: async asked => ({ status: 200, body: await run(asked) }),
  };
}

/** A route that orders. It needs a key; the same request with the same key is done once. */
export function orders<T extends SchemaName, P extends Fields = Fields, Q extends Fields = Fields>(
  given: Omit<Described, 'method' | 'role'> & {
    method: 'POST' | 'PUT';
    role: Role;
    params?: P;
    query?: Q;
    takes: T;
    ifMatch?: string;
    answer: SchemaName;
    status: number;
    what: string;
    run: (asked: Ordering<Of<P>, Of<Q>, z.infer<(typeof SCHEMAS)[T]>>) => Promise<Reply>;
  },
): Route {
  const { params, query, ...rest } = given;
  return { ...rest, params: params ?? {}, query: query ?? {}, kind: 'order' };
}

/** A name: of a host, a VM, an incident, an act. */
export const name = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}+$/u);

/** Of every list. */
export const paging = {
  limit: z.int().min(1).max(1000).default(100).describe('items of one page'),
  after: z.string().min(1).max(1000).optional().describe('`next` of the page before'),
};
/** And of those of the store, which grow at their end. */
export const ordered = {
  ...paging,
  order: z.enum(['asc', 'desc']).default('asc').describe('oldest first, or newest first'),
};
