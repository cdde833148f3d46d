/** @module What to do with an abort or SError. */
import { classifyArm } from './classify.ts';
import type { ArmClass } from './classify.ts';
import type { ArmSeaRecord } from './record.ts';

const ABORT =
  'Look for a firmware record (`Hardware error from APEI`) at the same time: only it can name the physical page.';
/** What Linux does, by the exception level that the abort came from. */
const AFTER = {
  lower: 'It came from a lower exception level: Linux sends SIGBUS to the process, a hypervisor hands it to the guest.',
  same: 'It came from the level that took it, the kernel itself: Linux oopses.',
} as const;

const NEXT: Readonly<Record<ArmClass, readonly string[]>> = {
  sea: [ABORT],
  'sea-walk': ['The walk itself failed, so the bad memory holds a translation table, which nobody can repair.', ABORT],
  parity: [ABORT],
  'parity-walk': [ABORT],
  serror: [
    'An SError is imprecise: the program that ran need not have caused it. Linux panics unless the syndrome says corrected or restartable. Look for a firmware record, and at the RAS registers of the CPU.',
  ],
  'mmu-fault': ['This is an ordinary fault of the memory management unit. Nothing of the memory is broken.'],
  reserved: ['Check that the value was copied whole and that it is ESR_ELx.'],
  other: ['Check that the value is the ESR of the exception you look for.'],
};

/** Where firmware or a boot loader took it: no kernel was asked. */
const OF_FIRMWARE = [
  'Firmware or a boot loader took it and stopped: find what lies at the address it accessed; a device that does not answer is likelier than broken memory.',
  'Look for the RAS registers of the node, printed beside it or by the controller of the board.',
];

/**
 * What to do next, the most useful step first.
 * @param byFirmware firmware printed it, not a kernel
 */
export function nextStepArm(record: ArmSeaRecord, byFirmware = false): string[] {
  const { class: cls, from } = classifyArm(record);
  const steps = NEXT[cls];
  if (byFirmware && (steps.includes(ABORT) || cls === 'serror')) return OF_FIRMWARE;
  return from === undefined || !steps.includes(ABORT) ? [...steps] : [...steps, AFTER[from]];
}
