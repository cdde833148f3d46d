import { constants } from 'node:os';

let received: NodeJS.Signals | undefined;
let at = 0n;

/** One Ctrl-C may arrive several times: from the terminal, and handed on by npm or timeout(1). */
const SAME_NS = 1_000_000_000n;

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP; another one, a second or more later, ends the program at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = process.hrtime.bigint();
    if (received) {
      if (now - at >= SAME_NS) process.exit(exitCodeOfSignal());
      return;
    }
    [received, at] = [signal, now];
    process.stderr.write(`\nsyndrome: ${signal}, cleaning up\n`);
    controller.abort(new DOMException('interrupted', 'AbortError'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}

/** 128 + n of the signal that ended the work; 130 where none is known. */
export function exitCodeOfSignal(): number {
  return 128 + (received === undefined ? constants.signals.SIGINT : constants.signals[received]);
}
