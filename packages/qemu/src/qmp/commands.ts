/**
 * The QMP commands and events the project uses, as data. Only what is read is listed: QEMU may send more members.
 * schema.ts compares this table with the `query-qmp-schema` of a running QEMU; the types below are derived from it.
 * Source: QEMU 11.1, qapi/*.json (file named where it is not run-state.json), seen over query-qmp-schema.
 */
import type { Members, Received, ReceivedMembers, SentMembers, Shape } from './shapes.ts';

export type CommandShape = {
  arguments: Members;
  return: Shape;
  /** First QEMU release that has it, where that matters (later than 7.2). */
  since?: string;
};
export type EventShape = { data: Members; since?: string };

const nothing = { members: {} } as const;

const runState = {
  enum: [
    'debug',
    'inmigrate',
    'internal-error',
    'io-error',
    'paused',
    'postmigrate',
    'prelaunch',
    'finish-migrate',
    'restore-vm',
    'running',
    'save-vm',
    'shutdown',
    'suspended',
    'watchdog',
    'guest-panicked',
    'colo',
  ],
} as const;

const shutdownCause = {
  enum: [
    'none',
    'host-error',
    'host-qmp-quit',
    'host-qmp-system-reset',
    'host-signal',
    'host-ui',
    'guest-shutdown',
    'guest-reset',
    'guest-panic',
    'subsystem-reset',
    'snapshot-load',
  ],
} as const;

const watchdogAction = { enum: ['reset', 'shutdown', 'poweroff', 'pause', 'debug', 'none', 'inject-nmi'] } as const;

const guestPanic = {
  action: { enum: ['pause', 'poweroff', 'run'] },
  'info?': { members: { type: { enum: ['hyper-v', 's390', 'tdx', 'sev'] } } },
} as const;

const version = {
  members: { qemu: { members: { major: 'int', minor: 'int', micro: 'int' } }, package: 'string' },
} as const;

export const commands = {
  // control.json
  qmp_capabilities: { arguments: { 'enable?': { array: { enum: ['oob'] } } }, return: nothing },
  'query-version': { arguments: {}, return: version },
  'query-commands': { arguments: {}, return: { array: { members: { name: 'string' } } } },
  'query-name': { arguments: {}, return: { members: { 'name?': 'string' } } },
  quit: { arguments: {}, return: nothing },
  // misc.json, introspect.json
  'human-monitor-command': { arguments: { 'command-line': 'string', 'cpu-index?': 'int' }, return: 'string' },
  stop: { arguments: {}, return: nothing },
  cont: { arguments: {}, return: nothing },
  'query-qmp-schema': {
    arguments: {},
    return: {
      array: {
        members: {
          name: 'string',
          'meta-type': { enum: ['builtin', 'enum', 'array', 'object', 'alternate', 'command', 'event'] },
        },
      },
    },
  },
  // run-state.json, machine.json
  'query-status': { arguments: {}, return: { members: { running: 'boolean', status: runState } } },
  system_reset: { arguments: {}, return: nothing },
  system_powerdown: { arguments: {}, return: nothing },
  system_wakeup: { arguments: {}, return: nothing },
  'set-action': {
    arguments: {
      'reboot?': { enum: ['reset', 'shutdown'] },
      'shutdown?': { enum: ['poweroff', 'pause'] },
      'panic?': { enum: ['pause', 'shutdown', 'exit-failure', 'none'] },
      'watchdog?': watchdogAction,
    },
    return: nothing,
  },
  'inject-nmi': { arguments: {}, return: nothing },
  'query-cpus-fast': {
    arguments: {},
    return: {
      array: {
        members: {
          'cpu-index': 'int',
          'qom-path': 'string',
          // QEMU 7.2 does not say it.
          'qom-type?': 'string',
          'thread-id': 'int',
          target: 'string',
        },
      },
    },
  },
  'query-kvm': { arguments: {}, return: { members: { enabled: 'boolean', present: 'boolean' } } },
  'query-machines': {
    arguments: {},
    return: {
      array: {
        members: {
          name: 'string',
          'alias?': 'string',
          'is-default?': 'boolean',
          'cpu-max': 'int',
          deprecated: 'boolean',
          'default-cpu-type?': 'string',
        },
      },
    },
  },
  // qom.json
  'qom-get': { arguments: { path: 'string', property: 'string' }, return: 'value' },
  'qom-set': { arguments: { path: 'string', property: 'string', value: 'value' }, return: nothing },
  'qom-list': {
    arguments: { path: 'string' },
    return: { array: { members: { name: 'string', type: 'string', 'description?': 'string' } } },
  },
  // acpi-hest.json; feature `unstable`; read ghes.ts before use
  'inject-ghes-v2-error': { arguments: { cper: 'string' }, return: nothing, since: '10.2' },
} as const satisfies Record<string, CommandShape>;

export const events = {
  // Only x86 emits it, and it names neither address, CPU nor bank. `action-required` repeats MCi_STATUS.AR.
  MEMORY_FAILURE: {
    data: {
      recipient: { enum: ['hypervisor', 'guest'] },
      action: { enum: ['ignore', 'inject', 'fatal', 'reset'] },
      flags: { members: { 'action-required': 'boolean', recursive: 'boolean' } },
    },
  },
  RESET: { data: { guest: 'boolean', reason: shutdownCause } },
  SHUTDOWN: { data: { guest: 'boolean', reason: shutdownCause } },
  STOP: { data: {} },
  RESUME: { data: {} },
  // Needs a pvpanic device (or hv-crash): a guest's panic alone is invisible to QEMU.
  GUEST_PANICKED: { data: guestPanic },
  GUEST_CRASHLOADED: { data: guestPanic },
  // Rate-limited by QEMU to one per second.
  WATCHDOG: { data: { action: watchdogAction } },
  POWERDOWN: { data: {} },
  SUSPEND: { data: {} },
  WAKEUP: { data: {} },
  GUEST_PVSHUTDOWN: { data: {}, since: '9.1' },
} as const satisfies Record<string, EventShape>;

/** Arguments and return type of every command of the table. */
export type QmpCommands = {
  [C in keyof typeof commands]: {
    arguments: SentMembers<(typeof commands)[C]['arguments']>;
    return: Received<(typeof commands)[C]['return']>;
  };
};
export type QmpCommandName = keyof QmpCommands;

/** Data of every event of the table. */
export type QmpEvents = { [E in keyof typeof events]: ReceivedMembers<(typeof events)[E]['data']> };
export type QmpEventName = keyof QmpEvents;
