/** How a script reads its command line; a wrong one is told in one line, with exit code 2. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { escapeText } from '@syndrome/decode/common/screen.ts';

/** Ends the script. @param message of one line; what was typed may be in it as it is */
export function wrongCommandLine(message: string): never {
  console.error(escapeText(message));
  process.exit(2);
}

/** As parseArgs of Node; without `options` and `allowPositionals` every argument is a wrong one. */
export function commandLine<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return wrongCommandLine(messageOf(error));
  }
}
