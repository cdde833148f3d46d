/** `syndrome compare` as a user meets it: what it prints of real traces, and its exit codes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const GOLDEN = join(import.meta.dirname, '../packages/trace/src/compare/golden');
const BAD = join(GOLDEN, 'pair-amd-deferred-6.19.6.ndjson');
const GOOD = join(GOLDEN, 'pair-amd-deferred-7.3.4.ndjson');

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());
const compare = (...args: string[]): Promise<Ended> => runInside(sandbox.env, ['compare', ...args]);

test('two runs that differ: the first difference, and 1', async () => {
  const { code, stdout, stderr } = await compare(BAD, GOOD);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toMatch(/first difference: WRMSR of MSR 0xc0002098 faults in\s+mce_wrmsrq/);
});
test('a run and itself: 0', async () => {
  const { code, stdout } = await compare(GOOD, GOOD);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^The runs tell the same: \d+ events, 11 expectations\.$/m);
});
test('as JSON', async () => {
  const { code, stdout } = await compare(BAD, GOOD, '--json');
  const { differ, first, rows } = JSON.parse(stdout) as { differ: boolean; first: number; rows: { name: string }[] };
  expect({ code, differ, name: rows[first]?.name }).toEqual({ code: 1, differ: true, name: 'guest.msr-error' });
});
test('a trace that was cut: 3, for what is missing may be the difference', async () => {
  const cut = join(sandbox.dir, 'cut.ndjson');
  writeFileSync(cut, readFileSync(GOOD, 'utf8').split('\n').slice(0, -2).join('\n'));
  expect((await compare(cut, GOOD)).code).toBe(3);
});
test('a file that is no trace: 2, and it is named', async () => {
  const { code, stderr } = await compare(GOOD, join(GOLDEN, 'sources.tsv'));
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('sources.tsv is not a Syndrome trace') });
});
