import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InitramfsError } from './errors.ts';
import { coreOf, neededLibraries } from './elf.ts';

test("this Node's own program asks for the C library", () => {
  const needed = neededLibraries(readFileSync(process.execPath));
  expect(needed).toContain('libc.so.6');
  for (const name of needed) expect(name).toMatch(/^(lib|ld-)[\w.+-]+\.so[\w.]*$/);
});

/** A program whose dynamic section names one library, in a table of strings at its end. */
function program(table: string, name = 0, hasTable = true): Buffer {
  const file = Buffer.alloc(64 + 2 * 56 + 3 * 16 + table.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  const segment = (at: number, type: number, offset: number, size: number): void => {
    file.writeUInt32LE(type, at);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(BigInt(offset), at + 16);
    file.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(64, 1, 0, file.length);
  segment(120, 2, 176, 3 * 16);
  file.writeBigUInt64LE(hasTable ? 5n : 6n, 176);
  file.writeBigUInt64LE(224n, 184);
  file.writeBigUInt64LE(1n, 192);
  file.writeBigUInt64LE(BigInt(name), 200);
  file.write(table, 224, 'latin1');
  return file;
}

test.each([
  ['that does not end', program('libc.so.6')],
  ['that is empty', program('\0libc.so.6\0')],
  ['that stands beyond the end', program('libc.so.6\0', 4000)],
  ['longer than any path', program(`${'x'.repeat(4097)}\0`)],
  ['without a table to stand in', program('libc.so.6\0', 0, false)],
])('a name %s is damage, not a library', (_what, file) => {
  expect(neededLibraries(program('libc.so.6\0'))).toEqual(['libc.so.6']);
  expect(() => neededLibraries(file)).toThrow(InitramfsError);
});

test('anything else is an error, never a crash or a wrong answer', () => {
  const head = readFileSync(process.execPath).subarray(0, 4096);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(4095), (noise, at) => {
      const file = Buffer.from(head);
      file.set(noise.subarray(0, file.length - at), at);
      try {
        neededLibraries(file);
      } catch (error) {
        expect(error).toBeInstanceOf(InitramfsError);
      }
    }),
  );
  expect(() => neededLibraries(new Uint8Array(10))).toThrow(InitramfsError);
});

test('a core file is as long as its headers say, and what is none is an error', () => {
  const file = program('libc.so.6\0');
  expect(coreOf(file.subarray(0, 176))).toEqual({ bytes: file.length, segments: 1 });
  expect(() => coreOf(file.subarray(0, 100))).toThrow(InitramfsError);
  expect(() => coreOf(Buffer.alloc(64))).toThrow('not a 64-bit little-endian ELF file');
});
