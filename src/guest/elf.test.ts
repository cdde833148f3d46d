import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InitramfsError } from './errors.ts';
import { neededLibraries } from './elf.ts';

test("this Node's own program asks for the C library", () => {
  const needed = neededLibraries(readFileSync(process.execPath));
  expect(needed).toContain('libc.so.6');
  for (const name of needed) expect(name).toMatch(/^(lib|ld-)[\w.+-]+\.so[\w.]*$/);
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
