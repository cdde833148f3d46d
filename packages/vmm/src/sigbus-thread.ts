/**
 * Takes the kernel's early notice of a poisoned page (SIGBUS, BUS_MCEERR_AO), which goes to the one thread that asked for
 * it with PR_MCE_KILL. A thread of its own can wait for it in sigtimedwait(2); no signal handler is needed.
 */
import { parentPort } from 'node:worker_threads';
import { blockSignals, receiveEarlyKill, SIGNAL, takeSignal } from './libc.ts';
import type { FromSigbus } from './threads.ts';

/** How often the wait is begun anew; only so that the thread can be ended. */
const WAIT_MS = 1000;

blockSignals([SIGNAL.SIGBUS]);
receiveEarlyKill();

function next(): void {
  const signal = takeSignal([SIGNAL.SIGBUS], WAIT_MS);
  if (signal !== undefined) {
    const message: FromSigbus = { kind: 'sigbus', code: signal.code, hva: signal.address, lsb: signal.lsb };
    parentPort?.postMessage(message);
  }
  setImmediate(next);
}
next();
