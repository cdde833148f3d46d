/** @module The flags of firmware records, their sections and the structures in them. */
import { bit, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';

/** Flags of a record header. */
export const CPER_RECORD_FLAGS = defineRegister({
  name: 'RecordFlags',
  width: 32,
  source: 'UEFI 2.10 N.2.1, record flags',
  fields: [
    bit(0, 'RECOVERED', 'recovered'),
    bit(1, 'PREVERR', 'from before the last boot'),
    bit(2, 'SIMULATED', 'simulated'),
  ],
});

/** Flags of a section descriptor; a generic error data entry has the same in 8 bits. */
export const CPER_SECTION_FLAGS = defineRegister({
  name: 'SectionFlags',
  width: 32,
  source: 'UEFI 2.10 N.2.2, section flags',
  fields: [
    bit(0, 'PRIMARY', 'primary'),
    bit(1, 'CONTAINMENT_WARNING', 'containment warning'),
    bit(2, 'RESET', 'reset'),
    bit(3, 'THRESHOLD_EXCEEDED', 'threshold exceeded'),
    bit(4, 'NOT_ACCESSIBLE', 'resource not accessible'),
    bit(5, 'LATENT', 'latent error'),
    bit(6, 'PROPAGATED', 'propagated'),
    bit(7, 'OVERFLOW', 'overflow'),
  ],
});

/** Flags of the generic processor section. */
export const CPER_PROCESSOR_FLAGS = defineRegister({
  name: 'ProcessorFlags',
  width: 8,
  source: 'UEFI 2.10 N.2.4.1, flags',
  fields: [
    bit(0, 'RESTARTABLE', 'restartable'),
    bit(1, 'PRECISE_IP', 'the instruction pointer is that of the error'),
    bit(2, 'OVERFLOW', 'an error was lost'),
    bit(3, 'CORRECTED', 'corrected'),
  ],
});

/** Flags of an ARM processor error information structure. */
export const ARM_ERROR_FLAGS = defineRegister({
  name: 'ArmErrorFlags',
  width: 8,
  source: 'UEFI 2.10 N.2.4.4.1, flags',
  fields: [
    bit(0, 'FIRST', 'first error captured'),
    bit(1, 'LAST', 'last error captured'),
    bit(2, 'PROPAGATED', 'propagated'),
    bit(3, 'OVERFLOW', 'overflow'),
  ],
});

/** Running state of an ARM processor section. */
export const ARM_RUNNING_STATE = defineRegister({
  name: 'RunningState',
  width: 32,
  source: 'UEFI 2.10 N.2.4.4, running state',
  fields: [bit(0, 'RUNNING', 'the processor is running')],
});

/** What the flags say that are set, from bit 0 up. */
export function flagWords({ fields }: Register, flags = 0): string[] {
  return fields.flatMap(f => ((flags >>> f.lo) & 1 ? [f.meaning ?? f.name] : []));
}
