/** @module The loop of every source that has a peer: connect, read, tell of the gap, connect again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { VmId } from '../core/ids.ts';
import type { SourceName, SourceState } from '../core/said.ts';
import type { Sink } from './source.ts';

export interface ReconnectOptions {
  /** Between the first two tries, ms; doubles with each further one. Default 250. */
  firstMs?: number;
  /** The longest pause, ms. Default 30,000. */
  longestMs?: number;
}

/** What a session may tell of itself. */
export interface Session {
  /** Reading has begun. Events that are known to be lost in the gap before it, where the source counts them. */
  up: (lostEvents?: number) => void;
  signal: AbortSignal;
}

/** What a session ends with where its peer is there and does not do its part: `stalled`, not `lost`. */
export class Stalled extends Error {}

/**
 * What a client failed with, as what a session ends with: a peer that took the connection and did not answer in time stalls.
 * @param Deadline the client's error of a deadline
 */
export function stalledBy(error: unknown, Deadline: new (...args: never[]) => Error): unknown {
  const isLate = (e: Error): boolean => e instanceof Deadline;
  let cause = error;
  while (cause instanceof Error && !isLate(cause)) cause = cause.cause;
  return cause instanceof Error ? new Stalled(messageOf(error)) : error;
}

/** A reason is for a person; a peer does not fill the spool with it. */
const MAX_REASON = 256;

/**
 * Runs sessions one after the other until `signal` aborts, with a pause that doubles while none of them came up, and tells
 * the sink: `reading` once, `lost` with the reason when a session that was up ended (or the very first could not come up),
 * `back` with the gap. Never rejects.
 * @param session reads until the peer is gone (returns or throws) or `signal` aborts; calls `up` when reading has begun
 * @example
 * keepReading({ source: 'qmp', vm }, async ({ up, signal }) => { const qmp = await connect(signal); up(); await qmp.closed; }, sink, signal)
 */
export async function keepReading(
  of: { source: SourceName; vm?: VmId },
  session: (session: Session) => Promise<void>,
  sink: Sink,
  signal: AbortSignal,
  options: ReconnectOptions = {},
): Promise<void> {
  const { firstMs = 250, longestMs = 30_000 } = options;
  const say = (state: Omit<SourceState, 'kind' | 'source' | 'vm'>): void =>
    sink({ kind: 'source', source: of.source, ...(of.vm === undefined ? {} : { vm: of.vm }), ...state });
  let pauseMs = firstMs;
  /** When reading stopped, on the monotonic clock; undefined before the first loss. */
  let lostAt: number | undefined;
  /** What was told last of a gap, and under which name: of a VM that has not answered yet it is another one. */
  let told: { state: SourceState['state']; vm?: VmId } | undefined;
  while (!signal.aborted) {
    let isUp = false;
    const up = (lostEvents?: number): void => {
      if (isUp) return;
      isUp = true;
      pauseMs = firstMs;
      if (told?.vm !== undefined && told.vm !== of.vm)
        sink({ kind: 'source', source: of.source, vm: told.vm, state: 'ended' });
      told = undefined;
      if (lostAt === undefined) say({ state: 'reading' });
      else {
        const gapMs = Math.round(performance.now() - lostAt);
        say({ state: 'back', gapMs, ...(lostEvents === undefined ? {} : { lostEvents }) });
      }
    };
    let reason = 'the peer ended the connection';
    let state: SourceState['state'] = 'lost';
    try {
      await session({ up, signal });
    } catch (error) {
      reason = messageOf(error);
      if (error instanceof Stalled) state = 'stalled';
    }
    if (signal.aborted) return;
    // A peer that was not there and now hangs is told again; one that goes on so is not.
    if (isUp || lostAt === undefined || (state === 'stalled' && told?.state === 'lost')) {
      if (isUp || lostAt === undefined) lostAt = performance.now();
      told = { state, ...(of.vm === undefined ? {} : { vm: of.vm }) };
      say({ state, reason: reason.slice(0, MAX_REASON) });
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestMs);
  }
}

/** Waits, or returns at once when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
