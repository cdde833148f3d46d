/** @module A receiver of webhooks on loopback, for tests: it keeps what comes, and answers what it is told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** Answers with the next of the given statuses, and with 204 when they are used up. */
export async function receiver(
  answers: readonly { status: number; headers?: Record<string, string>; body?: string; silent?: boolean }[] = [],
): Promise<{ url: string; received: Received[]; [Symbol.asyncDispose](): Promise<void> }> {
  const received: Received[] = [];
  const left = [...answers];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const { status, headers, body: answer, silent } = left.shift() ?? { status: 204 };
      if (silent === true) return;
      response.writeHead(status, headers).end(answer);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
