/** @module What libvirt tells by itself: its messages as values. Source: libvirt's remote protocol and libvirt-domain.h. */
import { bit, defineRegister } from '@syndrome/decode/registers/register.ts';
import { type Domain, readDomain } from './calls.ts';
import { lifecycle, type LifecycleType } from './states.ts';
import type { XdrReader } from './xdr.ts';

const WATCHDOG_ACTIONS = ['none', 'pause', 'reset', 'poweroff', 'shutdown', 'debug', 'inject-nmi'];
/** As QEMU's MEMORY_FAILURE has them. */
const RECIPIENTS = ['hypervisor', 'guest'];
const ACTIONS = ['ignore', 'inject', 'fatal', 'reset'];

const MEMORY_FAILURE_FLAGS = defineRegister({
  name: 'virDomainMemoryFailureFlags',
  width: 32,
  source: 'libvirt-domain.h, virDomainMemoryFailureFlags',
  fields: [bit(1, 'RECURSIVE', 'while another is handled'), bit(0, 'ACTION_REQUIRED', 'action required')],
});

export type LibvirtEvent =
  | { event: 'lifecycle'; domain: Domain; type: LifecycleType; detail: string }
  | { event: 'reboot'; domain: Domain }
  | { event: 'watchdog'; domain: Domain; action: string }
  | {
      event: 'memory-failure';
      domain: Domain;
      recipient: string;
      action: string;
      actionRequired: boolean;
      recursive: boolean;
    }
  | { event: 'job-completed'; domain: Domain };

interface Row {
  /** virDomainEventID: what is registered. */
  id: number;
  /** Number of the message. */
  procedure: number;
  /** Reads what follows the callback id; undefined for what this table does not know. */
  read(r: XdrReader): LibvirtEvent | undefined;
}

const word = (words: readonly string[], n: number): string => words[n] ?? `number ${n}`;

export const EVENTS: readonly Row[] = [
  {
    id: 0,
    procedure: 318,
    read: r => {
      const domain = readDomain(r);
      const what = lifecycle(r.int(), r.int());
      r.end();
      return what && { event: 'lifecycle', domain, ...what };
    },
  },
  {
    id: 1,
    procedure: 319,
    read: r => {
      const domain = readDomain(r);
      r.end();
      return { event: 'reboot', domain };
    },
  },
  {
    id: 3,
    procedure: 321,
    read: r => {
      const domain = readDomain(r);
      const action = word(WATCHDOG_ACTIONS, r.int());
      r.end();
      return { event: 'watchdog', domain, action };
    },
  },
  // Its statistics follow; nobody asks for them.
  { id: 21, procedure: 363, read: r => ({ event: 'job-completed', domain: readDomain(r) }) },
  {
    id: 25,
    procedure: 423,
    read: r => {
      const domain = readDomain(r);
      const [recipient, action, flags] = [word(RECIPIENTS, r.int()), word(ACTIONS, r.int()), r.uint()];
      r.end();
      const { ACTION_REQUIRED, RECURSIVE } = MEMORY_FAILURE_FLAGS.read(BigInt(flags));
      return {
        event: 'memory-failure',
        domain,
        recipient,
        action,
        actionRequired: ACTION_REQUIRED,
        recursive: RECURSIVE,
      };
    },
  },
];

/** The event of a message of the remote program; undefined for one that was not registered. @throws LibvirtProtocolError */
export function readEvent(procedure: number, r: XdrReader): LibvirtEvent | undefined {
  const row = EVENTS.find(e => e.procedure === procedure);
  if (row === undefined) return undefined;
  r.int(); // the callback
  return row.read(r);
}
