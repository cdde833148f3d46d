import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileDigests } from './file-digests.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let dir = '';
let kept = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'digests-'));
  kept = join(dir, 'cache/digests/sha256');
  // By this clock what the tests write was written long ago.
  vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

const write = (name: string, text: string): string => {
  const file = join(dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

/** What a process of its own says of a file. */
function digest(path: string): string {
  const digests = new FileDigests(kept);
  const said = digests.of(path);
  digests.keep();
  return said;
}

const lines = (): string[] => (existsSync(kept) ? readFileSync(kept, 'utf8').split('\n').slice(0, -1) : []);

/** The kept digests are made wrong: what still tells the right one has read the file. */
const falsify = (): void =>
  writeFileSync(
    kept,
    lines()
      .map(line => `${'f'.repeat(64)}${line.slice(64)}\n`)
      .join(''),
  );

describe('the digest of a file', () => {
  test('is read once: later processes know it, by another name too', () => {
    const file = write('a', 'content');
    expect(digest(file)).toBe(sha256('content'));
    expect(lines()).toHaveLength(1);
    falsify();
    expect(digest(file)).toBe('f'.repeat(64));
    symlinkSync(file, join(dir, 'link'));
    expect(digest(join(dir, 'link'))).toBe('f'.repeat(64));
  });

  test.each<[string, (file: string) => void]>([
    [
      'is written, and its time set back',
      file => {
        const { atime, mtime } = statSync(file);
        writeFileSync(file, 'CONTENT');
        utimesSync(file, atime, mtime);
      },
    ],
    [
      'is replaced by one of the same size and time',
      file => {
        const { atime, mtime } = statSync(file);
        const other = write('other', 'CONTENT');
        utimesSync(other, atime, mtime);
        renameSync(other, file);
      },
    ],
  ])('is read again when the file %s', (_what, change) => {
    const file = write('a', 'content');
    digest(file);
    change(file);
    expect(digest(file)).toBe(sha256('CONTENT'));
  });

  test.each<[string, (file: string) => void]>([
    ['mode', file => chmodSync(file, 0o600)],
    ['time', file => utimesSync(file, 1, 1)],
    ['number of names', file => linkSync(file, `${file}2`)],
  ])('is read again when its %s changes, and is the same', (_what, change) => {
    const file = write('a', 'content');
    digest(file);
    falsify();
    change(file);
    expect(digest(file)).toBe(sha256('content'));
  });

  test('is not kept of a file that was just changed: it may change again within one tick of the clock', () => {
    const file = write('a', 'content');
    vi.setSystemTime(statSync(file).ctimeMs + 1000);
    expect(digest(file)).toBe(sha256('content'));
    vi.setSystemTime(statSync(file).ctimeMs - 60_000);
    expect(digest(file)).toBe(sha256('content'));
    expect(lines()).toEqual([]);
    vi.setSystemTime(statSync(file).ctimeMs + 10_000);
    digest(file);
    expect(lines()).toHaveLength(1);
  });

  test('of one that is gone, or of a folder, is an error', () => {
    expect(() => digest(join(dir, 'none'))).toThrow('ENOENT');
    expect(() => digest(dir)).toThrow('EISDIR');
  });
});

describe('what is kept', () => {
  test('is of a known form, whatever else is in the file', () => {
    const file = write('a', 'content');
    digest(file);
    falsify();
    const [line = ''] = lines();
    for (const damaged of [
      '',
      '\0',
      line.slice(1),
      `${line} 1`,
      line.replace(/\d$/, ''),
      line.toUpperCase(),
      'x'.repeat(2 << 20),
    ]) {
      writeFileSync(kept, `${damaged}\n`);
      expect(digest(file)).toBe(sha256('content'));
    }
    rmSync(kept);
    mkdirSync(kept);
    expect(digest(file)).toBe(sha256('content'));
  });

  test('is bounded: what nobody asks for falls out', () => {
    const file = write('a', 'content');
    const one = (n: number): string => `${sha256(`${n}`)} 1 ${n} 3 4 5\n`;
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, Array.from({ length: 5000 }, (_, n) => one(n)).join(''));
    digest(file);
    expect(lines()).toHaveLength(4096);
    expect(lines().at(-1)).toContain(sha256('content'));
    expect(`${lines().at(-2)}\n`).toBe(one(4999));
    // What is asked for stays, however much comes after it.
    writeFileSync(
      kept,
      lines()
        .toReversed()
        .map(line => `${line}\n`)
        .join(''),
    );
    const digests = new FileDigests(kept);
    digests.of(file);
    digests.of(write('b', 'other'));
    digests.keep();
    expect(
      lines()
        .slice(-2)
        .map(line => line.slice(0, 64)),
    ).toEqual([sha256('content'), sha256('other')]);
  });

  test('of two processes at once is what both have read, and nothing lies beside it', () => {
    const [a, b] = [write('a', 'a'), write('b', 'b')];
    const [one, two] = [new FileDigests(kept), new FileDigests(kept)];
    one.of(a);
    two.of(b);
    one.keep();
    two.keep();
    expect(
      lines()
        .map(line => line.slice(0, 64))
        .toSorted(),
    ).toEqual([sha256('a'), sha256('b')].toSorted());
    expect(readdirSync(dirname(kept))).toEqual(['sha256']);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
  });

  test('is not written where nothing new was read, nor where it cannot be', () => {
    const file = write('a', 'content');
    digest(file);
    const { ino } = statSync(kept);
    digest(file);
    expect(statSync(kept).ino).toBe(ino);
    const digests = new FileDigests(join(file, 'no/folder'));
    digests.of(file);
    digests.keep();
  });
});

describe('the digest of a folder', () => {
  const tree = (name: string): string => new FileDigests(kept).ofTree(join(dir, name));

  test('is of its files and their paths, wherever it lies', () => {
    for (const name of ['one', 'other/where']) {
      write(`${name}/b`, 'b');
      write(`${name}/sub/a`, 'a');
      symlinkSync('b', join(dir, name, 'link'));
      symlinkSync('nowhere', join(dir, name, 'loose'));
      symlinkSync('.', join(dir, name, 'sub/self'));
    }
    expect(tree('other/where')).toBe(tree('one'));
    const changes: (() => void)[] = [
      () => write('one/sub/a', 'A'),
      () => renameSync(join(dir, 'one/b'), join(dir, 'one/c')),
      () => write('one/new', ''),
      () => (rmSync(join(dir, 'one/loose')), symlinkSync('elsewhere', join(dir, 'one/loose'))),
      () => rmSync(join(dir, 'one/sub'), { recursive: true }),
    ];
    const seen = new Set([tree('one')]);
    for (const change of changes) {
      change();
      seen.add(tree('one'));
    }
    expect(seen.size).toBe(changes.length + 1);
  });
});
