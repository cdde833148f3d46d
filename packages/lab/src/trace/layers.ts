import type { Layer } from '@syndrome/trace/event.ts';
import { machineKind, type MachineSpec } from '../machines/registry.ts';

/** What a trace of a machine says in its header: its layers between those of the lab and of the processes, outermost first. */
export function layersOf(machine: MachineSpec): Layer[] {
  const { layers, lacks } = machineKind(machine);
  const lacking = lacks?.(machine) ?? [];
  return ['lab', ...layers.filter(layer => !lacking.includes(layer)), 'process'];
}
