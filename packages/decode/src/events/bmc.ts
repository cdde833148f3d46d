/** @module What a management controller of a server (BMC) logs of memory and processors. */
import { row } from './row.ts';

const FIELDS =
  'message:string sensor?:string label?:string time?:string data?:string entry?:number count?:number addr?:address';
const OUTSIDE =
  'The controller beside the host logged it, so it is there also where the system of the host died before it could.';

/** Names without a layer. */
export const BMC = {
  'bmc-memory-corrected': row(FIELDS, 'A management controller logs a corrected memory error.', {
    severity: 'corrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: corrected memory error',
      explanation: `${OUTSIDE} Many boards log only what passed a threshold: one line may stand for many errors.`,
      next: 'Count them by module; many from one in a day mean that it is to be replaced.',
    },
  }),
  'bmc-memory-limit': row(
    FIELDS,
    'A management controller logs that a module has more corrected errors than its limit.',
    {
      severity: 'corrected',
      record: {
        reporter: 'controller',
        headline: 'Management controller: too many corrected memory errors',
        explanation: `${OUTSIDE} Corrected errors of one module passed the limit of the board, which may log no more of them.`,
        next: 'Plan to replace the module; do not read silence after it as health.',
      },
    },
  ),
  'bmc-memory-uncorrected': row(FIELDS, 'A management controller logs an uncorrected memory error.', {
    severity: 'uncorrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: uncorrected memory error',
      explanation: `${OUTSIDE} Data was lost. Where it names more than one module, the error lies in one of them.`,
      next: 'Replace the module it names; look for the machine check or firmware record of the same moment.',
    },
  }),
  'bmc-memory-disabled': row(FIELDS, 'A management controller logs that memory was taken out of use.', {
    severity: 'uncorrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: memory taken out of use',
      explanation: `${OUTSIDE} Firmware disabled a module or could not scrub it.`,
      next: 'Look for the errors before it; replace the module it names.',
    },
  }),
  'bmc-memory-repaired': row(FIELDS, 'A management controller logs that weak memory was replaced by spare cells.', {
    severity: 'corrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: weak memory was repaired, or a repair was tried',
      explanation: `${OUTSIDE} Firmware puts spare cells in place of weak ones when the machine starts (post package repair); the errors that led to it came before.`,
      next: 'Look for the errors before it, and whether new ones of the module come after it: then replace it.',
    },
  }),
  'bmc-memory-redundancy': row(FIELDS, 'A management controller logs that memory is no longer kept twice.', {
    severity: 'corrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: memory lost its second copy or its spare',
      explanation: `${OUTSIDE} Memory that is mirrored, spared or kept as RAID lost a part: nothing was lost yet, the next error of this kind may be.`,
      next: 'Look for the module in the lines beside it and replace it: until then nothing stands in for it.',
    },
  }),
  'bmc-memory-power': row(FIELDS, 'A management controller logs that the regulator of a module left its bounds.', {
    severity: 'uncorrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: the power of a memory module failed',
      explanation: `${OUTSIDE} The regulator on the module (PMIC, DDR5) met a voltage above or below its bounds and turns its outputs off: what the module held is lost, and the machine stops.`,
      next: 'Replace the module it names; where several say so at one time, look at the supply of the board.',
    },
  }),
  'bmc-memory-power-warning': row(FIELDS, 'A management controller logs a warning of the regulator of a module.', {
    severity: 'info',
    record: {
      reporter: 'controller',
      headline: 'Management controller: the regulator of a memory module warns',
      explanation: `${OUTSIDE} Temperature, current or input of the regulator on the module (PMIC, DDR5); no data was lost.`,
      next: 'Look at cooling and supply; replace the module where it says so again.',
    },
  }),
  'bmc-bus-corrected': row(FIELDS, 'A management controller logs a corrected error of a bus.', {
    severity: 'corrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: corrected bus error',
      explanation: `${OUTSIDE} A critical interrupt of PCI or another bus (IPMI 2.0 table 42-3, sensor type 13h); no memory module is named.`,
      next: 'Count them; look at the AER lines of the host at the same moment for the device.',
    },
  }),
  'bmc-bus-uncorrected': row(FIELDS, 'A management controller logs an uncorrected bus error or a fatal interrupt.', {
    severity: 'uncorrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: uncorrected bus error or fatal interrupt',
      explanation: `${OUTSIDE} A critical interrupt: a parity or system error of PCI, a fatal error of a bus or an NMI (IPMI 2.0 table 42-3, sensor type 13h).`,
      next: 'Look at the AER lines and machine checks of the host at the same moment: they name the device or the bank.',
    },
  }),
  'bmc-processor-corrected': row(FIELDS, 'A management controller logs a corrected machine check.', {
    severity: 'corrected',
    record: {
      reporter: 'controller',
      headline: 'Management controller: corrected machine check of a processor',
      explanation: OUTSIDE,
      next: 'Look for the record of the same moment in the log of the host: it says which unit it was.',
    },
  }),
  'bmc-processor-uncorrected': row(
    FIELDS,
    'A management controller logs that a processor stopped for an internal error.',
    {
      severity: 'fatal',
      record: {
        reporter: 'controller',
        headline: 'Management controller: a processor reported a fatal error',
        explanation: `${OUTSIDE} An internal error (IERR) or a machine check that nobody could go on from. Often its cause is elsewhere: memory, or a device that never answered.`,
        next: 'Look for the machine check banks of it: in the crash dump of the controller, in the log of firmware, in BERT at the next boot.',
      },
    },
  ),
};
