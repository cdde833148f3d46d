/** @module The firmware error record reference section. Source: UEFI 2.10 N.2.10. */
import { guid, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';

export const FIRMWARE_RECORD_TYPES: Readonly<Record<number, string>> = {
  0: 'IPF SAL record',
  1: 'SOC firmware record, type 1',
  2: 'SOC firmware record, type 2',
};

export const FIRMWARE_LAYOUT: Layout = {
  name: 'firmware section',
  source: 'UEFI 2.10 N.2.10',
  length: 32,
  fields: [
    u8('recordType', 0, { values: FIRMWARE_RECORD_TYPES }),
    u8('revision', 1),
    u64('recordId', 8),
    guid('recordGuid', 16),
  ],
};
/** Revision 0 has no GUID. */
export const FIRMWARE_LENGTH_0 = 16;
