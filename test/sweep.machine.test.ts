/** A sweep on real machines: measured once, gone on with, judged. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

/** Fatal or not, signalled or left to the poll, on one CPU that is idle. */
const SPACE = `
name: small
title: A few machine checks of an idle CPU
about: PCC and S of an uncorrected error of the memory scrubber.
why: PCC is fatal; without S, nobody is told.
sources: [Intel SDM vol. 3B, UCR Error Classification]
params:
  pcc: [0, 1]
  s: [1, 0]
machine: { kind: linux-guest, cpu: Skylake-Server, cpus: 1, memory: 256, append: mce=30000000 }
steps:
  - spawn: { process: victim }
  - on-signal: { process: victim, action: report }
  - map: { process: victim, as: page, kill: early }
  - pause: { mode: idle }
  - inject-mce: { bank: 9, fields: "VAL UC EN ADDRV MISCV PCC=\${pcc} S=\${s} MCACOD=0xc0 MCIP RIPV", addr: $page, misc: 0x8c }
  - resume: {}
  - alive: { within: 30s }
  - sleep: { for: 300ms }
  - alive: { within: 30s }
timeout: 120s
`;

test('a sweep measures what is not known, and judges all', async () => {
  const file = join(sandbox.dir, 'small.yaml');
  writeFileSync(file, SPACE);
  const args = ['sweep', file, '--accel', 'tcg', '--jobs', '2', '--json'];
  const started = await sandbox.run(...args, '--limit', '1');
  expect(started.code, started.stderr).toBe(0);
  const isolation = { checked: 1, cold: 0 };
  expect(JSON.parse(started.stdout)).toMatchObject({
    cells: 1,
    cached: 0,
    agree: 1,
    disagree: 0,
    undecided: 0,
    isolation,
  });
  const rest = await sandbox.run(...args);
  expect(rest.code, rest.stderr).toBe(0);
  expect(JSON.parse(rest.stdout)).toMatchObject({ cells: 3, cached: 1, agree: 4, disagree: 0, undecided: 0 });
  const known = await sandbox.run(...args.slice(0, -1));
  expect(known.stdout).toContain('0 cells measured, 4 known');
  expect(known.stdout).toContain('agree 4 (100.0 %)');
  await sandbox.clean();
});
