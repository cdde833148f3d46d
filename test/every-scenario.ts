/** What every scenario that comes with the program has to do, wherever it is run. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { OR } from '@syndrome/trace/expect/verdict.ts';
import { parseEvent } from '@syndrome/trace/testing/parse.ts';
import type { Sandbox } from './program.ts';
import { decodedOf, heardByLab, tracedOf } from './same-events.ts';

/** As `run --json` prints it. */
interface Result {
  schemaVersion: number;
  scenario: string;
  verdict: string;
  outcome: string;
  seconds: number;
  expectations: { kind: string; status: string }[];
  trace: string;
}

/** Left to `npm run test:long`: another one of their machine kind runs with every change. */
export const LONG: ReadonlySet<string> = new Set([
  'arm64-ghes-generic',
  'arm64-ghes-pcie',
  'arm64-ghes-processor',
  'arm64-qemu-ao',
  'arm64-qemu-ar',
  'arm64-qemu-ras-off',
  'arm64-sea-serror',
  'arm64-sea-kernel.from-user',
  'arm64-sea-kernel.plain',
  'arm64-sea-kernel.to-user',
  'cec-soft-offline',
  'cxl-hwpoison',
  'cxl-media',
  'cxl-poison',
  'cxl-protocol-ce',
  'cxl-protocol-fatal',
  'cxl-protocol-masked',
  'erst-record',
  'guest-memfd-poison',
  'hugetlb-guest',
  'hugetlb-guest-reset',
  'poisoned-vm-dump',
  'poisoned-vm-migrate',
  'poisoned-vm-reset',
  'vmm-own-page',
  'x86-bert',
  'xen-dom0-vmce',
  'xen-domu-killed',
  'xen-page-offline',
  'xen-pvh-amd-silent',
  'xen-uc-as-written',
  'xen-uc-kexec',
  'x86-einj',
  'x86-ghes-fatal',
  'x86-ghes-threshold',
  'x86-host-apei',
  'amd-deferred-ignore-ce',
  'amd-deferred-ways.destat',
  'amd-deferred-ways.ignore-msrs',
  'amd-deferred-ways.default-poll',
  'amd-deferred-ways.old-cpu',
  'amd-succor-tcg.with-s',
  'amd-succor-tcg.as-qemu',
  'amd-succor-tcg.no-succor',
  'amd-succor-tcg.in-kernel',
  'intel-guest-on-amd-host',
  'intel-lmce.local',
  'intel-lmce.not-local',
  'kdump-over-poison',
  'mce-inject-module.corrected',
  'mce-inject-module.uncorrected',
  'page-kinds.mlock',
  'page-kinds.shmem',
  'page-kinds.memfd',
  'page-kinds.file-dirty',
  'page-kinds.huge1g',
]);

/** Runs a scenario, and gives its verdict: it passes with its outcome, as its trace read again says too, and `decode` sees in that what the lab saw. */
export async function passes(sandbox: Sandbox, name: string, outcome: string): Promise<string> {
  const { code, stdout, stderr } = await sandbox.run('run', name, '--json', '--accel', 'tcg');
  expect(stdout, stderr).not.toBe('');
  const result = JSON.parse(stdout) as Result;
  // An outlook may leave room for what happened; everything else has to be judged.
  const failed = result.expectations.filter(
    e => e.status !== 'pass' && !(e.kind === 'outlook' && e.status === 'not-judged'),
  );
  expect({ ...result, failed }, stderr).toMatchObject({
    schemaVersion: 1,
    scenario: name,
    verdict: 'pass',
    failed: [],
  });
  expect(outcome.split(OR)).toContain(result.outcome);
  expect(code).toBe(0);
  // The verdict is a function of the trace: reading it again gives the same.
  const again = await sandbox.run('show', result.trace, '--json');
  const shown = JSON.parse(again.stdout) as Result & { diagnostics: unknown[]; departures: unknown[] };
  expect({ verdict: shown.verdict, outcome: shown.outcome, expectations: shown.expectations }).toEqual({
    verdict: result.verdict,
    outcome: result.outcome,
    expectations: result.expectations,
  });
  // And whoever pastes its lines into decode sees what the lab saw.
  const trace = readFileSync(result.trace, 'utf8');
  const events = trace.split('\n').flatMap(line => parseEvent(line) ?? []);
  expect(tracedOf(events)).toEqual(decodedOf(heardByLab(trace)));
  // And each event is as the catalogue has it.
  expect([shown.diagnostics, shown.departures]).toEqual([[], []]);
  await sandbox.clean();
  return result.verdict;
}

/** Of which a restored run is held to a cold one: with every change, and by `npm run test:long`, where the hosts boot for a minute. */
export const RESTORED = { often: ['intel-srao-process', 'xen-uc-fatal'], seldom: ['amd-consumed', 'arm64-sea-exit'] };

/** Runs a scenario from its boot, then from a kept state. @returns of each the verdict, outcome, and word on each expectation */
export async function coldAndRestored(sandbox: Sandbox, name: string): Promise<object[]> {
  const run = async (...options: string[]): Promise<Result & { restored: boolean }> => {
    const { stdout } = await sandbox.run('run', name, '--json', '--accel', 'tcg', ...options);
    return JSON.parse(stdout) as Result & { restored: boolean };
  };
  const cold = await run('--cold');
  // The first of these keeps a state, if none is kept yet.
  await run();
  const restored = await run();
  expect([cold.restored, restored.restored]).toEqual([false, true]);
  const judged = ({ verdict, outcome, expectations }: Result): object => ({
    verdict,
    outcome,
    expectations: expectations.map(e => e.status),
  });
  await sandbox.clean();
  return [judged(cold), judged(restored)];
}
