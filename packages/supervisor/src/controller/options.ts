/** @module What a controller works with: the store, its sockets, who is told, and by which policy. */
import type { Store } from '@syndrome/base/store/store.ts';
import type { HostId } from '../core/ids.ts';
import type { Notice } from '../core/notice.ts';
import type { Policy } from '../core/policy.ts';
import type { Delivery } from '../notify/target.ts';
import type { Clocks } from './clock.ts';
import type { Desk } from './desk.ts';
import type { FenceAgent } from './fence.ts';
import type { AgentDoor } from './gate.ts';
import type { Share } from './share.ts';

export interface ControllerOptions {
  store: Store;
  /** Paths of the two sockets: for agents, and for the command line. */
  agentSocket: string;
  adminSocket: string;
  /** Where agents of other machines come, over TLS. */
  agentDoor?: AgentDoor;
  /** Is told who holds the lease and until when, each time that this is looked at while another one does. */
  elsewhere?: (holder: { owner: string; until: number }) => void;
  /** The part of several controllers in several ledgers; without it, whoever comes first works. */
  share?: Share;
  /** The names of the targets of notices, and which of them want one. */
  targets: readonly string[];
  targetsOf: (notice: Notice) => readonly string[];
  deliver: (notice: Notice, target: string, signal: AbortSignal) => Promise<Delivery>;
  /** The policy of the configuration: told when this controller begins to work, in force when it is another than was told before. */
  policy?: { policy: Policy; by: string };
  /** The API has two fencers at least: no attestation is taken of one person, as the user of this process is on the socket of the command line. */
  twoAttest?: boolean;
  /** In what the site is weaker than it could be, for the status. */
  weak?: readonly string[];
  /** Copies the store into a new file. Missing where the engine has its own way. */
  backup?: (path: string) => Promise<void>;
  /** How hosts are switched off, by host. One that is not named cannot be. */
  fences?: Readonly<Record<HostId, FenceAgent>>;
  /** Is told of the desk when this controller begins to work, and of nothing when it works no more. */
  desk?: (desk: Desk | undefined) => void;
  clocks?: Clocks;
  /** How long nobody takes its place when it says nothing, ms. Default 4 s (TERM_MS). */
  ttlMs?: number;
  snapshotEvery?: number;
  log: (line: string) => void;
}
