/** How work ends before it is done: by a signal, or because nobody takes its output any more. */
import { constants } from 'node:os';
import { say } from './output.ts';

let received: NodeJS.Signals | undefined;
let at = 0n;
let work: AbortController | undefined;
let lost: number | undefined;

/** One Ctrl-C may arrive several times: from the terminal, and handed on by npm or timeout(1). */
const SAME_NS = 1_000_000_000n;

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP; another one, a second or more later, ends the program at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  work = controller;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = process.hrtime.bigint();
    if (received) {
      if (now - at >= SAME_NS) process.exit(exitCodeOfSignal());
      return;
    }
    [received, at] = [signal, now];
    say('');
    say(`syndrome: ${signal}, cleaning up`);
    controller.abort(new DOMException('interrupted', 'AbortError'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}

/** 128 + n of the signal that ended the work; 130 where none is known. */
export function exitCodeOfSignal(): number {
  return 128 + (received === undefined ? constants.signals.SIGINT : constants.signals[received]);
}

/** Ends the program with this code because its output is lost: what it has started is cleaned up first. */
export function endWithoutOutput(code: number): void {
  if (lost !== undefined) return;
  lost = code;
  if (work === undefined) process.exit(code);
  process.on('exit', () => void (process.exitCode = code));
  work.abort(new DOMException('the output is lost', 'AbortError'));
}

/** The exit code, and what there is to say, of work that was ended before it was done; undefined when it was not. */
export function earlyEnd(): { code: number; line?: string } | undefined {
  if (received) return { code: exitCodeOfSignal(), line: `interrupted by ${received}` };
  return lost === undefined ? undefined : { code: lost };
}
