import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readOwnWord } from './own-memory.ts';

test('a word of this process: the first of its program is the head of an ELF file', () => {
  const program = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find(line => / 00000000 .*\/node$/.test(line));
  const start = BigInt(`0x${program?.split('-')[0]}`);
  expect(readOwnWord(start)).toBe(readFileSync(process.execPath).readBigUInt64LE(0));
});

test.each([0n, 0x10n, 1n << 62n])('0x%s is no memory of this process, and no signal', address => {
  expect(readOwnWord(address)).toBeUndefined();
});
