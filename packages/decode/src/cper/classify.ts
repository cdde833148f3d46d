/** @module What kind of error a firmware record is, and how bad. */
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import { MEMORY2_STATUS } from './error-status.ts';
import { CPER_PROCESSOR_FLAGS, CPER_RECORD_FLAGS } from './flags.ts';
import type { CperBody, CperRecord, CperSeverity, CperTabledKind } from './record.ts';
import { severityRank } from './severity.ts';
import { TABLED } from './tables.ts';
import { mcaBanksOf } from './x86-mca.ts';

export type CperClass = 'memory' | 'processor' | 'pcie' | 'firmware' | 'other' | 'empty';

interface CperVerdict {
  /** The class of the worst section; `empty` without one. */
  class: CperClass;
  /** The severity of the record: what Linux acts on. */
  severity: CperSeverity;
  /** The worst severity of the sections; missing without one. */
  worst?: CperSeverity;
  /** Firmware marked the record as simulated. */
  simulated: boolean;
}

/** Of kinds that are read by a table; the others are `other`. */
const TABLED_CLASS: Readonly<Partial<Record<CperTabledKind, CperClass>>> = {
  'pci-bus': 'pcie',
  'pci-component': 'pcie',
  'cxl-protocol': 'pcie',
  'cxl-media': 'memory',
  'cxl-dram': 'memory',
  'fru-poison': 'memory',
  'whea-intel-memory': 'memory',
  'whea-memory-summary': 'memory',
  'whea-pmem': 'memory',
  'whea-pcie-summary': 'pcie',
  'linux-mce': 'processor',
  'xpf-mca': 'processor',
  'whea-sea': 'processor',
  'whea-sei': 'processor',
};

const CLASS: Readonly<Record<CperBody['kind'], CperClass>> = {
  memory: 'memory',
  memory2: 'memory',
  processor: 'processor',
  'x86-processor': 'processor',
  'arm-processor': 'processor',
  pcie: 'pcie',
  firmware: 'firmware',
  raw: 'other',
  ...Object.fromEntries(TABLED.map(({ kind }) => [kind, TABLED_CLASS[kind] ?? 'other'])),
} as Readonly<Record<CperBody['kind'], CperClass>>;

/** Linux or the firmware says that it tells of the boot before. */
export function isOfPreviousBoot({ previousBoot, header }: CperRecord): boolean {
  return previousBoot === true || CPER_RECORD_FLAGS.read(BigInt(header?.flags ?? 0)).PREVERR;
}

/** Classifies a record by its worst section, the first of equals. */
export function classifyCper(record: CperRecord): CperVerdict {
  const [first, ...rest] = record.sections;
  const simulated = CPER_RECORD_FLAGS.read(BigInt(record.header?.flags ?? 0)).SIMULATED;
  if (first === undefined) return { class: 'empty', severity: record.severity, simulated };
  const worst = rest.reduce((a, b) => (severityRank(b.severity) > severityRank(a.severity) ? b : a), first);
  return { class: CLASS[worst.body.kind], severity: record.severity, worst: worst.severity, simulated };
}

/** Whether the body itself says that the error was corrected; undefined where it does not say. */
export function bodyCorrected(body: CperBody): boolean | undefined {
  switch (body.kind) {
    case 'processor':
      return body.flags === undefined ? undefined : CPER_PROCESSOR_FLAGS.read(BigInt(body.flags)).CORRECTED;
    case 'memory2':
      return body.status === undefined ? undefined : !MEMORY2_STATUS.read(BigInt(body.status)).UNCORRECTED;
    case 'memory':
      // Scrub errors say it in their type; the other types may be either.
      return body.errorType === 13 ? true : body.errorType === 14 ? false : undefined;
    case 'x86-processor': {
      const banks = mcaBanksOf(body);
      // What MCA_DESTAT alone holds is deferred: neither corrected nor consumed.
      if (banks.length === 0 || banks.some(b => b.status === 0n)) return undefined;
      return banks.every(b => !MCI_STATUS_INTEL.read(b.status).UC);
    }
    default:
      return undefined;
  }
}
