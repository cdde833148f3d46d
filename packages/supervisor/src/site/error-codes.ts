/** What the room of sites throws, for `--explain`: what happened, and what to do. */
export const SITE_ERROR_CODES: Readonly<Record<string, string>> = {
  E_FLEET_CONTROLLER:
    'No controller answers at the socket of the site: none runs, it runs for another file, or another user owns it.',
  E_SITE_FILE:
    'The file of a site cannot be used: it is not there, others may write to it, it is no YAML, or something in it is not as the schema says; the text names the place. `syndrome supervise --check` reads it and all that it names, `--schema` prints what it may hold.',
  E_SITE_SHARD:
    'A site of several shards has a ledger for each: the command has to name one of them, and each host has to belong to one.',
};
