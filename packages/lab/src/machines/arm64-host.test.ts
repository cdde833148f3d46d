import { expect, test } from 'vitest';
import { stableArgs } from '../machine/qemu-args.ts';
import { machineKind, machineSchema, type MachineSpec } from './registry.ts';

const canBeKept = (spec: MachineSpec): boolean => machineKind(spec).canBeKept?.(spec) ?? true;

/** Whether an arm64 host with this on its kernel's command line is kept, and the modes of KVM that are on it then. */
function arm64Host(append: string): { kept: boolean; modes: string[] } {
  const spec = machineSchema.parse({ kind: 'arm64-host', append });
  const files = { qemu: ['qemu'], kernel: 'kernel', initrd: 'initrd' };
  const argv = stableArgs({ machine: spec, accel: 'tcg', files });
  const words = argv[argv.indexOf('-append') + 1]?.split(' ') ?? [];
  return { kept: canBeKept(spec), modes: words.filter(word => /^kvm[-_]arm\.mode=/.test(word)) };
}

test.each<[string, boolean, string[]]>([
  ['', true, ['kvm-arm.mode=nvhe']],
  ['quiet', true, ['kvm-arm.mode=nvhe']],
  ['kvm-arm.mode=nvhe quiet', true, ['kvm-arm.mode=nvhe']],
  ['quiet kvm-arm.mode=nested', false, ['kvm-arm.mode=nested']],
  ['kvm_arm.mode=protected', false, ['kvm_arm.mode=protected']],
  ['kvm-arm.mode=nvhe kvm-arm.mode=vhe', false, ['kvm-arm.mode=nvhe', 'kvm-arm.mode=vhe']],
  ['not-kvm-arm.mode=vhe', true, ['kvm-arm.mode=nvhe']],
])('an arm64 host with "%s" is kept: %s', (append, kept, modes) => {
  expect(arm64Host(append)).toEqual({ kept, modes });
});

test.each(['linux-guest', 'xen-dom0', 'amd-host'])('%s is kept whatever its command line says', kind => {
  expect(canBeKept(machineSchema.parse({ kind, append: 'kvm-arm.mode=nested' }))).toBe(true);
});
