/** Journal, committer, leader, outbox, replay and the kills of a controller, on a PostgreSQL as on a file. */
import { onPostgres } from './testing/on-postgres.ts';

await onPostgres(async () => {
  await import('./journal.test.ts');
  await import('./controller.test.ts');
  await import('./crash.test.ts');
  await import('./transfer.test.ts');
  await import('./look-through.test.ts');
});
