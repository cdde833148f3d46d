/**
 * GHES error records by QMP `inject-ghes-v2-error` (QEMU 10.2 and later, feature `unstable`; qapi/acpi-hest.json,
 * hw/acpi/ghes_cper.c). QEMU copies the bytes into guest memory without looking at them and notifies the guest.
 *
 * The silent-success trap: where the machine has no GHES, or its firmware has not yet told QEMU where its HEST is, the
 * command returns success and does nothing. What can be seen from outside is refused here before it is sent (no `ras=on`,
 * no generic event device); that the firmware has finished cannot be seen. So a returned injectGhes() proves delivery
 * only together with the guest's own report: wait for the guest to boot, inject, and look for the record there.
 */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { GHES_COMMAND, GHES_MAX_BYTES, ghesArguments } from '@syndrome/decode/inject/ghes-command.ts';
import type { QmpClient } from './client.ts';
import { QmpCommandError, QmpInjectError } from './errors.ts';
import { property } from './property.ts';

type Refusal = { code: string; pattern: RegExp; explanation: string; hint?: string };

/** QEMU's refusals, all of class GenericError (hw/acpi/ghes.c, hw/acpi/ghes_cper*.c of 11.1). */
export const ghesRefusals: readonly Refusal[] = [
  {
    code: 'E_GHES_NOT_COMPILED',
    pattern: /GHES QMP error inject is not compiled in/,
    explanation: 'this QEMU binary knows the command but is built without it',
    hint: 'Use qemu-system-aarch64 with -M virt,ras=on.',
  },
  {
    code: 'E_GHES_TOO_BIG',
    pattern: /GHES CPER record is too big/,
    explanation: 'the record is larger than the error block',
  },
  {
    code: 'E_GHES_NO_SOURCE',
    pattern: /HEST: Source \d+ not found/,
    explanation: "the machine's HEST has no error source for injection",
    hint: 'Machine types up to virt-10.1 have none: use -M virt (the newest) with ras=on.',
  },
  {
    code: 'E_GHES_SOURCE_TYPE',
    pattern: /HEST: type \d+ not supported/,
    explanation: "the machine's HEST source is of a type QEMU cannot inject into",
  },
  {
    code: 'E_GHES_NOT_ACKNOWLEDGED',
    pattern: /OSPM does not acknowledge previous error/,
    explanation: 'the guest has not yet acknowledged the record before (Read Ack is 0)',
    hint: 'Let the guest run until it has reported the record before, then inject again.',
  },
];

/**
 * Injects one complete error block (Generic Error Status Block, data entry, section).
 *
 * Throws UsageError for an empty or too large block; QmpInjectError with E_GHES_NO_COMMAND, E_GHES_RAS_OFF,
 * E_GHES_NO_GED, the codes of {@link ghesRefusals}, or E_GHES_REFUSED. Returning is not proof of delivery: see above.
 */
export async function injectGhes(
  client: QmpClient,
  block: Uint8Array,
  options: { deadlineMs?: number } = {},
): Promise<void> {
  if (block.length === 0 || block.length > GHES_MAX_BYTES) {
    throw new UsageError('E_GHES_SIZE', `a GHES error block has 1 to ${GHES_MAX_BYTES} bytes, not ${block.length}`);
  }
  if (!(await client.has(GHES_COMMAND))) {
    throw new QmpInjectError('E_GHES_NO_COMMAND', `this QEMU has no ${GHES_COMMAND}`, {
      hint: 'It came with QEMU 10.2.',
    });
  }
  await refuseSilentSuccess(client, options);
  try {
    await client.execute(GHES_COMMAND, ghesArguments(block), options);
  } catch (error) {
    throw error instanceof QmpCommandError ? refusalOf(error) : error;
  }
}

/** Refuses machines of which it is visible that they would accept the record and drop it. */
async function refuseSilentSuccess(client: QmpClient, options: { deadlineMs?: number }): Promise<void> {
  const ras = await property(client, '/machine', 'ras', options);
  // No such property: not an arm64 virt machine. QEMU itself says then that the command is not compiled in.
  if (ras === undefined) return;
  if (ras !== true) {
    throw new QmpInjectError('E_GHES_RAS_OFF', 'the machine has no GHES: QEMU would accept the record and drop it', {
      hint: 'Start the machine with -M virt,ras=on.',
    });
  }
  const devices = await client.execute('qom-list', { path: '/machine/unattached' }, options);
  if (devices.some(device => device.type === 'child<acpi-ged>')) return;
  throw new QmpInjectError(
    'E_GHES_NO_GED',
    'the machine has no generic event device to notify the guest: QEMU would accept the record and drop it',
    { hint: 'Give the machine UEFI firmware (-bios or pflash) and leave ACPI on: without firmware there is no HEST.' },
  );
}

function refusalOf(error: QmpCommandError): QmpInjectError {
  const refusal = ghesRefusals.find(({ pattern }) => pattern.test(error.desc));
  const { code = 'E_GHES_REFUSED', explanation = 'QEMU refused the record', hint } = refusal ?? {};
  return new QmpInjectError(code, explanation, { cause: error, ...(hint !== undefined && { hint }) });
}
