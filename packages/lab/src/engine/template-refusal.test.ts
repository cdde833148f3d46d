import { expect, test } from 'vitest';
import { machineSchema } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';
import { mappedCommand } from './mapped-command.ts';
import { templateRefusal } from './template-refusal.ts';

const assembly = (machine: object, own: Partial<Assembly> = {}): Assembly =>
  ({ accel: 'tcg', machine: machineSchema.parse({ kind: 'linux-guest', ...machine }), ...own }) as Assembly;

test.each<[string, Assembly, string | undefined]>([
  ['an emulated guest', assembly({}), undefined],
  ['this machine', assembly({}, { local: true }), 'local'],
  ['a nested machine', assembly({ kind: 'amd-host' }), 'nested'],
  ['firmware that the lab plays', assembly({ apei: true }), 'shared-memory'],
  ['error records in a file', assembly({ erst: true }), 'writable-store'],
])('%s', (_, machine, why) => {
  expect(templateRefusal(machine, 'linux')?.why).toBe(why);
});

test('only Linux has files without a name', () => {
  expect(templateRefusal(assembly({}), 'darwin')).toMatchObject({ engine: 'template', why: 'host' });
});

test.each([
  ['x86_64', 'pc', 'pc.ram'],
  ['aarch64', 'virt,gic-version=3', 'mach-virt.ram'],
] as const)('the memory of %s has the name that QEMU gives it by default', (arch, board, name) => {
  const command = ['qemu', '-m', '256', '-machine', board, '-smp', '1'];
  expect(mappedCommand(assembly({ arch, memory: 256 }), command, '/proc/1/fd/9', 'private')).toEqual([
    'qemu',
    '-m',
    '256',
    '-machine',
    `${board},memory-backend=${name}`,
    '-smp',
    '1',
    '-object',
    `memory-backend-file,id=${name},size=256M,mem-path=/proc/1/fd/9,share=off,readonly=on,rom=off`,
  ]);
});
