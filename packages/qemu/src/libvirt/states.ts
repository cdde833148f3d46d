/** @module What libvirt's numbers for states, reasons and lifecycle events are called. Source: libvirt's public header libvirt-domain.h; numbers are never reused. Words as `virsh domstate --reason` and `virsh event` have them, in lower case. */

/** virDomainState, each with its reasons (virDomainRunningReason, …). */
const STATES = [
  ['no state', ['unknown']],
  [
    'running',
    [
      'unknown',
      'booted',
      'migrated',
      'restored',
      'from snapshot',
      'unpaused',
      'migration canceled',
      'save canceled',
      'event wakeup',
      'crashed',
      'post-copy',
      'post-copy failed',
    ],
  ],
  ['blocked', ['unknown']],
  [
    'paused',
    [
      'unknown',
      'user',
      'migrating',
      'saving',
      'dumping',
      'I/O error',
      'watchdog',
      'from snapshot',
      'shutting down',
      'creating snapshot',
      'crashed',
      'starting up',
      'post-copy',
      'post-copy failed',
      'API error',
    ],
  ],
  ['in shutdown', ['unknown', 'user']],
  [
    'shut off',
    ['unknown', 'shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from snapshot', 'daemon'],
  ],
  ['crashed', ['unknown', 'panicked']],
  ['pmsuspended', ['unknown', 'disk']],
] as const;

type DomainStateName = (typeof STATES)[number][0];

export interface DomainState {
  state: DomainStateName;
  /** `reason 9` where this table is older than the libvirt. */
  reason: string;
}

/** A pair of virDomainState and its reason. @example domainState(6, 1) // { state: 'crashed', reason: 'panicked' } */
export function domainState(state: number, reason: number): DomainState {
  const [name, reasons] = STATES[state] ?? STATES[0];
  return { state: name, reason: reasons[reason] ?? `reason ${reason}` };
}

/** virDomainEventType, each with its details (virDomainEventStartedDetailType, …). */
const LIFECYCLE = [
  ['defined', ['added', 'updated', 'renamed', 'from snapshot']],
  ['undefined', ['removed', 'renamed']],
  ['started', ['booted', 'migrated', 'restored', 'from snapshot', 'event wakeup']],
  [
    'suspended',
    [
      'paused',
      'migrated',
      'I/O error',
      'watchdog',
      'restored',
      'from snapshot',
      'API error',
      'post-copy',
      'post-copy failed',
    ],
  ],
  ['resumed', ['unpaused', 'migrated', 'from snapshot', 'post-copy', 'post-copy failed']],
  ['stopped', ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from snapshot']],
  ['shutdown', ['finished', 'guest request', 'host request']],
  ['pmsuspended', ['memory', 'disk']],
  ['crashed', ['panicked', 'crashloaded']],
] as const;

export type LifecycleType = (typeof LIFECYCLE)[number][0];

/** A pair of virDomainEventType and its detail; undefined for a type that this table does not have. */
export function lifecycle(type: number, detail: number): { type: LifecycleType; detail: string } | undefined {
  const row = LIFECYCLE[type];
  return row === undefined
    ? undefined
    : { type: row[0], detail: (row[1] as readonly string[])[detail] ?? `detail ${detail}` };
}
