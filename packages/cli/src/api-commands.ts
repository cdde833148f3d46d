import type { Command } from 'commander';

type Merge = <T>(program: Command, options: object) => T;

/** The API of a controller, for who sets it up or writes a program against it. */
export function addApiCommands(program: Command, merged: Merge): void {
  const api = program
    .command('api')
    .description('the HTTP API of a controller: its document, and tokens for who may ask it')
    .addHelpText(
      'after',
      `\nA controller has one where the file of its site says so, under api:

Examples:
  syndrome api token ops
  syndrome api document | jq '.paths | keys'
  curl --unix-socket /var/lib/syndrome/run/api.sock -H "Authorization: Bearer $TOKEN" http://localhost/v1/status`,
    );
  api
    .command('document')
    .description('print the document of the API (OpenAPI 3.1), as GET /openapi.json answers it')
    .addHelpText('after', '\nExample:\n  syndrome api document > syndrome.json')
    .action(async () => (await import('./api.ts')).document());
  api
    .command('token')
    .argument('<name>', 'the person or program that it is for; it stands in the audit')
    .description('make a token: the file of the site gets its hash alone')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome api token ops')
    .action(async (name: string, options: object) => (await import('./api.ts')).token(name, merged(program, options)));
}
