/** @module Records that the tests of this room share. */
import type { CperRecord, CperSection, CperSeverity } from '../../cper/record.ts';
import { namedMca } from '../../mca/named.ts';
import type { X86McaRecord } from '../../mca/record.ts';

/** A named record as a guest receives it: CPU 0, with an address. */
export function named(name: string, changes: Partial<X86McaRecord> = {}): X86McaRecord {
  const found = namedMca(name);
  if (found === undefined) throw new Error(`no record ${name}`);
  const { vendor, bank, status, mcgStatus, misc } = found;
  return { kind: 'x86-mca', vendor, cpu: 0, bank, status, mcgStatus, misc, addr: 0x87ee000n, ...changes };
}

/** An x86 record by its status, with MCIP and RIPV. */
export function x86(status: bigint, changes: Partial<X86McaRecord> = {}): X86McaRecord {
  return {
    kind: 'x86-mca',
    vendor: 'intel',
    cpu: 0,
    bank: 9,
    status,
    mcgStatus: 5n,
    misc: 0x8cn,
    addr: 0x87ee000n,
    ...changes,
  };
}

export const MEMORY_SECTION = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';
export const ARM_SECTION = 'e19e3d16-bc11-11e4-9caa-c2051d5d46b0';

/** A firmware record with one section. */
export function cper(severity: CperSeverity, changes: Partial<CperSection> = {}): CperRecord {
  return {
    kind: 'cper',
    severity,
    blockStatus: 1,
    sections: [
      {
        type: MEMORY_SECTION,
        severity,
        revision: 0x300,
        flags: 0,
        body: { kind: 'memory', physicalAddress: 0x50000000n, errorType: 3 },
        ...changes,
      },
    ],
  };
}
