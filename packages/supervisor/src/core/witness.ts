/** @module What an event of the catalogue says of memory errors, and who may say it. One row of the table for each layer. */
import { pfnOf } from '@syndrome/decode/registers/address.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { isDestatMsr } from '@syndrome/decode/mca/smca-msr.ts';
import type { SeenEvent, SourceName } from './said.ts';
import type { Consequence } from './policy.ts';

/** What one event comes to. */
export type Finding =
  /** A page is bad; which one is known by frame, by guest address, or both. */
  | {
      is: 'page';
      pfn?: bigint | undefined;
      gpa?: bigint | undefined;
      consumed?: boolean;
      process?: string;
      kernel?: { result: string; page: string };
    }
  /** A VM met an error, and nobody says where. */
  | { is: 'error'; consumed: boolean; recursive: boolean; hypervisor: boolean }
  /** Told by the machine check itself, or by the driver of the memory controller. */
  | {
      is: 'corrected';
      by: 'record' | 'driver';
      count: number;
      pfn?: bigint | undefined;
      addr?: bigint | undefined;
    }
  | { is: 'after'; what: Consequence }
  | { is: 'quarantined'; gpa: bigint }
  /** Words for a person. Nothing is decided on them. */
  | { is: 'remark'; text: string }
  | { is: 'guest-kernel'; version: string }
  | { is: 'nothing' };

const NOTHING: Finding = { is: 'nothing' };

/**
 * Who is believed about what. Lines of the host's kernel come from its log (facility 0: the agent sees to it) and its trace;
 * an injector's word counts in drills only. What a guest says, by whatever way, is words.
 */
const BELIEVED: Readonly<Record<string, readonly SourceName[]>> = {
  host: ['kmsg', 'tracefs', 'sysfs'],
  vmm: ['qmp', 'libvirt', 'qemu-log', 'vmm', 'proc', 'exec'],
  lab: ['drill'],
};

const frame = (address: bigint | undefined): bigint | undefined => (address === undefined ? undefined : pfnOf(address));
/** Severity by the class of a machine check: the page of these holds bad data. */
const BAD_CLASSES: ReadonlySet<string> = new Set(['Deferred', 'UCNA', 'SRAO', 'SRAR', 'UC']);

function located(pfn: bigint | undefined, gpa: bigint | undefined, consumed: boolean): Finding {
  if (pfn === undefined && gpa === undefined) return { is: 'error', consumed, recursive: false, hypervisor: false };
  return { is: 'page', pfn, gpa, consumed };
}

function machineCheck(cls: string, addr: bigint | undefined, pfn: bigint | undefined): Finding {
  if (cls === 'CE') return { is: 'corrected', by: 'record', count: 1, pfn, addr };
  return BAD_CLASSES.has(cls) && pfn !== undefined ? { is: 'page', pfn, consumed: cls === 'SRAR' } : NOTHING;
}

const SHUTDOWN: Readonly<Record<string, Consequence>> = {
  'guest-panic': 'panicked',
  'guest-reset': 'rebooted',
  'subsystem-reset': 'rebooted',
};

/**
 * A virtual CPU does not have MCA_DESTAT, and Linux 6.19 up to 6.19.9 writes it when it clears a deferred error; the rule
 * `linux.amd-destat.crash` of the outlook.
 */
const DESTAT_BUG =
  ' This is a known bug of Linux 6.19 up to 6.19.9 in AMD guests (mended in 6.19.10 and 7.0), not a second error: it clears a deferred error in MCA_DESTAT, a register that the virtual CPU lacks.';

/** What the consoles of a guest add to the story. */
function guestRemark(event: LogEvent): Finding {
  switch (event.name) {
    case 'guest.boot':
      return { is: 'guest-kernel', version: event.fields.version.slice(0, 100) };
    case 'guest.panic':
      return { is: 'remark', text: `the guest's kernel panicked: ${event.fields.message.slice(0, 200)}` };
    case 'guest.msr-error': {
      const { access, msr, symbol } = event.fields;
      const where = symbol === undefined ? '' : ` in ${symbol.slice(0, 80)}`;
      const register = `0x${msr.toString(16)}`;
      const bug = isDestatMsr(msr) ? DESTAT_BUG : '';
      return { is: 'remark', text: `the guest's kernel failed at a ${access} of MSR ${register}${where}.${bug}` };
    }
    default:
      return NOTHING;
  }
}

