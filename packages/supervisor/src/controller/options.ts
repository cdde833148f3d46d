/** @module What a controller works with: the store, its sockets, who is told, and by which policy. */
import type { Store } from '@syndrome/base/store/store.ts';
import type { Act, ActResult } from '../core/act.ts';
import type { Notice } from '../core/notice.ts';
import type { Policy } from '../core/policy.ts';
import type { Delivery } from '../notify/target.ts';
import type { Clocks } from './clock.ts';

export interface ControllerOptions {
  store: Store;
  /** Paths of the two sockets: for agents, and for the command line. */
  agentSocket: string;
  adminSocket: string;
  /** The names of the targets of notices, and which of them want one. */
  targets: readonly string[];
  targetsOf: (notice: Notice) => readonly string[];
  deliver: (notice: Notice, target: string, signal: AbortSignal) => Promise<Delivery>;
  /** The policy of the configuration: told when this controller begins to work, in force when it is another than was told before. */
  policy?: { policy: Policy; by: string };
  /** Copies the store into a new file. Missing where the engine has its own way. */
  backup?: (path: string) => Promise<void>;
  /** Carries out `fence`: switches a host off, and reads back that it is. Missing: it is refused. */
  fence?: (act: Act, signal: AbortSignal) => Promise<ActResult>;
  clocks?: Clocks;
  /** How long nobody takes its place when it says nothing, ms. Default 5 s. */
  ttlMs?: number;
  snapshotEvery?: number;
  log: (line: string) => void;
}
