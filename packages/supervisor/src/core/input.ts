/** @module Everything that the core may be told, and everything that it may want. Both are data, and go through JSON. */
import type { Act, ActResult } from './act.ts';
import type { ActionId, Epoch, HostId, IncidentId, Time, VmId } from './ids.ts';
import type { Notice } from './notice.ts';
import type { Policy } from './policy.ts';
import type { Row } from './said.ts';

/** What a person orders. Each is audited with who it was. */
export type Order =
  | { order: 'pause'; reason?: string }
  | { order: 'resume' }
  | { order: 'drain'; host: HostId; reason?: string }
  /** It takes VMs again, and those that wait to leave it stay. */
  | { order: 'undrain'; host: HostId; reason?: string }
  | { order: 'repaired'; host: HostId }
  /** Take a page of a host out of use: softly its content is moved away first; hard whoever uses it has lost it. */
  | { order: 'offline'; host: HostId; page: string; hard?: boolean }
  /** Stop it with proof, start it on another host. */
  | { order: 'restart'; vm: VmId; reason?: string }
  | { order: 'terminate'; vm: VmId; reason?: string }
  | { order: 'planned-stop'; vm: VmId }
  | { order: 'breaker-close' }
  | { order: 'close'; incident: IncidentId; reason?: string }
  /** Says that the copy of that epoch on that host has stopped. */
  | { order: 'attest'; vm: VmId; host: HostId; epoch: Epoch; statement: string };

export type Input =
  | { input: 'row'; at: Time; row: Row }
  /** `sent`: an agent has the act. `unknown`: the store is no longer sure (a controller died), or its deadline is over. */
  | { input: 'act'; at: Time; action: ActionId; state: 'sent' | 'unknown'; reason?: string }
  /** What became of an act that no agent carries out: a fence agent beside the controller. */
  | { input: 'result'; at: Time; host: HostId; result: ActResult }
  | { input: 'order'; at: Time; by: string; order: Order }
  /**
   * A policy to judge by. `site`: the one that the configuration names, told at each start; it comes into force when it is
   * another than the configuration named before, so that what an operator has set outlives a restart.
   */
  | { input: 'policy'; at: Time; by: string; policy: Policy; site?: true }
  /** An agent's connection came or went. Silence is no proof of anything. */
  | { input: 'agent'; at: Time; host: HostId; connected: boolean }
  /** The hosts whose power the controller can switch and read back. */
  | { input: 'fences'; at: Time; hosts: readonly HostId[] }
  /** Time passes. At least once a second, and before anything that follows a deadline. */
  | { input: 'tick'; at: Time };

/** Why: which rule, on what. `replay` of the same inputs under the same policy gives the same decisions (I12). */
export interface Decision {
  at: Time;
  incident?: IncidentId;
  host?: HostId;
  vm?: VmId;
  /** The rule of the policy, or of the core itself (`core/never-twice`). */
  rule: string;
  /** `name@version#hash`. */
  policy: string;
  /** What it led to, in one word of the ladder or an order: `observe`, `tell`, …, `hold`. */
  rung: string;
  /** The facts that it was decided on, by name. */
  inputs: Record<string, string | number | boolean>;
  /** One sentence for the person who asks `fleet explain`. */
  why: string;
}

export type Effect =
  | { effect: 'act'; act: Act }
  | { effect: 'notice'; notice: Notice }
  | { effect: 'decision'; decision: Decision };
