import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkAllRawBits, checkRawBits } from '../scripts/raw-bits.ts';

test('no more places take bits of a register past its table than of old', () => {
  expect(checkAllRawBits(join(import.meta.dirname, '..'))).toEqual([]);
});

const FILE = 'packages/decode/src/mca/a.ts';
test.each(['record.status >> 16n', 'Number(record.status & 0xffffn)', 'status & (1n << 53n)', '(eax >> 4n) & 0xfn'])(
  '%s is found',
  code => {
    expect(checkRawBits(FILE, `const x = ${code};`)).toHaveLength(1);
  },
);

test.each([
  ['a field of a table', FILE, 'const x = MCI_STATUS_AMD.decode(record.status).XEC;'],
  ['a mask that has a name', FILE, 'const x = record.status & ADDRV;'],
  ['a comment', FILE, '// status >> 16n'],
  ['another value', FILE, 'const pfn = address >> 12n;'],
  ['a file of a table', FILE, 'export const R = defineRegister({}); const x = status >> 16n;'],
  ['a test', 'packages/decode/src/mca/a.test.ts', 'const x = status >> 16n;'],
])('%s is none', (_, file, code) => {
  expect(checkRawBits(file, code)).toEqual([]);
});
