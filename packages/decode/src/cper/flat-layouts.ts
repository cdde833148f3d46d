/** @module The sections that are one structure, and the first structure of those read by a table, by the kind of their body. */
import { FIRMWARE_LAYOUT } from './firmware.ts';
import type { Layout } from './layout.ts';
import { MEMORY2_LAYOUT, MEMORY_LAYOUT } from './memory.ts';
import { PCIE_LAYOUT } from './pcie.ts';
import { PROCESSOR_LAYOUT } from './processor.ts';
import type { CperBody } from './record.ts';
import { TABLED } from './tables.ts';

export const FLAT_LAYOUTS: Readonly<Partial<Record<CperBody['kind'], Layout>>> = {
  memory: MEMORY_LAYOUT,
  memory2: MEMORY2_LAYOUT,
  processor: PROCESSOR_LAYOUT,
  pcie: PCIE_LAYOUT,
  firmware: FIRMWARE_LAYOUT,
  ...Object.fromEntries(TABLED.map(t => [t.kind, t.layout])),
};
