/** @module The customer of a drill: a receiver of webhooks on loopback that believes signed ones only, and counts ids. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A notice that came and was signed. */
export interface Received {
  /** ms UTC by the receiver's clock. */
  at: number;
  id: string;
  type: string;
  subject?: string;
  data: Readonly<Record<string, unknown>>;
}

const MAX_BODY = 1 << 20;

/** Whether the body was signed with the secret (Standard Webhooks 1.0.0, verification). */
function isSigned(headers: IncomingHttpHeaders, body: string, secret: Uint8Array): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers;
  const expected = Buffer.from(
    createHmac('sha256', secret)
      .update(`${String(id)}.${String(timestamp)}.${body}`)
      .digest('base64'),
  );
  return String(given)
    .split(' ')
    .map(one => Buffer.from(one.replace(/^v1,/, '')))
    .some(one => one.length === expected.length && timingSafeEqual(one, expected));
}

/** Listens until it is closed. What is not signed is refused, and counted. */
export async function receive(
  secretOf: () => Uint8Array | undefined,
  onNotice: (notice: Received) => void,
): Promise<{ url: string; refused(): number; close(): void }> {
  let refused = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
      if (body.length > MAX_BODY) request.destroy();
    });
    request.on('end', () => {
      const at = Date.now();
      const secret = secretOf();
      if (secret === undefined || !isSigned(request.headers, body, secret)) {
        refused++;
        response.writeHead(401).end();
        return;
      }
      const { id, type, subject, data } = JSON.parse(body) as Received;
      onNotice({ at, id, type, data, ...(subject === undefined ? {} : { subject }) });
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    refused: () => refused,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
