import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fetcher } from './fetcher.ts';
import { listParts } from './inspect.ts';
import { cacheRoot, openLayout } from './layout.ts';
import { thisProcess } from './lock.ts';
import { PartStore, recipeVersion, type StoredPart, workOwner } from './part-store.ts';

let root: string;
let store: PartStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'supply-store-'));
  store = new PartStore(openLayout(root));
});
afterEach(() => rmSync(root, { recursive: true }));

const MANIFEST = {
  kind: 'busybox' as const,
  name: 'busybox',
  version: '1',
  origin: { mirror: 'http://m.example/debian', suites: ['trixie'] },
  packages: [],
  facts: { program: 'root/a' },
};

async function publish(id: string): Promise<StoredPart> {
  const work = store.workFolder();
  mkdirSync(join(work, 'part', 'root', 'd'), { recursive: true });
  writeFileSync(join(work, 'part', 'root', 'a'), 'content');
  writeFileSync(join(work, 'part', 'root', 'd', 'b'), 'more');
  symlinkSync('a', join(work, 'part', 'root', 'l'));
  const part = await store.publish(join(work, 'part'), id, MANIFEST);
  store.discard(work);
  return part;
}

describe('a published part', () => {
  test('is whole, remembered, and leaves no unfinished work', async () => {
    const part = await publish('busybox-1');
    expect(await store.check(part, { full: true })).toEqual([]);
    expect(part.manifest.files.map(f => f[0])).toEqual(['root/a', 'root/d/b']);
    expect(part.manifest.links).toEqual([['root/l', 'a']]);
    store.remember('busybox-amd64', part);
    expect(store.answer('busybox-amd64')?.part.folder).toBe(part.folder);
    expect(store.answer('other')).toBeUndefined();
    expect(readdirSync(store.layout.tmp)).toEqual([]);
  });

  test('damage is found: size, time and content, a missing file, a link', async () => {
    const part = await publish('busybox-1');
    const a = join(part.folder, 'root/a');
    const { mtime, atime } = statSync(a);
    appendFileSync(a, '!');
    expect(await store.check(part)).toEqual(['root/a has 8 bytes instead of 7']);
    writeFileSync(a, 'CONTENT');
    utimesSync(a, 1, 1);
    expect(await store.check(part)).toEqual(['root/a has changed']);
    // The same size and time: only the full look sees it.
    utimesSync(a, atime, mtime);
    expect(await store.check(part)).toEqual([]);
    expect(await store.check(part, { full: true })).toEqual(['root/a has changed']);
    unlinkSync(a);
    unlinkSync(join(part.folder, 'root/l'));
    expect(await store.check(part)).toEqual(['root/a is missing', 'root/l does not link to a']);
    expect(await store.check(part, { only: ['root/d'] })).toEqual([]);
  });

  test('times that changed without the content are put back', async () => {
    const part = await publish('busybox-1');
    const a = join(part.folder, 'root/a');
    const { mtimeMs } = statSync(a);
    utimesSync(a, 1, 1);
    expect(await store.check(part)).toEqual([]);
    expect(Math.abs(statSync(a).mtimeMs - mtimeMs)).toBeLessThan(2);
  });

  test('a second one of the same name is not needed; one that is in the way without a manifest is replaced', async () => {
    const first = await publish('busybox-1');
    const second = await publish('busybox-1');
    expect(second.manifest.created).toBe(first.manifest.created);
    rmSync(join(first.folder, 'manifest.json'));
    expect(store.part('busybox-1')).toBeUndefined();
    const third = await publish('busybox-1');
    expect(await store.check(third, { full: true })).toEqual([]);
    expect(readdirSync(store.layout.tmp)).toEqual([]);
  });
});

describe('a part that others could have made', () => {
  const paths = (part: StoredPart): string[] => [part.folder, join(part.folder, 'manifest.json')];

  test('or could change, is not taken from the cache, until that is put right', async () => {
    const part = await publish('busybox-1');
    for (const path of paths(part)) {
      const { mode } = statSync(path);
      for (const open of [0o020, 0o002]) {
        chmodSync(path, mode | open);
        expect(await store.check(part)).toEqual([expect.stringContaining(`others may write to ${path} (mode `)]);
      }
      chmodSync(path, mode);
      expect(await store.check(part)).toEqual([]);
    }
  });

  test.runIf(process.getuid?.() === 0)('by its owner, is not taken from the cache either', async () => {
    const part = await publish('busybox-1');
    for (const path of paths(part)) {
      chownSync(path, 12345, 12345);
      const why = `${path} belongs to another user (uid 12345, this is 0)`;
      expect(await store.check(part)).toEqual([why]);
      expect(await store.check(part, { only: [] })).toEqual([why]);
      chownSync(path, 0, 0);
    }
  });

  test.runIf(process.getuid?.() === 0)('is told to a run that is offline, as what it is', async () => {
    const part = await publish('busybox-1');
    store.remember('k', part);
    chownSync(part.folder, 12345, 12345);
    const fetcher = new Fetcher(store.layout, { offline: true });
    const request = {
      key: 'k',
      kind: 'busybox',
      label: 'busybox',
      exact: true,
      resolve: vi.fn<() => Promise<never>>(),
    } as const;
    await expect(fetcher.obtain(request)).rejects.toMatchObject({
      code: 'E_SUPPLY_DAMAGED',
      message: expect.stringContaining('another user') as string,
    });
  });
});

test.each(['../../etc', '/etc', '..', '.', 'a/b'])('an answer cannot lead out of the cache: %s', part => {
  writeFileSync(
    join(store.layout.answers, 'k.json'),
    JSON.stringify({ schema: 1, recipe: recipeVersion('busybox'), part, at: 0 }),
  );
  expect(store.answer('k')).toBeUndefined();
});

