/** @module CPER records: raw values only. Sources: UEFI 2.10 appendix N; ACPI 6.5 18.3.2.7. */
import type { RecordOrigin } from '../registers/origin.ts';
import type { CperKept } from './layout.ts';

/** ACPI 6.5 table 18.12, UEFI N.2.1: 0 recoverable, 1 fatal, 2 corrected, 3 none (informational). */
export type CperSeverity = 'recoverable' | 'fatal' | 'corrected' | 'none';

/** UEFI N.2.5 memory error section. A missing member is one whose validation bit is clear. */
export interface CperMemoryError {
  kind: 'memory';
  errorStatus?: bigint;
  physicalAddress?: bigint;
  physicalAddressMask?: bigint;
  node?: number;
  card?: number;
  module?: number;
  bank?: number;
  device?: number;
  row?: number;
  column?: number;
  bitPosition?: number;
  requestorId?: bigint;
  responderId?: bigint;
  targetId?: bigint;
  /** Memory error type number, see MEMORY_ERROR_TYPES. */
  errorType?: number;
  rank?: number;
  /** SMBIOS handle of the memory array, and of the memory device. */
  cardHandle?: number;
  moduleHandle?: number;
  /** Validation bit 18: a row of 18 bits, its bits 15:0 (the place of `row`) and 17:16. */
  rowLow?: number;
  rowExtended?: number;
  chipId?: number;
  /** What SMBIOS calls the memory device of the handle, where Linux printed it: no part of the bytes. */
  dimmLocation?: string;
  /** Validation bits 19 and 20: the same place as `bank`, its bits 15:8 and 7:0. */
  bankGroup?: number;
  bankAddress?: number;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.6 memory error section 2: wider device, row, column and rank. */
export interface CperMemoryError2 {
  kind: 'memory2';
  errorStatus?: bigint;
  physicalAddress?: bigint;
  physicalAddressMask?: bigint;
  node?: number;
  card?: number;
  module?: number;
  bank?: number;
  device?: number;
  row?: number;
  column?: number;
  rank?: number;
  bitPosition?: number;
  chipId?: number;
  errorType?: number;
  /** Bit 0: 0 corrected, 1 uncorrected. */
  status?: number;
  requestorId?: bigint;
  responderId?: bigint;
  targetId?: bigint;
  cardHandle?: number;
  moduleHandle?: number;
  bankGroup?: number;
  bankAddress?: number;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.4.1 generic processor error. */
export interface CperProcessorGeneric {
  kind: 'processor';
  processorType?: number;
  isa?: number;
  errorType?: number;
  operation?: number;
  flags?: number;
  level?: number;
  cpuVersion?: bigint;
  brand?: string;
  brandBytes?: Uint8Array;
  processorId?: bigint;
  targetAddress?: bigint;
  requestorId?: bigint;
  responderId?: bigint;
  instructionPointer?: bigint;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.4.2.1 IA32/X64 processor error information structure. */
export interface CperX86ErrorInfo {
  /** Kind of check, GUID text. */
  type?: string;
  checkInfo?: bigint;
  targetId?: bigint;
  requestorId?: bigint;
  responderId?: bigint;
  instructionPointer?: bigint;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.4.2 IA32/X64 processor context information structure. */
export interface CperX86Context {
  /** Register context type: 1 MSRs, 2 and 3 the 32 and 64-bit register state, … */
  type?: number;
  msrAddress?: number;
  mmAddress?: bigint;
  /** The register array as it is. */
  data: Uint8Array;
  kept?: CperKept;
}

/** UEFI N.2.4.2 IA32/X64 processor error. */
export interface CperX86Processor {
  kind: 'x86-processor';
  apicId?: bigint;
  /** CPUID leaf 1: EAX, EBX, ECX, EDX in the low halves of 8-byte slots. */
  cpuid?: Uint8Array;
  errors: CperX86ErrorInfo[];
  contexts: CperX86Context[];
  /** The counts of the header, where they are not the numbers of structures that are there. */
  errorCount?: number;
  contextCount?: number;
  /** Bytes behind the last structure. */
  trailing?: Uint8Array;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.4.4.1 ARM processor error information structure. */
export interface CperArmErrorInfo {
  version?: number;
  /** Length the structure says it has; 32. */
  length?: number;
  /** A bit mask in UEFI 2.9A and 2.10: 2 cache, 4 TLB, 8 bus, 16 micro-architectural error; see armErrorTypeNames. */
  type?: number;
  /** 0 one error, 1 several, n the count. */
  multipleError?: number;
  flags?: number;
  errorInfo?: bigint;
  virtualAddress?: bigint;
  physicalAddress?: bigint;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.4.4.2 ARM processor context information structure. */
export interface CperArmContext {
  version?: number;
  type?: number;
  data: Uint8Array;
  kept?: CperKept;
}

/** UEFI N.2.4.4 ARM processor error. */
export interface CperArmProcessor {
  kind: 'arm-processor';
  affinityLevel?: number;
  mpidr?: bigint;
  midr?: bigint;
  /** Running state bit 0: 1 running; 0 not running, and then `psciState` counts. */
  runningState?: number;
  psciState?: number;
  errors: CperArmErrorInfo[];
  contexts: CperArmContext[];
  /** Vendor specific bytes; missing when not marked valid. */
  vendorInfo?: Uint8Array;
  errorCount?: number;
  contextCount?: number;
  /** The length the section says it has, where it is not the length of what is there. */
  sectionLength?: number;
  trailing?: Uint8Array;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.7 PCIe error. */
export interface CperPcieError {
  kind: 'pcie';
  portType?: number;
  /** Major version in bits 15:8, minor in 7:0, BCD. */
  version?: number;
  command?: number;
  status?: number;
  vendorId?: number;
  deviceId?: number;
  classCode?: number;
  function?: number;
  device?: number;
  segment?: number;
  bus?: number;
  secondaryBus?: number;
  slot?: number;
  serialNumber?: bigint;
  bridgeSecondaryStatus?: number;
  bridgeControl?: number;
  /** PCI Express capability structure, 60 bytes. */
  capability?: Uint8Array;
  /** Advanced error reporting capability structure, 96 bytes. */
  aer?: Uint8Array;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
}

/** UEFI N.2.10 firmware error record reference. */
export interface CperFirmwareReference {
  kind: 'firmware';
  /** 0 IPF SAL record, 1 and 2 SOC firmware record. */
  recordType?: number;
  revision?: number;
  recordId?: bigint;
  recordGuid?: string;
  kept?: CperKept;
}

/** A section this version does not take apart, or that is too short to be: its bytes as they are. */
export interface CperRawSection {
  kind: 'raw';
  data: Uint8Array;
}

/** Kinds of sections that are read by a table (tables.ts). */
export type CperTabledKind =
  | 'pci-bus'
  | 'pci-component'
  | 'dmar'
  | 'dmar-vtd'
  | 'dmar-iommu'
  | 'ccix'
  | 'cxl-protocol'
  | 'cxl-media'
  | 'cxl-dram'
  | 'cxl-module'
  | 'cxl-switch'
  | 'cxl-virtual-switch'
  | 'cxl-mld-port'
  | 'fru-poison'
  | 'arm-ras'
  | 'ampere'
  | 'ampere-bmc'
  | 'nvidia'
  | 'nvidia-event'
  | 'yitian'
  | 'amd-gpu'
  | 'amd-gpu-crash'
  | 'hisilicon'
  | 'hisilicon-hip08-1'
  | 'hisilicon-hip08-2'
  | 'hisilicon-hip08-pcie'
  | 'linux-mce'
  | 'xpf-mca'
  | 'whea-arm-ras'
  | 'whea-intel-memory'
  | 'whea-pmem'
  | 'whea-memory-summary'
  | 'whea-pcie-summary'
  | 'whea-recovery'
  | 'whea-sea'
  | 'whea-sei'
  | 'whea-nmi';

/** A section whose members its table names: numbers of up to 32 bits, 64-bit values, bytes, text, lists of structures. */
export interface CperTabled {
  kind: CperTabledKind;
  /** Bytes behind what the table knows. */
  trailing?: Uint8Array;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  kept?: CperKept;
  [member: string]: unknown;
}

export type CperBody =
  | CperMemoryError
  | CperMemoryError2
  | CperProcessorGeneric
  | CperX86Processor
  | CperArmProcessor
  | CperPcieError
  | CperFirmwareReference
  | CperTabled
  | CperRawSection;

export interface CperSection {
  /** Section type, GUID in its text form, lower case. */
  type: string;
  severity: CperSeverity;
  /** The severity as it stands, where it is none of the four. */
  severityNumber?: number;
  /** Of a generic error data entry: 0x300 for version 3. Of a section descriptor: major 15:8, minor 7:0. */
  revision: number;
  /** 8 bits in a data entry, 32 in a section descriptor. */
  flags: number;
  /** FRU identity, GUID text; missing when not valid. */
  fruId?: string;
  /** FRU text, at most 20 characters; missing when not valid. */
  fruText?: string;
  /** The bytes of a FRU text that is not printable ASCII. */
  fruTextBytes?: Uint8Array;
  /** Raw 8-byte BCD time stamp, little endian; missing when not valid. */
  timestamp?: bigint;
  body: CperBody;
  /** The length the header says, where it is not that of the body. */
  length?: number;
  /** Offset in the record, where the section does not follow the one before. */
  offset?: number;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  /** Bytes of the data entry or section descriptor that no member says. */
  kept?: CperKept;
}

/** UEFI N.2.1 record header; `severity` stands in the record. */
export interface CperRecordHeader {
  /** Major version in bits 15:8, minor in 7:0: 0x0101 since UEFI 2.0. */
  revision: number;
  /** Raw 8-byte BCD time stamp; missing when not valid. */
  timestamp?: bigint;
  platformId?: string;
  partitionId?: string;
  creatorId: string;
  notificationType: string;
  recordId: bigint;
  /** 1 recovered, 2 error of a previous boot, 4 simulated. */
  flags: number;
  persistenceInfo: bigint;
  /** 0xffffffff unless said. */
  signatureEnd?: number;
  /** Section count and record length, where they are not those of what is there. */
  sectionCount?: number;
  recordLength?: number;
  /** Validation bits as they were read. Written are those that mark no member; of the others the members decide. */
  validationBits?: bigint;
  /** Reserved bytes of the header. */
  kept?: CperKept;
}

/** A generic error status block (with `blockStatus`) or a UEFI error record (with `header`). */
export interface CperRecord {
  kind: 'cper';
  severity: CperSeverity;
  /** The severity as it stands, where it is none of the four. */
  severityNumber?: number;
  /** Raw block status of a generic error status block. */
  blockStatus?: number;
  header?: CperRecordHeader;
  sections: CperSection[];
  /** Raw data of a status block: the offset and length its header says. */
  rawDataOffset?: number;
  rawDataLength?: number;
  /** What is behind the data entries up to the end of the raw data. */
  rawData?: Uint8Array;
  /** The data length of a status block, where it is not that of what is there. */
  dataLength?: number;
  /** Bytes behind the last data entry that make none. */
  trailing?: Uint8Array;
  /** Bytes of the record that no member says. */
  kept?: CperKept;
  /** Linux found it at boot (BERT): it tells of the boot before, and nobody acts on it. No part of the bytes. */
  previousBoot?: true;
  origin?: RecordOrigin;
}
