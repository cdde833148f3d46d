/** @module Questions to a controller, from a program of the same user. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { type Answer, adminLine, MAX_ANSWER_BYTES, parseAnswer, type Question } from '../wire/admin.ts';
import { LineSocket } from '../wire/line-socket.ts';

/** No controller answers, or it refused. Carries the code of the controller where it gave one. */
class AskError extends SyndromeError {}

const DEADLINE_MS = 30_000;

/**
 * Asks one question and takes its answer; `onEvent` hears what was subscribed to, from `onAnswer` on, until `signal` aborts.
 * @throws AskError E_FLEET_CONTROLLER where nobody answers at the socket, or where the controller ends while something is
 * subscribed to; the controller's own code where it refuses
 */
export async function ask(
  path: string,
  question: Question,
  options: {
    deadlineMs?: number;
    onEvent?: (event: unknown) => void;
    onAnswer?: () => void;
    signal?: AbortSignal;
  } = {},
): Promise<unknown> {
  const { deadlineMs = DEADLINE_MS, onEvent, onAnswer, signal } = options;
  const hint =
    'Start one with `syndrome supervise --config FILE` (or `syndrome controller`), and name the same file here.';
  const gone = (why: string, cause?: unknown): AskError =>
    new AskError('E_FLEET_CONTROLLER', `no controller answers at ${path}: ${why}`, {
      hint,
      ...(cause === undefined ? {} : { cause }),
    });
  const socket = connect({ path });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(deadlineMs) });
  } catch (cause) {
    socket.destroy();
    throw gone(messageOf(cause), cause);
  }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const take = (answer: Answer): void => {
    if ('event' in answer) return onEvent?.(answer.event);
    if ('result' in answer) return resolve(answer.result);
    const { code, message, hint: help } = answer.error;
    return reject(new AskError(code, message, help === undefined ? {} : { hint: help }));
  };
  const lines = new LineSocket(socket, MAX_ANSWER_BYTES, {
    line: text => take(parseAnswer(text)),
    farewell: ({ message }) => message,
    ended: error => {
      const why = gone(error === undefined ? 'it ended the connection' : messageOf(error), error);
      reject(why);
      lost.reject(why);
    },
  });
  const timer = setTimeout(() => reject(gone(`it did not answer within ${deadlineMs} ms`)), deadlineMs);
  try {
    lines.send(adminLine({ id: 1, question }));
    const result = await promise;
    clearTimeout(timer);
    onAnswer?.();
    if (onEvent !== undefined && signal !== undefined && !signal.aborted)
      await Promise.race([once(signal, 'abort'), lost.promise]);
    return result;
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
    lines.close();
  }
}
