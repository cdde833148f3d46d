/** What to do when stdout takes nothing more, whoever was writing (help texts included). */
import { EXIT } from './exit-codes.ts';

/** A closed pipe (`| head`) ends the program quietly; a full disk is said in one line. */
export function endWhenOutputIsLost(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.pass);
    process.stderr.write(`syndrome: cannot write to stdout: ${error.message} [E_OUTPUT]\n`);
    process.exit(EXIT.error);
  });
}
