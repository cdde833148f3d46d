import type { Layer } from '@syndrome/trace/event.ts';
import type { MachineSpec } from '../scenario/schema.ts';

/** What a trace of a machine says in its header: its layers between those of the lab and of the processes, outermost first. */
export function layersOf(machine: MachineSpec): Layer[] {
  if ('guest' in machine) return ['lab', 'machine', 'host', 'vmm', 'guest', 'process'];
  return 'xen' in machine ? ['lab', 'vmm', 'xen', 'guest', 'process'] : ['lab', 'vmm', 'guest', 'process'];
}
