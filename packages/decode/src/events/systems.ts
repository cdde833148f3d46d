/** @module What systems other than Linux and Xen say of errors beside their records: ESXi, Windows, FreeBSD, firmware. */
import { row } from './row.ts';

const RAS_FIELDS = 'message:string node:string status:register addr?:address misc0?:register';
const RAS_RECORD = 'The firmware of an Arm machine read the error record of a node (ERR<n>STATUS).';

const DIMM_FIELDS =
  'message:string label:string count?:number addr?:address node?:number controller?:number channel?:number slot?:number rank?:number bankGroup?:number bank?:number row?:number column?:number';
const DIMM_RECORD = 'ONTAP names the module by its slot on the board, and the cell in it.';
const FAULT_FIELDS = 'message:string label?:string';
const FAULT_RECORD =
  'The fault manager counts error reports and makes one fault of many; the class says of what. A share in percent is how likely this part is among several.';
const FAULT_NEXT =
  'Replace the part it names, then `fmadm repaired`; the reports behind it: `fmdump -eV -u` and its UUID.';

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
  'page-retire-asked': row('message:string', 'ESXi is asked to take pages out of use, or has too many of them.', {
    severity: 'unknown',
    record: {
      reporter: 'kernel',
      headline: 'ESXi: pages to be taken out of use',
      explanation:
        'Firmware or a count of errors asked for it: many corrected errors of one page, or one that could not be corrected. The line does not say which.',
      next: 'Look for the machine checks in vmkernel.log and for the module in the log of the management controller.',
    },
  }),
  'error-unsignalled': row('message:string', 'ESXi finds an error in a bank that no exception told it of.', {
    severity: 'uncorrected',
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      headline: 'ESXi found an uncorrected error that raised no exception',
      explanation:
        'A bank held an error that could not be corrected, and no machine check came for it: the host goes on, what the data was used for is not known. Seen on hosts with AMD processors (knowledge base 1005184).',
      next: 'Look for the bank beside it in vmkernel.log, and for the module in the log of the management controller; move the VMs away.',
    },
  }),
  'errors-counted': row('message:string cpu?:number', 'ESXi says how many errors a CPU has seen since the boot.', {
    severity: 'unknown',
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      headline: 'ESXi counts the errors of a CPU since the boot',
      explanation:
        'A sum of all that came since the boot: it names no bank and does not say whether they were corrected.',
      next: 'Look for the banks in vmkernel.log (`MCA:` or `MCE:` lines) and for the module in the log of the management controller.',
    },
  }),
  'system-halted': row('message:string cpu?:number', 'A system stops because of a machine check.', {
    severity: 'fatal',
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      announces: 'machine-check',
      headline: 'The system stopped because of a machine check',
      explanation: 'What it printed beside says which bank reported what.',
      next: 'Look at the records beside it.',
    },
  }),
  'fault-diagnosed': row(FAULT_FIELDS, 'The fault manager of illumos or Solaris blames a part.', {
    severity: 'unknown',
    record: {
      reporter: 'kernel',
      headline: 'The fault manager blames a part',
      explanation: `${FAULT_RECORD} This line does not say whether they were corrected.`,
      next: FAULT_NEXT,
    },
  }),
  'fault-of-corrected': row(FAULT_FIELDS, 'The fault manager blames a part for many corrected errors.', {
    severity: 'corrected',
    record: {
      reporter: 'kernel',
      headline: 'The fault manager blames a part, for corrected errors',
      explanation: `${FAULT_RECORD} They were corrected, and more than it allows; pages that had them are retired.`,
      next: FAULT_NEXT,
    },
  }),
  'fault-of-uncorrected': row(FAULT_FIELDS, 'The fault manager blames a part for uncorrected errors.', {
    severity: 'uncorrected',
    record: {
      reporter: 'kernel',
      headline: 'The fault manager blames a part, for uncorrected errors',
      explanation: `${FAULT_RECORD} Data was lost.`,
      next: FAULT_NEXT,
    },
  }),
  'dimm-uncorrected': row(DIMM_FIELDS, 'A storage system names the module of an uncorrected error.', {
    severity: 'uncorrected',
    record: {
      reporter: 'driver',
      headline: 'Memory module with an uncorrected error',
      explanation: `${DIMM_RECORD} Data was lost, and the controller stops for it or restarts.`,
      next: 'Replace the module it names.',
    },
  }),
  'dimm-corrected': row(DIMM_FIELDS, 'A storage system names the module of corrected errors.', {
    severity: 'corrected',
    record: {
      reporter: 'driver',
      headline: 'Memory module with corrected errors',
      explanation: `${DIMM_RECORD} The hardware repaired them.`,
      next: 'Count them by module; many from one in a day mean that it is to be replaced.',
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
          'Parameter 1 is the kind of source (0 machine check exception, 1 corrected machine check, 3 NMI, 4 PCI Express, 5 generic firmware error source, 6 INIT, 7 firmware report at boot, 14 management controller, 15 persistent memory, 16 device driver, 17 synchronous external abort, 18 SError), parameter 2 the address of the error record. The parameters hold no machine check status here.',
        next: 'Run `!errrec` on parameter 2 in WinDbg, or read the WHEA-Logger event of the next start: its RawData is the whole record.',
      },
    },
  ),
  'whea-fatal': row(
    'message:string apicId?:register addr?:address',
    'Windows tells of a fatal hardware error in one sentence.',
    {
      severity: 'fatal',
      record: {
        reporter: 'windows',
        headline: 'Windows logs a fatal hardware error',
        explanation:
          'The sentence of the event names component and kind only. It is logged at the start after the crash.',
        next: 'Take the details of the event (XML view): MciStat and RawData say which bank reported what.',
      },
    },
  ),
  'whea-corrected': row(
    'message:string apicId?:register addr?:address',
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
        announces: 'firmware',
        headline: 'A paravisor made a machine check for its guest',
        explanation:
          'OpenHCL raises #MC in its guest for an access to guest memory that is not there or not accepted: no hardware is broken.',
        next: 'Look what the guest maps at this address; replace no part for it.',
      },
    },
  ),
  'arm-ras-corrected': row(RAS_FIELDS, 'Firmware reads a corrected error of an Arm node.', {
    severity: 'corrected',
    record: {
      reporter: 'arm',
      headline: 'Error record of an Arm node, corrected',
      explanation: `${RAS_RECORD} The hardware repaired it.`,
      next: 'Count them by node; many from one place point at the part behind it.',
    },
  }),
  'arm-ras-deferred': row(RAS_FIELDS, 'Firmware reads a deferred error of an Arm node.', {
    severity: 'deferred',
    record: {
      reporter: 'arm',
      headline: 'Error record of an Arm node, deferred',
      explanation: `${RAS_RECORD} Bad data was marked and nobody has used it yet.`,
      next: 'Take the page out of use where the record names one, before it is read.',
    },
  }),
  'arm-ras-uncorrected': row(RAS_FIELDS, 'Firmware reads an uncorrected error of an Arm node.', {
    severity: 'uncorrected',
    record: {
      reporter: 'arm',
      headline: 'Error record of an Arm node, uncorrected',
      explanation: `${RAS_RECORD} Data was lost.`,
      next: 'Look which part the node belongs to, and at the SError or abort that came with it.',
    },
  }),
  'arm-ras-access': row(RAS_FIELDS, 'Firmware reads that an access was refused or not answered.', {
    severity: 'uncorrected',
    record: {
      reporter: 'arm',
      headline: 'Error record of an Arm node, an access failed',
      explanation: `${RAS_RECORD} An access was refused or not answered: most often software used an address that is not there, is switched off or is not allowed; no memory need be broken.`,
      next: 'Find what lies at the address and who accessed it (driver, firmware configuration, firewall of the bus) before a part is replaced.',
    },
  }),
};
