import type { QmpClient } from '../../qmp/client.ts';
import { LabError } from '../errors.ts';

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
async function finished(qmp: QmpClient, sign: 'STOP' | 'RESUME', what: string): Promise<void> {
  for (;;) {
    const info = (await qmp.execute('query-migrate', {})) as MigrationInfo;
    if (info.status === 'completed') return;
    if (info.status === 'failed' || info.status === 'cancelled') {
      throw new LabError('E_LAB_STATE', `${what}: ${info['error-desc'] ?? info.status}`);
    }
    // The event comes a moment before the status does.
    await qmp.waitEvent(sign, 10).catch(() => {});
  }
}

/** Saves a running machine to a file and lets it run on. @throws LabError E_LAB_STATE. */
export async function saveState(qmp: QmpClient, file: string): Promise<void> {
  await prepare(qmp);
  await qmp.execute('migrate', { uri: `file:${file}` });
  await finished(qmp, 'STOP', 'the state of the machine could not be saved');
  await qmp.execute('cont');
}

/** Loads the state into a machine started with `-incoming defer`, and lets it run. @throws LabError E_LAB_STATE. */
export async function restoreState(qmp: QmpClient, file: string): Promise<void> {
  await prepare(qmp);
  await qmp.execute('migrate-incoming', { uri: `file:${file}` });
  await finished(qmp, 'RESUME', 'the saved state of the machine could not be loaded');
}
