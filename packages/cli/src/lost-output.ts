/** What to do when stdout or stderr takes nothing more, whoever was writing (help texts included). */
import { EXIT, exitTable } from './exit-codes.ts';
import { endWithoutOutput } from './interrupt.ts';
import { onLostOutput, say } from './output.ts';

/** Commands that do more than print: where they did not come to their end, nothing is known. */
const WORKS: ReadonlySet<string> = new Set(['run', 'matrix', 'sweep', 'hunt', 'bisect', 'repro', 'einj', 'fetch']);

/** A closed pipe (`| head`) ends the program quietly; a full disk is said in one line. */
export function endWhenOutputIsLost(argv: readonly string[]): void {
  const { error } = exitTable(argv);
  let said = false;
  onLostOutput(cause => {
    if (cause.code === 'EPIPE') {
      const words = argv.filter(a => !a.startsWith('-')).slice(0, 2);
      const unfinished = words.some(word => WORKS.has(word)) ? error : EXIT.pass;
      return endWithoutOutput(Number(process.exitCode ?? unfinished));
    }
    if (!said) say(`syndrome: cannot write to stdout: ${cause.message} [E_OUTPUT]`);
    said = true;
    endWithoutOutput(error);
  });
}