/**
 * What an event says. Whoever is not believed about its layer has said nothing.
 * @example findingOf({ kind: 'event', source: 'kmsg', event: event('host.memory-failure', { pfn: 5n, page: '…', result: 'Recovered' }) })
 */
export function findingOf(seen: SeenEvent): Finding {
  const { event } = seen;
  const layer = event.name.slice(0, event.name.indexOf('.'));
  if (layer === 'guest') return guestRemark(event);
  if (BELIEVED[layer]?.includes(seen.source) !== true) return NOTHING;
  const { pfn, gpa } = seen;
  switch (event.name) {
    case 'host.memory-failure': {
      const { page, result } = event.fields;
      return {
        is: 'page',
        pfn: event.fields.pfn,
        gpa,
        kernel: { page: page.slice(0, 80), result: result.slice(0, 40) },
      };
    }
    case 'host.memory-failure-note':
    case 'host.hwpoison-injected':
      return { is: 'page', pfn: event.fields.pfn, gpa };
    case 'host.sigbus-sent':
      return { is: 'page', pfn: event.fields.pfn, gpa, process: event.fields.comm.slice(0, 64) };
    case 'host.poison-fault':
      return pfn === undefined ? NOTHING : { is: 'page', pfn, gpa, process: event.fields.comm.slice(0, 64) };
    case 'host.mce-record':
      return machineCheck(event.fields.class, event.fields.addr, frame(event.fields.addr) ?? pfn);
    case 'host.edac-corrected': {
      const { addr, count } = event.fields;
      return { is: 'corrected', by: 'driver', count, pfn: frame(addr) ?? pfn, addr };
    }
    case 'host.edac-uncorrected': {
      const at = frame(event.fields.addr) ?? pfn;
      return at === undefined ? NOTHING : { is: 'page', pfn: at, gpa };
    }
    case 'vmm.memory-failure': {
      const { recipient, actionRequired, recursive } = event.fields;
      const consumed = actionRequired === true;
      if (pfn !== undefined || gpa !== undefined) return { is: 'page', pfn, gpa, consumed };
      return { is: 'error', consumed, recursive: recursive === true, hypervisor: recipient === 'hypervisor' };
    }
    case 'vmm.sigbus-injected':
      return { is: 'page', pfn, gpa: event.fields.gpa, consumed: event.fields.code === 'BUS_MCEERR_AR' };
    case 'vmm.memory-error': {
      const consumed = event.fields.code === 'BUS_MCEERR_AR';
      if (pfn !== undefined || gpa !== undefined) return { is: 'page', pfn, gpa, consumed };
      return { is: 'error', consumed, recursive: false, hypervisor: true };
    }
    case 'vmm.arm-sea':
      return located(pfn ?? frame(event.fields.hpa), event.fields.gpa, true);
    case 'vmm.sigbus':
      // Any other code is no memory error: BUS_ADRERR is a lack of huge pages.
      if (!event.fields.codename.startsWith('BUS_MCEERR_')) return NOTHING;
      return located(pfn, event.fields.gpa, event.fields.codename === 'BUS_MCEERR_AR');
    case 'vmm.quarantine-hit':
      return { is: 'page', pfn, gpa: event.fields.gpa, consumed: true };
    case 'vmm.quarantined':
      return { is: 'quarantined', gpa: event.fields.gpa };
    case 'vmm.guest-panicked':
      return { is: 'after', what: 'panicked' };
    case 'vmm.triple-fault':
      return { is: 'after', what: 'rebooted' };
    case 'vmm.reset':
      // A reset that somebody ordered is none of the guest's doing.
      return event.fields.guest === false ? NOTHING : { is: 'after', what: 'rebooted' };
    case 'vmm.shutdown': {
      const what = SHUTDOWN[event.fields.reason ?? ''];
      return what === undefined ? NOTHING : { is: 'after', what };
    }
    case 'vmm.exit': {
      const { expected, code, signal } = event.fields;
      return expected === true || (code === 0 && signal === undefined) ? NOTHING : { is: 'after', what: 'died' };
    }
    case 'vmm.run-failed':
      return { is: 'after', what: 'died' };
    case 'vmm.system-event': {
      const { name } = event.fields;
      if (/crash|panic/i.test(name)) return { is: 'after', what: 'panicked' };
      return /reset/i.test(name) ? { is: 'after', what: 'rebooted' } : NOTHING;
    }
    case 'lab.injected':
      return located(pfn ?? event.fields.pfn, gpa ?? event.fields.addr, false);
    default:
      return NOTHING;
  }
}
