/** What the kinds of machine with the board `virt` have in common: UEFI, and firmware-first RAS on top of it. */
import type { MachineFault } from './kind.ts';

/** What does not fit together in a `machine:` that may have both. QEMU 11.1 dies at start with ras=on and ACPI but no firmware. */
export function firmwareFaults(data: Readonly<Record<string, unknown>>): MachineFault[] {
  if (data['ras'] !== true || data['firmware'] === true) return [];
  return [{ key: 'ras', message: 'ras: true needs firmware: true' }];
}
