// Runs a program in our place: with our terminal, our signals and, in the end, its exit code.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program to its end. SIGINT, SIGTERM and SIGHUP that reach this process are handed on, and it is the child that
 * decides what they mean; a Ctrl-C of a terminal reaches the child by itself, as it goes to the whole process group.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, stdio?: import('node:child_process').StdioOptions }} [options]
 * @returns {Promise<{ code: number, interrupted: boolean, error?: Error }>} `code` is 128 + n for a child that ended by signal
 *   n, or that ended well although signal n was handed on to it; `interrupted` says that a signal was handed on or seen.
 */
export function runChild(command, args, options = {}) {
  return new Promise(resolve => {
    const child = spawn(command, [...args], { stdio: 'inherit', ...options });
    const terminal = [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY);
    /** @type {'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined} */
    let received;
    /** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
    const hand = signal => {
      received = signal;
      if (!(signal === 'SIGINT' && terminal)) child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, hand);
    /** @param {number} code @param {Error} [error] */
    const end = (code, error) => {
      for (const signal of SIGNALS) process.off(signal, hand);
      resolve({ code, interrupted: received !== undefined, ...(error === undefined ? {} : { error }) });
    };
    child.once('error', error => end(3, error));
    child.once('exit', (code, signal) => {
      const by = signal ?? (code === 0 ? received : undefined);
      end(by === undefined ? (code ?? 3) : 128 + (constants.signals[by] ?? 1));
    });
  });
}
