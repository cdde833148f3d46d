/** The audit on a PostgreSQL as on a file. By itself: what it does before each test makes a database. */
import { onPostgres } from './testing/on-postgres.ts';

await onPostgres(() => import('./audit.test.ts'));
