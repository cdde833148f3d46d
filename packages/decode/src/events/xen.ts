/** @module What Xen reports. Facts: xen/arch/x86/cpu/mcheck. */
import { row } from './row.ts';
import { short } from './show.ts';

/** Panics and bugs of Xen that a machine check causes; others are no memory errors. */
const MACHINE_CHECK = /machine check|MCE|HARDWARE ERROR|mcheck/i;

export const XEN = {
  'xen.boot': row('version:string', 'Xen started.', { line: f => `Xen ${short(f.version)} boots` }),
  'xen.mce': row(
    'cpu:number mcgStatus?:register cause:string',
    'Xen reports a machine check; cause is exception, cmci or poll.',
    {
      severity: 'unknown',
      line: f => `CPU ${short(f.cpu)}: Machine Check Exception, MCG_STATUS ${short(f.mcgStatus)}`,
    },
  ),
  'xen.mce-bank': row(
    'bank:number status:register class:string cpu?:number misc?:register addr?:address',
    'One bank of a machine check that Xen reports.',
    {
      severity: 'unknown',
      line: (f, { words }) => `Bank ${short(f.bank)} STATUS ${short(f.status)}: ${words()}`,
    },
  ),
  'xen.fatal-mce': row(
    'message:string cpusMask?:bigint',
    'Xen cannot survive a machine check; cpusMask has one bit for each CPU.',
    {
      severity: 'fatal',
      line: f => `Fatal machine check: ${short(f.message)}`,
      record: {
        reporter: 'kernel',
        announces: 'machine-check',
        headline: 'Xen cannot survive a machine check',
        explanation: 'The number behind CPUs is a bit mask in hex: `CPUs 1` means CPU 0.',
        next: 'Look at the banks that follow; the machine restarts or stops.',
      },
    },
  ),
  'xen.panic': row('cpu:number message:string', 'Xen panicked.', {
    severity: 'fatal',
    line: f => `Xen panics: ${short(f.message)}`,
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      only: f => MACHINE_CHECK.test(String(f.message)),
      headline: 'Xen panicked because of a hardware error',
      explanation: 'The hypervisor and all its domains are gone.',
      next: 'Look at the banks before it.',
    },
  }),
  'xen.reboot': row('message:string', 'Xen restarts the machine or waits for a reset.', {
    line: f => `Xen: ${short(f.message)}`,
  }),
  'xen.bug': row('file:string line:number', 'Xen ran into one of its own assertions.', {
    severity: 'fatal',
    record: {
      reporter: 'kernel',
      only: f => MACHINE_CHECK.test(String(f.file)),
      headline: 'Xen ran into an assertion of its own machine check code',
      explanation: 'A defect of Xen, not of the memory.',
      next: 'Report it with the record that came before.',
    },
  }),
  'xen.kexec': row('cpu:number', 'Xen starts the crash kernel.', {
    line: f => `Xen starts the crash kernel${f.cpu === undefined ? '' : ` on CPU ${short(f.cpu)}`}`,
  }),
  'xen.virq': row('cause:string', 'Xen tells dom0 about an error through the virtual interrupt VIRQ_MCA.', {
    severity: 'info',
    line: () => 'Xen sends VIRQ_MCA to dom0',
    record: {
      reporter: 'kernel',
      headline: 'Xen tells dom0 about an error',
      explanation: 'dom0 fetches the record through VIRQ_MCA.',
      next: 'Look at the log of dom0.',
    },
  }),
  'xen.vmce-injected': row('vcpu:string', 'Xen hands a machine check to a domain.', {
    severity: 'uncorrected-recoverable',
    record: {
      reporter: 'kernel',
      headline: 'Xen hands a machine check to a domain',
      explanation: 'The domain owns the bad page and gets a virtual machine check.',
      next: 'Look at the log of the domain.',
    },
  }),
  'xen.domain-crash': row('file:string line?:number', 'Xen gives up a domain, at this place of its source.', {
    severity: 'fatal',
    line: f => `Xen crashes a domain, in ${short(f.file)}`,
    record: {
      reporter: 'kernel',
      of: () => 'machine-check',
      only: f => MACHINE_CHECK.test(String(f.file)),
      headline: 'Xen crashes a domain because of a hardware error',
      explanation:
        'The domain has the bad page and Xen cannot take it away from it (a PV domain besides dom0), or cannot tell it.',
      next: 'Start the domain again; dom0 and the others go on. The bank before it says which page it was.',
    },
  }),
  'xen.domain-crashed': row('domain:number cpu?:number by?:number', 'A domain of Xen is gone.', {
    severity: 'fatal',
    line: f => `domain ${short(f.domain)} has crashed`,
  }),
  'xen.page-kept': row('domain:number mfn:pfn', 'Xen could not take a bad page away from the domain that has it.', {
    severity: 'uncorrected',
    line: f => `Xen cannot take frame ${short(f.mfn)} away from domain ${short(f.domain)}`,
    record: {
      reporter: 'kernel',
      headline: 'Xen cannot take a bad page away from a domain',
      explanation:
        'Only a domain with translated addresses (HVM, PVH) can have a page unmapped. Xen crashes any other.',
      next: 'Look whether the domain still runs.',
    },
  }),
  'xen.page-owner': row('domain:number', 'Xen says whose the page of a machine check is.', {
    severity: 'uncorrected-recoverable',
    line: f => `the page of the error is of domain ${short(f.domain)}`,
    record: {
      reporter: 'kernel',
      headline: 'Xen says whose the bad page is',
      explanation:
        'The number is that of the domain that has the page; 0 is dom0, 32753 and above are those of Xen itself.',
      next: 'Look at the bank before it, and at the log of this domain; `xl list` names it while it runs.',
    },
  }),
};
