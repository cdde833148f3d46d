/** @module The API of a controller on its socket or port, for as long as its process lives: also while it waits for its lease. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError } from '@syndrome/base/http/errors.ts';
import { type Place, serve } from '@syndrome/base/http/serve.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Desk } from '../controller/desk.ts';
import { restApp } from './app.ts';
import type { Standing } from './route.ts';
import { ROUTES } from './routes.ts';
import { type TokenOf, Tokens } from './tokens.ts';

/** Where the API is, and for whom. */
export interface Api {
  place: Place;
  tokens: readonly TokenOf[];
  /** The page for people at `/`; none where it is missing. */
  page?: () => Promise<{ html: string; policy: string }>;
}

/** How soon a place is tried again that another controller of this machine has, ms. */
const AGAIN_MS = 2000;

/** An API that is served. */
export interface ServedApi {
  /** Takes the desk of a ledger, a shard where there are several, when its controller begins to work and when it works no more. */
  deskOf: (shard?: string) => (desk: Desk | undefined) => void;
  /** Takes why a shard cannot be worked on by this controller; undefined once it is worked on. */
  failing: (shard: string | undefined, why: string | undefined) => void;
  /** Resolved when nothing of it is left, after the signal. */
  ended: Promise<void>;
}

const isTaken = (error: unknown): boolean => error instanceof HttpError && error.code === 'E_HTTP_IN_USE';

/**
 * Serves the API until the signal; that of a shard below `/shards/NAME`. A place that another one has is tried again: two controllers of one machine may wait for each other.
 * @param shards the ledgers of a site that has several
 * @throws HttpError where it cannot be listened there at all
 */
export async function serveApi(
  { place, tokens, page }: Api,
  stop: AbortSignal,
  log: (line: string) => void,
  shards: readonly string[] = [],
): Promise<ServedApi> {
  const desks = new Map<string | undefined, Desk>();
  const standing = new Map<string | undefined, Standing>();
  const ledgers = shards.length === 0 ? [undefined] : shards;
  const app = restApp({
    routes: ROUTES,
    page,
    tokens: new Tokens(tokens),
    ledgers: ledgers.map(shard => ({
      below: shard === undefined ? '' : `/shards/${shard}`,
      desk: () => desks.get(shard),
      standing: () => standing.get(shard) ?? { failures: 0 },
    })),
    signal: stop,
    onFault: error => log(`a defect: the API failed at an answer: ${messageOf(error)}`),
  });
  const begin = async (): Promise<{ ended: Promise<void> }> => {
    const served = await serve(app, place, stop);
    log(`the API is at ${'socket' in place ? place.socket : `127.0.0.1:${served.port}`}`);
    return served;
  };
  const wait = async (): Promise<void> => {
    while (!stop.aborted) {
      await sleep(AGAIN_MS, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      try {
        return await (await begin()).ended;
      } catch (error) {
        if (!isTaken(error)) return log(messageOf(error));
      }
    }
  };
  let ended: Promise<void>;
  try {
    ({ ended } = await begin());
  } catch (error) {
    if (!isTaken(error)) throw error;
    log(`${messageOf(error)}: the API waits until it is free`);
    ended = wait();
  }
  return {
    failing: (shard, why) => {
      const failures = standing.get(shard)?.failures ?? 0;
      standing.set(shard, why === undefined ? { failures } : { failures: failures + 1, why });
    },
    deskOf: shard => desk => void (desk === undefined ? desks.delete(shard) : desks.set(shard, desk)),
    ended,
  };
}
