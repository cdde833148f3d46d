import { type Command, CommanderError } from 'commander';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { printLines } from './output.ts';

/**
 * Runs the command line on a command tree.
 * @throws UsageError when it is wrong; whatever the command throws.
 */
export async function runProgram(root: Command, argv: readonly string[]): Promise<void> {
  const every = (command: Command): void => {
    command.exitOverride();
    command.configureOutput({ writeOut: printLines, writeErr: () => {} });
    for (const sub of command.commands) every(sub);
  };
  every(root);
  if (argv.length === 0) {
    root.outputHelp();
    return;
  }
  try {
    await root.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const message = error.message.replace(/^error: /, '').trim();
    if (error.code === 'commander.help')
      throw new UsageError('E_USAGE', 'a sub-command is missing', { hint: 'See --help.' });
    throw new UsageError('E_USAGE', message, { hint: 'See --help.' });
  }
}
