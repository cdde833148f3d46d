/**
 * @module What drivers of accelerators (nvidia, amdgpu) say of errors of their memory. The device has a memory of its own: no page of the
 * machine is bad, and the machine itself goes on.
 */
import { row } from './row.ts';

const FIELDS =
  'label:string instance:string message:string count?:number total?:string status?:register deviceAddr?:register misc0?:register ipid?:register synd?:register';
const OWN = "It is the accelerator's own memory or a unit of it: no page of the machine is bad.";

/** Names without a layer. */
export const GPU = {
  'gpu-corrected': row(FIELDS, 'The driver of an accelerator reports a corrected error.', {
    severity: 'corrected',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: corrected error',
      explanation: `The hardware repaired it. ${OWN}`,
      next: 'Count them by accelerator and block; nothing has to be replaced for corrected errors alone.',
    },
  }),
  'gpu-deferred': row(FIELDS, 'The driver of an accelerator reports data that was marked bad.', {
    severity: 'deferred',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: bad data was marked',
      explanation: `Data was found that cannot be repaired, and marked as poison; who uses it is stopped. ${OWN}`,
      next: 'Restart the work that used it; look whether the driver reports that the poison was consumed, and resets the accelerator then.',
    },
  }),
  'gpu-contained': row(FIELDS, 'An uncorrected error of an accelerator hit only the work that met it.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: uncorrected error, contained',
      explanation: `Only the process that met it was ended; other work of the accelerator goes on. ${OWN}`,
      next: 'Restart the process. Reset the accelerator when its work has ended, so that the spare row is used (nvidia-smi -q -d ROW_REMAPPER says whether one waits).',
    },
  }),
  'gpu-uncorrected': row(FIELDS, 'The driver of an accelerator reports an uncorrected error.', {
    severity: 'uncorrected',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: uncorrected error',
      explanation: `Data of the accelerator was lost, and what ran on it cannot be trusted. ${OWN}`,
      next: 'End what runs on the accelerator, reset it (or restart the VM or machine that has it) and run its diagnostics; replace it when it comes again after the reset.',
    },
  }),
  'gpu-remapped': row(FIELDS, 'The driver of an accelerator notes weak memory that will be replaced by spare memory.', {
    severity: 'corrected',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: weak memory is put out of use',
      explanation: `A spare row takes its place, or the page is retired, from the next reset on: this follows an error and is none of its own. ${OWN}`,
      next: 'Reset the accelerator when its work has ended: until then the weak memory is in use.',
    },
  }),
  'gpu-not-remapped': row(FIELDS, 'The driver of an accelerator could not put weak memory out of use.', {
    severity: 'uncorrected',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: weak memory could not be put out of use',
      explanation: `There is no spare memory left, or it could not be written down: the accelerator cannot heal itself any more. ${OWN}`,
      next: 'Take the accelerator out of service and replace it: its maker takes this for a reason to return it.',
    },
  }),
  'gpu-lost': row(FIELDS, 'An accelerator no longer answers on PCIe.', {
    severity: 'uncorrected',
    record: {
      reporter: 'driver',
      headline: 'Accelerator: it no longer answers',
      explanation:
        'Reads of its registers give all ones: the link is down or the device has no power. This is no error of memory.',
      next: 'Look for AER lines of its port at the same moment; power the machine off and on, then look at power, slot, cables and riser.',
    },
  }),
  'gpu-count-unread': row(FIELDS, 'The counters of an accelerator were read as all ones.', {
    record: {
      reporter: 'kernel',
      headline: 'No error: counters of an accelerator were read as all ones',
      explanation:
        'The number is a multiple of 65,535: counters of 16 bits that all read as ones are those of a device that does not answer, as one that sleeps to save power.',
      next: 'Read the counters again while the accelerator is at work; only numbers that differ from this one say something.',
    },
  }),
};
