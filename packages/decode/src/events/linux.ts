/** @module What Linux reports. Facts: mm/memory-failure.c, arch/x86/kernel/cpu/mce, drivers/acpi/apei, drivers/edac, arch/arm64. */
import { CXL } from './cxl.ts';
import { OTHER_CPUS } from './other-cpus.ts';
import { GPU } from './gpu.ts';
import { PARTS } from './parts.ts';
import { row } from './row.ts';
import type { Reporter } from './row.ts';
import { short } from './show.ts';

/**
 * Panic messages that a hardware error causes: arch/x86/kernel/cpu/mce/core.c, drivers/acpi/apei/ghes.c,
 * drivers/edac/edac_mc.c (edac_mc_panic_on_ue), arch/arm64.
 */
const HARDWARE_PANIC =
  /machine check|^UE .{1,128} on |^EDAC MC\d{1,3}: (?:UE |Uncorrected Error)|^CPU context corrupt|^MCA architectural violation|^(?:GHES: )?Fatal hardware error|broadcast exception handler|memory error|^Asynchronous SError Interrupt|^Timeout: (?:Monarch|Subject) CPU|hardware error|^Memory failure: 0x|^synchronous (?:external abort|parity)|^Can't handle the cache error|^mcck: |^Unrecoverable HMI|^CXL cachemem error/i;

/** Whose error a panic is about, by its message: the same sources. */
const PANIC_OF: readonly (readonly [RegExp, Reporter])[] = [
  [
    /machine check|cache error|^mcck: |HMI exception|CPU context corrupt|^MCA architectural violation|broadcast exception/i,
    'machine-check',
  ],
  [/Fatal hardware error/i, 'firmware'],
  [/^UE |^EDAC /, 'driver'],
  [/SError|external abort/i, 'arm'],
  [/^CXL /, 'device'],
];

