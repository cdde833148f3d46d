/** @module A program of the operator's that is told of a notice: argv from the configuration, no shell, the notice on its standard input. */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Notice } from '../core/notice.ts';
import { cloudEvent } from './cloud-event.ts';
import { NotifyError } from './errors.ts';
import { openProgram, PROGRAM_ENV, PROGRAM_HINT } from '@syndrome/base/disk/program.ts';
import type { OpenProgram } from '@syndrome/base/disk/program.ts';
import type { Delivery, HookTarget } from './target.ts';

const DEADLINE_MS = 30_000;
const MAX_STDERR = 2048;

/** What is run in the child: the very file that was looked at, whatever lies at its path by then. */
const CHILD_FD = 3;

/** @throws NotifyError E_NOTIFY_HOOK where somebody else could choose what runs */
function openHook(target: HookTarget): OpenProgram {
  const [program] = target.argv;
  const opened = openProgram(program);
  if (typeof opened !== 'string') return opened;
  throw new NotifyError('E_NOTIFY_HOOK', `the hook ${target.name}: ${program} ${opened}`, { hint: PROGRAM_HINT });
}

/**
 * Looks at a hook as each run does.
 * @returns in what it is weaker than a hook of root; undefined where it is none
 * @throws NotifyError E_NOTIFY_HOOK where somebody else could choose what runs
 */
export function checkHook(target: HookTarget): string | undefined {
  const { fd, weak } = openHook(target);
  closeSync(fd);
  return weak === undefined ? undefined : `the hook ${target.name} runs ${target.argv[0]}, and ${weak}`;
}

/**
 * Looks at it anew, and runs once what was looked at. Its environment has a PATH and nothing of ours. Exit code 0 is delivered. Never
 * rejects.
 */
export function runHook(target: HookTarget, site: string, notice: Notice, signal?: AbortSignal): Promise<Delivery> {
  const [program, ...args] = target.argv;
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  let fd: number;
  try {
    fd = openHook(target).fd;
  } catch (error) {
    return Promise.resolve({ ok: false, why: messageOf(error) });
  }
  const deadline = AbortSignal.timeout(target.deadlineMs ?? DEADLINE_MS);
  let stderr = '';
  const child = spawn(`/proc/self/fd/${CHILD_FD}`, args, {
    argv0: program,
    stdio: ['pipe', 'ignore', 'pipe', fd],
    env: PROGRAM_ENV,
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    killSignal: 'SIGKILL',
  });
  closeSync(fd);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, MAX_STDERR)));
  // It may end without reading.
  child.stdin?.on('error', () => undefined).end(`${JSON.stringify(cloudEvent(site, notice))}\n`);
  child.on('error', error =>
    resolve({
      ok: false,
      why: deadline.aborted
        ? `it ran longer than ${target.deadlineMs ?? DEADLINE_MS} ms and was ended`
        : messageOf(error),
    }),
  );
  child.on('exit', (code, by) => {
    if (code === 0) return resolve({ ok: true });
    const how = by === null ? `exit code ${code}` : `ended by ${by}`;
    return resolve({ ok: false, why: stderr === '' ? how : `${how}: ${safeText(stderr.trim(), 200)}` });
  });
  return promise;
}
