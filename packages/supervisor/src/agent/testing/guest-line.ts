/** One line to the lab's guest agent and its answer, over the socket of its serial port. */
import net from 'node:net';

const ANSWER_MS = 30_000;
let last = 0;

/** Sends a command; gives the answer's line. @example await guestLine(path, 'hello') */
export function guestLine(path: string, command: string): Promise<string> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    let text = '';
    const end = (error: Error | undefined, line = ''): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve(line);
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error(`no answer to ${command}`)), ANSWER_MS);
    socket.on('error', end);
    socket.on('connect', () => socket.write(`${id} ${command}\n`));
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      const line = new RegExp(`^R ${id} .*\n`, 'm').exec(text)?.[0];
      if (line !== undefined) end(undefined, line.trim());
    });
  });
}
