/** A command line, as far as a test needs one. */
import { connect } from 'node:net';
import { type Answer, adminLine, MAX_ANSWER_BYTES, parseAnswer, type Question } from '../../wire/admin.ts';
import { LineSocket } from '../../wire/line-socket.ts';

/** Asks one question. `event` takes what is told beside; the connection ends with the answer unless it is given. */
export function ask(
  path: string,
  question: Question,
  event?: (event: unknown) => void,
): Promise<Answer & { result?: unknown; error?: { code: string; message: string } }> {
  return new Promise((resolve, reject) => {
    const lines = new LineSocket(connect(path), MAX_ANSWER_BYTES, {
      line: text => {
        const answer = parseAnswer(text);
        if ('event' in answer) return event?.(answer.event);
        resolve(answer);
        if (event === undefined) lines.close();
      },
      ended: error => reject(error ?? new Error('the controller has hung up')),
    });
    lines.send(adminLine({ id: 1, question }));
  });
}
