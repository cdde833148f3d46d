import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { LONG, RESTORED, coldAndRestored, passes } from './every-scenario.ts';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

describe('every scenario, on real kernels and a real Xen', () => {
  const scenarios = bundledScenarios().filter(({ name }) => !LONG.has(name));
  test.each(scenarios.map(s => [s.name, s.outcome]))('%s: %s', async (name, outcome) => {
    expect(await passes(sandbox, name, outcome)).toBe('pass');
  });
});

describe('a restored run gives the verdict of a cold one', () => {
  test.each(RESTORED.often)('%s', async name => {
    const [cold, restored] = await coldAndRestored(sandbox, name);
    expect(restored).toEqual(cold);
  });
});

/** A scenario file that only differs from a bundled one in what the test changes. */
function variant(sandboxDir: string, from: string, change: (text: string) => string): string {
  const source = readFileSync(join(import.meta.dirname, '../scenarios', `${from}.yaml`), 'utf8');
  const file = join(sandboxDir, 'variant.yaml');
  sandbox.write('variant.yaml', change(source));
  return file;
}

describe('the system did wrong, or the lab could not tell', () => {
  test('a wrong expectation fails with exit code 1 and shows the nearest evidence', async () => {
    const file = variant(sandbox.dir, 'intel-srao-process', text =>
      text.replace('code=BUS_MCEERR_AO addr', 'code=BUS_MCEERR_AR addr').replaceAll('within 20s', 'within 2s'),
    );
    const { code, stdout } = await sandbox.run('run', file, '--accel', 'tcg');
    expect(stdout).toContain('code is BUS_MCEERR_AO, not BUS_MCEERR_AR');
    expect(stdout).toContain('FAIL');
    expect(code).toBe(1);
    await sandbox.clean();
  });

  test('a guest that cannot boot is an error with exit code 3, and 125 for git bisect', async () => {
    const args = [
      'run',
      'intel-srao-process',
      '--accel',
      'tcg',
      '--guest-cmdline',
      'rdinit=/nothing',
      '--timeout',
      '90',
    ];
    const { code, stdout } = await sandbox.run(...args, '--exit-code', 'bisect');
    expect(stdout).toContain('E_LAB_BOOT');
    expect(stdout.replace(/\s+/g, ' ')).toContain('the guest panicked while the lab waited');
    expect(code).toBe(125);
    await sandbox.clean();
  });

  test('a refused injection is an error of the lab', async () => {
    const file = variant(sandbox.dir, 'intel-uc-fatal', text =>
      text.replace('record: uc-fatal,', 'record: uc-fatal, bank: 99,'),
    );
    const { code, stdout } = await sandbox.run('run', file, '--accel', 'tcg');
    expect(stdout).toContain('E_HMP_MCE_BANK');
    expect(code).toBe(3);
    await sandbox.clean();
  });

  test.each([
    ['a bank that does not exist', 'mce 0 99 0x9c000000000000c0 0 0x1000 0x8c', 'E_HMP_MCE_BANK'],
    ['a CPU that does not exist', 'mce 7 9 0x9c000000000000c0 0 0x1000 0x8c', 'E_HMP_NO_EVENT'],
    ['a command that does not exist', 'mcee 0', 'E_HMP_UNKNOWN_COMMAND'],
  ])('and so is a refused monitor command: %s', async (_name, command, error) => {
    const file = variant(sandbox.dir, 'intel-ce-logged', text =>
      text
        .replace(/^ {2}- inject-mce:.*$/m, `  - hmp: { command: "${command}", injects: true }`)
        .replace(/^ {2}- wait:.*$/m, ''),
    );
    const { code, stdout } = await sandbox.run('run', file, '--accel', 'tcg');
    expect(stdout).toContain(error);
    expect(stdout).not.toContain('INJECT');
    expect(code).toBe(3);
    await sandbox.clean();
  });

  test('an accepted one is an injection, and so is one that resets the machine', async () => {
    const second = '  - hmp: { command: "mce 0 1 0xbd000000000000c1 0x5 0x1000 0x8c" }';
    const file = variant(sandbox.dir, 'mce-while-mcip', text => text.replaceAll(/^ {2}- inject-mce:.*$/gm, second));
    const { code, stdout } = await sandbox.run('run', file, '--accel', 'tcg');
    expect(stdout).toContain('INJECT mce 0 1');
    expect(stdout).toContain('MCIP still set');
    expect(stdout).toContain('outcome reset');
    expect(code, stdout).toBe(0);
    await sandbox.clean();
  });

  test("a QEMU that does not start is an error with QEMU's own words", async () => {
    const { code, stdout } = await sandbox.run('run', 'intel-uc-fatal', '--accel', 'tcg', '--cpu', 'no-such-model');
    expect(stdout).toContain('E_LAB_QEMU_EXIT');
    expect(stdout).toContain('no-such-model');
    expect(code).toBe(3);
    await sandbox.clean();
  });
});

