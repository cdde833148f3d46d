/** @module The words that stand in the output beside codes: classes, states, severities, outcomes, deliveries. */
import type { ArmClass, ArmSeverity, ArmState } from '../arm/classify.ts';
import type { CperClass } from '../cper/classify.ts';
import type { CperSeverity } from '../cper/record.ts';
import type { ComponentArea } from '../mca/component.ts';
import type { McacodClass } from '../mca/mcacod.ts';
import type { McaClass } from '../mca/classify.ts';
import type { Consumer, Delivery, Running } from '../outlook/context.ts';
import type { OutlookOutcome, Prediction, SignalCode } from '../outlook/prediction.ts';
import type { Evidence } from '../outlook/rule.ts';
import type { DecodedKind, DecodedSeverity } from './record.ts';

interface TermGroup {
  kind: string;
  title: string;
  source?: string;
  terms: Readonly<Record<string, string>>;
}

const MCA_CLASSES: Readonly<Record<McaClass, string>> = {
  invalid: 'VAL is clear: the bank holds no error.',
  CE: 'Corrected error: the hardware repaired it and no data was lost (UC=0). Count how often one place repeats.',
  Deferred:
    'AMD: bad data was found and marked, and nothing has consumed it yet (DEFERRED=1). The page can be taken out of use in time.',
  UCNA: 'Uncorrected, no action required (UC=1, PCC=0, S=0, AR=0): bad data was found and nothing consumed it, or something else failed, and no machine check was raised.',
  SRAO: 'Software recoverable, action optional (UC=1, PCC=0, S=1, AR=0): bad data was found, for example by the scrubber, and no program depends on it yet.',
  SRAR: 'Software recoverable, action required (UC=1, PCC=0, S=1, AR=1): a program tried to consume bad data and cannot go on without recovery.',
  UC: 'Uncorrected, without a recovery class: AMD without DEFERRED, Intel without software recovery (MCG_CAP.SER_P=0), or AR without S. The record does not say whether one can go on.',
  PCC: 'Processor context corrupt (PCC=1): the state of the processor is lost, and no software can go on from there.',
  unknown: 'Intel and AMD read this status differently, and the vendor is not known. Say it: --vendor intel or amd.',
};

const ARM_CLASSES: Readonly<Record<ArmClass, string>> = {
  sea: 'Synchronous external abort: the access of the instruction itself met bad memory.',
  'sea-walk': 'Synchronous external abort on a translation table walk: a table is bad, not the data.',
  parity: 'Synchronous parity or ECC error of the access itself; CPUs without FEAT_RAS tell it from an external abort.',
  'parity-walk': 'Synchronous parity or ECC error on a translation table walk, on a CPU without FEAT_RAS.',
  serror:
    'SError: an asynchronous external abort. It names no address, and the instruction it hit need not be its cause.',
  'mmu-fault': 'An abort that is no memory error: a translation, permission, alignment or similar fault.',
  reserved: 'The exception class or fault status is one that the architecture does not give.',
  other: 'An exception that is neither an abort nor an SError.',
};

const ARM_STATES: Readonly<Record<ArmState, string>> = {
  UC: 'Uncontainable: the error may have spread, and the system has to stop.',
  UEU: 'Unrecoverable: the state of the PE is lost; what ran there cannot go on.',
  UEO: 'Restartable: nothing was lost yet, and the program may go on.',
  UER: 'Recoverable: the program cannot go on without repair by software, the rest of the system can.',
  CE: 'Corrected: nothing was lost.',
  unknown: 'The syndrome does not say which state the PE is in.',
};

const ARM_SEVERITIES: Readonly<Record<ArmSeverity, string>> = {
  fatal: 'The system, or what ran on the PE, has to stop (UC, UEU).',
  recoverable: 'Software may recover (UER).',
  restartable: 'The program may go on (UEO).',
  corrected: 'Nothing was lost (CE).',
  none: 'It is no memory error.',
  unknown: 'The syndrome does not say.',
};

const CPER_SEVERITIES: Readonly<Record<CperSeverity, string>> = {
  recoverable: 'Uncorrected, and the system may go on: Linux handles the page or the task (severity 0).',
  fatal: 'The system cannot go on: Linux panics on it (severity 1).',
  corrected: 'The hardware or firmware corrected it: it is logged (severity 2).',
  none: 'Informational, no error (severity 3).',
};

const CPER_CLASSES: Readonly<Record<CperClass, string>> = {
  memory: 'The worst section of the firmware record is about memory.',
  processor: 'The worst section of the firmware record is about a processor.',
  pcie: 'The worst section of the firmware record is about a PCIe device.',
  firmware: 'The worst section of the firmware record is about firmware.',
  other: 'The worst section of the firmware record is of a type that is not decoded.',
  empty: 'The firmware record has no section.',
};

