/** @module The way of QMP `inject-ghes-v2-error`. Sources: QEMU qapi/acpi-hest.json (10.2 and later); UEFI 2.10 N.2.5. */
import { hex64 } from '../common/hex.ts';
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
export function ghesInjection(severity: CperSeverity, addr: bigint, errorType: number = MULTI_BIT_ECC): GhesInjection {
  return { way: 'ghes', severity, addr, errorType };
}

/** The generic error status block that is handed to QEMU. */
export function ghesBlock({ severity, addr, errorType }: GhesInjection): Uint8Array {
  const body = { kind: 'memory' as const, physicalAddress: addr, physicalAddressMask: PAGE_MASK, errorType };
  return encodeGhesBlock({ severity, sections: [{ body }] });
}

function recordOf(injection: GhesInjection): CperRecord {
  const { value } = decodeGhesBlock(ghesBlock(injection));
  if (value === undefined) throw new Error('the block that was just encoded cannot be read');
  return value;
}

export const GHES: WayOf<GhesInjection> = {
  command: injection => JSON.stringify({ execute: GHES_COMMAND, arguments: ghesArguments(ghesBlock(injection)) }),
  record: recordOf,
  words: ({ severity, addr, errorType }) =>
    `a ${severity} CPER memory section (${memoryErrorTypeName(errorType)}) for ${hex64(addr)}, as firmware would report it`,
  fields: injection => {
    const { way, severity, addr, errorType } = injection;
    return { kind: way, severity, addr, errorType, bytes: ghesBlock(injection).length };
  },
  read: fields => {
    const severity = CPER_SEVERITIES.find(s => s === fields['severity']);
    const addr = u64Of(fields['addr']);
    const errorType = indexOf(fields['errorType']);
    if (fields['kind'] !== 'ghes' || severity === undefined || addr === undefined || errorType === undefined)
      return undefined;
    return { way: 'ghes', severity, addr, errorType };
  },
};
