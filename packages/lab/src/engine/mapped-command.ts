import { escape } from '../machine/command-line.ts';
import { machineKind } from '../machines/registry.ts';
import type { Assembly } from '../parts.ts';

/** What QEMU calls the memory of its boards (MachineClass::default_ram_id): a kept state is of blocks by name. */
const MEMORY = { x86_64: 'pc.ram', aarch64: 'mach-virt.ram' } as const;

/**
 * The command of a QEMU whose guest has its memory from a file.
 * @param way `shared`: what the guest writes is in the file; `private`: it writes to pages of its own, and the file stays
 */
export function mappedCommand(
  { machine }: Pick<Assembly, 'machine'>,
  command: readonly string[],
  file: string,
  way: 'shared' | 'private',
): string[] {
  const name = MEMORY[machineKind(machine).target(machine)];
  const at = command.indexOf('-machine') + 1;
  const share = way === 'shared' ? 'share=on' : 'share=off,readonly=on,rom=off';
  return [
    ...command.map((word, i) => (i === at ? `${word},memory-backend=${name}` : word)),
    '-object',
    `memory-backend-file,id=${name},size=${machine.memory}M,mem-path=${escape(file)},${share}`,
  ];
}