const SEVERITIES: Readonly<Record<DecodedSeverity, string>> = {
  none: 'The bank or record holds no error.',
  corrected: 'The data is right: hardware repaired it.',
  deferred: 'Bad data was found and nothing consumed it (AMD deferred, Intel UCNA).',
  'uncorrected-recoverable':
    'Bad data, and software that knows the page or the task can go on (Intel SRAO and SRAR, AMD poison, arm64 UER).',
  uncorrected: 'Bad data, and the record does not say whether one can go on.',
  fatal: 'The state of the processor is lost, or the lost record of another error forbids to go on.',
  unknown: 'It depends on something that the input does not say, such as the CPU vendor.',
  info: 'A message or event that is no error by itself.',
};

const KINDS: Readonly<Record<DecodedKind, string>> = {
  'x86-mca': 'A machine check of x86: the registers of one bank, and MCG_STATUS.',
  'arm-sea': 'An abort of arm64, from its syndrome (ESR_ELx) or from KVM_EXIT_ARM_SEA.',
  'arm-serror': 'An SError of arm64, from its syndrome.',
  cper: 'A firmware record: a UEFI common platform error record, or an ACPI generic error status block.',
  'memory-failure': 'What Linux’s memory_failure() did with a page.',
  event: 'Another event of a layer: a panic, a signal, an event of QEMU.',
};

const OUTCOMES: Readonly<Record<OutlookOutcome, string>> = {
  'vmm-died': 'The VMM (QEMU) itself ended: the guest is gone with it.',
  reset: 'The machine was reset.',
  panicked: 'A kernel or Xen panicked.',
  hung: 'The guest shows no sign of life any more.',
  'domain-crashed': 'Xen ended a domain other than dom0; dom0 and the other domains go on.',
  killed: 'A process died of the error.',
  signalled: 'A process got SIGBUS and lives: it has a handler for it.',
  logged: 'The error was reported in a log or a counter, and nothing else happened.',
  none: 'Nothing happened that can be seen.',
  forwarded: 'Nothing happened in this layer: the next one gets a record.',
  'not-applicable': 'The consumer cannot get this record at all, which says nothing of how it would handle it.',
};

const AREAS: Readonly<Record<ComponentArea, string>> = {
  core: 'Inside a core: execution, load and store, fetch, decode, TLB.',
  cache: 'A cache. It may only have noticed data that was bad before.',
  fabric: 'What connects cores, memory and I/O: bus, mesh, coherent station.',
  memory: 'A memory controller and the DIMMs behind it.',
  link: 'A link between sockets or dies.',
  io: 'I/O: PCIe and devices.',
  firmware: 'Records that firmware or a management controller wrote.',
  unknown: 'The data do not say what reported the error.',
};

const CONSUMERS: Readonly<Record<Consumer, string>> = {
  linux: 'The Linux kernel that receives the record, in the guest or on the host.',
  xen: 'The Xen hypervisor, with dom0 above it.',
  qemu: 'QEMU: its monitor, or the SIGBUS that its host kernel sends it.',
  kvm: 'The KVM of the host kernel.',
  vmm: 'A VMM that takes KVM_EXIT_ARM_SEA, which QEMU does not.',
};

const DELIVERIES: Readonly<Record<Delivery, string>> = {
  exception: 'By a machine check exception (#MC).',
  poll: 'Found in a bank by polling.',
  cmci: 'By Intel’s interrupt for what needs no exception (CMCI).',
  interrupt: 'By AMD’s threshold or deferred error interrupt.',
  boot: 'Left in its bank from before the kernel started.',
  sea: 'By a synchronous external abort (arm64).',
  serror: 'By an SError (arm64).',
  'ghes-sea': 'As a firmware record, notified by a synchronous external abort.',
  'ghes-notify': 'As a firmware record, notified by an interrupt or event.',
  cxl: 'By an interrupt of a CXL device or of the port above it.',
  hmp: 'By the command mce of QEMU’s human monitor.',
  'qmp-ghes': 'By the command inject-ghes-v2-error of QEMU’s QMP monitor.',
  'set-mce': 'By the ioctl KVM_X86_SET_MCE.',
  'sigbus-ao': 'By SIGBUS of the host kernel, action optional: nobody has consumed the page.',
  'sigbus-ar': 'By SIGBUS of the host kernel, action required: a vCPU touched the poisoned page.',
};

const RUNNING: Readonly<Record<Running, string>> = {
  user: 'The CPU ran a process in user mode.',
  kernel: 'The CPU ran the kernel, at a place it cannot recover from.',
  'kernel-recoverable': 'The CPU ran the kernel while it copied from user space: it can recover.',
  idle: 'The CPU was idle.',
};

