/** What to do when stdout or stderr takes nothing more, whoever was writing (help texts included). */
import { EXIT, exitTable } from './exit-codes.ts';
import { endWithoutOutput } from './interrupt.ts';

/** Commands that do more than print: where they did not come to their end, nothing is known. */
const WORKS: ReadonlySet<string> = new Set(['run', 'matrix', 'bisect', 'fetch']);

/** A closed pipe (`| head`) ends the program quietly; a full disk is said in one line. */
export function endWhenOutputIsLost(argv: readonly string[]): void {
  const { error } = exitTable(argv);
  let said = false;
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') {
      const words = argv.filter(a => !a.startsWith('-')).slice(0, 2);
      const unfinished = words.some(word => WORKS.has(word)) ? error : EXIT.pass;
      return endWithoutOutput(Number(process.exitCode ?? unfinished));
    }
    if (!said) process.stderr.write(`syndrome: cannot write to stdout: ${cause.message} [E_OUTPUT]\n`);
    said = true;
    endWithoutOutput(error);
  });
  // What stands there is for people and decides nothing: the work goes on.
  process.stderr.on('error', () => {});
}
