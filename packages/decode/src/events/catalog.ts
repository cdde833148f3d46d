/** @module Every event name there is: its layer, its fields and one sentence. Scenarios, documents and `syndrome show` read it. */

type EventLayer = 'host' | 'guest' | 'xen' | 'vmm' | 'process' | 'lab';
/** `address`, `register` and `pfn` are bigint (u64), told apart because they are different things; `any` is any of all. */
export type FieldType = 'string' | 'number' | 'boolean' | 'address' | 'register' | 'pfn' | 'bigint' | 'any';

interface CatalogField {
  type: FieldType;
  /** True when the event may come without it. */
  optional: boolean;
}

interface CatalogEvent {
  name: string;
  layer: EventLayer;
  fields: Readonly<Record<string, CatalogField>>;
  /** One plain sentence. */
  text: string;
}

/** `'name:type other?:type'`; the short form keeps the table readable. */
function fields(spec: string): Record<string, CatalogField> {
  const out: Record<string, CatalogField> = {};
  for (const word of spec.split(' ').filter(w => w !== '')) {
    const [name = '', type = ''] = word.split(':');
    out[name.replace('?', '')] = { type: type as FieldType, optional: name.endsWith('?') };
  }
  return out;
}

type Row = readonly [name: string, spec: string, text: string];

/** Reported by Linux; the same names with `host.` come from the outer Linux of a nested machine. */
const LINUX: readonly Row[] = [
  ['boot', 'version:string', 'Linux started.'],
  [
    'mce',
    'cpu:number exception:boolean mcgStatus:register bank:number status:register',
    'The first line of a machine check: an exception, or an error found by polling.',
  ],
  [
    'mce-record',
    'cpu:number bank:number status:register mcgStatus?:register addr?:address misc?:register class:string exception?:boolean complete:boolean',
    'A machine check with all the lines that belong to it; complete is false when lines were lost or mixed with others.',
  ],
  ['mce-severity', 'message:string', 'Why Linux holds a machine check to be fatal.'],
  ['mce-logged', '', 'Linux queued machine checks for a user-space logger.'],
  ['mce-user-error', 'addr:address', 'A process consumed an uncorrected memory error.'],
  ['mce-kernel-access', 'addr:address', 'The kernel consumed poison while it copied from user memory.'],
  ['mce-not-recovered', '', 'Linux could not take the bad page away; the process is killed.'],
  ['memory-failure', 'pfn:pfn page:string result:string', 'Linux dealt with a bad page: what it was, and the result.'],
  ['memory-failure-note', 'pfn:pfn message:string', 'Another remark of the memory-failure code about a page.'],
  ['sigbus-sent', 'pfn:pfn comm:string pid:number', 'Linux sends SIGBUS to a process that maps a bad page.'],
  ['soft-offline', 'pfn:pfn message:string', 'Linux moves the contents of a weak page elsewhere.'],
  ['hwpoison-injected', 'pfn:pfn virt?:address', 'Somebody asked Linux to treat a page as bad.'],
  ['unpoison', 'pfn:pfn message:string', 'Somebody asked Linux to treat a bad page as good again.'],
  ['poison-fault', 'comm:string pid:number virt:address', 'A process touched a page that was known to be bad.'],
  [
    'ghes-sigbus',
    'comm:string pid:number',
    'Linux kills a process because a firmware-reported error cannot be recovered.',
  ],
  ['panic', 'message:string', 'Linux panicked.'],
  ['oops', 'message:string', 'A crash of Linux, or an inconsistency that it found in itself, that is not a panic yet.'],
  [
    'msr-error',
    'access:string msr:register value?:register rip?:address symbol?:string unchecked:boolean',
    'Access to a model-specific register faulted.',
  ],
  ['sea', 'message:string esr:register', 'Linux on arm64 took a synchronous external abort in kernel mode.'],
  ['serror', 'cpu:number esr:register', 'Linux on arm64 took an SError.'],
  ['cper', 'seq:number source:number', 'Firmware reported an error through an APEI source.'],
  ['cper-severity', 'seq:number severity:string', 'Severity of a firmware-reported error.'],
  ['cper-section', 'seq:number section:string', 'Kind of one section of a firmware-reported error.'],
  ['cper-address', 'seq:number addr:address', 'Physical address in a firmware-reported memory error.'],
  ['cper-error-type', 'seq:number code:number type:string', 'Memory error type in a firmware-reported memory error.'],
  [
    'edac-amd',
    'severity:string cpu:number bank:number status:register flags:string family?:number model?:number stepping?:number',
    'A machine check as the AMD decoder of the kernel prints it.',
  ],
  ['reboot', 'message:string', 'Linux restarts or stops the machine.'],
];

