/** @module The way of QMP `inject-ghes-v2-error`. Sources: QEMU qapi/acpi-hest.json (10.2 and later); UEFI 2.10 N.2.5. */
import { hex64 } from '../common/hex.ts';
import { CPER_SECTION_FLAGS } from '../cper/flags.ts';
import { CPER_SEVERITIES, decodeGhesBlock, encodeGhesBlock } from '../cper/ghes.ts';
import { memoryErrorTypeName } from '../cper/memory.ts';
import type { CperRecord, CperSeverity } from '../cper/record.ts';
import { GHES_COMMAND, ghesArguments } from './ghes-command.ts';
import type { GhesInjection } from './injection.ts';
import { indexOf, u64Of } from './way.ts';
import type { WayOf } from './way.ts';

/** UEFI 2.10 N.2.5, memory error type. */
const MULTI_BIT_ECC = 3;

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
  threshold = false,
): GhesInjection {
  return { way: 'ghes', severity, addr, errorType, ...(threshold ? { threshold } : {}) };
}

/** The generic error status block that is handed to QEMU. */
export function ghesBlock({ severity, addr, errorType, threshold }: GhesInjection): Uint8Array {
  const body = { kind: 'memory' as const, physicalAddress: addr, physicalAddressMask: PAGE_MASK, errorType };
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
  words: ({ severity, addr, errorType, threshold }) =>
    `a ${severity} CPER memory section (${memoryErrorTypeName(errorType)}) for ${hex64(addr)}, as firmware would report it` +
    (threshold ? ' when the threshold is passed' : ''),
  fields: injection => {
    const { way, severity, addr, errorType, threshold } = injection;
    const bytes = ghesBlock(injection).length;
    return { kind: way, severity, addr, errorType, bytes, ...(threshold ? { threshold } : {}) };
  },
  read: fields => {
    const severity = CPER_SEVERITIES.find(s => s === fields['severity']);
    const addr = u64Of(fields['addr']);
    const errorType = indexOf(fields['errorType']);
    if (fields['kind'] !== 'ghes' || severity === undefined || addr === undefined || errorType === undefined)
      return undefined;
    return ghesInjection(severity, addr, errorType, fields['threshold'] === true);
  },
};
