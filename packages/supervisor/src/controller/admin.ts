/** @module Questions of the command line, and their answers. */
import type { Socket } from 'node:net';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { type Answer, adminLine, MAX_ASK_BYTES, parseAsk, type Question } from '../wire/admin.ts';
import { LineSocket } from '../wire/line-socket.ts';

/** Answers a question. `tell` sends what was subscribed to, until the connection ends. */
export type Respond = (question: Question, tell: (event: unknown) => void, ended: AbortSignal) => Promise<unknown>;

/** Takes a connection of the command line: one question after the other. A line that is none ends it. */
export function serveAdmin(socket: Socket, respond: Respond, log: (line: string) => void): void {
  const over = new AbortController();
  const lines = new LineSocket(socket, MAX_ASK_BYTES, {
    line: async text => {
      const { id, question } = parseAsk(text);
      lines.send(
        adminLine(await answerTo(id, () => respond(question, event => lines.send(adminLine({ event })), over.signal))),
      );
    },
    farewell: ({ code, message }) => adminLine({ id: 0, error: { code, message } }),
    ended: error => {
      over.abort();
      if (error !== undefined) log(`a command line was left: ${messageOf(error)}`);
    },
  });
}

async function answerTo(id: number, respond: () => Promise<unknown>): Promise<Answer> {
  try {
    return { id, result: (await respond()) ?? null };
  } catch (error) {
    if (!(error instanceof SyndromeError)) throw error;
    const { code, hint } = error;
    return { id, error: { code, message: messageOf(error).slice(0, 10_000), ...(hint === undefined ? {} : { hint }) } };
  }
}
