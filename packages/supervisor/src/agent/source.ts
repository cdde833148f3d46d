/** @module What an agent reads from: one source for each thing on the host that tells of errors or of VMs. */
import type { VmId } from '../core/ids.ts';
import type { Said, SourceName } from '../core/said.ts';

/** Takes what a source has to say. It never throws and never waits: what it took is on its way to the disk. */
export type Sink = (said: Said) => void;

/** A source that reads has to say so at least this often, ms; three of them without a pulse, and it counts as stalled. */
export const PULSE_MS = 20_000;

/**
 * Something that is read for as long as the agent runs.
 *
 * It connects again by itself (see `keepReading`), tells what became of it as `SourceState` (`reading`, `lost`, `back` with
 * the gap), and after each (re)connection tells the whole present state of its VMs, because nothing is replayed to it. Where
 * the spool is full the agent aborts it and runs it again later: the gap is then said by the agent.
 */
export interface Source {
  readonly name: SourceName;
  /** Of one VM only. */
  readonly vm?: VmId;
  /**
   * Reads until `signal` aborts; returns only then, and never rejects.
   * @param pulse to be called whenever it is known that reading works (a poll was done, a keepalive was answered), at least
   *   every PULSE_MS while it does; not while it is known to be lost
   */
  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void>;
}
