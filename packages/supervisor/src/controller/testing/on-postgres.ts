/** Runs the tests of other files once more, on a PostgreSQL. */
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** @param load imports the files, whose tests are then those of this one */
export async function onPostgres(load: () => Promise<unknown>): Promise<void> {
  const missing = postgresMissing();
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    if (missing !== undefined) return;
    server = await PostgresServer.make();
    process.env['SYNDROME_TEST_POSTGRES'] = server.url('{}');
  });
  beforeEach(context => skipWithout(context, 'postgres', missing));
  afterAll(async () => {
    delete process.env['SYNDROME_TEST_POSTGRES'];
    await server?.remove();
  });
  await load();
}
