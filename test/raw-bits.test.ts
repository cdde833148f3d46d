import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkAllRawBits, checkRawBits } from '../scripts/raw-bits.ts';

test('no place takes bits of a value past its table', () => {
  expect(checkAllRawBits(join(import.meta.dirname, '..'))).toEqual([]);
});

const FILE = 'packages/decode/src/mca/a.ts';
const found = (code: string, file = FILE): unknown[] => checkRawBits(file, code);

describe('is found', () => {
  test.each([
    'record.status >> 16n',
    'this.status >>> 3',
    'Number(record.status & 0xffffn)',
    'status & (1n << 53n)',
    'status & ~(3n << 11n)',
    '0xffffn & record.status',
    '(record.ipid ?? 0n) & 0xfffn',
    '(eax >> 4n) & 0xfn',
    '((eax >> 8) & 0xf)',
    '(code & 0xfff0) === 0x00c0',
    '(descriptor & 3n)',
    'descriptor & 1n',
    'address >> 12n',
    'guest & ~0xfffn',
    '(entry.anything as bigint) >> BigInt(lo)',
    'value & ((1n << BigInt(width)) - 1n)',
    'fieldOf(status, 15, 0)',
    'hasBit(status, 63)',
    'low & 0x1f',
    '(value >>> 20) & 0xff',
  ])('%s', code => {
    expect(found(`const x = ${code};`)).toHaveLength(1);
  });

  test.each([
    ['a mask that is a constant', 'const MASK = 1n << 58n;\nconst x = record.anything & MASK;'],
    ['a mask of constants', 'const A = 0x10;\nconst B = 0x20;\nconst x = code & (A | B);'],
    ['a mask that is a member', 'const M = { LOOPBACK: 0x10 } as const;\nconst x = (mcr & M.LOOPBACK) !== 0;'],
    ['a shift by a constant', 'const SHIFT = 20n;\nconst x = ipid >> SHIFT;'],
    ['an assignment', 'let x = f();\nx >>= 3n;'],
    ['one in a file that has a table', 'export const R = defineRegister({});\nconst x = status >> 16n;'],
    ['one in another package', 'const PRESENT = 1n << 63n;\nconst x = entry & PRESENT;', 'packages/vmm/src/a.ts'],
    ['one between things that are none', 'const x = 1;\nconst y = (a ?? 0n) & 0x3fn;\nconst z = a && b;'],
  ])('%s', (_, code, file = FILE) => {
    expect(found(code, file)).toHaveLength(1);
  });

  test('once a line, with it', () => {
    const all = checkRawBits(FILE, 'const a = 1;\nconst x = (status >> 16n) & 0xfn;\nconst y = esr & 0x3fn;\n');
    expect(all.map(v => [v.line, v.specifier])).toEqual([
      [2, '(status >> 16n) & 0xfn'],
      [3, 'esr & 0x3fn'],
    ]);
  });
});

describe('is none', () => {
  test.each([
    ['a field of a table', 'const x = MCI_STATUS_AMD.decode(record.status).XEC;'],
    ['a mask of the table', 'const { ADDRV } = MCI_STATUS_INTEL.masks; const x = (status & ADDRV) !== 0n;'],
    ['masks of the table together', 'const MASK = VAL | UC;\nconst x = record.status & ~MASK;'],
    ['a comment', '// status >> 16n'],
    ['a string', "const x = 'status >> 16n';"],
    ['a condition', 'const x = status && 1n;'],
    ['a type of two', 'type A = B & { readonly c: 1 };'],
    ['a number made of numbers', 'const MIB = 1 << 20;\nconst U64 = (1n << 64n) - 1n;\nconst x = MIB << 2;'],
    ['an address by its helper', 'const x = pfnOf(address);'],
    ['a field at a place that is computed', 'const x = fieldOf(ipa, shift + width - 1, shift);'],
    ['a number made unsigned', 'const x = (a + b) >>> 0;'],
    ['permissions of a file', 'const x = (stats.mode & 0o022) === 0;'],
    ['bytes', 'const x = [(value >>> 24) & 0xff, value & 0xff];\nconst y = (a << 8) | b;'],
    ['digits of a number', 'const x = (high << 4) | digit;'],
    ['a rotation', 'const x = (a << 4) | (b >>> 28);'],
    ['a hash', 'const x = Math.imul(h ^ (h >>> 15), 0x9e37_79b1) ^ (h >>> 13);'],
    ['a bit of a set', 'const x = (set >>> i) & 1;\nconst y = present & (1 << i);'],
    [
      'four bytes side by side',
      'const x = ~(((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x);\nconst y = (zero >>> 7) & 0x01010101;',
    ],
    ['a variable that has the name of a constant', 'let h = 0;\nconst x = a & h;'],
  ])('%s', (_, code) => {
    expect(found(code)).toEqual([]);
  });

  test.each([
    'packages/decode/src/registers/a.ts',
    'packages/decode/src/mca/a.test.ts',
    'packages/decode/src/mca/testing/a.ts',
  ])('what stands in %s', file => {
    expect(found('const x = status >> 16n;', file)).toEqual([]);
  });
});
