import type { Command } from 'commander';

/** A command on the ledger of a controller: of a site, or as it is kept. */
export const onLedger = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .option('--config <file>', 'the file of the site (YAML), whose store it is')
    .option('--shard <name>', 'which of its ledgers, where the site has several')
    .option('--store <file|url>', 'a ledger in a file, or postgresql://USER@HOST/DATABASE; without a password')
    .option(
      '--password-file <file>',
      'with the password of the PostgreSQL, of mode 0600; else a PGPASSFILE is looked at',
    )
    .option('--json', 'machine-readable');
