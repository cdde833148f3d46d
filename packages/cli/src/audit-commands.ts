import { type Command, InvalidArgumentError } from 'commander';
import { onLedger } from './ledger-options.ts';

type Merge = <T>(program: Command, options: object) => T;

/** `NUMBER:HASH`, as `audit verify` has printed it. */
function noted(value: string, before: ReadonlyMap<number, string> = new Map()): ReadonlyMap<number, string> {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(value) ?? [];
  if (number === undefined || hash === undefined)
    throw new InvalidArgumentError('expected NUMBER:HASH, as `audit verify` has printed it.');
  return new Map([...before, [Number(number), hash]]);
}

/** Who has ordered what: read, and gone through for what was changed. */
export function addAuditCommands(program: Command, merged: Merge): void {
  const audit = program
    .command('audit')
    .description('who has ordered what of a controller, and what came of it: a chain of hashes in its store')
    .addHelpText(
      'after',
      '\nExamples:\n  syndrome audit list --config site.yaml\n  syndrome audit verify --config site.yaml',
    );
  const on = (name: string, description: string): Command => onLedger(audit, name, description);
  on('verify', 'go through the whole chain and the orders of the ledger: was anything changed, left out or put in?')
    .option('--expect <number:hash>', 'an entry that was noted elsewhere; may be given more than once', noted)
    .addHelpText(
      'after',
      `\nExit code 1 where something is wrong. Whoever can write to the store can make the whole chain anew, or cut off its end: that is
seen by a number and a hash that were noted elsewhere. The last line prints those of now.

Examples:
  syndrome audit verify --config site.yaml
  syndrome audit verify --store backup.sqlite --json | jq .faults`,
    )
    .action(async (options: object) => (await import('./audit.ts')).verify(merged(program, options)));
  on('list', 'every entry, oldest first')
    .addHelpText('after', '\nExample:\n  syndrome audit list --config site.yaml --json | jq -c .')
    .action(async (options: object) => (await import('./audit.ts')).list(merged(program, options)));
}
