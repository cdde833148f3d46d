/** @module Bad memory of a part, as Linux keeps it over boots. Sources: UEFI 2.11 N.2.15; Linux drivers/ras/amd/fmpm.c for the types. */
import { hex64 } from '../common/hex.ts';
import { SECTION_FRU_POISON } from './guid.ts';
import { u32, u64 } from './layout.ts';
import type { Layout } from './layout.ts';
import { hex, more, numberOf, rowsOf, wideOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

const LAYOUT: Layout = {
  name: 'FRU memory poison section',
  source: 'UEFI 2.11 N.2.15',
  length: 40,
  validation: { at: 4, size: 8 },
  fields: [
    u32('checksum', 0),
    u32('fruArchType', 12, { valid: 0, values: { 0: 'CPUID leaf 1 EAX of x86' } }),
    u64('fruArch', 16, { valid: 1 }),
    u32('fruIdType', 24, { valid: 2, values: { 0: 'PPIN of x86' } }),
    u64('fruIdentity', 28, { valid: 3 }),
    u32('entryCount', 36, { valid: 4 }),
  ],
};
const ENTRY: Layout = {
  name: 'poison descriptor',
  source: 'UEFI 2.11 N.2.15, memory poison descriptor',
  length: 32,
  fields: [
    u64('poisonTime', 0, { meaning: 'seconds since 1970' }),
    u32('hardwareIdType', 8, { values: { 0: 'MCA_IPID' } }),
    u64('hardwareId', 12),
    u32('addressType', 20, { values: { 0: 'MCA_ADDR' } }),
    u64('poisonAddress', 24),
  ],
};
const SHOWN = 8;

export const FRU_POISON: Tabled = {
  type: SECTION_FRU_POISON,
  kind: 'fru-poison',
  layout: LAYOUT,
  least: LAYOUT.length,
  rows: { member: 'poisoned', layout: ENTRY, count: 'entryCount' },
  say(body) {
    const ppin = wideOf(body, 'fruIdentity');
    const rows = rowsOf(body, 'poisoned');
    const shown = rows
      .slice(0, SHOWN)
      .map(
        r => `${hex64(wideOf(r, 'poisonAddress') ?? 0n)} of bank with MCA_IPID ${hex64(wideOf(r, 'hardwareId') ?? 0n)}`,
      );
    return [
      `${numberOf(body, 'entryCount') ?? 0} bad places of the part${ppin === undefined ? '' : ` with PPIN ${hex(ppin)}`}, kept over boots.`,
      ...(shown.length === 0
        ? []
        : [`Addresses as the bank gave them (MCA_ADDR): ${shown.join('; ')}${more(rows.length - SHOWN)}.`]),
    ];
  },
};
