import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isHostile } from '@syndrome/decode/common/screen.ts';
import { machineSchema } from '../machines/registry.ts';
import { VMMS } from '../vmms/registry.ts';
import { hostDevice } from '../vmms/vmm.ts';
import { shellQuote, stableArgs } from './qemu-args.ts';

test('a command line is what a shell takes it for, and holds nothing that a screen obeys', () => {
  const args = ['-kernel', '/a b/it\'s "c"', 'x\u001b]0;P\u0007\\y\'"$z`', 'zero\u200bwidth\nline é \u{e0041}', ''];
  const line = shellQuote(args);
  expect(isHostile(line)).toBe(false);
  const said = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  expect(said.stdout.split('\0').slice(0, -1)).toEqual(args);
});

test('the line that is asked for besides is the last port of a host layer, and moves no other', () => {
  const machine = machineSchema.parse({ kind: 'arm64-host' });
  const setup = { machine, accel: 'tcg', files: { qemu: ['/qemu'], kernel: '/k', initrd: '/i' } } as const;
  const plain = stableArgs(setup);
  const tied = stableArgs({ ...setup, uplink: true });
  const ports = ['-chardev', 'socket,id=uplink,path=uplink.sock', '-device'];
  const device = 'virtconsole,bus=vs.0,nr=6,chardev=uplink,name=syndrome.uplink';
  const at = tied.indexOf(device) - 3;
  expect(tied.slice(at, at + 4)).toEqual([...ports, device]);
  expect(tied.toSpliced(at, 4)).toEqual(plain);
  expect(hostDevice(VMMS.reference, 'uplink')).toBe('/dev/hvc5');
});