const XEN: readonly Row[] = [
  ['boot', 'version:string', 'Xen started.'],
  [
    'mce',
    'cpu:number mcgStatus?:register cause:string',
    'Xen reports a machine check; cause is exception, cmci or poll.',
  ],
  [
    'mce-bank',
    'bank:number status:register class:string cpu?:number misc?:register addr?:address',
    'One bank of a machine check that Xen reports.',
  ],
  [
    'fatal-mce',
    'message:string cpusMask?:bigint',
    'Xen cannot survive a machine check; cpusMask has one bit for each CPU.',
  ],
  ['panic', 'cpu:number message:string', 'Xen panicked.'],
  ['reboot', 'message:string', 'Xen restarts the machine or waits for a reset.'],
  ['bug', 'file:string line:number', 'Xen ran into one of its own assertions.'],
  ['kexec', 'cpu:number', 'Xen starts the crash kernel.'],
  ['virq', 'cause:string', 'Xen tells dom0 about an error through the virtual interrupt VIRQ_MCA.'],
  ['vmce-injected', 'vcpu:string', 'Xen hands a machine check to a domain.'],
];

const VMM: readonly Row[] = [
  ['start', 'command?:string', 'The virtual machine monitor was started.'],
  ['exit', 'code?:number signal?:string expected?:boolean', 'The virtual machine monitor ended.'],
  [
    'memory-failure',
    'recipient?:string action?:string actionRequired?:boolean recursive?:boolean',
    'QEMU dealt with a memory failure: inject, ignore, reset or fatal.',
  ],
  ['guest-panicked', 'action?:string', 'The guest told QEMU that it panicked (pvpanic).'],
  ['reset', 'guest?:boolean reason?:string', 'The machine was reset.'],
  ['shutdown', 'guest?:boolean reason?:string', 'The machine was shut down.'],
  ['stop', '', 'The virtual CPUs were stopped.'],
  ['resume', '', 'The virtual CPUs run again.'],
  ['watchdog', 'action?:string', 'The watchdog of the machine expired.'],
  ['event', 'type:string', 'Another QMP event.'],
  [
    'sigbus-injected',
    'hva:address gpa:address code:string',
    'QEMU got SIGBUS for guest memory and injected a machine check.',
  ],
  [
    'memory-error',
    'message:string hva?:address code?:string target?:string',
    'QEMU got SIGBUS for memory that is not guest memory, or that it cannot tell its guest of.',
  ],
  ['triple-fault', 'cpu:number reason:string', 'QEMU could not deliver a machine check and resets the machine.'],
  ['mce-rejected', 'reason:string cpu?:number bank?:number', 'QEMU refused to inject a machine check.'],
  ['message', 'severity:string message:string', 'A message of the virtual machine monitor.'],
];

const PROCESS: readonly Row[] = [
  [
    'mapped',
    'proc:string id:string virt:address phys:address pages:number',
    'A process in the guest mapped memory and knows its physical address.',
  ],
  [
    'signal',
    'proc:string pid:number signal:string code:string addr?:address lsb?:number',
    'A process in the guest got a signal.',
  ],
  ['exit', 'proc:string pid:number status:string code?:number signal?:string', 'A process in the guest ended.'],
  ['touched', 'proc:string id:string value?:any signal?:string', 'A process in the guest touched its memory again.'],
  [
    'verified',
    'proc:string id:string intact:any bytes?:any',
    'A process in the guest compared its memory with what it wrote.',
  ],
  [
    'spin-ended',
    'proc:string id?:string ended?:any iterations?:any',
    'A process in the guest stopped reading in a loop.',
  ],
];

/** What the agent in the guest reports. */
const GUEST: readonly Row[] = [
  ['interrupts', 'name:string count:number delta?:number description?:string', 'A line of /proc/interrupts.'],
  ['agent-ready', 'kernel:string arch?:string cpus?:number', 'The agent in the guest answers.'],
  ['msr', 'cpu:number msr:register value:register', 'A model-specific register that the lab read.'],
  ['alive', 'kernel?:string', 'The guest answered when asked.'],
  ['silent', 'reason?:string', 'The guest did not answer when asked.'],
];

