import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentGate } from './gate.ts';

let server: Server;
let gate: AgentGate;
let identity = '';

beforeEach(async () => {
  gate = new AgentGate(host => (host.startsWith('n-') ? 'north' : undefined));
  server = createServer(socket => gate.accept(socket, identity)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

/** What a host hears that connects. */
async function hears(host: string): Promise<string> {
  identity = host;
  const { port } = server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  return (await text(socket)).trim();
}

const takes = (socket: Socket, host: string): void => void socket.end(`welcome ${host}`);

test('an agent comes to the ledger of its host while this process works on it, and is sent on else', async () => {
  const elsewhere = { type: 'refused', code: 'E_WIRE_ELSEWHERE' };
  expect(JSON.parse(await hears('n-1'))).toMatchObject(elsewhere);
  const door = await gate.door('north')(takes);
  expect(await hears('n-1')).toBe('welcome n-1');
  await door.close();
  expect(JSON.parse(await hears('n-1'))).toMatchObject(elsewhere);
  expect(JSON.parse(await hears('s-1'))).toMatchObject({ type: 'refused', code: 'E_WIRE_SHARD' });
});

test('with a work the connections end that came to it: their agents look for the next one', async () => {
  let here: (() => void) | undefined;
  const came = new Promise<void>(resolve => (here = resolve));
  const door = await gate.door('north')(() => here?.());
  const heard = hears('n-1').catch((error: NodeJS.ErrnoException) => error.code);
  await came;
  await door.close();
  expect(['', 'ECONNRESET']).toContain(await heard);
});

test('the end of a work before does not close the door of the one that has begun', async () => {
  const old = await gate.door('north')(() => {});
  await gate.door('north')(takes);
  await old.close();
  expect(await hears('n-1')).toBe('welcome n-1');
});
