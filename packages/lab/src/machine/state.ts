import { setTimeout as sleep } from 'node:timers/promises';
import type { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { LabError } from '../errors.ts';
import { x86State } from '@syndrome/qemu/qmp/x86-state.ts';

/**
 * The state of a whole machine in a file, by QEMU's migration to and from a file. With mapped-ram each page has a fixed
 * place: the file is sparse, loads fast, and any number of machines may read it at once.
 * Source: QEMU docs/devel/migration/mapped-ram.rst.
 */
async function prepare(qmp: QmpClient): Promise<void> {
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'mapped-ram', state: true }] });
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 100_000_000_000n });
}

interface MigrationInfo {
  status?: string;
  'error-desc'?: string;
}

/** Waits until the migration that was started has ended. @throws LabError E_LAB_STATE. */
async function finished(qmp: QmpClient, what: string): Promise<void> {
  for (;;) {
    const info = (await qmp.execute('query-migrate', {})) as MigrationInfo;
    if (info.status === 'completed') return;
    if (info.status === 'failed' || info.status === 'cancelled') {
      throw new LabError('E_LAB_STATE', `${what}: ${info['error-desc'] ?? info.status}`);
    }
    await sleep(5);
  }
}

/** How often, and how long apart in ms, an idle moment is looked for. */
const IDLE_TRIES = 200;
const IDLE_PAUSE_MS = 20;

/**
 * Stops the machine at a moment when all its CPUs are halted. QEMU refuses to load a state in which a CPU was just running
 * a nested guest; an idle host layer has none. Only x86 CPUs tell (`HLT=1` in `info registers`); others are just stopped.
 */
async function stopWhenIdle(qmp: QmpClient): Promise<void> {
  const cpus = await qmp.execute('query-cpus-fast');
  for (let i = 0; i < IDLE_TRIES; i++) {
    await qmp.execute('stop');
    const states = await Promise.all(cpus.map(cpu => x86State(qmp, cpu['cpu-index'])));
    if (states.every(({ halted }) => halted !== false)) return;
    await qmp.execute('cont');
    await sleep(IDLE_PAUSE_MS);
  }
  throw new LabError('E_LAB_STATE', 'the machine was never idle, so its state was not saved');
}

/** Saves a running machine to a file and lets it run on. @throws LabError E_LAB_STATE. */
export async function saveState(qmp: QmpClient, file: string): Promise<void> {
  await prepare(qmp);
  await stopWhenIdle(qmp);
  try {
    await migrate(qmp, file);
  } finally {
    await qmp.execute('cont');
  }
}

async function migrate(qmp: QmpClient, file: string): Promise<void> {
  await qmp.execute('migrate', { uri: `file:${file}` });
  await finished(qmp, 'the state of the machine could not be saved');
}

/** Loads the state into a machine started with `-incoming defer`, and lets it run. @throws LabError E_LAB_STATE. */
export async function restoreState(qmp: QmpClient, file: string): Promise<void> {
  await prepare(qmp);
  await qmp.execute('migrate-incoming', { uri: `file:${file}` });
  await finished(qmp, 'the saved state of the machine could not be loaded');
  await qmp.execute('cont');
}

/** Memory that lies in a file and is mapped from there is left out of a state (QEMU docs/devel/migration/main.rst, x-ignore-shared). */
const withoutMemory = (qmp: QmpClient): Promise<unknown> =>
  qmp.execute('migrate-set-capabilities', {
    capabilities: [
      { capability: 'mapped-ram', state: false },
      { capability: 'x-ignore-shared', state: true },
    ],
  });

/**
 * Saves a machine that stands still, all but its memory. It cannot go on afterwards.
 * @throws LabError E_LAB_STATE
 */
export async function saveDevices(qmp: QmpClient, file: string): Promise<void> {
  await withoutMemory(qmp);
  await migrate(qmp, file);
}

/** Loads what {@link saveDevices} has saved into a machine whose memory is there; it stays stopped. @throws LabError E_LAB_STATE */
export async function loadDevices(qmp: QmpClient, file: string): Promise<void> {
  await withoutMemory(qmp);
  await qmp.execute('migrate-incoming', { uri: `file:${file}` });
  await finished(qmp, 'the saved state of the machine could not be loaded');
}
