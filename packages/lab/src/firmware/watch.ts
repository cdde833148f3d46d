import { einjBlock, einjErrorOf } from '@syndrome/decode/inject/einj.ts';
import { errorTypeWords } from '@syndrome/decode/acpi/einj.ts';
import type { EinjRequest, EinjStatus } from '@syndrome/decode/acpi/einj.ts';
import type { EventFields, EventName } from '@syndrome/decode/events/catalog.ts';
import type { Firmware } from './firmware.ts';

/** ms between two looks at the guest's memory. */
const LOOK_MS = 10;

type Note = <N extends EventName>(name: N, fields: EventFields<N>) => unknown;

/**
 * Looks at the registers of a machine's firmware as long as the machine runs: says when the guest has taken a record, and does
 * what it asks for.
 * @returns ends it
 */
export function watchFirmware(firmware: Firmware, note: Note): () => void {
  let waiting = false;
  const look = (): void => {
    const taken = firmware.acknowledged;
    if (waiting && taken) note('lab.firmware-acknowledged', {});
    waiting = !taken;
    const asked = firmware.request();
    if (asked === undefined) return;
    const status = obey(firmware, asked);
    if (status === undefined) return;
    const { errorType, address } = asked;
    note('lab.firmware-asked', {
      type: errorType,
      error: errorTypeWords(errorType),
      ...(address === undefined ? {} : { addr: address }),
      status,
    });
    firmware.answer(status);
    waiting = !firmware.acknowledged;
  };
  const timer = setInterval(look, LOOK_MS);
  return () => clearInterval(timer);
}

/** Does what the guest asks for; undefined while its last record is not taken, and it has to wait. */
function obey(firmware: Firmware, { errorType, address }: EinjRequest): EinjStatus | undefined {
  const error = einjErrorOf(errorType);
  if (error === undefined || address === undefined || !firmware.has(address)) return 'invalid access';
  if (!firmware.acknowledged) return undefined;
  firmware.report(einjBlock(error, address));
  return 'success';
}