/** Names without a layer: `guest.…` of the system under test, `host.…` of the Linux around it in a nested machine. */
export const LINUX = {
  boot: row('version:string', 'Linux started.', {
    line: (f, { layer }) => `${layer === 'host' ? 'host ' : ''}Linux ${short(f.version)} boots`,
  }),
  mce: row(
    'cpu:number exception:boolean mcgStatus:register bank:number status:register',
    'The first line of a machine check: an exception, or an error found by polling.',
    {
      severity: 'unknown',
      line: f =>
        `${f.exception === true ? 'Machine Check Exception' : 'Machine check'} on CPU ${short(f.cpu)} bank ${short(f.bank)} STATUS ${short(f.status)} MCGSTATUS ${short(f.mcgStatus)}`,
    },
  ),
  'mce-record': row(
    'cpu?:number bank:number status:register mcgStatus?:register addr?:address misc?:register class:string exception?:boolean complete?:boolean source?:string',
    'A machine check with all the lines that belong to it; complete is false when lines were lost or mixed with others.',
    {
      severity: 'unknown',
      line: (f, { words }) =>
        `${f.source === 'mcelog' || f.source === 'pstore' ? `${f.source === 'mcelog' ? '/dev/mcelog' : 'saved over the reset'}: bank ${short(f.bank)} STATUS ${short(f.status)}` : 'decoded'}: ${words()}`,
    },
  ),
  'mce-severity': row('message:string', 'Why Linux holds a machine check to be fatal.', {
    severity: 'fatal',
    line: f => `severity: ${short(f.message)}`,
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      headline: 'Linux holds a machine check to be fatal',
      explanation: 'The text is the rule of the kernel that decided.',
      next: 'Look at the records before it; the first bank that reported counts.',
    },
  }),
  'mce-logged': row('', 'Linux queued machine checks for a user-space logger.', {
    line: () => 'Machine check events logged',
    record: {
      reporter: 'kernel',
      headline: 'Linux logged a machine check; this line only says so',
      explanation:
        'The record itself is with whoever took it from the kernel: its own decoder or an EDAC driver (lines beside this one), rasdaemon, or mcelog.',
      next: 'Look beside this line for `[Hardware Error]` and `EDAC`, and ask `ras-mc-ctl --errors` (rasdaemon), /var/log/mcelog (mcelog) and the journal of both.',
    },
  }),
  'mce-storm': row(
    'state:string cpu?:number bank?:number',
    'Corrected errors came so fast that Linux turned their interrupt off, or it turned it on again.',
    {
      severity: 'corrected',
      line: f => `CMCI storm ${short(f.state)}`,
      record: {
        reporter: 'kernel',
        headline: 'Corrected errors came as a storm',
        explanation:
          'So many corrected machine checks came at once that Linux polls for them instead of taking an interrupt each. Between two polls a bank keeps one record: what was counted is less than what happened.',
        next: 'Look for the records beside it: mostly one part wears out, or they are of no failure. Count by the corrected error count of the status register, not by lines.',
      },
    },
  ),
  'mce-missing-cpus': row('cpus:string', 'CPUs did not come to the rendezvous of a machine check.', {
    severity: 'fatal',
    line: f => `CPUs ${short(f.cpus)} did not answer the machine check`,
    record: {
      reporter: 'kernel',
      headline: 'CPUs did not come to the rendezvous of a machine check',
      explanation:
        'A machine check goes to all CPUs, and these did not come within the timeout; the kernel panics. Linux itself says that the list may name some that did come. Often they hang in an access to a device that does not answer, or in firmware; a broadcast that was injected to one CPU alone looks the same.',
      next: 'Look for a machine check record before it; without one look at what these CPUs did, at PCIe devices and at firmware.',
    },
  }),
  thermal: row(
    'cpu?:number message:string status?:register',
    'Linux or mcelog tells of the temperature of a processor.',
    {
      severity: 'info',
      record: {
        reporter: 'kernel',
        headline: 'Thermal event of a processor, no machine check',
        explanation:
          'It is printed like a record, but its STATUS is IA32_THERM_STATUS, no MCi_STATUS (SDM vol. 3B, Thermal Monitoring and Protection): the processor throttled, or ended it.',
        next: 'Look at cooling, dust and the load of that time; no memory and no processor is to be replaced for it.',
      },
    },
  ),
  'mce-injected': row('message:string cpu:number', 'Somebody injects a machine check by software.', {
    severity: 'info',
    line: f => `mce-inject: ${short(f.message)} on CPU ${short(f.cpu)}`,
    record: {
      reporter: 'kernel',
      headline: 'Somebody injects a machine check by software (mce-inject)',
      explanation: 'A test: the record that follows on this CPU was written by a program, and no hardware failed.',
      next: 'Do not replace hardware for the record behind this line.',
    },
  }),
  'bert-skipped': row('count:number', 'Firmware kept records of the boot before that Linux did not print.', {
    severity: 'unknown',
    line: f => `BERT: ${short(f.count)} records not printed`,
    record: {
      reporter: 'kernel',
      headline: 'Firmware kept error records of the previous boot, and Linux did not print them',
      explanation:
        'Linux prints no record of the Boot Error Record Table that is longer than 1 KiB, and at most five (5.19 and newer). The record of what ended the boot before is there all the same.',
      next: 'Decode it from this boot: `syndrome decode /sys/firmware/acpi/tables/data/BERT` as root.',
    },
  }),
  'messages-suppressed': row(
    'function:string count:number',
    'Linux left out messages about errors: too many came at once.',
    {
      line: f => `${short(f.count)} messages of ${short(f.function)} left out`,
      record: {
        reporter: 'kernel',
        headline: 'Linux left out messages: too many came at once',
        explanation:
          'The function that prints of errors is limited in how often it may (ratelimit). Each of its calls that is counted here is a report of which nothing was printed.',
        next: 'Take the number of errors from counters, not from the lines: EDAC (ras-mc-ctl --error-count), rasdaemon, the log of the firmware.',
      },
    },
  ),
  'reset-reason': row('value:register message:string', 'Why the processor was reset the last time, as AMD keeps it.', {
    line: f => `previous reset: ${short(f.message)}`,
    record: {
      reporter: 'kernel',
      only: f => /uncorrected error|sync flood|watchdog|thermal/i.test(String(f.message)),
      headline: 'The machine was reset before this boot',
      explanation:
        'The register of the processor that keeps the reason of the last reset says so (S5_RESET_STATUS of AMD).',
      next: 'Read the machine checks that this boot found in the banks, and the log of the BMC of that time.',
    },
  }),
  'mce-user-error': row('addr:address', 'A process consumed an uncorrected memory error.', {
    severity: 'uncorrected-recoverable',
    line: f => `uncorrected error in user access at ${short(f.addr)}`,
    record: {
      reporter: 'kernel',
      headline: 'A process consumed an uncorrected memory error',
      explanation: 'Linux takes the page away and signals the process.',
      next: 'Look for the recovery action of the page.',
    },
  }),
  'mce-kernel-access': row('addr:address', 'The kernel consumed poison while it copied from user memory.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'kernel',
      headline: 'The kernel consumed poison while it copied from user memory',
      explanation: 'The copy fails with an error instead of a crash.',
      next: 'Look for the recovery action of the page.',
    },
  }),
  'mce-not-recovered': row('', 'Linux could not take the bad page away; the process is killed.', {
    severity: 'uncorrected',
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      headline: 'Linux could not take the bad page away',
      explanation: 'The process is killed and the page stays in use.',
      next: 'Plan a restart of the machine.',
    },
  }),
  'memory-failure': row(
    'pfn:pfn page:string result:string',
    'Linux dealt with a bad page: what it was, and the result.',
    {
      severity: 'uncorrected-recoverable',
      line: f => `memory_failure pfn ${short(f.pfn)}: ${short(f.page)}: ${short(f.result)}`,
      record: {
        reporter: 'kernel',
        headline: 'Linux dealt with a bad page',
        explanation:
          'The number is a page frame, not an address. Recovered: the page is out of use. Delayed: it will be when its users let go. Ignored or Failed: it is still in use.',
        next: 'For Ignored and Failed plan a restart of the machine: whoever touches the page next takes a machine check. Otherwise look for the SIGBUS lines beside it.',
      },
    },
  ),
  'trace-lost': row('cpu:number count:number', 'Linux lost trace events: nobody read them in time.'),
  'memory-failure-note': row('pfn:pfn message:string', 'Another remark of the memory-failure code about a page.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'Remark about a bad page',
      explanation: 'Linux says something about a page that it handles as bad.',
      next: 'Read it together with the recovery line of the same page frame.',
    },
  }),
  'sigbus-sent': row('pfn:pfn comm:string pid:number', 'Linux sends SIGBUS to a process that maps a bad page.', {
    severity: 'uncorrected-recoverable',
    line: f => `memory_failure pfn ${short(f.pfn)}: SIGBUS to ${short(f.comm)}:${short(f.pid)}`,
    record: {
      reporter: 'kernel',
      headline: 'Linux sends SIGBUS because of a bad page',
      explanation: 'The process maps the page. A VMM that gets this signal hands a machine check on to its guest.',
      next: 'If the process is a VMM, look at the log of its guest. Otherwise look whether the process died.',
    },
  }),
  'poison-killed': row(
    'pfn:pfn comm:string pid:number',
    'Linux kills a process because it could not take a bad page from it.',
    {
      severity: 'uncorrected-recoverable',
      line: f => `memory_failure pfn ${short(f.pfn)}: SIGKILL to ${short(f.comm)}:${short(f.pid)}`,
      record: {
        reporter: 'kernel',
        headline: 'Linux kills a process because of a bad page',
        explanation: 'The page could not be unmapped, so the process gets SIGKILL, which it cannot handle.',
        next: 'Restart the process; look at the recovery action of the page.',
      },
    },
  ),
  'soft-offline': row('pfn:pfn message:string', 'Linux moves the contents of a weak page elsewhere.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'Linux moves a weak page away',
      explanation: 'Soft offline: the contents are copied elsewhere and nobody loses data.',
      next: 'Nothing to do for the page, unless a line below says that it failed.',
    },
  }),
  'soft-offline-failed': row('pfn:pfn message:string', 'Linux could not move the contents of a weak page elsewhere.', {
    severity: 'corrected',
    record: {
      reporter: 'kernel',
      headline: 'Linux could not move a weak page away',
      explanation:
        'Soft offline: the contents of a page with corrected errors were to be copied elsewhere. The page stays in use; nothing was lost yet.',
      next: 'Restart the machine when you can, and look for the corrected errors of the page: their DIMM wears out.',
    },
  }),
  'hwpoison-injected': row('pfn:pfn virt?:address', 'Somebody asked Linux to treat a page as bad.', {
    severity: 'info',
    line: f => `hwpoison_inject: pfn ${short(f.pfn)}`,
    record: {
      reporter: 'kernel',
      headline: 'Somebody asked Linux to treat a page as bad',
      explanation: 'A test: hwpoison-inject or madvise(MADV_HWPOISON). The memory itself is fine.',
      next: 'Do not replace hardware for the errors that follow from it.',
    },
  }),
  'pages-corrupted': row('message:string kb:number', 'How much memory Linux holds to be bad since the boot, kB.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'kernel',
      headline: 'Linux counts memory that it holds to be bad',
      explanation:
        'HardwareCorrupted of /proc/meminfo: pages that were taken out of use since the boot, those moved away in time (soft offline) and those of a test among them; a bad page of a huge page may count as that whole.',
      next: 'Look for the memory_failure lines of this boot: they say which pages, and why.',
    },
  }),
  unpoison: row('pfn:pfn message:string', 'Somebody asked Linux to treat a bad page as good again.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'Somebody asked Linux to treat a page as good again',
      explanation: 'A test ends.',
      next: 'Nothing to do.',
    },
  }),
  'poison-fault': row('comm:string pid:number virt:address', 'A process touched a page that was known to be bad.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'kernel',
      headline: 'A process touched a page known to be bad',
      explanation: 'The page was poisoned before; the process gets SIGBUS at this virtual address.',
      next: 'Find the earlier record of the page; this is only its consequence.',
    },
  }),
  'ghes-sigbus': row(
    'comm:string pid:number',
    'Linux kills a process because a firmware-reported error cannot be recovered.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'kernel',
        of: () => 'firmware',
        headline: 'Linux kills a process for a firmware-reported error',
        explanation: 'The error was synchronous and could not be recovered from.',
        next: 'Look at the firmware record before it.',
      },
    },
  ),
  panic: row('message:string pfn?:pfn', 'Linux panicked; because of a page that it could not recover, also which.', {
    severity: 'fatal',
    line: f => `Kernel panic: ${short(f.message)}`,
    record: {
      reporter: 'kernel',
      of: f => PANIC_OF.find(([re]) => re.test(String(f.message)))?.[1],
      only: f => HARDWARE_PANIC.test(String(f.message)),
      headline: 'Linux panicked because of a hardware error',
      explanation: 'The kernel stopped; what it printed before says why.',
      next: 'Look at the records before it.',
    },
  }),
  oops: row(
    'message:string',
    'A crash of Linux, or an inconsistency that it found in itself, that is not a panic yet.',
    { severity: 'fatal' },
  ),
  'arm-oops': row(
    'message:string comm?:string pid?:number',
    'An arm64 kernel met bad memory itself, and ends the task in which it did.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'kernel',
        of: () => 'arm',
        headline: 'Linux crashed in a task because of a hardware error (oops)',
        explanation:
          'The kernel itself met the error, and ended the task that ran: what that task held (locks, files, devices) stays as it was. With panic_on_oops the machine stops.',
        next: 'Restart the machine soon.',
      },
    },
  ),
  'msr-error': row(
    'access:string msr:register value?:register rip?:address symbol?:string unchecked:boolean',
    'Access to a model-specific register faulted.',
    {
      severity: 'fatal',
      line: f =>
        `${short(f.access)} of MSR ${short(f.msr)} faults${f.symbol === undefined ? '' : ` in ${short(f.symbol)}`}${f.unchecked === true ? ', which Linux passes over' : ''}`,
      record: {
        reporter: 'kernel',
        only: f => f.unchecked !== true,
        headline: 'The machine check code of Linux faulted on a register',
        explanation:
          'A register of the machine check architecture does not exist here; the kernel panics. Linux 6.19.0 to 6.19.9 does this in AMD guests after a deferred error, because it writes MCA_DESTAT (0xc0002008 + 16 × bank) without asking for SMCA.',
        next: 'Use Linux 6.19.10, 7.0 or newer in the guest. kvm.ignore_msrs=1 on the host hides it.',
      },
    },
  ),
  sea: row('message:string esr:register', 'Linux on arm64 took a synchronous external abort.', {
    severity: 'uncorrected',
  }),
  serror: row('cpu?:number esr:register', 'Linux on arm64 took an SError.', { severity: 'uncorrected' }),
  cper: row('seq:number source:number', 'Firmware reported an error through an APEI source.', {
    severity: 'unknown',
    line: f => `CPER from GHES source ${short(f.source)}`,
  }),
  'cper-severity': row('seq:number severity:string', 'Severity of a firmware-reported error.', {
    severity: 'unknown',
    line: f => `CPER severity ${short(f.severity)}`,
  }),
  'cper-section': row('seq:number section:string', 'Kind of one section of a firmware-reported error.', {
    severity: 'unknown',
    line: f => `CPER section: ${short(f.section)}`,
  }),
  'cper-address': row('seq:number addr:address', 'Physical address in a firmware-reported memory error.', {
    severity: 'unknown',
    line: f => `CPER physical address ${short(f.addr)}`,
  }),
  'cper-error-type': row(
    'seq:number code:number type:string',
    'Memory error type in a firmware-reported memory error.',
    { severity: 'unknown' },
  ),
  'cper-previous-boot': row(
    'severity:string section?:string addr?:address',
    'Linux found a record of the boot before, which firmware left (BERT).',
    {
      severity: 'unknown',
      line: f =>
        `CPER of the boot before: ${short(f.severity)}${f.section === undefined ? '' : `, ${short(f.section)}`}${f.addr === undefined ? '' : ` at ${short(f.addr)}`}`,
    },
  ),
  'edac-amd': row(
    'severity:string cpu?:number bank:number status:register flags:string family?:number model?:number stepping?:number',
    'A machine check as the AMD decoder of the kernel prints it.',
    { severity: 'unknown' },
  ),
  reboot: row('message:string', 'Linux restarts or stops the machine.'),
  'edac-corrected': row(
    'controller?:number count:number message:string label?:string addr?:address pages?:string total?:string',
    'A memory controller driver of Linux reports a corrected error.',
    {
      severity: 'corrected',
      record: {
        reporter: 'driver',
        headline: 'Memory controller driver: corrected error',
        explanation:
          'The hardware repaired it. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Count them by place; many from one DIMM in a day mean that it is to be replaced.',
      },
    },
  ),
  'edac-uncorrected': row(
    'controller?:number count:number message:string label?:string addr?:address pages?:string total?:string',
    'A memory controller driver of Linux reports an uncorrected error.',
    {
      severity: 'uncorrected',
      record: {
        reporter: 'driver',
        headline: 'Memory controller driver: uncorrected error',
        explanation:
          'Data was lost. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Replace the DIMM it names; look for the machine check or firmware record of the same moment.',
      },
    },
  ),
  ...PARTS,
  ...GPU,
  ...OTHER_CPUS,
  ...CXL,
};
