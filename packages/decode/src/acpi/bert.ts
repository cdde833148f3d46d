/**
 * @module The boot error record table, both ways: where firmware left a record of the boot before.
 * Source: ACPI 6.5, 18.3.1 "Boot Error Source".
 */
import { u32, u64, writeLayout } from '../cper/layout.ts';
import type { CperKept, Layout } from '../cper/layout.ts';
import type { AcpiRead } from './error.ts';
import { decodeTable, encodeTable, headerOf, readFields } from './table.ts';
import type { AcpiHeader } from './table.ts';

const REGION: Layout = {
  name: 'boot error region',
  source: 'ACPI 6.5 18.3.1',
  length: 12,
  fields: [u32('length', 0), u64('address', 4)],
};

/** Where the generic error status block of the boot before is. */
interface BootErrorRegion {
  /** Bytes. */
  length: number;
  address: bigint;
  kept?: CperKept;
}

interface Bert {
  header?: AcpiHeader;
  region: BootErrorRegion;
}

/** The bytes of a BERT. @example encodeBert({ region: { address: 0x1f000000n, length: 0x1000 } }).length // 48 */
export function encodeBert({ header = headerOf('BERT'), region }: Bert): Uint8Array {
  return encodeTable(header, writeLayout(REGION, region));
}

/** Reads a BERT. Never throws. */
export function decodeBert(table: Uint8Array): AcpiRead<Bert> {
  const { value, diagnostics } = decodeTable('BERT', table);
  if (value === undefined) return { value, diagnostics };
  const { header, body, at } = value;
  if (body.length < REGION.length) {
    diagnostics.push({ code: 'E_ACPI_TRUNCATED', message: 'the boot error region is cut off', offset: at });
    return { value: undefined, diagnostics };
  }
  return { value: { header, region: readFields<BootErrorRegion>(REGION, body, 0, diagnostics) }, diagnostics };
}