test.each([
  ['null', 'null'],
  ['a number', '5'],
  ['without a part', JSON.stringify({ schema: 1, recipe: recipeVersion('busybox'), at: 0 })],
  ['whose part is a list', JSON.stringify({ schema: 1, recipe: recipeVersion('busybox'), part: ['p'], at: 0 })],
  ['without a recipe', JSON.stringify({ schema: 1, part: 'p', at: 0 })],
  ['without a time', JSON.stringify({ schema: 1, recipe: recipeVersion('busybox'), part: 'p' })],
  ['whose time is a word', JSON.stringify({ schema: 1, recipe: recipeVersion('busybox'), part: 'p', at: 'now' })],
])('an answer is none that is %s', async (_what, text) => {
  await publish('p');
  store.remember('k', store.part('p') as StoredPart);
  expect(store.answer('k')?.part.manifest.name).toBe('busybox');
  writeFileSync(join(store.layout.answers, 'k.json'), text);
  expect(store.answer('k')).toBeUndefined();
  expect(store.answered()).toEqual([]);
});

test('a file of any name among the answers does not hide the cache', async () => {
  await publish('p');
  store.remember('a b/c', store.part('p') as StoredPart);
  writeFileSync(join(store.layout.answers, '%zz.json'), 'x');
  expect(store.answered().map(p => p.manifest.name)).toEqual(['busybox']);
});

test("a work folder with a name that is nobody's is left until it is old", () => {
  const names = [null, 5, 'abc', {}, [], [0, '', '', ''], ['../..', 'a', 'b', 'c']].map(v =>
    Buffer.from(JSON.stringify(v)).toString('base64url'),
  );
  for (const name of names) {
    const folder = join(store.layout.tmp, `${name}.ab`);
    mkdirSync(folder);
    expect(workOwner(`${name}.ab`)).toBeUndefined();
  }
  expect(store.sweep()).toBe(0);
  for (const name of names) utimesSync(join(store.layout.tmp, `${name}.ab`), 1, 1);
  store.sweep();
  expect(readdirSync(store.layout.tmp)).toEqual([]);
});

test('an answer of an older recipe of its kind is none: the part is made anew', async () => {
  const part = await publish('busybox-1');
  store.remember('k', part);
  const file = join(store.layout.answers, 'k.json');
  const answer = JSON.parse(readFileSync(file, 'utf8')) as { recipe: number };
  expect(store.answer('k')?.part).toEqual(part);
  writeFileSync(file, JSON.stringify({ ...answer, recipe: answer.recipe - 1 }));
  expect(store.answer('k')).toBeUndefined();
});

test('the work of a killed process is swept, that of a living one is not', async () => {
  const child = spawn('true');
  await once(child, 'close');
  const { start, boot, namespace } = thisProcess();
  const name = Buffer.from(JSON.stringify([child.pid, start, boot, namespace])).toString('base64url');
  const dead = join(store.layout.tmp, `${name}.ab`);
  mkdirSync(dead);
  writeFileSync(join(dead, 'x'), 'y');
  const mine = store.workFolder();
  expect(existsSync(dead)).toBe(false);
  expect(existsSync(mine)).toBe(true);
  expect(store.sweep()).toBe(0);
});

test('the same packages give the same folder name, others another', () => {
  const p = { name: 'a', version: '1', sha256: 'x', bytes: 1 };
  const q = { name: 'b', version: '1', sha256: 'y', bytes: 1 };
  expect(PartStore.partId('n', [p, q], 1)).toBe(PartStore.partId('n', [q, p], 1));
  expect(PartStore.partId('n', [p], 1)).not.toBe(PartStore.partId('n', [p, q], 1));
  expect(PartStore.partId('n', [p], 1)).not.toBe(PartStore.partId('n', [p], 2));
  expect(PartStore.partId('../n', [p], 1)).toMatch(/^\.\._n-[0-9a-f]{12}$/);
});

test('the cache folder: option, SYNDROME_CACHE, XDG_CACHE_HOME, HOME', () => {
  const env = { SYNDROME_CACHE: '/s', XDG_CACHE_HOME: '/x', HOME: '/h' };
  expect(cacheRoot('/o', env)).toBe('/o');
  expect(cacheRoot(undefined, env)).toBe('/s');
  expect(cacheRoot(undefined, { ...env, SYNDROME_CACHE: '' })).toBe('/x/syndrome');
  expect(cacheRoot(undefined, { XDG_CACHE_HOME: 'relative', HOME: '/h' })).toBe('/h/.cache/syndrome');
});

describe('offline', () => {
  test('a remembered part is used, a missing one and a damaged one are said', async () => {
    const fetcher = new Fetcher(store.layout, { offline: true });
    const request = {
      key: 'k',
      kind: 'busybox' as const,
      label: 'busybox',
      exact: false,
      resolve: async () => {
        throw new Error('the network was used');
      },
    };
    await expect(fetcher.obtain(request)).rejects.toMatchObject({ code: 'E_SUPPLY_OFFLINE' });
    const part = await publish('busybox-1');
    store.remember('k', part);
    expect((await fetcher.obtain(request)).folder).toBe(part.folder);
    appendFileSync(join(part.folder, 'root/a'), '!');
    await expect(fetcher.obtain(request)).rejects.toMatchObject({ code: 'E_SUPPLY_DAMAGED' });
    const list = await listParts(fetcher);
    expect(list).toMatchObject([{ name: 'busybox', current: true, verifies: false }]);
  });
});
