/** @module The way of QMP `inject-ghes-v2-error`. Sources: QEMU qapi/acpi-hest.json (10.2 and later); UEFI 2.10 N.2.5. */
import { hex64 } from '../common/hex.ts';
import { CPER_SECTION_FLAGS } from '../cper/flags.ts';
import { CPER_SEVERITIES, decodeGhesBlock, encodeGhesBlock } from '../cper/ghes.ts';
import { memoryErrorTypeName } from '../cper/memory.ts';
import type { CperBody, CperRecord, CperSeverity } from '../cper/record.ts';
import { GHES_COMMAND, ghesArguments } from './ghes-command.ts';
import type { GhesInjection, GhesSection } from './injection.ts';
import { indexOf, u64Of } from './way.ts';
import type { WayOf } from './way.ts';

/** UEFI 2.10 N.2.5, memory error type. */
const MULTI_BIT_ECC = 3;

/** The sections that a record is made with. */
export const GHES_SECTIONS = ['memory', 'arm-processor', 'pcie', 'processor'] as const satisfies readonly GhesSection[];
const SECTION_WORDS: Readonly<Record<GhesSection, string>> = {
  memory: 'memory',
  'arm-processor': 'ARM processor (cache error)',
  pcie: 'PCIe',
  processor: 'general processor',
};

/** The granularity of the error: one 4 KiB page. */
const PAGE_MASK = 0xffff_ffff_ffff_f000n;

/**
 * A memory error that firmware reports; multi-bit ECC unless another type is given.
 * @example
 * ghesInjection('recoverable', 0x1000n) // { way: 'ghes', severity: 'recoverable', addr: 0x1000n, errorType: 3 }
 */
export function ghesInjection(
  severity: CperSeverity,
  addr: bigint,
  errorType: number = MULTI_BIT_ECC,
  { threshold = false, section = 'memory' }: { threshold?: boolean; section?: GhesSection } = {},
): GhesInjection {
  return {
    way: 'ghes',
    severity,
    addr,
    errorType,
    ...(threshold ? { threshold } : {}),
    ...(section === 'memory' ? {} : { section }),
  };
}

/** ARM error types are a bit mask. UEFI 2.10 N.2.4.4.1: bit 1 cache. */
const ARM_CACHE = 2;

/** What the record is about. */
const BODIES: Readonly<Record<GhesSection, (injection: GhesInjection) => CperBody>> = {
  memory: ({ addr, errorType }) => ({
    kind: 'memory',
    physicalAddress: addr,
    physicalAddressMask: PAGE_MASK,
    errorType,
  }),
  'arm-processor': ({ addr }) => ({
    kind: 'arm-processor',
    errors: [{ type: ARM_CACHE, multipleError: 0, physicalAddress: addr }],
    contexts: [],
  }),
  // An endpoint at 00:01.0, as far as the record says.
  pcie: () => ({
    kind: 'pcie',
    portType: 0,
    vendorId: 0x1af4,
    deviceId: 0x1005,
    segment: 0,
    bus: 0,
    device: 1,
    function: 0,
  }),
  // UEFI 2.10 N.2.4.1: ARM, A64, cache error.
  processor: () => ({ kind: 'processor', processorType: 2, isa: 4, errorType: 1 }),
};

/** The generic error status block that is handed to QEMU. */
export function ghesBlock(injection: GhesInjection): Uint8Array {
  const { severity, threshold, section = 'memory' } = injection;
  const body = BODIES[section](injection);
  const flags = threshold ? Number(CPER_SECTION_FLAGS.masks.THRESHOLD_EXCEEDED) : 0;
  return encodeGhesBlock({ severity, sections: [{ body, ...(flags === 0 ? {} : { flags }) }] });
}

/** The record in that block. */
export function recordOf(injection: GhesInjection): CperRecord {
  const { value } = decodeGhesBlock(ghesBlock(injection));
  if (value === undefined) throw new Error('the block that was just encoded cannot be read');
  return value;
}

export const GHES: WayOf<GhesInjection> = {
  command: injection => JSON.stringify({ execute: GHES_COMMAND, arguments: ghesArguments(ghesBlock(injection)) }),
  record: recordOf,
  words: ({ severity, addr, errorType, threshold, section }) =>
    (section === undefined
      ? `a ${severity} CPER memory section (${memoryErrorTypeName(errorType)}) for ${hex64(addr)}, as firmware would report it`
      : `a ${severity} CPER ${SECTION_WORDS[section]} section${section === 'arm-processor' ? ` for ${hex64(addr)}` : ''}, as firmware would report it`) +
    (threshold ? ' when the threshold is passed' : ''),
  fields: injection => {
    const { way, severity, addr, errorType, threshold, section } = injection;
    const bytes = ghesBlock(injection).length;
    return {
      kind: way,
      severity,
      addr,
      errorType,
      bytes,
      ...(threshold ? { threshold } : {}),
      ...(section === undefined ? {} : { section }),
    };
  },
  read: fields => {
    const severity = CPER_SEVERITIES.find(s => s === fields['severity']);
    const addr = u64Of(fields['addr']);
    const errorType = indexOf(fields['errorType']);
    if (fields['kind'] !== 'ghes' || severity === undefined || addr === undefined || errorType === undefined)
      return undefined;
    const section = GHES_SECTIONS.find(known => known === fields['section']);
    return ghesInjection(severity, addr, errorType, {
      threshold: fields['threshold'] === true,
      ...(section === undefined ? {} : { section }),
    });
  },
};
