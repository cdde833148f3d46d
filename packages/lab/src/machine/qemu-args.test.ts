import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isHostile } from '@syndrome/decode/common/screen.ts';
import { machineSchema } from '../scenario/schema.ts';
import { canBeKept, qemuArgs, shellQuote } from './qemu-args.ts';

/** Whether an arm64 host with this on its kernel's command line is kept, and the modes of KVM that are on it then. */
function arm64Host(append: string): { kept: boolean; modes: string[] } {
  const spec = machineSchema.parse({ kind: 'arm64-host', append });
  const argv = qemuArgs(spec, 'tcg', { qemu: ['qemu'], kernel: 'kernel', initrd: 'initrd' }, {});
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

test('a command line is what a shell takes it for, and holds nothing that a screen obeys', () => {
  const args = ['-kernel', '/a b/it\'s "c"', 'x\u001b]0;P\u0007\\y\'"$z`', 'zero\u200bwidth\nline é \u{e0041}', ''];
  const line = shellQuote(args);
  expect(isHostile(line)).toBe(false);
  const said = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  expect(said.stdout.split('\0').slice(0, -1)).toEqual(args);
});
