import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type CpioEntry } from './newc.ts';
import { buildInitramfs } from './initramfs.ts';
import { readNewc } from './testing/read-newc.ts';

const agent = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
const init: CpioEntry = { type: 'file', path: 'init', data: agent, mode: 0o755 };

test('a console and /dev/null stand beside what is given', () => {
  expect(readNewc(buildInitramfs([init]))).toEqual([
    { type: 'directory', path: 'dev', mode: 0o755 },
    { type: 'character', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
    { type: 'character', path: 'dev/null', major: 1, minor: 3, mode: 0o666 },
    { type: 'file', path: 'init', data: agent, mode: 0o755 },
  ]);
});

test('a device that is given is not added again', () => {
  const entries = readNewc(buildInitramfs([{ type: 'character', path: 'dev/console', major: 4, minor: 64 }]));
  expect(entries.filter(e => e.path === 'dev/console')).toMatchObject([{ major: 4, minor: 64 }]);
});

test('gzip holds the same archive and its header names neither time nor system', () => {
  const packed = buildInitramfs([init], { compression: 'gzip' });
  expect(Array.from(packed.slice(0, 8))).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
  expect(packed[9]).toBe(255);
  expect(Buffer.compare(gunzipSync(packed), buildInitramfs([init]))).toBe(0);
});
