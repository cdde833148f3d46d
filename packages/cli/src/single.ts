/** @module The start of the single executable file: what needs no machine. Its bundle holds nothing else. */
import { Command, type OptionValues } from 'commander';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { decodeCommands } from './decode-commands.ts';
import { EXIT_TEXT } from './exit-codes.ts';
import { fail } from './fail.ts';
import { endWhenOutputIsLost } from './lost-output.ts';
import { runProgram } from './run-program.ts';

const argv = process.argv.slice(2);
endWhenOutputIsLost(argv);
process.on('uncaughtException', error => process.exit(fail(error, argv)));

const program = new Command('syndrome')
  .description('Hardware memory errors in virtual machines: decode, predict, encode. The lab is not in this file.')
  .version(VERSION)
  .option('--color', 'colours even where the output is no terminal')
  .option('--no-color', 'no colours')
  .showSuggestionAfterError()
  .showHelpAfterError('(see --help)')
  .addHelpText('after', `\nExit codes:\n${EXIT_TEXT.map(([code, text]) => `  ${code.padEnd(9)} ${text}`).join('\n')}`);
decodeCommands(program, <T>(options: OptionValues) => ({ ...program.opts(), ...options }) as T);
runProgram(program, argv).catch((error: unknown) => {
  process.exitCode = fail(error, argv);
});
