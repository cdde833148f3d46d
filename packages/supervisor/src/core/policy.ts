/** @module A policy as data: what is done at which threshold. It cannot name commands or URLs. */

export const MODES = ['observe', 'notify', 'act'] as const;

/** The ladder, lowest first; `hold` is where nothing more may be done without a proof. */
export const RUNGS = [
  'observe',
  'tell',
  'quarantine',
  'reboot',
  'migrate',
  'restart-elsewhere',
  'terminate',
  'hold',
] as const;
export type Rung = (typeof RUNGS)[number];

export interface Policy {
  schema: 1;
  name: string;
  version: string;
  /** `observe`: remember and decide, tell nobody but the ledger. `notify`: tell too. `act`: all that the rules say. */
  mode: (typeof MODES)[number];
}
