import { LabSkip } from './errors.ts';
import { compareDebianVersions } from './supply/debian-version.ts';
import type { QemuPart } from './supply/qemu.ts';

/**
 * The oldest QEMU that the lab can start a machine with: an older one cannot be told to let a guest that panics go on
 * (QEMU, System Emulation, Invocation: `-action panic=none`, since 6.0).
 */
const OLDEST = '6.0';

/** Before anything is started. @throws LabSkip E_LAB_QEMU_OLD */
export function requireQemu({ version }: Pick<QemuPart, 'version'>): void {
  if (compareDebianVersions(version, OLDEST) >= 0) return;
  throw new LabSkip('E_LAB_QEMU_OLD', `QEMU ${version} is too old for the lab: it has no -action panic=none`, {
    hint: `Take ${OLDEST} or newer.`,
  });
}
