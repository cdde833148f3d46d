/** @module What systems other than Linux and Xen say of errors beside their records: ESXi, Windows, FreeBSD, firmware. */
import { row } from './row.ts';

/** Names without a layer. */
export const SYSTEMS = {
  'page-retired': row('pfn:pfn cpu?:number bank?:number', 'ESXi takes a bad page out of use.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'kernel',
      headline: 'ESXi takes a bad page out of use',
      explanation: 'The number is a machine page (MPN) of 4 KiB. Who used it is stopped or told; the host goes on.',
      next: 'Look for the machine check before it, and which VM was ended.',
    },
  }),
  'system-halted': row('message:string cpu?:number', 'A system stops because of a machine check.', {
    severity: 'fatal',
    record: {
      reporter: 'kernel',
      headline: 'The system stopped because of a machine check',
      explanation: 'What it printed beside says which bank reported what.',
      next: 'Look at the records beside it.',
    },
  }),
  'windows-bugcheck': row(
    'code:register parameter1:register parameter2:register parameter3:register parameter4:register',
    'Windows stops because of a hardware error; its parameters hold no MCi_STATUS.',
    {
      severity: 'fatal',
      record: {
        reporter: 'windows',
        headline: 'Windows stopped because of a hardware error',
        explanation:
          'Parameter 1 is the kind of source (0 machine check exception, 1 corrected machine check, 3 NMI, 4 PCI Express, 5 generic firmware error source, 6 INIT, 7 firmware report at boot), parameter 2 the address of the error record. The parameters hold no machine check status here.',
        next: 'Run `!errrec` on parameter 2 in WinDbg, or read the WHEA-Logger event of the next start: its RawData is the whole record.',
      },
    },
  ),
  'whea-fatal': row('message:string apicId?:register', 'Windows tells of a fatal hardware error in one sentence.', {
    severity: 'fatal',
    record: {
      reporter: 'windows',
      headline: 'Windows logs a fatal hardware error',
      explanation:
        'The sentence of the event names component and kind only. It is logged at the start after the crash.',
      next: 'Take the details of the event (XML view): MciStat and RawData say which bank reported what.',
    },
  }),
  'whea-corrected': row(
    'message:string apicId?:register',
    'Windows tells of a corrected hardware error in one sentence.',
    {
      severity: 'corrected',
      record: {
        reporter: 'windows',
        headline: 'Windows logs a corrected hardware error',
        explanation: 'The sentence of the event names component and kind only.',
        next: 'Take the details of the event (XML view): MciStat and RawData say which bank reported what. Count them.',
      },
    },
  ),
  'firmware-machine-check': row('apicId?:register rip?:register', 'Firmware took a machine check exception itself.', {
    severity: 'fatal',
    record: {
      reporter: 'firmware',
      headline: 'Firmware took a machine check exception',
      explanation:
        'UEFI firmware or a boot loader ran when it came: no operating system was there, or it was not asked. The dump shows general registers and no machine check bank.',
      next: 'Look for what raised it: the log of the hypervisor or paravisor in a VM, the controller of the board or BERT on a machine.',
    },
  }),
  'paravisor-machine-check': row(
    'gpa:address shared?:boolean',
    'A paravisor gives its guest a machine check for an address that it must not touch.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'firmware',
        headline: 'A paravisor made a machine check for its guest',
        explanation:
          'OpenHCL raises #MC in its guest for an access to guest memory that is not there or not accepted: no hardware is broken.',
        next: 'Look what the guest maps at this address; replace no part for it.',
      },
    },
  ),
};
