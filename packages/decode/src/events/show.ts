/** @module What the lines of the time line are made of: short values. Whatever a trace holds is safe here. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import type { FieldValue } from './row.ts';

/** 64-bit values without leading zeros, as the kernel prints most of them; registers are shown in full elsewhere. */
export function short(value: FieldValue | undefined): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return safeText(String(value ?? ''), 200);
}

/** Fields as `name=value` words. */
export function pairs(fields: Readonly<Record<string, FieldValue | undefined>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${safeText(key, 64)}=${typeof value === 'bigint' ? hex64(value) : short(value)}`)
    .join(' ');
}