describe('nothing is left behind', () => {
  test.each<[string, NodeJS.Signals, number | null]>([
    ['Ctrl-C', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['kill -9', 'SIGKILL', null],
  ])('by %s while the guest boots', async (_name, signal, exit) => {
    const running = sandbox.start('run', 'intel-srao-process', '--accel', 'tcg', '--cold');
    await running.until('boots');
    expect(sandbox.processes().length).toBeGreaterThan(0);
    expect(sandbox.folders()).toHaveLength(1);
    running.child.kill(signal);
    expect((await running.ended).code).toBe(exit);
    await sandbox.clean();
  });

  test.each([
    ['a pipe that is closed at once', '| head -c1 >/dev/null; exit "${PIPESTATUS[0]}"', 3, ''],
    ['a pipe that is closed at once, for git bisect', '--exit-code bisect | true; exit "${PIPESTATUS[0]}"', 125, ''],
    ['a pipe that is closed when the guest runs', '| grep -qm1 "agent ready"; exit "${PIPESTATUS[0]}"', 3, ''],
    ['a full disk', '>/dev/full', 3, 'syndrome: cannot write to stdout: ENOSPC'],
  ])('by output that is lost to %s, and it is no verdict', async (_name, rest, code, said) => {
    const { status, stderr } = sandbox.shell(`"$SYNDROME" run intel-uc-fatal --accel tcg --cold ${rest}`);
    expect([status, stderr]).toEqual([code, expect.stringContaining(said)]);
    expect(stderr).not.toMatch(/unexpected error|\n\s+at /);
    await sandbox.clean();
  });

  test('by what nobody catches', async () => {
    const running = sandbox.startThrowing('run', 'intel-uc-fatal', '--accel', 'tcg', '--cold');
    await running.until('QEMU starts');
    running.child.kill('SIGUSR2');
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([3, expect.stringContaining('nobody catches this')]);
    await sandbox.clean();
  });

  test('by a stderr that is closed, and the verdict is there', async () => {
    const run = '"$SYNDROME" run intel-uc-fatal --accel tcg --json 2> >(head -c1 >/dev/null)';
    const { status, stdout } = sandbox.shell(run);
    expect([status, stdout]).toEqual([0, expect.stringContaining('"verdict":"pass"')]);
    await sandbox.clean();
  });

  test('by Ctrl-C in a step that would go on for long', async () => {
    const file = variant(sandbox.dir, 'intel-srar-process', text =>
      text.replace('pause: { cpu: 0, mode: user }', 'pause: { cpu: 1, mode: user, within: 10m }'),
    );
    const running = sandbox.start('run', file, '--accel', 'tcg');
    await running.until('step 7: pause');
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    await sandbox.clean();
  });

  test("and the scenario's timeout ends a step too", async () => {
    const file = variant(sandbox.dir, 'intel-srar-process', text =>
      text.replace('pause: { cpu: 0, mode: user }', 'pause: { cpu: 1, mode: user, within: 10m }'),
    );
    const { code, stdout } = await sandbox.run('run', file, '--accel', 'tcg', '--timeout', '20.0001');
    expect(stdout).toContain('E_LAB_TIMEOUT');
    expect(code).toBe(3);
    await sandbox.clean();
  });

  test('QEMU killed by somebody else is an error, never a pass', async () => {
    const file = variant(sandbox.dir, 'intel-ce-logged', text => `${text}settle: 60s\n`);
    const running = sandbox.start('run', file, '--accel', 'tcg');
    await running.until('the guest answers');
    const qemu = sandbox.processes().find(line => line.includes('qemu-system') && !line.includes('syndrome-keeper'));
    process.kill(Number(qemu?.split(' ')[0]), 'SIGTERM');
    const { code, stdout } = await running.ended;
    expect(stdout).toContain('E_LAB_QEMU_KILLED');
    expect(code).toBe(3);
    await sandbox.clean();
  });

  test('a trace cut by kill -9 can be read, and says that it was cut', async () => {
    const trace = join(sandbox.dir, 't.ndjson');
    const running = sandbox.start('run', 'intel-srao-process', '--accel', 'tcg', '--cold', '--trace', trace);
    await running.until('boots');
    running.child.kill('SIGKILL');
    await running.ended;
    const { code, stdout } = await sandbox.run('show', trace);
    expect(stdout).toContain('E_LAB_TRACE_CUT');
    expect(code).toBe(3);
    await sandbox.clean();
  });
});

describe('reports', () => {
  test('JUnit, KTAP and the exact command line', async () => {
    const junit = join(sandbox.dir, 'result.xml');
    const { code, stdout } = await sandbox.run(
      'run',
      'intel-uc-fatal',
      '--accel',
      'tcg',
      '--ktap',
      '-q',
      '--junit',
      junit,
    );
    expect(stdout).toMatch(/^KTAP version 1\n1\.\.1\n/);
    expect(stdout).toMatch(/\nok 1 intel-uc-fatal\n$/);
    expect(readFileSync(junit, 'utf8')).toContain('<testcase name="intel-uc-fatal"');
    expect(code).toBe(0);
    const printed = await sandbox.run('run', 'intel-uc-fatal', '--accel', 'tcg', '--print-cmd');
    expect(printed.stdout).toContain('qemu-system-x86_64');
    expect(printed.stdout).toContain("-append 'console=ttyS0 panic=-1");
    await sandbox.clean();
  });
});
