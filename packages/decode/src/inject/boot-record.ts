/** @module The way of BERT: firmware leaves a record that the next boot finds. Source: ACPI 6.5 18.3.1. */
import { hex64 } from '../common/hex.ts';
import { CPER_SEVERITIES } from '../cper/ghes.ts';
import { memoryErrorTypeName } from '../cper/memory.ts';
import { ghesBlock, ghesInjection, recordOf } from './ghes.ts';
import type { BootRecordInjection, GhesInjection } from './injection.ts';
import { indexOf, u64Of } from './way.ts';
import type { WayOf } from './way.ts';

const asGhes = ({ severity, addr, errorType }: BootRecordInjection): GhesInjection =>
  ghesInjection(severity, addr, errorType);

/** The generic error status block that is left. */
export function bootBlock(injection: BootRecordInjection): Uint8Array {
  return ghesBlock(asGhes(injection));
}

export const BOOT_RECORD: WayOf<BootRecordInjection> = {
  // Only who is the firmware of a machine can do it.
  command: () => undefined,
  record: injection => ({ ...recordOf(asGhes(injection)), previousBoot: true }),
  words: ({ severity, addr, errorType }) =>
    `a ${severity} CPER memory section (${memoryErrorTypeName(errorType)}) for ${hex64(addr)}, left by the firmware for the next boot (BERT)`,
  fields: injection => {
    const { way, severity, addr, errorType } = injection;
    return { kind: way, severity, addr, errorType, bytes: bootBlock(injection).length };
  },
  read: fields => {
    const severity = CPER_SEVERITIES.find(s => s === fields['severity']);
    const addr = u64Of(fields['addr']);
    const errorType = indexOf(fields['errorType']);
    if (fields['kind'] !== 'boot-record' || severity === undefined || addr === undefined || errorType === undefined)
      return undefined;
    return { way: 'boot-record', severity, addr, errorType };
  },
};
