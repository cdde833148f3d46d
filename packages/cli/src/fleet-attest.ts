/** @module An attestation by two people, each with a token of their own, over the API of the site. */
import { PrivateFileError, readPrivateFile } from '@syndrome/base/disk/private-file.ts';
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type ApiAnswer, ApiProblem } from '@syndrome/supervisor/rest/client-base.ts';
import { SyndromeClient } from '@syndrome/supervisor/rest/client.ts';
import { readApiPlace } from '@syndrome/supervisor/site/site-file.ts';
import { EXIT } from './exit-codes.ts';
import { type GlobalOptions, print, printJson } from './output.ts';

interface Options extends GlobalOptions {
  config: string;
  shard?: string;
  token: string;
  statement: string;
  json?: boolean;
  dryRun?: boolean;
}

type Attestation = Awaited<ReturnType<SyndromeClient['attest']>>['body'];

/** What the API refuses, with its own code. */
class RefusedError extends SyndromeError {}

function tokenIn(file: string): string {
  try {
    return readPrivateFile(file, '`syndrome api token NAME` makes one.').trim();
  } catch (error) {
    if (!(error instanceof PrivateFileError)) throw error;
    throw new UsageError('E_USAGE', `--token ${file} ${error.message}`, { hint: error.hint, cause: error.cause });
  }
}

async function asked(
  options: Options,
  ask: (client: SyndromeClient) => Promise<ApiAnswer<Attestation>>,
): Promise<Attestation> {
  const { config, shard, token } = options;
  const client = new SyndromeClient({ ...readApiPlace(config, shard), token: tokenIn(token) });
  try {
    return (await ask(client)).body;
  } catch (error) {
    if (error instanceof ApiProblem)
      throw new RefusedError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
    throw new RefusedError('E_FLEET_CONTROLLER', 'no controller answers at the API of the site', { cause: error });
  }
}

function show(options: Options, attestation: Attestation, lines: readonly string[]): void {
  if (attestation.state === 'refused') process.exitCode = EXIT.fail;
  if (options.json === true) return printJson({ schemaVersion: 1, attestation });
  for (const line of lines) print(line);
}

/** States that a copy of a VM has stopped; another fencer has to confirm it. */
export async function attest(
  stated: { vm: string; host: string; epoch: number; statement: string },
  options: Options,
): Promise<void> {
  if (options.dryRun === true)
    throw new UsageError(
      'E_USAGE',
      'an attestation of two people has no --dry-run: what the core would refuse is refused at once',
    );
  const made = await asked(options, client => client.attest(stated));
  const shard = options.shard === undefined ? '' : ` --shard ${options.shard}`;
  show(options, made, [
    `stated as ${made.id}; nothing is done until another fencer confirms it, before ${new Date(made.until).toISOString()}:`,
    `  syndrome fleet confirm ${made.id} --config ${safeText(options.config, 300)}${shard} --statement TEXT --token FILE`,
  ]);
}

/** Confirms what another one has stated. Exit code 1 where the core refuses it. */
export async function confirm(id: string, options: Options): Promise<void> {
  const made = await asked(options, client => client.confirmAttestation(id, { statement: options.statement }));
  const { vm, host, epoch, by, state } = made;
  const copy = `the copy of ${safeText(vm, 100)} of epoch ${epoch} on ${safeText(host, 100)} has stopped`;
  show(options, made, [`${state}: ${copy}, stated by ${safeText(by, 100)}`]);
}
