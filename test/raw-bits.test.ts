import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllRawBits, checkRawBits } from '../scripts/raw-bits.ts';

test('no place takes bits of a register past its table', () => {
  expect(checkAllRawBits(join(import.meta.dirname, '..'))).toEqual([]);
});

const FILE = 'packages/decode/src/mca/a.ts';
test.each([
  'record.status >> 16n',
  'this.status >>> 3',
  'Number(record.status & 0xffffn)',
  'status & (1n << 53n)',
  'status & ~(3n << 11n)',
  '0xffffn & record.status',
  '(record.ipid ?? 0n) & 0xfffn',
  '(eax >> 4n) & 0xfn',
  'record.status & ADDRV; const ADDRV = 1n << 58n',
  'record.status & MASK;\nconst MASK = 0xac00_0000_0000_0000n',
  '(r.VTTBR_EL2 & MASK);\nconst MASK = 0xffff_ffff_fffen',
])('%s is found', code => {
  expect(checkRawBits(FILE, `const x = ${code};`)).toHaveLength(1);
});

test('each place is told once, with its line', () => {
  const found = checkRawBits(FILE, 'const a = 1;\nconst x = (status >> 16n) & (1n << 4n);\nconst y = esr & 0x3fn;\n');
  expect(found.map(v => [v.line, v.specifier])).toEqual([
    [2, 'status >> 16n'],
    [3, 'esr & 0x3fn'],
  ]);
});

test.each([
  ['a field of a table', FILE, 'const x = MCI_STATUS_AMD.decode(record.status).XEC;'],
  ['a mask that has a name', FILE, 'const x = record.status & ADDRV;'],
  ['a comment', FILE, '// status >> 16n'],
  ['a mask of the table', FILE, 'const { ADDRV } = MCI_STATUS_INTEL.masks; const x = (status & ADDRV) !== 0n;'],
  ['another value', FILE, 'const pfn = address >> 12n;'],
  ['a mask made of named bits', FILE, 'const MASK = VAL | UC;\nconst x = record.status & MASK;'],
  ['a condition', FILE, 'const x = status && 1n;'],
  ['a mask of a whole number', FILE, 'const U64 = (1n << 64n) - 1n;'],
  ['a bit of another format', 'packages/vmm/src/a.ts', 'const PRESENT = 1n << 63n;'],
  ['a file of a table', FILE, 'export const R = defineRegister({}); const x = status >> 16n;'],
  ['a test', 'packages/decode/src/mca/a.test.ts', 'const x = status >> 16n;'],
])('%s is none', (_, file, code) => {
  expect(checkRawBits(file, code)).toEqual([]);
});
