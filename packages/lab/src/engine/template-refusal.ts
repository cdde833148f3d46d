import { machineKind } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';
import type { Refusal } from './engine.ts';

/** What a machine is refused for before it is started. */
const REFUSALS: readonly { why: string; message: string; is: (assembly: Assembly, platform: string) => boolean }[] = [
  {
    why: 'host',
    message: 'the memory of a machine is mapped from a file that has no name, as only Linux has them',
    is: (_, platform) => platform !== 'linux',
  },
  { why: 'local', message: 'this very machine is the host layer', is: ({ local }) => local === true },
  {
    why: 'nested',
    message:
      'QEMU loads no state in which a CPU was just running a guest of its own, and a nested machine hardly rests',
    is: ({ machine }) => machineKind(machine).vmm !== undefined,
  },
  {
    why: 'shared-memory',
    message: 'the lab plays the firmware of this machine in memory that it shares with QEMU',
    is: ({ machine }) => (machineKind(machine).firmware?.(machine).length ?? 0) > 0,
  },
  {
    why: 'writable-store',
    message: 'its error records are kept in a file, which is no part of its state',
    is: ({ machine }) => machineKind(machine).keepsRecords?.(machine) === true,
  },
];

/** Why a machine is not loaded from a template; undefined where nothing is known against it before it runs. Pure. */
export function templateRefusal(assembly: Assembly, platform: string = process.platform): Refusal | undefined {
  const found = REFUSALS.find(({ is }) => is(assembly, platform));
  return found && { engine: 'template', why: found.why, message: found.message };
}
