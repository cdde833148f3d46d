/** A matrix and a repetition on real machines. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

interface Matrix {
  cells: { cell: { cpu: string }; result: { verdict: string; outcome: string; trace: string } }[];
}

test('an interrupted matrix goes on where it stopped, a finished one measures again', async () => {
  const cpus = ['Skylake-Server', 'Cascadelake-Server'];
  const html = join(sandbox.dir, 'matrix.html');
  const args = ['matrix', 'intel-ce-logged', '--guest-kernel', 'newest', '--cpu', cpus.join(';')].concat(
    ['--accel', 'tcg', '--jobs', '1', '--json', '--html', html],
    // Only a boot is long enough to be interrupted for certain; and no state of these machines has to be kept.
    ['--cold'],
  );
  const first = sandbox.start(...args);
  await first.until('1/2 newest');
  first.child.kill('SIGINT');
  // A cell whose lab failed is measured again: this one must have been judged.
  const stopped = { code: 130, stdout: '', stderr: expect.stringMatching(/1\/2 newest Skylake-Server +pass logged/) };
  expect(await first.ended).toMatchObject(stopped);
  await sandbox.clean();

  const resumed = await sandbox.run(...args);
  expect(resumed.code, resumed.stderr).toBe(0);
  const { cells } = JSON.parse(resumed.stdout) as Matrix;
  expect(cells.map(c => [c.cell.cpu, c.result.verdict, c.result.outcome])).toEqual(
    cpus.map(cpu => [cpu, 'pass', 'logged']),
  );
  const known = resumed.stderr.split('\n').filter(line => line.includes('(known)'));
  expect(known).toEqual([expect.stringContaining('Skylake-Server')]);
  // The table, with the trace of a real run behind each cell.
  const page = readFileSync(html, 'utf8');
  expect(page.match(/<td class="cell cell-pass">/g)).toHaveLength(2);
  expect(page.match(/data-kind="matrix"/g)).toHaveLength(1);
  expect(page.match(/data-kind="trace"/g)).toHaveLength(2);
  expect(readdirSync(join(sandbox.dir, 'state/matrix'))).toEqual([]);
  await sandbox.clean();
});

test('a matrix whose page is lost has its cells when it is started again', async () => {
  const args = ['matrix', 'intel-ce-logged', '--guest-kernel', 'newest', '--accel', 'tcg', '--jobs', '1'];
  const lost = await sandbox.run(...args, '--html', '/dev/full');
  expect([lost.code, lost.stderr]).toEqual([3, expect.stringContaining('[E_REPORT]')]);
  expect(lost.stdout).toMatch(/pass.*logged/);
  const again = await sandbox.run(...args, '--html', join(sandbox.dir, 'matrix.html'));
  expect([again.code, again.stderr]).toEqual([0, expect.stringMatching(/1\/1 newest +pass logged \(known\)/)]);
  expect(again.stdout).toBe(lost.stdout);
  await sandbox.clean();
});

test('over versions of QEMU each has the machine of its own QEMU, and the page their name', async () => {
  const html = join(sandbox.dir, 'matrix.html');
  // The second one is in the cache already; of the first the libraries lie in two folders, and its emulation is a module.
  const versions = ['7.2', 'newest'];
  const args = ['matrix', 'intel-ce-logged', '--qemu', versions.join(','), '--guest-kernel', 'newest'].concat(
    ['--accel', 'tcg', '--jobs', '1', '--json', '--html', html],
    // No state of these machines has to be kept.
    ['--cold'],
  );
  const { code, stdout, stderr } = await sandbox.run(...args);
  expect(code, stderr).toBe(0);
  const { cells, ...report } = JSON.parse(stdout) as {
    cells: { cell: object; result: { verdict: string; outcome: string; parts: { qemu: string } } }[];
  };
  expect(report).toMatchObject({ schemaVersion: 2, axis: 'qemu', versions });
  expect(cells.map(({ cell, result }) => [cell, result.verdict, result.outcome])).toEqual(
    versions.map(qemu => [{ qemu, kernel: 'newest' }, 'pass', 'logged']),
  );
  const [old = '', new_ = ''] = cells.map(({ result }) => result.parts.qemu);
  // What the program says of itself: its package is named for the beginning of the series.
  expect(old).toMatch(/^7\.2\.\d+ tcg$/);
  expect(Number.parseInt(new_, 10)).toBeGreaterThanOrEqual(11);
  const page = readFileSync(html, 'utf8');
  expect(page).toContain(
    '<tr><th scope="col">QEMU</th><th scope="col">intel-ce-logged · guest kernel newest</th></tr>',
  );
  expect(page.match(/data-kind="trace"/g)).toHaveLength(2);
  await sandbox.clean();
});

test('--repeat shows the distribution of real runs', async () => {
  const { code, stdout } = await sandbox.run('run', 'intel-ce-logged', '--accel', 'tcg', '--repeat', '3');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^intel-ce-logged: 3 runs, 3 pass$/m);
  expect(stdout).toMatch(/^ {2}logged +3 {2}█{40}$/m);
  expect(stdout).toMatch(/^ {2}run +min \d+\.\d\d {2}median \d+\.\d\d {2}p90 \d+\.\d\d {2}max \d+\.\d\d s$/m);
  expect(existsSync(join(sandbox.dir, 'state/traces'))).toBe(true);
  await sandbox.clean();
});

test('a bisection finds where the verdict changes, and its page has what was tried', { timeout: 900_000 }, async () => {
  const html = join(sandbox.dir, 'bisect.html');
  const range = ['--good', '6.19.10', '--bad', '6.19.8'];
  const { code, stdout, stderr } = await sandbox.run('bisect', 'amd-deferred', ...range, '--json', '--html', html);
  expect(code, stderr).toBe(0);
  const { cells, ...found } = JSON.parse(stdout) as { cells: { result: { verdict: string } }[] };
  expect(found).toMatchObject({
    change: 'bad to good',
    last: '6.19.8',
    first: '6.19.10',
    schemaVersion: 2,
    versions: ['6.19.8', '6.19.10'],
    unsteady: [],
    causes: [{ id: 'linux-amd-destat-without-smca' }],
  });
  expect(cells.map(({ result }) => result.verdict)).toEqual(['fail', 'pass']);
  const page = readFileSync(html, 'utf8');
  expect(page.match(/data-kind="trace"/g)).toHaveLength(2);
  expect(page).toContain('<p>first good kernel 6.19.10, last bad 6.19.8</p>');
  await sandbox.clean();
});
