import type { Command } from 'commander';
import { onLedger } from './ledger-options.ts';

type Merge = <T>(program: Command, options: object) => T;

/** What keeps the ledger: looked through, brought up, carried from one engine to the other. */
export function addStoreCommands(program: Command, merged: Merge): void {
  const store = program
    .command('store')
    .description('the ledger of a controller as it is kept, in a file or in a PostgreSQL: look through it, move it')
    .addHelpText(
      'after',
      `\nA site moves from its file to a PostgreSQL, or back, while its controller is ended; then its file names the other store.

Examples:
  syndrome store export ledger.ndjson --config site.yaml
  syndrome store import ledger.ndjson --store postgresql://syndrome@db/syndrome
  syndrome store check --store postgresql://syndrome@db/syndrome --replay`,
    );
  const on = (name: string, description: string): Command => onLedger(store, name, description);
  on('check', 'what is in it, which schema it has, and whether anything in it is damaged or contradicts itself')
    .option('--replay', 'decide everything once more, too: the same must come out')
    .addHelpText(
      'after',
      `\nNothing is written. Exit code 1 where something is wrong.

Examples:
  syndrome store check --config site.yaml
  syndrome store check --store backup.sqlite --replay
  syndrome store check --store postgresql://syndrome@db/syndrome --json | jq .faults`,
    )
    .action(async (options: object) => (await import('./store.ts')).check(merged(program, options)));
  on('migrate', 'bring its schema to that of this version, and make it where there is none')
    .addHelpText(
      'after',
      '\nA controller does so when it starts.\n\nExample:\n  syndrome store migrate --store postgresql://syndrome@db/syndrome',
    )
    .action(async (options: object) => (await import('./store.ts')).bringUp(merged(program, options)));
  on('export', 'write all of it into a new file of JSON lines, with their hash; no controller works on it meanwhile')
    .argument('<file>', 'is made; it holds what the ledger holds, and is for its owner alone')
    .addHelpText('after', '\nExample:\n  syndrome store export ledger.ndjson --config site.yaml')
    .action(async (file: string, options: object) =>
      (await import('./store.ts')).exportTo(file, merged(program, options)),
    );
  on('import', 'write an export into an empty store, all of it or nothing')
    .argument('<file>', 'an export; one that was cut or changed is refused')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome store import ledger.ndjson --store postgresql://syndrome@db/syndrome
  syndrome store import ledger.ndjson --store /var/lib/syndrome/ledger/ledger.sqlite`,
    )
    .action(async (file: string, options: object) =>
      (await import('./store.ts')).importFrom(file, merged(program, options)),
    );
}