const SIGNALS: Readonly<Record<SignalCode, string>> = {
  BUS_MCEERR_AR: 'SIGBUS, action required (si_code 4): the process touched a page that is bad.',
  BUS_MCEERR_AO: 'SIGBUS, action optional (si_code 5): a page of the process went bad, and it has not touched it.',
  BUS_OBJERR: 'SIGBUS for a hardware error that names no page as bad memory (si_code 3).',
  SI_KERNEL: 'The signal comes from the kernel and says nothing about an address (si_code 128).',
};

const CERTAINTY: Readonly<Record<Prediction['certainty'], string>> = {
  certain: 'No assumed setting, taken one at a time, changes the outcome.',
  depends: 'An assumed setting, named beside it, may change the outcome. Give it to `syndrome predict` with --set.',
};

const EVIDENCE: Readonly<Record<Evidence, string>> = {
  observed: 'The rule was seen to act on a real machine.',
  read: 'The rule is taken from its source and was not seen to act.',
};

/** The forms of MCi_STATUS[15:0]; the mnemonics themselves are found by {@link explainMnemonic}. */
const FORMS: Readonly<Record<McacodClass, string>> = {
  'no-error': 'Code 0: the bank reports no error code.',
  unclassified: 'Code 1: the error has no architectural class.',
  'microcode-rom-parity': 'Code 2: a parity error in the microcode ROM.',
  external: 'Code 3: another processor or BINIT# signalled the error.',
  frc: 'Code 4: a functional redundancy check failed.',
  'internal-parity': 'Code 5: a parity error inside the processor.',
  'smm-handler-code-access': 'Code 6: the SMM handler fetched code outside of SMRAM.',
  'internal-timer': 'Code 0x400: an internal timer ran out, often because something never answered.',
  io: 'Code 0xe0b: an I/O error without further detail.',
  'internal-unclassified': 'Codes from 0x400 on: an error inside the processor without an architectural class.',
  'generic-cache-hierarchy': 'Codes 0xc to 0xf (Intel): a cache, of which only the level is known.',
  tlb: '{TT}TLB{LL}_ERR: a TLB; TT is I, D or G (instruction, data, generic), LL the level (L0, L1, L2, LG any).',
  'memory-controller':
    '{MMM}_CHANNEL{CCCC}_ERR (Intel): the memory controller; MMM is GEN, RD, WR, AC (address or command) or MS (scrubbing), CCCC the channel.',
  'extended-memory': '{MMM}_CHANNEL{CCCC}_ERR (Intel): memory that serves as a cache; the same letters.',
  'cache-hierarchy':
    '{TT}CACHE{LL}_{RRRR}_ERR: a cache; TT is I, D or G, LL the level, RRRR the request (ERR, RD, WR, DRD, DWR, IRD, PREFETCH, EVICT, SNOOP).',
  'bus-interconnect':
    'BUS{LL}_{PP}_{RRRR}_{II}_{T}_ERR: bus or interconnect; PP is SRC, RES or OBS (missing: generic), RRRR the request, II is M or IO (missing: other), T is TIMEOUT or NOTIMEOUT.',
  unknown: 'The manuals reserve this code.',
};

/** All terms by what they are; a word may stand in several groups. */
export const TERM_GROUPS: readonly TermGroup[] = [
  {
    kind: 'class',
    title: 'class of a machine check',
    source: 'SDM vol. 3B, UCR Error Classification; APM vol. 2, Machine-Check Status Registers',
    terms: MCA_CLASSES,
  },
  { kind: 'class', title: 'class of an arm64 exception', terms: ARM_CLASSES },
  { kind: 'state', title: 'state of an arm64 PE', terms: ARM_STATES },
  { kind: 'class', title: 'class of a firmware record', terms: CPER_CLASSES },
  { kind: 'severity', title: 'severity', terms: SEVERITIES },
  { kind: 'severity', title: 'severity of a firmware record', source: 'UEFI 2.10 N.2.1', terms: CPER_SEVERITIES },
  { kind: 'severity', title: 'severity of an arm64 exception', terms: ARM_SEVERITIES },
  { kind: 'kind', title: 'kind of a record', terms: KINDS },
  { kind: 'form', title: 'form of an error code', source: 'SDM vol. 3B, Compound Error Codes', terms: FORMS },
  { kind: 'area', title: 'part of the machine', terms: AREAS },
  { kind: 'outcome', title: 'outcome', terms: OUTCOMES },
  { kind: 'consumer', title: 'who receives a record', terms: CONSUMERS },
  { kind: 'delivery', title: 'how a record arrives', terms: DELIVERIES },
  { kind: 'running', title: 'what the CPU was doing', terms: RUNNING },
  { kind: 'signal', title: 'si_code of a signal', terms: SIGNALS },
  { kind: 'certainty', title: 'certainty of an outlook', terms: CERTAINTY },
  { kind: 'evidence', title: 'evidence of a rule', terms: EVIDENCE },
];
