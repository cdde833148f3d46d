/**
 * @module The context of an outlook: what the record itself does not say. Every member may be missing; then the table
 * at the end gives what is assumed and what else it could be, and a prediction says whether that matters.
 */
import { classifyArm } from '../arm/classify.ts';
import { isQemuAbort } from '../arm/vmm-made.ts';
import { MCG_CAP, MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { cpuOf } from '../mca/cpu.ts';
import { classify } from '../mca/classify.ts';
import type { McaCase, OutlookCase } from './case.ts';
import type { Consumer } from './consumer.ts';
import { QEMU_MCG_CAP, hasQemuPlace } from '../mca/vmm-made.ts';

export type { Consumer } from './consumer.ts';

/**
 * How the record reaches its consumer, each with the consumers other than kernels that have it. Linux and Xen: `exception` #MC
 * · `poll` found in a bank · `cmci` Intel’s interrupt for what needs no exception · `interrupt` AMD’s threshold or deferred
 * error interrupt · `boot` left in its bank from before the kernel started · `sea`, `serror` arm64 exceptions · `ghes-sea`,
 * `ghes-notify` firmware records · `cxl` an interrupt of a CXL memory device or of the port above it. QEMU: `hmp` the monitor command mce · `qmp-ghes` inject-ghes-v2-error · `sigbus-ao`,
 * `sigbus-ar` from its host kernel. KVM: `set-mce` the ioctl KVM_X86_SET_MCE · `sigbus-ar` a vCPU touches a poisoned page ·
 * `sea` an external abort of a guest.
 */
export const DELIVERIES = {
  exception: [],
  poll: [],
  cmci: [],
  interrupt: [],
  boot: [],
  sea: ['kvm', 'vmm'],
  serror: [],
  'ghes-sea': [],
  'ghes-notify': [],
  cxl: [],
  hmp: ['qemu'],
  'qmp-ghes': ['qemu'],
  'set-mce': ['kvm'],
  'sigbus-ao': ['qemu'],
  'sigbus-ar': ['qemu', 'kvm'],
} as const satisfies Record<string, readonly Consumer[]>;
export type Delivery = keyof typeof DELIVERIES;

export const VENDORS = ['intel', 'amd', 'arm'] as const;
export const PLATFORMS = ['bare-metal', 'kvm', 'tcg'] as const;
/** What the CPU that takes the error was doing; `kernel-recoverable`: the kernel copied from user space. */
export const RUNNING = ['user', 'kernel', 'kernel-recoverable', 'idle'] as const;
export type Running = (typeof RUNNING)[number];
/** What lies at the address: see {@link Settings.page}. */
export const PAGES = ['user', 'clean', 'free', 'kernel', 'poisoned', 'none'] as const;

export interface Settings {
  /** Version of the consumer: `6.19.6`, `7.0-rc3`; for Linux that of the kernel that receives the record. */
  version: string;
  /** CPU vendor of the layer that receives the record; the guest's for QEMU and KVM. */
  vendor: (typeof VENDORS)[number];
  delivery: Delivery;
  /** What the receiving kernel runs on; for QEMU its accelerator. */
  platform: (typeof PLATFORMS)[number];
  running: Running;
  /** CPUs of the layer that receives the record. */
  cpus: number;
  /** All CPUs take the machine check, not only one; for `hmp` the flag -b. */
  broadcast: boolean;
  /** MCG_STATUS.MCIP is already set: an earlier machine check is not finished. */
  mcip: boolean;
  /** MCG_STATUS at the time of the exception, in place of the record's. */
  mcgStatus: bigint;
  /** MCG_CAP of the layer, in place of the record's. */
  mcgCap: bigint;
  /** Linux follows the S and AR bits: MCG_CAP.SER_P. */
  ser: boolean;
  /** AMD CPUID 0x80000007 EBX bits 1, 0 and 3. */
  succor: boolean;
  overflowRecov: boolean;
  smca: boolean;
  /** CONFIG_MEMORY_FAILURE. */
  memoryFailure: boolean;
  /** The kernel runs with machine checks off (mce=off, nomce). */
  mceOff: boolean;
  /** mce=ignore_ce: no polling. */
  ignoreCe: boolean;
  /** mce=dont_log_ce. */
  dontLogCe: boolean;
  /** mce=print_all. */
  printAll: boolean;
  /** Microseconds CPUs wait for each other in the #MC rendezvous; mce=N. 0: they do not wait. */
  monarchTimeout: number;
  /** All CPUs enter the handler before the time is up (emulated CPUs are slow). */
  rendezvousMet: boolean;
  /** The KVM host ignores accesses to MSRs it does not know (kvm.ignore_msrs=1). */
  ignoreMsrs: boolean;
  /** What lies at the address: `user` mapped by a process (Xen: memory of a domain) · `free` · `kernel` (Xen: its own)
   * · `poisoned` already · `none` no memory the kernel manages. */
  page: (typeof PAGES)[number];
  /** The process that maps the page wants SIGBUS early (PR_MCE_KILL_EARLY or vm.memory_failure_early_kill). */
  earlyKill: boolean;
  /** The process handles SIGBUS; otherwise the signal ends it. */
  sigbusHandler: boolean;
  panicOnOops: boolean;
  /** Firmware left a record for this abort and APEI takes it (arm64). */
  apeiClaims: boolean;
  /** CR4.MCE is set: the guest's kernel takes machine checks. */
  cr4Mce: boolean;
  /** The CPU still has fast string copies on (IA32_MISC_ENABLE bit 0): Linux met no erratum of theirs there yet. */
  fastStrings: boolean;
  /** MCG_CTL and MCi_CTL of the bank are all ones. */
  reportingEnabled: boolean;
  /** MCi_STATUS the bank holds before the injection. */
  bankStatus: bigint;
  /** The guest enabled local machine checks (MCG_EXT_CTL.LMCE_EN). */
  lmceEnabled: boolean;
  /** The poisoned host page is guest memory, not QEMU's own. */
  guestRam: boolean;
  /** QEMU itself reads the poisoned page, by its monitor: not a virtual CPU. */
  vmmReads: boolean;
  /** QEMU arm virt: ras=on and the guest booted by UEFI and ACPI. */
  ras: boolean;
  /** The guest acknowledged the previous GHES record. */
  ghesAcknowledged: boolean;
  /** The VMM enabled KVM_CAP_ARM_SEA_TO_USER. */
  seaToUser: boolean;
  /** The host CPU has FEAT_RAS. */
  hostRas: boolean;
  /** The device and its port do not report protocol errors: their masks (AER, CXL RAS capability) are as at reset. */
  cxlMasked: boolean;
  /** Somebody asked for the poison list of the device (trigger_poison_list). */
  cxlListRead: boolean;
  /** dom0 registered for VIRQ_MCA. */
  dom0Registered: boolean;
  /** Whose the page is: `dom0` · `pv` another domain, with addresses of the machine in its page tables · `hvm` one whose addresses Xen translates (HVM, PVH). */
  owner: 'dom0' | 'pv' | 'hvm';
}

/** A context: who consumes the record, and whatever is known beyond it. */
export interface OutlookContext extends Partial<Settings> {
  consumer: Consumer;
}

/** What may be asked of a prediction to find a value for a setting that nobody gave. */
export interface Asked {
  readonly record: OutlookCase;
  readonly consumer: Consumer;
  /** What the caller gave, else what the record says (of another layer, perhaps); undefined where neither does. */
  given<K extends keyof Settings>(key: K): Settings[K] | undefined;
  /** The value of a setting; one that has to be assumed is noted. */
  get<K extends keyof Settings>(key: K): Settings[K];
  /** The value without noting an assumption. */
  peek<K extends keyof Settings>(key: K): Settings[K];
  vendor(): Settings['vendor'];
}

/** What is taken when a setting is not given, and what else it could be. */
interface Field<K extends keyof Settings = keyof Settings> {
  text: string;
  /** The value assumed, from the record and the settings that are known. */
  assume: (facts: Asked) => Settings[K];
  /** The other values worth trying to see whether the answer depends on it; none means the assumption is certain. */
  others?: (facts: Asked) => readonly Settings[K][];
}

/**
 * Versions assumed, and the ones between which a rule changes. Kernel: 5.15, 5.19, 6.2, 6.7, 6.10, 6.19; QEMU: 9.1, 10.2.
 * `from` and `to` are the first and the last that the rules were read in.
 */
export const VERSIONS: Record<Consumer, { assumed: string; others: readonly string[]; from: string; to: string }> = {
  linux: {
    assumed: '7.2.12',
    others: ['5.10', '5.15', '6.1', '6.12', '6.18.15', '6.19.6', '7.0.4'],
    from: '5.10',
    to: '7.2',
  },
  kvm: { assumed: '7.2.12', others: ['6.18'], from: '6.1', to: '7.2' },
  qemu: { assumed: '11.1.3', others: ['9.0', '10.1'], from: '7.2', to: '11.1' },
  xen: { assumed: '4.20', others: [], from: '4.17', to: '4.21' },
  vmm: { assumed: '1', others: [], from: '0', to: '9999' },
};

const flip =
  (key: 'succor' | 'overflowRecov' | 'smca') =>
  (facts: Asked): boolean[] => {
    // QEMU has no name for SMCA, and TCG offers none of the three: there the value is not a guess.
    const platform = facts.get('platform');
    if (platform === 'tcg' || (platform === 'kvm' && key === 'smca')) return [];
    return [!facts.peek(key)];
  };

const yes = (): true => true;
const no = (): false => false;
const either =
  (key: keyof Settings) =>
  (facts: Asked): boolean[] => [facts.peek(key) !== true];

function fromQemu({ record }: Asked): boolean {
  return record.kind === 'x86-mca' && hasQemuPlace(record);
}

/** A delivery that fits the record and the consumer. */
function assumeDelivery(facts: Asked): Delivery {
  const { record, consumer } = facts;
  if (record.kind === 'arm-sea') return classifyArm(record).class === 'serror' ? 'serror' : 'sea';
  if (record.kind === 'cxl') return 'cxl';
  if (record.kind === 'sigbus') return record.code === 'BUS_MCEERR_AR' ? 'sigbus-ar' : 'sigbus-ao';
  if (record.kind === 'cper') return consumer === 'qemu' ? 'qmp-ghes' : 'ghes-notify';
  if (consumer === 'qemu') return 'hmp';
  return consumer === 'kvm' ? 'set-mce' : machineCheckDelivery(record, facts);
}

/** A record Linux made itself of one from firmware. Source: Linux arch/x86/kernel/cpu/mce/apei.c, bank -1. */
export function fromFirmware(record: Pick<McaCase, 'bank'>): boolean {
  return record.bank === -1 || record.bank === 255;
}

/**
 * How a kernel gets a machine check: #MC only for what needs it. Corrected and deferred errors, and what nobody consumed
 * (UCNA), wait in their bank until an interrupt or the poll. A log that says MCG_STATUS 0 was not written by #MC.
 * Source: Intel SDM vol. 3B 16.5, 16.6.3; AMD APM vol. 2 9.3.
 */
function machineCheckDelivery(record: McaCase, facts: Asked): Delivery {
  const s = MCI_STATUS_INTEL.read(record.status);
  const amd = facts.peek('vendor') === 'amd';
  const xen = facts.consumer === 'xen';
  if (!s.VAL || fromFirmware(record)) return 'poll';
  const cap = facts.given('mcgCap');
  const mcgStatus = facts.given('mcgStatus');
  const mcip = mcgStatus !== undefined && MCG_STATUS.read(mcgStatus).MCIP;
  const ucna = !amd && !s.PCC && !s.S && !s.AR && (cap === undefined || MCG_CAP.read(cap).SER_P) && (s.EN || !mcip);
  if (!s.UC || ucna || (!s.EN && !mcip && (!amd || mcgStatus === undefined))) {
    // The timer's poll takes no time stamp; the interrupts do.
    if (xen || record.tsc === false || facts.peek('platform') !== 'bare-metal') return 'poll';
    if (amd) return MCI_STATUS_AMD.read(record.status).DEFERRED ? 'interrupt' : 'poll';
    return cap === undefined || MCG_CAP.read(cap).CMCI_P ? 'cmci' : 'poll';
  }
  // Xen prints what it found with MCG_STATUS as it was, and takes a machine check without MCIP.
  if (xen || mcgStatus !== 0n) return 'exception';
  return s.PCC || s.S || amd ? 'boot' : 'poll';
}

/** Where a record comes by #MC it may have been found later all the same; nothing else comes by #MC. */
function otherDeliveries(facts: Asked): Delivery[] {
  if (facts.record.kind === 'cper' && facts.consumer === 'linux') return ['ghes-sea'];
  if (facts.record.kind !== 'x86-mca' || (facts.consumer !== 'linux' && facts.consumer !== 'xen')) return [];
  const assumed = assumeDelivery(facts);
  return assumed === 'exception' ? ['poll'] : assumed === 'boot' ? ['exception'] : [];
}

/** QEMU writes a firmware record before it injects this abort. Source: QEMU target/arm kvm_inject_arm_sea(). */
function fromQemuSigbus({ record }: Asked): boolean {
  return record.kind === 'arm-sea' && record.el !== 2 && isQemuAbort(record.esr);
}

/** MCIP and RIPV; action required also EIPV, as hardware and QEMU report a consumed error. */
function assumeMcgStatus(facts: Asked): bigint {
  const { record } = facts;
  if (record.kind !== 'x86-mca') return 0n;
  const consumed =
    facts.vendor() === 'amd'
      ? MCI_STATUS_AMD.read(record.status).UC
      : classify({ ...record, vendor: 'intel' }) === 'SRAR';
  return consumed ? 0x7n : 0x5n;
}

/** Intel CPUs before family 6, model 0Eh broadcast nothing, and Linux waits for nobody. Source: Linux core.c, monarch_timeout. */
function assumeRendezvous(facts: Asked): number {
  const { record } = facts;
  const cpu = record.kind === 'x86-mca' ? cpuOf(record) : undefined;
  const alone = cpu !== undefined && (cpu.family < 6 || (cpu.family === 6 && cpu.model < 0x0e));
  return alone && facts.vendor() === 'intel' ? 0 : 1_000_000;
}

const isSeaExit = ({ record }: Asked): boolean => record.kind === 'arm-sea' && record.flags !== undefined;

export const FIELDS: { [K in keyof Settings]: Field<K> } = {
  version: {
    text: 'version of the consumer',
    assume: f => VERSIONS[f.consumer].assumed,
    others: f => VERSIONS[f.consumer].others,
  },
  vendor: {
    text: 'CPU vendor',
    assume: f => (f.record.kind === 'arm-sea' || f.record.kind === 'cper' ? 'arm' : 'intel'),
    others: f => (f.record.kind === 'x86-mca' || f.record.kind === 'sigbus' ? ['amd'] : []),
  },
  delivery: { text: 'how the record arrives', assume: assumeDelivery, others: otherDeliveries },
  platform: {
    text: 'what the receiving kernel runs on',
    assume: f => (f.consumer === 'qemu' || f.consumer === 'kvm' || fromQemu(f) ? 'kvm' : 'bare-metal'),
    others: f =>
      f.consumer === 'qemu' ? ['tcg'] : f.consumer === 'kvm' ? [] : PLATFORMS.filter(p => p !== f.peek('platform')),
  },
  running: {
    text: 'what the CPU was doing',
    assume: () => 'user',
    others: f => (f.consumer === 'xen' ? ['kernel'] : ['kernel', 'kernel-recoverable', 'idle']),
  },
  cpus: { text: 'number of CPUs', assume: () => 2, others: () => [1] },
  broadcast: { text: 'all CPUs take the machine check', assume: yes, others: either('broadcast') },
  mcip: { text: 'an earlier machine check is not finished', assume: no, others: either('mcip') },
  mcgStatus: { text: 'MCG_STATUS', assume: assumeMcgStatus, others: () => [0x4n, 0x5n, 0x7n, 0xdn, 0xfn] },
  mcgCap: {
    text: 'MCG_CAP',
    // KVM on AMD leaves bits 8:0 (svm.c svm_setup_mce()).
    assume: f => (f.vendor() === 'amd' && f.get('platform') === 'kvm' ? QEMU_MCG_CAP.noSer : QEMU_MCG_CAP.ser),
  },
  ser: {
    text: 'software error recovery: the S and AR bits count',
    // A CPU of AMD's own has no SER_P; QEMU sets it for every model, and KVM on AMD takes it away (svm.c svm_setup_mce()).
    assume: f => {
      const known = f.given('mcgCap');
      if (known !== undefined) return MCG_CAP.read(known).SER_P;
      return f.vendor() !== 'amd' || f.get('platform') === 'tcg';
    },
  },
  succor: { text: 'AMD SUCCOR', assume: f => f.get('platform') !== 'tcg', others: flip('succor') },
  overflowRecov: {
    text: 'AMD overflow recovery',
    assume: f => f.get('platform') !== 'tcg',
    others: flip('overflowRecov'),
  },
  smca: { text: 'AMD SMCA', assume: f => f.get('platform') === 'bare-metal', others: flip('smca') },
  memoryFailure: { text: 'CONFIG_MEMORY_FAILURE', assume: yes },
  mceOff: { text: 'machine checks switched off at boot', assume: no },
  ignoreCe: { text: 'mce=ignore_ce', assume: no },
  dontLogCe: { text: 'mce=dont_log_ce', assume: no },
  printAll: { text: 'mce=print_all', assume: no },
  monarchTimeout: { text: 'rendezvous time in µs', assume: assumeRendezvous },
  rendezvousMet: { text: 'all CPUs enter the handler in time', assume: yes, others: either('rendezvousMet') },
  ignoreMsrs: { text: 'the KVM host ignores unknown MSRs', assume: no, others: either('ignoreMsrs') },
  page: {
    text: 'what lies at the address',
    assume: () => 'user',
    others: () => ['free', 'kernel', 'poisoned', 'none'],
  },
  earlyKill: { text: 'the process wants SIGBUS early', assume: no, others: either('earlyKill') },
  sigbusHandler: {
    text: 'the process handles SIGBUS',
    // Who asks for the early signal has a handler for it; most others have none.
    assume: f => f.given('earlyKill') === true,
    others: either('sigbusHandler'),
  },
  panicOnOops: { text: 'panic_on_oops', assume: no, others: either('panicOnOops') },
  apeiClaims: {
    text: 'firmware left a record for the abort',
    assume: fromQemuSigbus,
    others: f => (fromQemuSigbus(f) ? [] : [f.peek('apeiClaims') !== true]),
  },
  cr4Mce: { text: 'the guest takes machine checks (CR4.MCE)', assume: yes, others: either('cr4Mce') },
  fastStrings: { text: 'fast string copies are on', assume: yes, others: either('fastStrings') },
  reportingEnabled: { text: 'MCG_CTL and MCi_CTL are all ones', assume: yes },
  bankStatus: { text: 'what the bank holds', assume: () => 0n },
  lmceEnabled: { text: 'the guest enabled LMCE', assume: no, others: either('lmceEnabled') },
  guestRam: { text: 'the page is guest memory', assume: yes, others: either('guestRam') },
  vmmReads: { text: 'QEMU itself reads the page', assume: no },
  ras: { text: 'ras=on and an ACPI guest', assume: yes, others: either('ras') },
  ghesAcknowledged: { text: 'the previous GHES record is acknowledged', assume: yes },
  seaToUser: {
    text: 'KVM_CAP_ARM_SEA_TO_USER enabled',
    // The exit exists only where the capability is on.
    assume: isSeaExit,
    others: f => (isSeaExit(f) ? [] : [true]),
  },
  hostRas: { text: 'the host CPU has FEAT_RAS', assume: yes, others: either('hostRas') },
  cxlMasked: { text: 'CXL protocol errors are masked', assume: yes, others: either('cxlMasked') },
  cxlListRead: { text: 'the poison list is read', assume: no, others: either('cxlListRead') },
  dom0Registered: { text: 'dom0 takes VIRQ_MCA', assume: yes, others: either('dom0Registered') },
  owner: { text: 'which domain has the page', assume: () => 'dom0', others: () => ['pv', 'hvm'] },
};

/** The names of all settings, for option tables. */
export const SETTINGS = Object.keys(FIELDS) as (keyof Settings)[];
