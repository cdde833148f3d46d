import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act } from '../core/act.ts';
import {
  type AgentMessage,
  type ControllerMessage,
  messageLine,
  parseAgentMessage,
  WIRE_VERSION,
} from '../wire/messages.ts';
import { toJson } from '../wire/json.ts';
import { Spool } from './spool/spool.ts';
import { runUplink, type UplinkOptions } from './uplink.ts';

/** What a controller keeps of one agent: rows by spool and seq, and the highest one without a hole before it. */
class Store {
  readonly rows = new Map<string, string>();
  readonly upto = new Map<string, number>();
  received = 0;

  take(spool: string, rows: { seq: number; said: unknown }[]): number {
    for (const { seq, said } of rows) {
      this.received++;
      const key = `${spool}/${seq}`;
      const body = toJson(said);
      // A number never says two things.
      if ((this.rows.get(key) ?? body) !== body) throw new Error(`${key} says two things`);
      this.rows.set(key, body);
    }
    let upto = this.upto.get(spool) ?? 0;
    while (this.rows.has(`${spool}/${upto + 1}`)) upto++;
    this.upto.set(spool, upto);
    return upto;
  }
}

let folder: string;
let spool: Spool;
let end: AbortController;
let running: Promise<void>;
let server: net.Server;
const sockets = new Set<net.Socket>();
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'up-'));
  spool = await Spool.open(join(folder, 'spool'), { segmentBytes: 2048 });
  end = new AbortController();
  running = Promise.resolve();
  server = net.createServer();
});
afterEach(async () => {
  end.abort();
  await running;
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => server.close(resolve));
  await spool.close();
  rmSync(folder, { recursive: true });
});

type Say = (message: ControllerMessage) => void;
/** A controller that hears each message, and says what it likes. */
async function controller(hear: (message: AgentMessage, say: Say, socket: net.Socket) => void): Promise<void> {
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let rest = '';
    const say: Say = message => void (socket.destroyed || socket.write(`${messageLine(message)}\n`));
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) hear(parseAgentMessage(line), say, socket);
    });
  });
  await new Promise<void>(resolve => server.listen(join(folder, 'c.sock'), resolve));
}

function start(more: Partial<UplinkOptions> = {}): void {
  const options = {
    socket: join(folder, 'c.sock'),
    host: 'a',
    agent: 'test',
    onAct: () => undefined,
    firstMs: 1,
    longestMs: 5,
  };
  running = runUplink(spool, { ...options, ...more }, end.signal);
}

const row = (n: number): string => toJson({ kind: 'source', source: 'agent', state: 'reading', reason: `row ${n}` });
async function fill(rows: number): Promise<void> {
  for (let i = 0; i < rows; i++) spool.append(row(spool.lastSeq + 1));
  await spool.durable(spool.lastSeq);
}

/** An ordinary controller; resolves when it has so many rows of the spool without a hole. */
function ordinary(store: Store, rows: number, trouble: (n: number, socket: net.Socket) => boolean = () => false) {
  let of = '';
  let n = 0;
  return new Promise<void>((resolve, reject) => {
    controller((message, say, socket) => {
      if (message.type === 'hello') {
        of = message.spool;
        return say({ type: 'welcome', version: WIRE_VERSION, now: Date.now(), upto: store.upto.get(of) ?? 0 });
      }
      if (message.type !== 'rows') return;
      if (trouble(n++, socket)) return;
      const upto = store.take(of, message.rows);
      say({ type: 'ack', upto });
      if (upto >= rows) resolve();
    }).catch(reject);
  });
}

