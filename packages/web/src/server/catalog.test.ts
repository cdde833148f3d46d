import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Refusal } from '@syndrome/base/http/problem.ts';
import { BAD, GOOD } from '../view/testing/runs.ts';
import { DEFERRED } from '../view/testing/matrices.ts';
import { Catalog } from './catalog.ts';

let dir: string;
const at = (...names: string[]): string => join(dir, ...names);
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'catalog-')));
  mkdirSync(at('traces'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Old enough that nobody is taken to write it. */
const aged = (path: string, seconds = 7200): void => {
  const when = Date.now() / 1000 - seconds;
  utimesSync(path, when, when);
};
const put = (from: string, ...names: string[]): void => {
  copyFileSync(from, at(...names));
  aged(at(...names));
};
const catalog = (): Catalog => new Catalog([{ name: 'traces', path: at('traces') }]);
/** Once every file was looked into. */
const listed = async (of: Catalog): Promise<[string, string, string][]> => {
  let files = of.list().files;
  await expect
    .poll(() => (files = of.list().files).some(({ state }) => state === 'unread'), { timeout: 10_000 })
    .toBe(false);
  return files.map(({ name, kind, state }) => [name, kind, state]);
};
const refusal = (act: () => unknown): { code: string; status: number } | undefined => {
  try {
    act();
  } catch (error) {
    const { code, status } = error as Refusal;
    return { code, status };
  }
  return undefined;
};

describe('the list', () => {
  test('has traces with their verdicts and matrices with their cells, the last written first', async () => {
    put(GOOD, 'traces', 'good.ndjson');
    put(BAD, 'traces', 'bad.ndjson');
    aged(at('traces', 'bad.ndjson'), 9000);
    writeFileSync(at('traces', 'matrix.json'), DEFERRED);
    aged(at('traces', 'matrix.json'), 9900);
    writeFileSync(at('traces', 'other.json'), '{"hello":1}');
    writeFileSync(at('traces', 'notes.txt'), 'hello');
    put(GOOD, 'traces', 'trace.of-job-7');
    aged(at('traces', 'trace.of-job-7'), 9950);
    const of = catalog();
    expect(await listed(of)).toEqual([
      ['traces/good.ndjson', 'trace', 'pass'],
      ['traces/bad.ndjson', 'trace', 'fail'],
      ['traces/matrix.json', 'matrix', 'read'],
      // As in a report: what a file is its beginning says.
      ['traces/trace.of-job-7', 'trace', 'pass'],
    ]);
    const [good, bad, matrix] = of.list().files;
    expect(good).toMatchObject({ scenario: 'amd-deferred', size: readFileSync(GOOD).length });
    expect(good?.about).toMatch(/^signalled · kernel 7\.3\.4/);
    expect(bad?.about).toMatch(/^panicked · kernel 6\.19\.6/);
    expect(matrix?.about).toMatch(/^6 cells over kernels, 2 failed$/);
  });
  test('has a run that ended as ended, also where another clock wrote it', async () => {
    put(GOOD, 'traces', 'ahead.ndjson');
    aged(at('traces', 'ahead.ndjson'), -7200);
    expect(await listed(catalog())).toEqual([['traces/ahead.ndjson', 'trace', 'pass']]);
  });
  test('says of damage what it is', async () => {
    writeFileSync(at('traces', 'new.ndjson'), '{"type":"trace","version":99,"tool":"syndrome 9"}\n');
    writeFileSync(at('traces', 'cut.json'), DEFERRED.slice(0, -200));
    writeFileSync(at('traces', 'cut.ndjson'), readFileSync(GOOD, 'utf8').split('\n').slice(0, -4).join('\n'));
    for (const name of ['new.ndjson', 'cut.json', 'cut.ndjson']) aged(at('traces', name));
    const of = catalog();
    expect(new Map((await listed(of)).map(([name, , state]) => [name, state]))).toEqual(
      new Map([
        ['traces/new.ndjson', 'damaged'],
        ['traces/cut.json', 'damaged'],
        ['traces/cut.ndjson', 'cut'],
      ]),
    );
    expect(of.list().files.find(({ name }) => name === 'traces/new.ndjson')?.about).toContain('version 99');
  });
  test('has a run that a process writes as running, however long it has said nothing, and as cut when that is gone', async () => {
    const path = at('traces', 'run.ndjson');
    const text = readFileSync(GOOD, 'utf8');
    const fd = openSync(path, 'w');
    writeSync(fd, text.slice(0, text.indexOf('\n', 2000) + 1));
    aged(path, 600);
    const of = catalog();
    expect(of.list().files).toMatchObject([{ state: 'running', scenario: 'amd-deferred' }]);
    closeSync(fd);
    await expect.poll(() => of.list().files[0]?.state, { timeout: 10_000 }).toBe('cut');
  });
  test('of a folder that is not there yet is empty, and grows', async () => {
    const of = new Catalog([{ name: 'later', path: at('later'), optional: true }]);
    expect(of.list()).toEqual({
      schemaVersion: 1,
      folders: [{ name: 'later', path: at('later') }],
      files: [],
      more: 0,
    });
    mkdirSync(at('later'));
    put(GOOD, 'later', 'x.ndjson');
    await expect.poll(() => of.list().files.length).toBe(1);
  });
  test('names a folder that cannot be read', () => {
    const of = new Catalog([
      { name: 'none', path: at('none') },
      { name: 'loop', path: at('loop') },
    ]);
    symlinkSync(at('loop'), at('loop'));
    expect(of.list().folders.map(({ problem }) => problem)).toEqual(['it is not there', 'it cannot be read (ELOOP)']);
  });
  test('goes into folders, and follows no link out of them', async () => {
    mkdirSync(at('outside'));
    put(GOOD, 'outside', 'secret.ndjson');
    mkdirSync(at('traces', 'job-1', 'deep'), { recursive: true });
    put(GOOD, 'traces', 'job-1', 'deep', 'x.ndjson');
    symlinkSync(at('outside'), at('traces', 'link'));
    symlinkSync(at('outside', 'secret.ndjson'), at('traces', 'link.ndjson'));
    symlinkSync(at('traces'), at('traces', 'loop'));
    execFileSync('mkfifo', [at('traces', 'pipe.ndjson')]);
    expect((await listed(catalog())).map(([name]) => name)).toEqual(['traces/job-1/deep/x.ndjson']);
  });
  test('has a file that was named itself, whatever it is', async () => {
    writeFileSync(at('kern.log'), 'mce: hello');
    put(GOOD, 'run');
    const of = new Catalog([
      { name: 'kern.log', path: at('kern.log') },
      { name: 'run', path: at('run') },
    ]);
    expect(new Set((await listed(of)).map(String))).toEqual(new Set(['kern.log,other,read', 'run,trace,pass']));
  });
  test('of very many files has the newest, and counts the others', () => {
    for (let i = 0; i < 1100; i++) {
      writeFileSync(at('traces', `${i}.ndjson`), '{"type":"trace","version":99}\n');
      aged(at('traces', `${i}.ndjson`), 3600 + i);
    }
    const { files, more } = catalog().list();
    expect([files.length, more, files[0]?.name]).toEqual([1000, 100, 'traces/0.ndjson']);
  });
});

describe('a file', () => {
  test('is opened by its name in the list, and by nothing else', () => {
    put(GOOD, 'traces', 'x.ndjson');
    writeFileSync(at('secret.ndjson'), 'secret');
    const of = catalog();
    const { fd, size, path } = of.open('traces/x.ndjson');
    closeSync(fd);
    expect([size, path]).toEqual([readFileSync(GOOD).length, at('traces', 'x.ndjson')]);
    for (const name of [
      '',
      'x.ndjson',
      'traces',
      'traces/',
      '../secret.ndjson',
      'traces/../../secret.ndjson',
      'traces/../secret.ndjson',
      at('secret.ndjson'),
      'traces/x.ndjson\0',
      'traces/./x.ndjson',
      '__proto__',
    ])
      expect(refusal(() => of.open(name))).toEqual({ code: 'E_WEB_FILE', status: 404 });
  });
  test('that has gone, or has another in its place, is not opened', () => {
    put(GOOD, 'traces', 'gone.ndjson');
    put(GOOD, 'traces', 'link.ndjson');
    put(GOOD, 'traces', 'pipe.ndjson');
    mkdirSync(at('traces', 'folder'));
    put(GOOD, 'traces', 'folder', 'x.ndjson');
    mkdirSync(at('outside'));
    put(GOOD, 'outside', 'x.ndjson');
    const of = catalog();
    of.list();
    for (const name of ['gone', 'link', 'pipe']) rmSync(at('traces', `${name}.ndjson`));
    symlinkSync(at('outside', 'x.ndjson'), at('traces', 'link.ndjson'));
    execFileSync('mkfifo', [at('traces', 'pipe.ndjson')]);
    renameSync(at('traces', 'folder'), at('moved'));
    symlinkSync(at('outside'), at('traces', 'folder'));
    for (const name of ['gone.ndjson', 'link.ndjson', 'pipe.ndjson', 'folder/x.ndjson'])
      expect(refusal(() => of.open(`traces/${name}`))).toEqual({ code: 'E_WEB_GONE', status: 410 });
  });
  test('that no page can hold is not opened', () => {
    put(GOOD, 'traces', 'huge.ndjson');
    truncateSync(at('traces', 'huge.ndjson'), 600 * 2 ** 20);
    expect(refusal(() => catalog().open('traces/huge.ndjson'))).toEqual({ code: 'E_WEB_LARGE', status: 413 });
  });
  test('that is large is listed without being read as a whole', () => {
    put(GOOD, 'traces', 'large.ndjson');
    const fd = openSync(at('traces', 'large.ndjson'), 'r+');
    ftruncateSync(fd, 100 * 2 ** 20);
    closeSync(fd);
    aged(at('traces', 'large.ndjson'));
    expect(catalog().list().files).toMatchObject([{ state: 'unread', scenario: 'amd-deferred' }]);
  });
});
