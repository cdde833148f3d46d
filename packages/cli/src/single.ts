/** @module The start of the single executable file: what needs no machine. Its bundle holds nothing else. */
import { Command, type OptionValues } from 'commander';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { decodeCommands } from './decode-commands.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { EXIT_TEXT } from './exit-codes.ts';
import { fail } from './fail.ts';
import { endWhenOutputIsLost } from './lost-output.ts';
import { runProgram } from './run-program.ts';

/** Commands of the whole program that somebody may look for in this file: lab and supervisor. */
const ELSEWHERE =
  'run matrix sweep map diff-map hunt bisect repro einj scenarios show compare report web supply doctor watch inject completion fleet supervise agent controller drill store audit api simulate';

const argv = process.argv.slice(2);
endWhenOutputIsLost(argv);
process.on('uncaughtException', error => process.exit(fail(error, argv)));

const program = new Command('syndrome')
  .description(
    'Hardware memory errors in virtual machines: decode, predict, encode. Lab and supervisor are not in this file.',
  )
  .version(VERSION)
  .option('--color', 'colours even where the output is no terminal')
  .option('--no-color', 'no colours')
  .showSuggestionAfterError()
  .showHelpAfterError('(see --help)')
  .addHelpText('after', `\nExit codes:\n${EXIT_TEXT.map(([code, text]) => `  ${code.padEnd(9)} ${text}`).join('\n')}`);
decodeCommands(program, <T>(options: OptionValues) => ({ ...program.opts(), ...options }) as T);
for (const name of ELSEWHERE.split(' '))
  program
    .command(name, { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      throw new UsageError('E_SINGLE_FILE', `${name} is not in this file, which only decodes, predicts and encodes`, {
        hint: 'Install the whole program, which needs Node 24: its README says how.',
      });
    });
runProgram(program, argv).catch((error: unknown) => {
  process.exitCode = fail(error, argv);
});
