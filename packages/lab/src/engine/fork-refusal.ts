import { machineKind } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';
import type { Refusal } from './engine.ts';

/** Why no machine of this computer can be forked. Pure. */
export function hostRefusal(platform: string = process.platform, arch: string = process.arch): Refusal | undefined {
  if (platform === 'linux' && arch === 'x64') return undefined;
  return {
    engine: 'fork',
    why: 'host',
    message: `only QEMU on x86-64 Linux can be forked, and this is ${platform} ${arch}`,
  };
}

/** What a machine is refused for before it is started: a fork would share it with its parent. */
const REFUSALS: readonly { why: string; message: string; is: (assembly: Assembly) => boolean }[] = [
  {
    why: 'kvm',
    message: 'under KVM a virtual CPU belongs to the process that made it',
    is: ({ accel }) => accel !== 'tcg',
  },
  { why: 'local', message: 'this very machine is the host layer', is: ({ local }) => local === true },
  {
    why: 'own-qemu',
    message: 'a QEMU of your own is started as it is, without the loader that the fork server needs',
    is: ({ files }) => files.qemu.length < 2,
  },
  {
    why: 'shared-memory',
    message: 'the lab plays the firmware of this machine in memory that it shares with QEMU',
    is: ({ machine }) => (machineKind(machine).firmware?.(machine).length ?? 0) > 0,
  },
  {
    why: 'writable-store',
    message: 'its error records are kept in a file, which its forks would share',
    is: ({ machine }) => machineKind(machine).keepsRecords?.(machine) === true,
  },
];

/** Why a machine cannot be forked; undefined where nothing is known against it before it runs. */
export function forkRefusal(assembly: Assembly): Refusal | undefined {
  const found = REFUSALS.find(({ is }) => is(assembly));
  return found && { engine: 'fork', why: found.why, message: found.message };
}
