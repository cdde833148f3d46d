import { requireSchema } from '@syndrome/base/store/migrate.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { auditPage, type AuditView, verifyAudit } from '@syndrome/supervisor/controller/audit.ts';
import { SCHEMA } from '@syndrome/supervisor/controller/schema.ts';
import { EXIT } from './exit-codes.ts';
import { print, printJson } from './output.ts';
import { type StoreOptions, withLedger } from './store.ts';

/** Entries that are read at once. */
const AT_ONCE = 1000;

/** Exit code 1 where something is wrong. */
export async function verify(options: StoreOptions & { expect?: ReadonlyMap<number, string> }): Promise<void> {
  const report = await withLedger(options, async store => {
    await requireSchema(store, SCHEMA);
    return verifyAudit(store.query, options.expect);
  });
  const { entries, hash, faults } = report;
  if (faults.length > 0) process.exitCode = EXIT.fail;
  if (options.json === true) return printJson({ schemaVersion: 1, well: faults.length === 0, ...report });
  for (const fault of faults) print(`WRONG: ${fault}`);
  if (faults.length === 0) print(`well: ${entries} entries, nothing was changed, left out or put in`);
  if (entries > 0) print(`the last one: ${entries}:${hash}`);
}

const lineOf = ({ number, at, actor, via, action, outcome, about }: AuditView): string =>
  [
    number,
    new Date(at).toISOString(),
    outcome.padEnd(7),
    actor,
    `(${via})`,
    action,
    safeText(JSON.stringify(about), 300),
  ].join('  ');

/** All entries, one a line. */
export async function list(options: StoreOptions): Promise<void> {
  await withLedger(options, async store => {
    await requireSchema(store, SCHEMA);
    for (let after = 0; ; ) {
      const entries = await auditPage(store.query, { after, newestFirst: false, limit: AT_ONCE });
      for (const entry of entries) {
        if (options.json === true) printJson({ schemaVersion: 1, ...entry });
        else print(lineOf(entry));
        after = entry.number;
      }
      if (entries.length < AT_ONCE) return;
    }
  });
}
