import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InitramfsError } from './errors.ts';
import { readNewc } from './testing/read-newc.ts';
import { writeNewc } from './newc.ts';
import type { CpioEntry } from './newc.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

const sample: CpioEntry[] = [
  { type: 'file', path: 'init', data: text('#!/bin/sh\n'), mode: 0o755 },
  { type: 'directory', path: 'etc', mode: 0o755 },
  { type: 'file', path: 'etc/hostname', data: text('guest'), mode: 0o644 },
  { type: 'symlink', path: 'bin/sh', target: 'busybox' },
  { type: 'character', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
  { type: 'block', path: 'dev/vda', major: 254, minor: 0, mode: 0o660 },
];

const part = fc.stringMatching(/^[a-zäß0-9_+-][a-zäß0-9_. +-]{0,12}$/);
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'));
const mode = fc.integer({ min: 0, max: 0o7777 });
const device = fc.integer({ min: 0, max: 4095 });
const entry: fc.Arbitrary<CpioEntry> = fc.oneof(
  fc.record({ type: fc.constant('file' as const), path, data: fc.uint8Array({ maxLength: 600 }), mode }),
  fc.record({ type: fc.constant('directory' as const), path, mode }),
  fc.record({ type: fc.constant('symlink' as const), path, target: fc.string({ minLength: 1, unit: 'grapheme' }) }),
  fc.record({
    type: fc.constantFrom('character' as const, 'block' as const),
    path,
    major: device,
    minor: device,
    mode,
  }),
);

/** `fine`, or the name of the error class. */
function outcome(run: () => unknown): string {
  try {
    run();
    return 'fine';
  } catch (error) {
    return error instanceof InitramfsError ? 'InitramfsError' : String(error);
  }
}

/** Entries whose paths differ and where no file is used as a directory. */
const entries = fc.uniqueArray(entry, { selector: e => e.path, maxLength: 12 }).map(list => {
  const leaves = new Set(list.filter(e => e.type !== 'directory').map(e => e.path));
  return list.filter(e => !Array.from(leaves).some(leaf => e.path.startsWith(`${leaf}/`)));
});

describe('cpio newc', () => {
  test('what is written is read back, parents added, in order of path', () => {
    fc.assert(
      fc.property(entries, list => {
        const back = readNewc(writeNewc(list));
        const byPath = new Map(back.map(e => [e.path, e]));
        for (const e of list) expect(byPath.get(e.path)).toEqual(e);
        const given = new Set(list.map(e => e.path));
        expect(byPath.size).toBe(back.length);
        for (const e of back.filter(added => !given.has(added.path))) expect(e.type).toBe('directory');
        for (const [i, e] of back.entries()) {
          const parent = e.path.slice(0, Math.max(0, e.path.lastIndexOf('/')));
          expect(back.findIndex(p => p.path === parent)).toBeLessThan(i);
        }
      }),
    );
  });

  test('the order of the entries does not change a byte', () => {
    fc.assert(
      fc.property(entries, list => {
        expect(Buffer.compare(writeNewc(list), writeNewc([...list].reverse()))).toBe(0);
      }),
    );
  });

  test('the bytes are fixed', () => {
    const archive = writeNewc(sample);
    expect(archive.length).toBe(1536);
    expect(createHash('sha256').update(archive).digest('hex')).toBe(
      'f4c9af3409c0b7b1f5c5907e75778784c0510c98293ed6504a2402ec63512f18',
    );
    const first = Buffer.from(archive).toString('latin1', 0, 116);
    expect(first).toBe(
      '070701' + // magic
        '00000001000041ed0000000000000000' + // ino 1, mode directory 0755, uid 0, gid 0
        '00000002000000000000000000000000' + // nlink 2, mtime 0, filesize 0, devmajor 0
        '00000000000000000000000000000004' + // devminor, rdevmajor, rdevminor, namesize with NUL
        '00000000bin\0\0\0',
    );
  });

  test.skipIf(spawnSync('cpio', ['--version']).error !== undefined)('cpio lists it', () => {
    const listed = spawnSync('cpio', ['-t', '--quiet'], { input: writeNewc(sample) });
    expect(listed.status).toBe(0);
    expect(listed.stdout.toString().trim().split('\n')).toEqual([
      'bin',
      'bin/sh',
      'dev',
      'dev/console',
      'dev/vda',
      'etc',
      'etc/hostname',
      'init',
    ]);
  });

  test.each(['', '/init', 'a//b', '../x', 'a/./b', 'a/', 'x\0y', 'TRAILER!!!', 'TRAILER!!!/x', 'n'.repeat(5000)])(
    'refuses the path number %#',
    bad => {
      expect(() => writeNewc([{ type: 'directory', path: bad }])).toThrow(InitramfsError);
    },
  );

  test('refuses a path given twice and a file used as a directory', () => {
    const file: CpioEntry = { type: 'file', path: 'a', data: text('x') };
    expect(() => writeNewc([file, file])).toThrow('given twice');
    expect(() => writeNewc([file, { type: 'directory', path: 'a/b' }])).toThrow('not a directory');
  });

  test('reading damaged archives throws InitramfsError and nothing else', () => {
    const archive = writeNewc(sample);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: archive.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (at, value, cutIt) => {
          const damaged = cutIt ? archive.slice(0, at) : archive.slice();
          if (!cutIt) damaged[at] = value;
          expect(outcome(() => readNewc(damaged))).toMatch(/^(fine|InitramfsError)$/);
        },
      ),
    );
  });
});
