import { expect, test } from 'vitest';
import { machineSchema } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';
import { forkRefusal, hostRefusal } from './fork-refusal.ts';

const assembly = (machine: object, own: Partial<Assembly> = {}): Assembly =>
  ({
    accel: 'tcg',
    machine: machineSchema.parse({ kind: 'linux-guest', ...machine }),
    files: { qemu: ['ld.so', 'qemu-system-x86_64'], kernel: 'k', initrd: 'i' },
    ...own,
  }) as Assembly;

test('only x86-64 Linux forks', () => {
  expect(hostRefusal('linux', 'x64')).toBeUndefined();
  expect(hostRefusal('linux', 'arm64')).toMatchObject({ engine: 'fork', why: 'host' });
  expect(hostRefusal('darwin', 'x64')).toMatchObject({ why: 'host' });
});

test.each<[string, Assembly, string | undefined]>([
  ['an emulated guest', assembly({}), undefined],
  ['an emulated arm64 guest', assembly({ arch: 'aarch64', firmware: true, ras: true }), undefined],
  ['KVM', assembly({}, { accel: 'kvm' }), 'kvm'],
  ['this machine', assembly({}, { local: true }), 'local'],
  ['a QEMU of their own', assembly({}, { files: { qemu: ['/q'], kernel: 'k', initrd: 'i' } }), 'own-qemu'],
  ['firmware that the lab plays', assembly({ apei: true }), 'shared-memory'],
  ['error records in a file', assembly({ erst: true }), 'writable-store'],
])('%s', (_, machine, why) => {
  expect(forkRefusal(machine)?.why).toBe(why);
});
