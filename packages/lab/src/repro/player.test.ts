import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PLAYER } from './player.ts';

const python = spawnSync('python3', ['--version']).status === 0;
let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'repro-play-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine of shell: it tells an address, reads one line, and repeats it. */
const MACHINE = `cd "$RUN"
echo 'E ready' >> agent.out
read line < agent.in
echo "R 1 ok phys=0x000000000c523000 t=5" >> agent.out
read line < agent.in
echo "[ 1.5] bad page c523, told as: $line" >> console.out
sleep 60
`;

function play(steps: string, scale = '1') {
  writeFileSync(join(folder, 'reproduce.py'), PLAYER);
  writeFileSync(join(folder, 'machine.sh'), MACHINE);
  writeFileSync(join(folder, 'steps.txt'), `channels: console agent\n${steps}`);
  const { status, stdout } = spawnSync('python3', ['reproduce.py', '--scale', scale], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout };
}

const SAID =
  'agent < E ready …\nagent > 1 map\nagent < R 1 ok … phys={page} …\n!\nagent > 2 hwpoison pfn={page>>12} {page:016x}\n';

test.skipIf(!python)('a machine is told its own numbers again, and what has to come is seen', () => {
  const { status, stdout } = play(`${SAID}console = …bad page {page>>12}, told as: …pfn=0xc523 0x000000000c523000\n`);
  expect(stdout).toContain('page = 0xc523000');
  expect(stdout).toContain('1 of 1 expected lines were seen');
  expect(status).toBe(0);
});

test.skipIf(!python)('what does not come is named, and is no success', () => {
  const missing = play(`${SAID}console = …a panic\n`, '0.02');
  expect(missing.stdout).toContain('NOT SEEN console     …a panic');
  expect(missing.status).toBe(1);
  const stuck = play('agent < E never\n', '0.002');
  expect(stuck.stdout).toContain('STUCK: agent did not say: E never');
  expect(stuck.status).toBe(3);
});

test.skipIf(!python)('a script without anything to expect shows nothing', () => {
  expect(play(SAID).status).toBe(1);
});
