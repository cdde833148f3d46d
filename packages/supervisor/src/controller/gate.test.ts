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

/** A host that has connected, and waits. */
async function waits(host: string): Promise<{ heard: Promise<string> }> {
  const taken = once(server, 'connection');
  const heard = hears(host);
  await taken;
  return { heard };
}
const ELSEWHERE = { type: 'refused', code: 'E_WIRE_ELSEWHERE' };

test('an agent comes to the ledger of its host while this process works on it; a host of no ledger is refused at once', async () => {
  const door = await gate.door('north')(takes);
  expect(await hears('n-1')).toBe('welcome n-1');
  await door.close();
  expect(JSON.parse(await hears('s-1'))).toMatchObject({ type: 'refused', code: 'E_WIRE_SHARD' });
});

test('one that comes before this process works waits at the gate, and is let in when it does', async () => {
  gate.elsewhere('north', { owner: 'killed', until: 1000 });
  const waiting = [await waits('n-1'), await waits('n-2')];
  // Seen again, and never renewed: whoever that was works no more.
  for (let i = 0; i < 3; i++) gate.elsewhere('north', { owner: 'killed', until: 1000 });
  await gate.door('north')(takes);
  expect(await Promise.all(waiting.map(({ heard }) => heard))).toEqual(['welcome n-1', 'welcome n-2']);
});

test.each([
  ['the one that works renews its lease', { owner: 'other', until: 2000 }],
  ['another one has taken over', { owner: 'third', until: 1000 }],
])('it is sent on once %s', async (_, later) => {
  gate.elsewhere('north', { owner: 'other', until: 500 });
  const { heard } = await waits('n-1');
  gate.elsewhere('north', { owner: 'other', until: 1000 });
  gate.elsewhere('south', later);
  gate.elsewhere('north', later);
  expect(JSON.parse(await heard)).toMatchObject(ELSEWHERE);
});

test('it is sent on in a bounded time where nobody works', async () => {
  gate = new AgentGate(() => 'north', 20);
  expect(JSON.parse(await hears('n-1'))).toMatchObject(ELSEWHERE);
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
