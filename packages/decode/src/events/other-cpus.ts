/**
 * @module Machine checks of processors that are neither x86 nor arm64, as Linux prints them: POWER and PowerPC, s390, LoongArch, MIPS, Arm
 * of 32 bits. Facts: arch/powerpc, arch/s390, arch/loongarch, arch/mips, arch/arm.
 */
import { row } from './row.ts';

const FIELDS =
  'platform:string message:string cpu?:number comm?:string pid?:number virt?:address addr?:address nip?:register code?:register';
const WORDS = 'The words are those of the kernel; the registers behind them are not in its log.';

/** Names without a layer. */
export const OTHER_CPUS = {
  'cpu-error-corrected': row(FIELDS, 'A processor of another architecture reports an error that was repaired.', {
    severity: 'corrected',
    record: {
      reporter: 'machine-check',
      headline: 'Machine check, recovered',
      explanation: `What failed was made anew (an entry of a translation buffer, an instruction): nothing was lost. ${WORDS}`,
      next: 'Count them by CPU; many mean that the processor, or software that maps twice, is at fault.',
    },
  }),
  'cpu-error-recovered': row(FIELDS, 'Data was lost, and the system goes on without it.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'machine-check',
      headline: 'Machine check, data lost, the system goes on',
      explanation: `An error could not be corrected; who used the data was stopped or took another way. ${WORDS}`,
      next: 'Look for the page or the process beside it, and in the log of the service processor for the part.',
    },
  }),
  'cpu-error-uncorrected': row(FIELDS, 'A processor of another architecture reports an error that was not recovered.', {
    severity: 'uncorrected',
    record: {
      reporter: 'machine-check',
      headline: 'Machine check, not recovered',
      explanation: `What ran then gets SIGBUS; in the kernel it is an Oops, and a panic with panic_on_oops, in an interrupt and for init. Accesses to what does not answer (a device, an address that is not there) raise it too. ${WORDS}`,
      next: 'Look at the address and at who used it, and in the log of the service processor (PEL, HMC, firmware) for the part.',
    },
  }),
  'rtas-event': row(FIELDS, 'Firmware of POWER tells of an event.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'Firmware event, no error of a processor',
      explanation: WORDS,
      next: 'Look in the log of the service processor.',
    },
  }),
  'cpu-error-fatal': row(FIELDS, 'A processor of another architecture reports an error that ends the system.', {
    severity: 'fatal',
    record: {
      reporter: 'machine-check',
      headline: 'Machine check that ends the system',
      explanation: `The kernel does not go on. ${WORDS}`,
      next: 'Look at the lines before it, and in the log of the service processor (PEL, HMC, firmware) for the part.',
    },
  }),
  'arm-abort': row(
    'message:string fsr:register virt?:address',
    'Linux on Arm of 32 bits takes an abort that came from outside of the processor.',
    {
      severity: 'uncorrected',
      record: {
        reporter: 'arm',
        headline: 'External abort (Arm, 32 bits)',
        explanation:
          'Memory or a device answered an access with an error (fault status register, Arm ARM DDI 0406, B4.1.51 and B4.1.96). An imprecise one comes later than its access: the address beside it is not that of the error. Most come of a device that is switched off or of an address that is not there; a memory with ECC reports so, too.',
        next: 'Look who accessed the address and whether its clock and power were on; on a machine with ECC look at the EDAC lines of the same moment.',
      },
    },
  ),
};
