import type { Command } from 'commander';
import { beforeEach, expect, test, vi } from 'vitest';
import { buildProgram } from './program.ts';
import { runProgram } from './run-program.ts';

const called = vi.hoisted(() => ({
  demo: vi.fn<(options: object) => void>(),
  here: vi.fn<(...args: unknown[]) => void>(),
}));
vi.mock('./drill.ts', () => ({ drill: called.demo, drillHere: called.here }));
beforeEach(() => vi.clearAllMocks());

const run = (...args: string[]): Promise<void> => runProgram(buildProgram(), args);

test('options that both drills know reach the one that is called, wherever they stand', async () => {
  await run('drill', 'demo', '--json', '--keep', '--timeout', '5');
  expect(called.demo).toHaveBeenLastCalledWith(expect.objectContaining({ json: true, keep: true, timeout: 5 }));
  await run('drill', 'demo');
  expect(called.demo).toHaveBeenLastCalledWith(expect.objectContaining({ timeout: 90 }));
  expect(called.demo.mock.lastCall?.[0]).not.toHaveProperty('json');
  await run('drill', 'srao', '--json', '--vm', 'v', '--dry-run');
  expect(called.here).toHaveBeenLastCalledWith('srao', expect.objectContaining({ json: true, vm: 'v', dryRun: true }));
  expect(called.here.mock.lastCall?.[1]).not.toHaveProperty('timeout');
});

test.each([['--config', 'x'], ['--dry-run'], ['--yes']])('the demo takes no %s', async (...args) => {
  await expect(run('drill', 'demo', ...args)).rejects.toThrow(`${args[0]} does not apply to drill demo`);
  expect(called.demo).not.toHaveBeenCalled();
});

test('every command of the fleet takes --json', () => {
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  const fleet = buildProgram().commands.find(command => command.name() === 'fleet') ?? expect.fail('no fleet');
  const without = leaves(fleet).filter(command => !command.options.some(option => option.long === '--json'));
  expect(without.map(command => command.name())).toEqual([]);
});

test.each([
  [
    ['policy', 'explain', 'protect'],
    {
      id: expect.stringMatching(/^protect@2#[0-9a-f]{12}$/),
      policy: expect.objectContaining({ name: 'protect', mode: 'act' }),
      text: expect.stringMatching(/^Policy protect@2/),
    },
  ],
  [['policy', 'show', 'notify'], { name: 'notify', text: expect.stringContaining('name: notify') }],
  [['playbook'], { playbooks: expect.arrayContaining(['unproven', 'not-seen']) }],
  [['playbook', 'unproven.md'], { name: 'unproven', text: expect.stringMatching(/^# Playbook: /) }],
])('fleet %j says the same to a machine', async (words, said) => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await run('fleet', ...words, '--json');
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join('');
  write.mockRestore();
  expect(JSON.parse(text)).toEqual({ schemaVersion: 1, ...said });
});
