/** @module What a controller that works offers a server beside it: what can be read, how to order, and the word that something was committed. */
import type { Query } from '@syndrome/base/store/store.ts';
import type { Effect } from '../core/input.ts';
import type { HostId } from '../core/ids.ts';
import type { State } from '../core/state.ts';
import type { ListName } from '../wire/admin.ts';
import type { Beside } from './audit.ts';
import type { Timeless } from './committer.ts';
import type { fleetView } from './fleet-view.ts';
import type { OpenAct } from './journal.ts';
import type { Meters } from './meters.ts';

export interface Desk {
  /** The lease that this controller works under. */
  readonly epoch: number;
  /** Aborted when it works no more: nothing that was read of it is to be trusted then. */
  readonly over: AbortSignal;
  readonly query: Query;
  /** What was counted since this controller works. */
  readonly meters: Meters;
  /** As it is now; for reading only. */
  state(): Readonly<State>;
  /** Acts that are not over, as they are written. */
  openActs(): Iterable<Readonly<OpenAct>>;
  /** Of each connected host: rows of its spool that are not in the ledger, as its agent said last. */
  backlogs(): Iterable<readonly [HostId, number]>;
  /** Tells whoever looks after the process, a line each. */
  log(line: string): void;
  /** What `fleet LIST` shows. @throws StoreError */
  list(list: ListName): Promise<unknown>;
  /** What `fleet explain ID` shows. @throws ControllerError E_CONTROLLER_ASK where there is none */
  explain(id: string): Promise<unknown>;
  /** What {@link fleetView} makes of the state behind an input; undefined where that was too long ago. @throws StoreError; ControllerError as {@link Past} */
  fleetAt(input: number): Promise<ReturnType<typeof fleetView> | undefined>;
  /** The time of inputs, ms UTC. */
  now(): number;
  /** What would come of an input now. Nothing does. */
  wouldWant(input: Timeless): Effect[];
  /**
   * Resolves when inputs are durable, with what came of them; what is `beside` them is written in the same transaction.
   * @throws ControllerError E_CONTROLLER_STOPPED: whether they are durable is seen at the controller that works then
   */
  put(inputs: readonly Timeless[], beside: Beside): Promise<Effect[]>;
  /** Calls after each commit. @returns ends it */
  onCommit(tell: () => void): () => void;
}