describe('the uplink', () => {
  test('brings every durable row, in order, and forgets what the controller has', { timeout: 20_000 }, async () => {
    const store = new Store();
    await fill(300);
    const all = ordinary(store, 500);
    start();
    await fill(200);
    await all;
    expect(store.rows.size).toBe(500);
    expect(store.received).toBe(500);
    // The ack is on its way: all but the last segment go.
    while (spool.bytes > 4096) await new Promise<void>(resolve => spool.onChange(resolve));
    expect(spool.bytes).toBeLessThan(4096);
  });

  test('at least once: what was not confirmed comes again over the next connection', { timeout: 20_000 }, async () => {
    const store = new Store();
    // Every second message is taken, not answered, and the connection breaks.
    const all = ordinary(store, 600, (n, socket) => {
      if (n % 2 === 0) socket.destroy();
      return n % 2 === 0;
    });
    start();
    for (let i = 0; i < 6; i++) await fill(100);
    await all;
    expect(store.rows.size).toBe(600);
  });

  test('hands on acts, and answers pings', async () => {
    const hourAhead = Date.now() + 3_600_000;
    const of = { id: 'x', kind: 'stop', host: 'a', vm: 'web', epoch: 1, incident: 'inc-1', pfn: 5n } as const;
    const acts: Act[] = [];
    const pong = new Promise<AgentMessage>(resolve => {
      void controller((message, say) => {
        if (message.type !== 'hello') return resolve(message);
        expect(message).toEqual({ type: 'hello', version: WIRE_VERSION, host: 'a', spool: spool.id, agent: 'test' });
        say({ type: 'welcome', version: WIRE_VERSION, now: hourAhead, upto: 0 });
        say({ type: 'act', act: { ...of, deadline: hourAhead + 60_000 } });
        say({ type: 'ping', n: 7, now: hourAhead });
      });
    });
    start({ onAct: a => acts.push(a) });
    expect(await pong).toEqual({ type: 'pong', n: 7, waiting: 0 });
    // In a minute, by the clock of this machine.
    const { deadline, ...act } = acts[0] ?? expect.fail('no act');
    expect(act).toEqual(of);
    expect(Math.abs(deadline - Date.now() - 60_000)).toBeLessThan(60_000);
  });

  test('a connection on which nothing comes is half open, and left', async () => {
    let hellos = 0;
    const twice = new Promise<void>(resolve => {
      void controller(message => {
        if (message.type === 'hello' && ++hellos === 2) resolve();
      });
    });
    const states: (string | undefined)[] = [];
    start({ silenceMs: 30, onState: s => states.push(s) });
    await twice;
    expect(states[0]).toContain('half open');
  });

  test('where the controller has more rows than there are, no number is used again', async () => {
    await fill(3);
    const { id } = spool;
    const rows = new Promise<AgentMessage>(resolve => {
      void controller((message, say) => {
        if (message.type === 'hello')
          say({ type: 'welcome', version: WIRE_VERSION, now: Date.now(), upto: message.spool === id ? 10 : 0 });
        else resolve(message);
      });
    });
    start();
    expect(await rows).toMatchObject({ rows: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
    expect(spool.id).not.toBe(id);
  });

  test('what a disk has lost behind its fsync is not taken for what was written since', async () => {
    await fill(3);
    await spool.close();
    spool = await Spool.open(join(folder, 'spool'));
    // Before the power went the controller had two rows more of it; these two are others.
    const { id } = spool;
    await fill(2);
    const rows = new Promise<AgentMessage>(resolve => {
      void controller((message, say) => {
        if (message.type === 'hello')
          say({ type: 'welcome', version: WIRE_VERSION, now: Date.now(), upto: message.spool === id ? 5 : 0 });
        else resolve(message);
      });
    });
    start();
    const { rows: said } = (await rows) as AgentMessage & { type: 'rows' };
    expect(spool.id).not.toBe(id);
    expect(said.map(({ said }) => toJson(said))).toEqual(expect.arrayContaining([row(4), row(5)]));
  });

  test('refuses another version, what is no message, and a folder that others may write to', async () => {
    const answers = [
      messageLine({ type: 'welcome', version: WIRE_VERSION + 1, now: 0, upto: 0 }),
      'nonsense',
      '{"type":"refused","code":"E_X","reason":"no"}',
    ];
    let n = 0;
    await controller((message, _say, socket) => {
      if (message.type === 'hello') socket.write(`${answers[Math.min(n++, 2)]}\n`);
    });
    const states: string[] = [];
    const three = new Promise<void>(resolve => {
      start({ onState: s => states.push(s ?? 'up') === 3 && resolve() });
    });
    await three;
    expect(states[0]).toContain(`version ${WIRE_VERSION + 1} of the wire`);
    expect(states[1]).toContain('no JSON');
    expect(states[2]).toContain('refuses this agent: no');
    end.abort();
    await running;
    end = new AbortController();
    const open = new Promise<string | undefined>(resolve => {
      start({ socket: '/tmp/c.sock', onState: resolve });
    });
    expect(await open).toContain('others may write');
  });
});
