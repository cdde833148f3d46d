/** The API and its orders on a PostgreSQL as on a file. */
import { onPostgres } from '../controller/testing/on-postgres.ts';

await onPostgres(async () => {
  await import('./rest.test.ts');
  await import('./writes.test.ts');
});
