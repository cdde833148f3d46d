import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { messageLine, WIRE_VERSION } from '../wire/messages.ts';
import { rowLine } from '../wire/row.ts';
import { Agents, PING_MS } from './agents.ts';
import { type Listening, listenAt } from './listen.ts';

let dir = '';
let server: Listening;
let now = 0;
let went: string[] = [];
/** Rows that are to be written; each call says until which all is. */
let take: (rows: { seq: number }[]) => Promise<number> = async rows => rows.at(-1)?.seq ?? 0;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const list: string[] = [];
  [now, went] = [0, list];
  dir = mkdtempSync(join(tmpdir(), 'agents-'));
  const desk = {
    take: (rows: { seq: number }[]) => take(rows),
    upto: async () => 7,
    came: () => {},
    went: (host: string) => void list.push(host),
    log: () => {},
    time: () => now,
  };
  const agents = new Agents(desk, () => now);
  server = await listenAt(join(dir, 'run/s'), socket => agents.accept(socket));
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
  rmSync(dir, { recursive: true });
});

const HELLO = `${messageLine({ type: 'hello', version: WIRE_VERSION, host: 'h', spool: 's', agent: 'test' })}\n`;
const line = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

test('an agent that is silent for too long is left, also before it has said hello', async () => {
  const [mute, stopped] = [connect(join(dir, 'run/s')), connect(join(dir, 'run/s'))];
  const said = text(mute);
  stopped.write(HELLO);
  expect(await line(stopped)).toContain('"upto":7');
  const rest = text(stopped);
  for (let i = 0; i < 4; i++) {
    now += PING_MS;
    vi.advanceTimersByTime(PING_MS);
  }
  expect(await said).toContain('E_WIRE_STALLED');
  expect(await rest).toMatch(/"ping","n":1[^]*"ping","n":3[^]*E_WIRE_STALLED/);
  expect(went).toEqual(['h']);
});

test('an agent that answers stays', async () => {
  const socket = connect(join(dir, 'run/s'));
  socket.write(HELLO);
  await line(socket);
  for (let n = 1; n <= 6; n++) {
    now += PING_MS;
    vi.advanceTimersByTime(PING_MS);
    expect(await line(socket)).toContain(`"n":${n}`);
    socket.write(`${messageLine({ type: 'pong', n })}\n`);
    // The answer was taken when the row behind it is.
    socket.write(
      `{"type":"rows","rows":[${rowLine({ seq: n, at: 1, said: { kind: 'source', source: 'qmp', state: 'reading' } })}]}\n`,
    );
    expect(await line(socket)).toContain(`"upto":${n}`);
  }
  expect(went).toEqual([]);
  socket.destroy();
});

test('an agent whose rows cannot be written is left, and told nothing of them', async () => {
  take = () => Promise.reject(new Error('stopped'));
  const socket = connect(join(dir, 'run/s'));
  socket.write(HELLO);
  await line(socket);
  const rest = text(socket);
  socket.write(
    `{"type":"rows","rows":[${rowLine({ seq: 1, at: 1, said: { kind: 'source', source: 'qmp', state: 'reading' } })}]}\n`,
  );
  expect(await rest).toBe('');
  expect(went).toEqual(['h']);
});
