import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WireError } from './errors.ts';
import { LineSocket } from './line-socket.ts';

let dir = '';
let server: Server;
let ours: Socket;
let theirs: Socket;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lines-'));
  server = createServer().listen(join(dir, 's'));
  await once(server, 'listening');
  theirs = connect(join(dir, 's'));
  [ours] = (await once(server, 'connection')) as [Socket];
});
afterEach(async () => {
  theirs.destroy();
  ours.destroy();
  server.close();
  rmSync(dir, { recursive: true });
});

/** Everything that the peer said, and how the connection ended. */
function listen(line: (text: string) => void | Promise<void> = () => {}): {
  end: Promise<Error | undefined>;
  socket: LineSocket;
} {
  const { promise: end, resolve } = Promise.withResolvers<Error | undefined>();
  const farewell = (error: WireError): string => `bye ${error.code}`;
  return { end, socket: new LineSocket(ours, 100, { line, ended: resolve, farewell }) };
}

test('lines come one after the other, however they are cut', async () => {
  const got: string[] = [];
  let busy = 0;
  const { end } = listen(async line => {
    expect(++busy).toBe(1);
    await new Promise(resolve => setImmediate(resolve));
    busy--;
    got.push(line);
  });
  theirs.write('a\nb');
  theirs.write('b\n\nc\n');
  theirs.end('cut');
  expect(await end).toBeUndefined();
  expect(got).toEqual(['a', 'bb', 'c']);
});

test.each<[string, string | Uint8Array, string]>([
  ['a line that is too long', 'x'.repeat(101), 'E_WIRE_LINE'],
  ['no UTF-8', Uint8Array.of(0xff, 0x0a), 'E_WIRE_LINE'],
  ['what the listener refuses', 'refuse\n', 'E_WIRE_MESSAGE'],
])('%s ends the connection, with a word of why', async (_what, sent, code) => {
  const { end, socket } = listen(line => {
    if (line === 'refuse') throw new WireError('E_WIRE_MESSAGE', 'no');
  });
  theirs.write(sent);
  expect(await end).toMatchObject({ code });
  expect(socket.closed).toBe(true);
  expect(await text(theirs)).toBe(`bye ${code}\n`);
  socket.send('lost');
});

test('a defect of the listener ends the connection, and is told', async () => {
  const { end } = listen(() => {
    throw new TypeError('ours');
  });
  theirs.write('x\n');
  expect(await end).toMatchObject({ message: 'ours' });
});

test('a peer that does not read is left', async () => {
  const { end, socket } = listen();
  theirs.pause();
  const line = 'x'.repeat(1 << 20);
  for (let i = 0; i < 80 && !socket.closed; i++) socket.send(line);
  expect(await end).toMatchObject({ code: 'E_WIRE_STALLED' });
});
