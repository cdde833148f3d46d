/** @module A program of the operator's that is told of a notice: argv from the configuration, no shell, the notice on its standard input. */
import { spawn } from 'node:child_process';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Notice } from '../core/notice.ts';
import { cloudEvent } from './cloud-event.ts';
import { NotifyError } from './errors.ts';
import { PROGRAM_ENV, PROGRAM_HINT, whyNotProgram } from './program.ts';
import type { Delivery, HookTarget } from './target.ts';

const DEADLINE_MS = 30_000;
const MAX_STDERR = 2048;

/** @throws NotifyError E_NOTIFY_HOOK where somebody else could choose what runs */
export function checkHook(target: HookTarget): void {
  const [program] = target.argv;
  const why = whyNotProgram(program);
  if (why !== undefined)
    throw new NotifyError('E_NOTIFY_HOOK', `the hook ${target.name}: ${program} ${why}`, { hint: PROGRAM_HINT });
}

/** Runs it once. Its environment has a PATH and nothing of ours. Exit code 0 is delivered. Never rejects. */
export function runHook(target: HookTarget, site: string, notice: Notice, signal?: AbortSignal): Promise<Delivery> {
  const [program, ...args] = target.argv;
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const deadline = AbortSignal.timeout(target.deadlineMs ?? DEADLINE_MS);
  let stderr = '';
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: PROGRAM_ENV,
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    killSignal: 'SIGKILL',
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, MAX_STDERR)));
  // It may end without reading.
  child.stdin.on('error', () => undefined).end(`${JSON.stringify(cloudEvent(site, notice))}\n`);
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
