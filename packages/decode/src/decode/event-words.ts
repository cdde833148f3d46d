/** @module Events of logs in plain words. Facts: Linux mm/memory-failure.c, arch/x86/kernel/cpu/mce; QEMU qapi/run-state.json; Xen mcheck. */
import type { DecodedSeverity } from './record.ts';

interface EventWords {
  severity: DecodedSeverity;
  headline: string;
  text: string;
  next: string;
}

const row = (severity: DecodedSeverity, headline: string, text: string, next: string): EventWords => ({
  severity,
  headline,
  text,
  next,
});

export const EVENT_WORDS: Readonly<Record<string, EventWords>> = {
  'memory-failure': row(
    'uncorrected-recoverable',
    'Linux dealt with a bad page',
    'The number is a page frame, not an address. Recovered: the page is out of use. Delayed: it will be when its users let go. Ignored or Failed: it is still in use.',
    'For Ignored and Failed plan a restart of the machine: whoever touches the page next takes a machine check. Otherwise look for the SIGBUS lines beside it.',
  ),
  'memory-failure-note': row(
    'info',
    'Remark about a bad page',
    'Linux says something about a page that it handles as bad.',
    'Read it together with the recovery line of the same page frame.',
  ),
  'edac-corrected': row(
    'corrected',
    'Memory controller driver: corrected error',
    'The hardware repaired it. The text names the DIMM by the label of the board or by controller, channel and slot.',
    'Count them by place; many from one DIMM in a day mean that it is to be replaced.',
  ),
  'edac-uncorrected': row(
    'uncorrected',
    'Memory controller driver: uncorrected error',
    'Data was lost. The text names the DIMM by the label of the board or by controller, channel and slot.',
    'Replace the DIMM it names; look for the machine check or firmware record of the same moment.',
  ),
  'edac-deferred': row(
    'deferred',
    'Memory controller driver: deferred error',
    'Bad data was found and nobody has used it yet. The text names the DIMM by the label of the board or by controller, channel and slot.',
    'Look for the `Memory failure:` lines of the page: whoever reads it next consumes the error.',
  ),
  'edac-fatal': row(
    'fatal',
    'Memory controller driver: fatal error',
    'Data was lost and the machine cannot go on. The text names the DIMM by the label of the board or by controller, channel and slot.',
    'Replace the DIMM it names; look for the machine check or firmware record of the same moment.',
  ),
  'arm-event': row(
    'unknown',
    'Arm processor error of rasdaemon',
    'Firmware reported an error of a processor. MPIDR says which one, MIDR what it is. rasdaemon prints the error structures in lines of their own.',
    'Look for the record in the kernel log (`section_type: ARM processor error`): it has severity, kind and address.',
  ),
  'mc-event': row(
    'unknown',
    'Memory controller event of rasdaemon',
    'The text is that of the EDAC driver: its own words say whether the error was corrected, and where.',
    'Look at the location it names; count how often it comes.',
  ),
  'sigbus-sent': row(
    'uncorrected-recoverable',
    'Linux sends SIGBUS because of a bad page',
    'The process maps the page. A VMM that gets this signal hands a machine check on to its guest.',
    'If the process is a VMM, look at the log of its guest. Otherwise look whether the process died.',
  ),
  'soft-offline': row(
    'info',
    'Linux moves a weak page away',
    'Soft offline: the contents are copied elsewhere and nobody loses data.',
    'Nothing, unless it failed.',
  ),
  'hwpoison-injected': row(
    'info',
    'Somebody asked Linux to treat a page as bad',
    'A test: hwpoison-inject or madvise(MADV_HWPOISON). The memory itself is fine.',
    'Do not replace hardware for the errors that follow from it.',
  ),
  unpoison: row('info', 'Somebody asked Linux to treat a page as good again', 'A test ends.', 'Nothing to do.'),
  'poison-fault': row(
    'uncorrected-recoverable',
    'A process touched a page known to be bad',
    'The page was poisoned before; the process gets SIGBUS at this virtual address.',
    'Find the earlier record of the page; this is only its consequence.',
  ),
  'ghes-sigbus': row(
    'uncorrected-recoverable',
    'Linux kills a process for a firmware-reported error',
    'The error was synchronous and could not be recovered from.',
    'Look at the firmware record before it.',
  ),
  'mce-severity': row(
    'fatal',
    'Linux holds a machine check to be fatal',
    'The text is the rule of the kernel that decided.',
    'Look at the records before it; the first bank that reported counts.',
  ),
  'mce-user-error': row(
    'uncorrected-recoverable',
    'A process consumed an uncorrected memory error',
    'Linux takes the page away and signals the process.',
    'Look for the recovery action of the page.',
  ),
  'mce-kernel-access': row(
    'uncorrected-recoverable',
    'The kernel consumed poison while it copied from user memory',
    'The copy fails with an error instead of a crash.',
    'Look for the recovery action of the page.',
  ),
  'mce-not-recovered': row(
    'uncorrected',
    'Linux could not take the bad page away',
    'The process is killed and the page stays in use.',
    'Plan a restart of the machine.',
  ),
  panic: row(
    'fatal',
    'Linux panicked because of a hardware error',
    'The kernel stopped; what it printed before says why.',
    'Look at the records before it.',
  ),
  'msr-error': row(
    'fatal',
    'The machine check code of Linux faulted on a register',
    'A register of the machine check architecture does not exist here; the kernel panics. Linux 6.19.0 to 6.19.9 does this in AMD guests after a deferred error, because it writes MCA_DESTAT (0xc0002008 + 16 × bank) without asking for SMCA.',
    'Use Linux 6.19.10, 7.0 or newer in the guest. kvm.ignore_msrs=1 on the host hides it.',
  ),
  'xen-fatal-mce': row(
    'fatal',
    'Xen cannot survive a machine check',
    'The number behind CPUs is a bit mask in hex: `CPUs 1` means CPU 0.',
    'Look at the banks that follow; the machine restarts or stops.',
  ),
  'xen-panic': row(
    'fatal',
    'Xen panicked because of a hardware error',
    'The hypervisor and all its domains are gone.',
    'Look at the banks before it.',
  ),
  'xen-bug': row(
    'fatal',
    'Xen ran into an assertion of its own machine check code',
    'A defect of Xen, not of the memory.',
    'Report it with the record that came before.',
  ),
  'xen-vmce-injected': row(
    'uncorrected-recoverable',
    'Xen hands a machine check to a domain',
    'The domain owns the bad page and gets a virtual machine check.',
    'Look at the log of the domain.',
  ),
  'xen-virq': row(
    'info',
    'Xen tells dom0 about an error',
    'dom0 fetches the record through VIRQ_MCA.',
    'Look at the log of dom0.',
  ),
  'qemu-sigbus-injected': row(
    'uncorrected-recoverable',
    'QEMU got SIGBUS for guest memory and injects a machine check',
    'AO: found by the host before use; AR: a virtual CPU consumed it.',
    'Look at the log of the guest, and on the host for the page behind the address.',
  ),
  'qemu-memory-error': row(
    'uncorrected',
    'QEMU got SIGBUS and cannot tell its guest',
    'On x86 the bad page is memory of QEMU itself and not of the guest. On arm the same words come for guest memory too: without ras=on, which is not the default, QEMU cannot report an error to its guest. With action required QEMU exits.',
    'Restart the virtual machine on healthy memory; on arm give the machine ras=on, so that the guest can handle the next one.',
  ),
  'qemu-triple-fault': row(
    'fatal',
    'QEMU could not deliver a machine check and resets the machine',
    'The guest does not take machine checks yet, or the one before is not finished.',
    'Look for what the guest was doing; the reset is the consequence, not the cause.',
  ),
  'qemu-mce-rejected': row(
    'info',
    'QEMU refused to inject a machine check',
    'Nothing happened in the guest.',
    'Correct the command.',
  ),
  'qemu-memory-failure': row(
    'uncorrected',
    'QEMU dealt with a memory failure',
    'inject: the guest got a record, of whatever severity: QEMU says the same for a corrected error; ignore: dropped, because an earlier one was not finished; reset: the machine restarts; fatal: QEMU exits. The event carries no address and no CPU.',
    'For the address look at the log of QEMU (GUEST addr) or of the guest.',
  ),
  'process-sigbus': row(
    'uncorrected-recoverable',
    'A process got SIGBUS for bad memory',
    'BUS_MCEERR_AR: it touched the page; BUS_MCEERR_AO: it was told beforehand.',
    'What it had in the page is lost; look for the `Memory failure:` lines of its kernel.',
  ),
  'vmm-sigbus': row(
    'uncorrected-recoverable',
    'The VMM got SIGBUS for guest memory',
    'The host took the page away; the guest learns of it only by what the VMM does.',
    'Look at the action, and on the host for the page behind the address.',
  ),
  'vmm-quarantined': row(
    'info',
    'The VMM took a bad page away from its guest',
    'No later access reaches the bad memory; each ends in the VMM.',
    'Nothing to do for the host; the guest should give the page up too.',
  ),
  'vmm-quarantine-hit': row(
    'uncorrected-recoverable',
    'The guest touched a page that the VMM had taken away',
    'The VMM answers with an abort, so that only what touched the page ends.',
    'Look at the log of the guest for the process that was ended.',
  ),
  'vmm-quarantine-refused': row(
    'info',
    'The VMM did not take a page away',
    'The reason stands with it.',
    'Ask for the page again when the reason is gone.',
  ),
  'vmm-threshold': row(
    'uncorrected-recoverable',
    'A guest met so many memory errors that it should leave its host',
    'The VMM counts errors and pages, and says when a limit is passed.',
    'Move the guest to another host.',
  ),
};

/** Ends of a memory failure that say how bad it was: QEMU qapi/run-state.json, MemoryFailureAction and MemoryFailureFlags. */
export function qemuFailureSeverity(fields: Readonly<Record<string, unknown>>): DecodedSeverity {
  const { action, recipient, actionRequired } = fields;
  if (action === 'reset' || action === 'fatal') return 'fatal';
  // Memory of QEMU itself: there is no guest to tell, and no corrected error comes this way.
  if (recipient === 'hypervisor') return 'uncorrected';
  return actionRequired === true ? 'uncorrected-recoverable' : 'unknown';
}
