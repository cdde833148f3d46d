import type { Firmware } from '../firmware/firmware.ts';
import { LabError } from '../errors.ts';
import type { Session } from '../session.ts';

/** The firmware of the machine that the lab plays. @throws LabError E_LAB_FIRMWARE where it has none */
export function ownFirmware({ firmware }: Session): Firmware {
  if (firmware !== undefined) return firmware;
  throw new LabError('E_LAB_FIRMWARE', 'the lab is not the firmware of this machine', {
    hint: 'Give the machine `apei: true`.',
  });
}
