/** Pieces of command lines: of QEMU, and of the kernels it boots. */

/** In QEMU option values a comma is written twice. */
export const escape = (value: string): string => value.replaceAll(',', ',,');

/** The words of a kernel command line that are there. */
export const words = (...parts: string[]): string => parts.filter(p => p !== '').join(' ');

/** The console device and the agent's port of a Linux, by the UARTs it has: 8250s of a PC and of the reference VMM, PL011s of `virt`. */
export const UART_SERIAL = 'console=ttyS0 panic=-1 syndrome.port=/dev/ttyS1';
export const PL011_SERIAL = 'console=ttyAMA0 panic=-1 syndrome.port=/dev/ttyAMA1';

/** What a kernel that boots through UEFI has to be told, or finds by itself. */
export const firmwareWords = ({ firmware }: { firmware: boolean }): string => (firmware ? 'acpi=force' : '');

/** The value of -machine of an arm64 machine. `more` are options behind those that every one has. */
export function virtMachine({ ras, firmware }: { ras: boolean; firmware: boolean }, ...more: string[]): string {
  return ['virt', 'gic-version=3', ...more, ...(ras ? ['ras=on'] : []), ...(firmware ? ['acpi=on'] : [])].join(',');
}

/** The options by which QEMU boots a Linux without a boot loader. */
export function bootLinux(files: { kernel: string; initrd: string }, commandLine: string): string[] {
  return ['-kernel', files.kernel, '-initrd', files.initrd, '-append', commandLine];
}
