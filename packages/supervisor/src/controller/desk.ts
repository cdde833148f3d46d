/** @module What a controller that works offers a server beside it: what can be read, and the word that something was committed. */
import type { Query } from '@syndrome/base/store/store.ts';
import type { State } from '../core/state.ts';
import type { ListName } from '../wire/admin.ts';

export interface Desk {
  /** The lease that this controller works under. */
  readonly epoch: number;
  /** Aborted when it works no more: nothing that was read of it is to be trusted then. */
  readonly over: AbortSignal;
  readonly query: Query;
  /** As it is now; for reading only. */
  state(): Readonly<State>;
  /** What `fleet LIST` shows. @throws StoreError */
  list(list: ListName): Promise<unknown>;
  /** What `fleet explain ID` shows. @throws ControllerError E_CONTROLLER_ASK where there is none */
  explain(id: string): Promise<unknown>;
  /** Calls after each commit. @returns ends it */
  onCommit(tell: () => void): () => void;
}
