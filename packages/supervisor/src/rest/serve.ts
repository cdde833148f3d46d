/** @module The API of a controller on its socket or port, for as long as its process lives: also while it waits for its lease. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError } from '@syndrome/base/http/errors.ts';
import { Certified } from '@syndrome/base/http/certified.ts';
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
  /** For other machines, beside that: over TLS, with a certificate. */
  tls?: { address: string; port: number; cert: string; key: string } | undefined;
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

const placeText = (place: Place, port = 0): string =>
  'socket' in place
    ? place.socket
    : 'certified' in place
      ? `${place.address} port ${port}, over TLS`
      : `127.0.0.1:${port}`;

/** Serves it at one place; one that another process has is waited for. @throws HttpError where it cannot be listened there at all */
async function serveAt(
  app: ReturnType<typeof restApp>,
  place: Place,
  stop: AbortSignal,
  log: (line: string) => void,
): Promise<{ ended: Promise<void> }> {
  const begin = async (): Promise<{ ended: Promise<void> }> => {
    const served = await serve(app, place, stop);
    log(`the API is at ${placeText(place, served.port)}`);
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
  try {
    return await begin();
  } catch (error) {
    if (!isTaken(error)) throw error;
    log(`${messageOf(error)}: the API waits until it is free`);
    return { ended: wait() };
  }
}

/**
 * Serves the API until the signal; that of a shard below `/shards/NAME`. A place that another one has is tried again: two controllers of one machine may wait for each other.
 * @param shards the ledgers of a site that has several
 * @throws HttpError where it cannot be listened there at all
 */
export async function serveApi(
  { place, tls, tokens, page }: Api,
  stop: AbortSignal,
  log: (line: string) => void,
  shards: readonly string[] = [],
): Promise<ServedApi> {
  const desks = new Map<string | undefined, Desk>();
  const standing = new Map<string | undefined, Standing>();
  const ledgers = shards.length === 0 ? [undefined] : shards;
  const certified = tls && new Certified({ cert: tls.cert, key: tls.key });
  const app = restApp({
    routes: ROUTES,
    page,
    tokens: new Tokens(tokens),
    answersFor: certified && (name => certified.answersFor(name)),
    ledgers: ledgers.map(shard => ({
      below: shard === undefined ? '' : `/shards/${shard}`,
      desk: () => desks.get(shard),
      standing: () => standing.get(shard) ?? { failures: 0 },
    })),
    signal: stop,
    onFault: error => log(`a defect: the API failed at an answer: ${messageOf(error)}`),
  });
  const places: Place[] = [place, ...(tls && certified ? [{ address: tls.address, port: tls.port, certified }] : [])];
  const ended = await Promise.all(places.map(at => serveAt(app, at, stop, log)));
  return {
    failing: (shard, why) => {
      const failures = standing.get(shard)?.failures ?? 0;
      standing.set(shard, why === undefined ? { failures } : { failures: failures + 1, why });
    },
    deskOf: shard => desk => void (desk === undefined ? desks.delete(shard) : desks.set(shard, desk)),
    ended: Promise.all(ended.map(one => one.ended)).then(() => undefined),
  };
}
