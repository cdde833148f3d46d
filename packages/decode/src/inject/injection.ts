/** @module One error to be put into a machine, as a value: data only, so that it can be shown, stored, sent and done. */
import type { CperSeverity } from '../cper/record.ts';
import type { CXL_EVENTS, CXL_LOGS } from '../registers/cxl-reports.ts';

/** A machine check as QEMU's monitor takes it. Registers are u64. */
export interface Mce {
  /** `cpu-index` of query-cpus-fast. */
  cpu: number;
  bank: number;
  /** MCi_STATUS; VAL (bit 63) must be set. */
  status: bigint;
  /** MCG_STATUS; written only where status has UC. */
  mcgStatus: bigint;
  addr: bigint;
  misc: bigint;
  /** Also raise a bare `VAL|UC` in bank 1 of every other CPU, as Intel hardware does; not unless given. */
  broadcast?: boolean | undefined;
}

/** The monitor command `mce`. */
export interface MceInjection extends Mce {
  way: 'mce';
  broadcast: boolean;
  /** Name of the record that it was made from. */
  record?: string;
}

/** The section of a firmware record. */
export type GhesSection = 'memory' | 'arm-processor' | 'pcie' | 'processor';

/** A memory error in a firmware record: by QMP `inject-ghes-v2-error`, or by the lab where it is the firmware. */
export interface GhesInjection {
  way: 'ghes';
  severity: CperSeverity;
  /** Physical address of the page. */
  addr: bigint;
  /** UEFI 2.10 N.2.5, memory error type; 3 is multi-bit ECC. */
  errorType: number;
  /** The section says that corrected errors have passed their threshold. UEFI 2.10 N.2.2. */
  threshold?: true;
  /** What it is about; memory unless given. Only a memory section has an error type, only memory and Arm an address. */
  section?: GhesSection;
}

/** A memory error in the record that firmware leaves for the next boot (BERT). */
export interface BootRecordInjection extends Omit<GhesInjection, 'way' | 'threshold' | 'section'> {
  way: 'boot-record';
}

/** What can be asked for by EINJ of the firmware that the lab plays. */
export type EinjError = 'memory-ce' | 'memory-ue' | 'memory-fatal';

/** A memory error that the guest's kernel asks its firmware for (EINJ). */
export interface EinjInjection {
  way: 'einj';
  error: EinjError;
  /** Physical address of the page. */
  addr: bigint;
}

/** A page frame of the host, by hwpoison_inject or soft_offline_page of its kernel. */
export interface HostInjection {
  way: 'corrupt-pfn' | 'soft-offline';
  /** Physical address in the host. */
  addr: bigint;
  /** The same page in the guest, where it is known. */
  gpa?: bigint;
}

/** A page of a process, by the process itself: MADV_HWPOISON, MADV_SOFT_OFFLINE or UFFDIO_POISON. */
export interface ProcessInjection {
  way: 'madvise' | 'madvise-soft-offline' | 'userfaultfd';
  process: string;
  page: string;
}

/** A stage-2 table descriptor that leads nowhere: the next walk of the table is an external abort taken to EL2. */
export interface WalkInjection {
  way: 'stage-2-walk';
  /** Guest physical address behind the descriptor. */
  addr: bigint;
}

/** An event of an emulated CXL memory device, by QMP `cxl-inject-…`. */
export interface CxlInjection {
  way: 'cxl';
  event: (typeof CXL_EVENTS)[number];
  /** QOM path of the device. */
  path: string;
  /** Of an event of the medium. */
  log?: (typeof CXL_LOGS)[number];
  /** Address within the device; of an event of the medium and of poison. */
  dpa?: bigint;
  /** QEMU's name of a protocol error: `mem-data-ecc`. */
  error?: string;
}

/** What the user says is an injection: a monitor or QMP command, a write to a file or register. Only its author knows what it does. */
export interface MonitorInjection {
  way: 'hmp' | 'qmp' | 'write-file' | 'write-msr';
  command: string;
}

/** A machine check that Xen plays to itself, by its tool in dom0. */
export interface XenMceinjInjection {
  way: 'xen-mceinj';
  /** Whose address it is: translated for a domain with translated addresses, a machine address for any other. */
  domain: number;
  addr: bigint;
  cpu: number;
  /** Which of the tool's records: 0 to 4. */
  type: number;
}

export type Injection =
  | MceInjection
  | GhesInjection
  | BootRecordInjection
  | EinjInjection
  | HostInjection
  | ProcessInjection
  | WalkInjection
  | CxlInjection
  | XenMceinjInjection
  | MonitorInjection;

/** How an error gets into a machine. */
export type Way = Injection['way'];

/** The injections of one way. */
export type InjectionOf<W extends Way, I = Injection> = I extends Injection ? (W extends I['way'] ? I : never) : never;
