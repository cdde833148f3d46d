/** @module How bad a record is, in terms both vendors and the firmware tables share. */
import { gradedClass } from './classify.ts';
import type { McaClass } from './classify.ts';
import type { Downgradable } from './downgraded.ts';
import { isBroadcastFiller } from './vmm-made.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';

/**
 * `none` the bank holds nothing, or what QEMU fills in for CPUs that a broadcast is not about · `corrected` the data is right · `deferred` bad data was found, nothing consumed it
 * (AMD deferred, Intel UCNA) · `uncorrected-recoverable` bad data, and software that knows the page or the task can go on
 * (Intel SRAO and SRAR, AMD poison) · `uncorrected` bad data, and the record does not say whether one can go on ·
 * `fatal` the processor's state is lost, or the lost record of another error forbids to go on · `unknown` depends on the
 * vendor, which is not known.
 */
export type McaSeverity = (typeof MCA_SEVERITIES)[number];

/** All severities, mildest first; `unknown` is last because it may be any of them. */
export const MCA_SEVERITIES = [
  'none',
  'corrected',
  'deferred',
  'uncorrected-recoverable',
  'uncorrected',
  'fatal',
  'unknown',
] as const;

const BY_CLASS: Readonly<Record<McaClass, McaSeverity>> = {
  invalid: 'none',
  CE: 'corrected',
  Deferred: 'deferred',
  UCNA: 'deferred',
  SRAO: 'uncorrected-recoverable',
  SRAR: 'uncorrected-recoverable',
  UC: 'uncorrected',
  PCC: 'fatal',
  unknown: 'unknown',
};

/**
 * The severity of a record by the architecture alone; what a given kernel makes of it is the outlook's business.
 * SDM vol. 3B, UCR Error Overwrite Rules: an overflowed SRAR has lost an error that may be fatal. AMD: consumed poison
 * is confined to what consumed it.
 */
export function severity(record: Downgradable): McaSeverity {
  if (isBroadcastFiller(record)) return 'none';
  const cls = gradedClass(record);
  if (cls === 'SRAR' && MCI_STATUS_INTEL.read(record.status).OVER) return 'fatal';
  if (cls === 'UC' && record.vendor === 'amd') {
    const s = MCI_STATUS_AMD.read(record.status);
    if (s.POISON && !s.OVER) return 'uncorrected-recoverable';
  }
  return BY_CLASS[cls];
}
