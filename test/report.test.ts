/** `syndrome report` as a user meets it: the site it makes of a folder, what it leaves alone, and its exit codes. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const TRACE = join(import.meta.dirname, '../packages/trace/src');
const BAD = join(TRACE, 'compare/golden/pair-amd-deferred-6.19.6.ndjson');
const GOOD = join(TRACE, 'compare/golden/pair-amd-deferred-7.3.4.ndjson');

let sandbox: Sandbox;
let results = '';
let out = '';
beforeEach(() => {
  sandbox = new Sandbox();
  results = join(sandbox.dir, 'results');
  out = join(sandbox.dir, 'site');
  mkdirSync(join(results, 'traces'), { recursive: true });
});
afterEach(() => sandbox.remove());
const report = (...args: string[]): Promise<Ended> =>
  runInside(sandbox.env, ['report', results, '--out', out, ...args]);
const give = (file: string, name: string): void => copyFileSync(file, join(results, name));
const index = (): string => readFileSync(join(out, 'index.html'), 'utf8');
interface Data {
  title: string;
  counts: Record<string, number>;
  runs: { name: string; verdict: string; beside?: { name: string } }[];
  unread: { name: string; code: string }[];
  tests: { test: string }[];
}
const data = (text: string): Data => JSON.parse(text) as Data;

test('a folder of two runs: a site, and 0, for that one failed is a result', async () => {
  give(BAD, 'traces/bad.ndjson');
  give(GOOD, 'traces/good.ndjson');
  const { code, stdout, stderr } = await report('--title', 'Nightly & more');
  expect({ code, stderr }).toEqual({ code: 0, stderr: `report ${join(out, 'index.html')}\n` });
  expect(stdout).toMatch(/^FAIL {5}amd-deferred$/m);
  expect(stdout).toMatch(/^Nightly & more: 1 fail · 1 pass$/m);
  expect(readdirSync(out)).toEqual(['index.html', 'report.json', 'runs.html']);
  expect(index()).toContain('<title>Nightly &#38; more</title>');
  const { runs } = data(readFileSync(join(out, 'report.json'), 'utf8'));
  expect(runs.map(({ name, beside }) => [name, beside?.name])).toEqual([
    ['traces/bad.ndjson', 'traces/good.ndjson'],
    ['traces/good.ndjson', undefined],
  ]);
});

describe('what cannot be read', () => {
  test('is listed and told, nothing ends the report, and the exit code is 5', async () => {
    give(BAD, 'bad.ndjson');
    give(join(TRACE, 'golden/v99-made-up.ndjson'), 'newer.ndjson');
    const good = readFileSync(GOOD);
    const lines = good.toString().split('\n');
    writeFileSync(join(results, 'cut.ndjson'), good.subarray(0, good.length - 3000));
    writeFileSync(join(results, 'damaged.ndjson'), [...lines.slice(0, 9), '{"seq":', ...lines.slice(10)].join('\n'));
    writeFileSync(join(results, 'empty.ndjson'), '');
    writeFileSync(join(results, 'noise.ndjson'), Buffer.from([0, 159, 146, 150, 255]));
    writeFileSync(join(results, '<img src=x onerror=alert(1)>.ndjson'), '{"type":"trace","version":2,"expect":"');
    writeFileSync(join(results, 'm.json'), '{"schemaVersion":1,"scenario":"s","cells":[');
    writeFileSync(join(results, 'j.xml'), '<testsuite><testcase classname="syndrome" name="x">');
    // Not a part of it.
    writeFileSync(join(results, 'other.ndjson'), '{"schemaVersion":1,"scenario":"s","verdict":"pass"}\n');
    writeFileSync(join(results, 'kern.log'), 'hello\n');
    symlinkSync('/dev/zero', join(results, 'endless.ndjson'));
    const { code, stdout, stderr } = await report('--json');
    expect(code).toBe(5);
    const { counts, runs, unread } = data(stdout);
    expect(counts).toEqual({ fail: 1, error: 2, skip: 0, pass: 0, unread: 6 });
    expect(runs.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['bad.ndjson', 'fail'],
      ['cut.ndjson', 'error'],
      ['damaged.ndjson', 'error'],
    ]);
    expect(unread.map(({ name, code: why }) => [name, why])).toEqual([
      ['<img src=x onerror=alert(1)>.ndjson', 'E_LAB_TRACE_FORMAT'],
      ['empty.ndjson', 'E_LAB_TRACE_FORMAT'],
      ['j.xml', 'E_LAB_TRACE_READ'],
      ['m.json', 'E_INPUT'],
      ['newer.ndjson', 'E_LAB_TRACE_VERSION'],
      ['noise.ndjson', 'E_LAB_TRACE_FORMAT'],
    ]);
    expect(stderr).toContain('newer.ndjson is a trace of version 99');
    expect(stderr).toContain('3 files are something else and left out');
    expect(index()).toContain('&#60;img src=x onerror=alert(1)&#62;.ndjson');
    // The report is looked at elsewhere: it names no folder of this machine.
    for (const name of readdirSync(out)) expect(readFileSync(join(out, name), 'utf8')).not.toContain(sandbox.dir);
  });
  test('is the folder: 2', async () => {
    results = join(sandbox.dir, 'nowhere');
    expect(await report()).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be looked at') });
    expect(existsSync(out)).toBe(false);
  });
});

test('an empty folder: 4, and the site says so', async () => {
  expect(await report()).toMatchObject({ code: 4, stdout: expect.stringContaining('nothing was found') });
  expect(index()).toContain('nothing was found');
  expect(readdirSync(out)).toEqual(['index.html', 'report.json']);
});

test('a matrix and a JUnit file are part of it, and name the runs', async () => {
  give(BAD, 'traces/pair-amd-deferred-6.19.6.ndjson');
  const run = (trace: string): object => ({
    verdict: 'fail',
    outcome: 'panicked',
    seconds: 1,
    title: 'T',
    trace,
    parts: {},
  });
  const cells = ['6.19.6', '6.19.8'].map(kernel => ({
    cell: { kernel },
    result: run(`/home/ci/state/traces/pair-amd-deferred-${kernel}.ndjson`),
  }));
  writeFileSync(
    join(results, 'matrix.json'),
    JSON.stringify({ schemaVersion: 1, scenario: 'amd-deferred', seconds: 3, cells }),
  );
  const testCase = (name: string): string =>
    `<testcase classname="boots" name="${name}"><failure message="it panicked"/><system-out>[[ATTACHMENT|/x/${name}.ndjson]]</system-out></testcase>`;
  writeFileSync(
    join(results, 'junit.xml'),
    `<testsuite>${testCase('pair-amd-deferred-6.19.6')}${testCase('lost')}</testsuite>`,
  );
  const { code, stdout } = await report('--markdown');
  expect(code).toBe(0);
  expect(stdout).toContain('- **fail** boots pair-amd-deferred-6.19.6 (');
  expect(stdout).toContain('- **fail** boots lost (of junit.xml, its trace is not in the folder)');
  expect(stdout).toContain('### Over kernels\n\n- amd-deferred: first bad 6.19.6');
  expect(index()).toContain('open the trace of 6.19.6');
  expect(index()).toContain('href="runs.html#matrix"');
});

describe('the folder that it goes to', () => {
  test('is replaced where a report stands there, also inside of what is read', async () => {
    give(GOOD, 'good.ndjson');
    out = join(results, 'site');
    await report('--title', 'one');
    writeFileSync(join(out, 'runs-2.html'), 'of an older report');
    expect((await report('--title', 'two')).code).toBe(0);
    expect(data(readFileSync(join(out, 'report.json'), 'utf8')).title).toBe('two');
    expect(readdirSync(out)).toEqual(['index.html', 'report.json', 'runs.html']);
  });
  test('is left out of the report also where a link leads to it', async () => {
    give(GOOD, 'good.ndjson');
    mkdirSync(join(results, 'site'));
    symlinkSync(join(results, 'site'), out);
    await report();
    const { stderr } = await report();
    expect(readdirSync(join(results, 'site'))).toEqual(['index.html', 'report.json', 'runs.html']);
    expect(stderr).toBe(`report ${join(out, 'index.html')}\n`);
  });
  test('is left alone where a folder of it is called as a file of a report', async () => {
    give(GOOD, 'good.ndjson');
    await report();
    mkdirSync(join(out, 'runs-2.html'));
    writeFileSync(join(out, 'runs-2.html', 'mine'), 'mine');
    expect(await report()).toMatchObject({ code: 2, stderr: expect.stringContaining('did not make') });
    expect(readFileSync(join(out, 'runs-2.html', 'mine'), 'utf8')).toBe('mine');
  });
  test.each([
    ['has a file of somebody', { 'report.json': '{"type":"syndrome-report"}', 'notes.txt': 'mine' }],
    ['has an index that no report made', { 'index.html': 'mine' }],
    ['has data of something else', { 'index.html': 'mine', 'report.json': '{"type":"other"}' }],
    ['has data that cannot be read', { 'index.html': 'mine', 'report.json': '{' }],
  ])('is left alone where it %s: 2', async (_, files) => {
    give(GOOD, 'good.ndjson');
    mkdirSync(out);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
    expect(await report()).toMatchObject({ code: 2, stderr: expect.stringContaining('did not make') });
    expect(Object.fromEntries(readdirSync(out).map(name => [name, readFileSync(join(out, name), 'utf8')]))).toEqual(
      files,
    );
  });
  test('is not the folder of the results', async () => {
    give(GOOD, 'good.ndjson');
    out = results;
    expect((await report()).code).toBe(2);
    expect(readdirSync(results)).toEqual(['good.ndjson', 'traces']);
  });
});

test('a hundred traces stay small', async () => {
  const text = readFileSync(BAD, 'utf8');
  for (let i = 0; i < 100; i++) writeFileSync(join(results, `${i}.ndjson`), text.replace('6.19.6+', `6.19.${i}+`));
  const { code } = await report();
  expect(code).toBe(0);
  const sizes = readdirSync(out).map(name => readFileSync(join(out, name)).length);
  expect(readdirSync(out)).toHaveLength(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(5_000_000);
});

test('Ctrl-C while the site is written leaves nothing of it, and 130', async () => {
  for (let i = 0; i < 400; i++) give(GOOD, `${i}.ndjson`);
  const deadline = AbortSignal.timeout(60_000);
  const running = sandbox.start('report', results, '--out', out);
  for await (const { filename } of watch(sandbox.dir, { signal: deadline })) if (filename?.endsWith('.new')) break;
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({
    code: 130,
    stdout: '',
    stderr: expect.stringContaining('interrupted by SIGINT [E_LAB_INTERRUPTED]'),
  });
  expect(readdirSync(sandbox.dir).filter(name => name.startsWith('site'))).toEqual([]);
});
