import { madeStatus, QEMU_SIGBUS } from '@syndrome/decode/mca/vmm-made.ts';
import { isDestatMsr } from '@syndrome/decode/mca/smca-msr.ts';
import type { TraceEvent } from '../event.ts';

/** A known defect of a consumer that a trace shows. */
export interface Cause {
  id: string;
  text: string;
  /** Where it began and where it was mended. */
  history: string;
}

interface KnownCause extends Cause {
  signs: (events: readonly TraceEvent[]) => boolean;
}

const isDestat = (msr: unknown): boolean => typeof msr === 'bigint' && isDestatMsr(msr);

/** What QEMU makes of a SIGBUS for a guest on Intel. */
const INTEL_MADE: readonly bigint[] = [QEMU_SIGBUS['intel-optional'].status, QEMU_SIGBUS['intel-required'].status];

/** Whether a guest on AMD printed a record of Intel's that a QEMU has made. */
function isIntelOnAmd({ name, fields, record }: TraceEvent): boolean {
  if (name !== 'guest.mce-record' || typeof fields?.status !== 'bigint') return false;
  const { vendor } = (record ?? {}) as { vendor?: unknown };
  return vendor === 'amd' && INTEL_MADE.includes(madeStatus(fields.status));
}

/** Every defect that a trace can be recognised to show. */
export const KNOWN_CAUSES: readonly KnownCause[] = [
  {
    id: 'linux-amd-destat-without-smca',
    text:
      'The guest found a deferred error by polling and cleared MCA_DESTAT of its bank (amd_clear_bank), although its processor ' +
      'has no SMCA. Under KVM that register does not exist, the write faults, and Linux panics.',
    history:
      'Came with 7cb735d7c0cb "x86/mce: Unify AMD DFR handler with MCA Polling" (6.19-rc1); mended by 201bc182ad63 ' +
      '"x86/mce/amd: Check SMCA feature bit before accessing SMCA MSRs" (7.0, stable 6.19.10). Affected: 6.19.0 to 6.19.9.',
    signs: events =>
      events.some(e => e.name === 'guest.msr-error' && e.fields?.access === 'WRMSR' && isDestat(e.fields.msr)) &&
      events.some(e => e.name === 'guest.panic' && String(e.fields?.message).includes('MCA architectural violation')),
  },
  {
    id: 'qemu-amd-guest-intel-record',
    text: 'QEMU gave a guest on AMD the record that guests on Intel get. Linux on AMD cannot recover from it, and panics.',
    history: 'Affected: every QEMU before 9.1 (4b77512b2782 "i386: Fix MCE support for AMD hosts").',
    signs: events =>
      events.some(e => e.name === 'vmm.sigbus-injected') &&
      events.some(isIntelOnAmd) &&
      events.some(e => e.name === 'guest.panic'),
  },
];

/** The known defects that these events show. */
export function causesOf(events: readonly TraceEvent[]): Cause[] {
  return KNOWN_CAUSES.filter(k => k.signs(events)).map(({ id, text, history }) => ({ id, text, history }));
}