const LAB: readonly Row[] = [
  ['step', 'index:number step?:string text?:string', 'The lab begins a step of the scenario.'],
  [
    'injected',
    'kind:string record?:string process?:string page?:string cpu?:number bank?:number status?:register mcgStatus?:register addr?:address misc?:register broadcast?:boolean command?:string severity?:string errorType?:number bytes?:number pfn?:pfn',
    'The lab is about to inject an error: a machine check (mce), a firmware report (ghes) or a poisoned page.',
  ],
  [
    'outlook',
    'outcome:string rule:string certainty:string possible?:string dependsOn?:string within?:number message?:string',
    'What the rules say the scenario will come to, stated before the injection.',
  ],
  ['value', 'name:string value:any', 'The lab saved a value under a name.'],
  ['note', 'text:string', 'A remark of the lab.'],
  ['skip', 'code:string message:string hint?:string', 'The scenario cannot run here.'],
  ['error', 'code:string message:string hint?:string', 'The lab itself failed.'],
  ['end', '', 'The lab carried out all steps.'],
  ['restored', 'file:string', 'The machine was restored from the state kept by an earlier run.'],
];

function rows(layer: EventLayer, prefix: string, table: readonly Row[]): CatalogEvent[] {
  return table.map(([name, spec, text]) => ({ name: `${prefix}.${name}`, layer, fields: fields(spec), text }));
}

/** What the reference VMM reports (packages/vmm/src/events.ts). */
const REFERENCE_VMM: readonly Row[] = [
  ['started', 'vcpus:number seaEnabled:boolean seaCapability:number ms:number', 'The reference VMM runs its guest.'],
  [
    'arm-sea',
    'vcpu:number el:number pc:address flags:register esr:register gva?:address gpa?:address gpaSource:string gpaCertain?:boolean suspect?:address hpa?:address action:string quarantine:string',
    'The guest consumed an error: KVM_EXIT_ARM_SEA.',
  ],
  [
    'quarantine-hit',
    'vcpu:number exit:string gpa:address write?:boolean action:string',
    'The guest touched a page that the VMM has taken away.',
  ],
  [
    'sigbus',
    'codename:string lsb:number hva:address gpa?:address action:string quarantine:string',
    'The host told the VMM of poisoned memory by SIGBUS.',
  ],
  [
    'quarantined',
    'gpa:address hpa?:address bytes:bigint by:string slots:number',
    'The VMM has taken a page out of the memory of the guest.',
  ],
  ['quarantine-refused', 'gpa:address by:string reason:string', 'The VMM did not take a page away.'],
  [
    'threshold',
    'errors:number pages:number limit:number',
    'The VMM has counted so many errors that the guest should leave this host.',
  ],
  ['page', 'gpa:address hva:address hpa?:address quarantined:boolean', 'Where a guest page lies in the host.'],
  ['system-event', 'vcpu:number name:string', 'The guest asked to be shut down or reset, or crashed.'],
  ['run-failed', 'vcpu:number reason:string', 'KVM could not run the guest.'],
  ['stopped', 'reason:string errors:number pages:number', 'The reference VMM has ended its guest.'],
];

/** What the agent in the host layer of a nested machine reports. */
const HOST: readonly Row[] = [
  ['agent-ready', 'kernel:string arch?:string cpus?:number', 'The agent in the host layer answers.'],
  ['msr', 'cpu:number msr:register value:register', 'A model-specific register that the lab read.'],
];

/** All events, in the order of the layers. */
export const CATALOG: readonly CatalogEvent[] = [
  ...rows('host', 'host', LINUX),
  ...rows('host', 'host', HOST),
  ...rows('guest', 'guest', LINUX),
  ...rows('guest', 'guest', GUEST),
  ...rows('xen', 'xen', XEN),
  ...rows('vmm', 'vmm', VMM),
  ...rows('vmm', 'vmm', REFERENCE_VMM),
  ...rows('process', 'process', PROCESS),
  ...rows('lab', 'lab', LAB),
];

const BY_NAME: ReadonlyMap<string, CatalogEvent> = new Map(CATALOG.map(e => [e.name, e]));

/** Every event name. */
export function eventNames(): string[] {
  return CATALOG.map(e => e.name);
}

/** The catalog's row of a name, or undefined. */
export function catalogEvent(name: string): CatalogEvent | undefined {
  return BY_NAME.get(name);
}
