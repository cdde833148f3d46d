import { machineKind } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';

interface ForkServerPlaces {
  /** The shared object of fork/library.ts. */
  library: string;
  hub: string;
  /** Of the lines of this machine. */
  folder: string;
  token: string;
}

/**
 * The command of a QEMU that can be forked. Its loader, which is the first word, loads the fork server before QEMU.
 *
 * The virtual CPUs of a machine without a host layer take turns in one thread: a fork has one thread less to start for each,
 * and no other CPU to wait for when all of them have to meet (measured: half the CPU time of a run on two CPUs). A guest in a
 * host layer that was saved under more threads does not go on in one.
 */
export function forkingCommand(
  { machine }: Pick<Assembly, 'machine'>,
  [loader = '', ...words]: readonly string[],
  { library, hub, folder, token }: ForkServerPlaces,
): string[] {
  const at = words.indexOf('-accel');
  const oneThread = machineKind(machine).vmm === undefined;
  const rest = words.map((word, i) => (oneThread && i === at + 1 && word === 'tcg' ? 'tcg,thread=single' : word));
  const environment = { SYNDROME_FORK_HUB: hub, SYNDROME_FORK_FOLDER: folder, SYNDROME_FORK_TOKEN: token };
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return ['env', ...set, loader, '--preload', library, ...rest];
}
