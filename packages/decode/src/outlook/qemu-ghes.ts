/** @module What QEMU does with a firmware record given by QMP. Source: QEMU hw/acpi/ghes.c, ghes_cper.c, 10.2 to 11.1. */
import type { CperRecord } from '../cper/record.ts';
import type { Facts } from './facts.ts';
import type { Ending, Run } from './prediction.ts';
import { defineRules } from './rule.ts';
import { versionSince } from './version.ts';

export const QEMU_GHES_RULES = defineRules('qemu.ghes', 'QEMU hw/acpi/ghes_cper.c qmp_inject_ghes_v2_error()', {
  unknown: ['inject-ghes-v2-error exists since QEMU 10.2.'],
  silent: ['Without ras=on, UEFI firmware and ACPI the command succeeds and does nothing.'],
  busy: ['The guest has not acknowledged the previous record: the new one is refused.'],
  forward: ['The record is copied into GHES source 1 and the generic event device is raised.', 'observed'],
});

/** The QMP command inject-ghes-v2-error. */
export function qemuGhes(record: CperRecord, facts: Facts, run: Run): Ending {
  const R = QEMU_GHES_RULES;
  if (!versionSince(facts.get('version'), '10.2')) {
    run.print('The command inject-ghes-v2-error has not been found');
    return run.end('none', R.unknown, 'refused');
  }
  if (!facts.get('ras')) return run.end('none', R.silent, 'no effect');
  if (!facts.get('ghesAcknowledged')) {
    run.print('OSPM does not acknowledge previous error, so can not record CPER for current error anymore');
    return run.end('none', R.busy, 'refused');
  }
  run.note(R.forward, 'ACPI notification');
  return {
    outcome: 'forwarded',
    rule: R.forward,
    handover: { consumer: 'linux', delivery: 'ghes-notify', record, settings: { vendor: 'arm' } },
  };
}
