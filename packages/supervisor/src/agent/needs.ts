/** @module What the start of a VM needs on another host beside files, as words that stand among them: a whole path is a file, all else is none. */

/** What no host has. @example missingSecret('password of -spice') */
export const missingSecret = (what: string): string =>
  `the ${what} is a secret, and not in its definition: name it by a file`;

/** Of QEMU and of libvirt: they are there wherever the VM can run, and are no model. */
const ANY_MODEL: ReadonlySet<string> = new Set(['host', 'max', 'host-passthrough', 'host-model', 'maximum']);
const CPU = /^cpu (\S{1,200}) of (\/.{1,4000})$/s;

/** That a program has to know a CPU model; nothing where every one does. @example cpuNeed('EPYC-Rome', '/usr/bin/qemu-system-x86_64') */
export function cpuNeed(model: string | undefined, program: string | undefined): string[] {
  if (model === undefined || program?.startsWith('/') !== true || ANY_MODEL.has(model)) return [];
  const need = `cpu ${model} of ${program}`;
  return CPU.test(need) ? [need] : [];
}

/** What {@link cpuNeed} has said; undefined for all else. */
export function asCpuNeed(need: string): { model: string; program: string } | undefined {
  const [, model, program] = CPU.exec(need) ?? [];
  return model === undefined || program === undefined ? undefined : { model, program };
}
