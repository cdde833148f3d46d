/** @module What an outlook can be made for. */
import type { ArmSeaRecord } from '../arm/record.ts';
import type { CperRecord } from '../cper/record.ts';
import type { CXL_EVENTS, CXL_LOGS } from '../registers/cxl-reports.ts';
import type { X86McaRecord } from '../mca/record.ts';

/** The SIGBUS a VMM process gets from its host kernel for poisoned memory. */
export interface SigbusSignal {
  kind: 'sigbus';
  /** si_code: BUS_MCEERR_AO (5) action optional, BUS_MCEERR_AR (4) action required. */
  code: 'BUS_MCEERR_AO' | 'BUS_MCEERR_AR';
  /** Guest physical address of the page, where known. */
  gpa?: bigint;
}

/** What a CXL memory device reports, with the members of its injection (inject/injection.ts). */
export interface CxlReport {
  kind: 'cxl';
  event: (typeof CXL_EVENTS)[number];
  log?: (typeof CXL_LOGS)[number];
  /** Address within the device. */
  dpa?: bigint;
  /** Of a protocol error: `mem-data-ecc`. */
  error?: string;
}

/** An `arm-sea` record may also hold an SError: its exception class says so. */
export type OutlookRecord = X86McaRecord | CperRecord | ArmSeaRecord | SigbusSignal | CxlReport;
