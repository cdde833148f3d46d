import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Peer, peerServer, type PeerServer } from '@syndrome/qemu/qmp/testing/peer.ts';
import type { Said } from '../../core/said.ts';
import { Units } from '../units.ts';
import type { Source } from '../source.ts';
import { Vms } from '../vms.ts';
import { Emitted } from './emitted.ts';
import { type QmpOptions, QmpFolders, QmpSource } from './qmp.ts';

let server: PeerServer;
let end: AbortController;
let said: Said[];
let running: Promise<void>;
let hear: (() => void)[];

beforeEach(async () => {
  server = await peerServer();
  end = new AbortController();
  said = [];
  hear = [];
});
afterEach(async () => {
  end.abort();
  await running;
  await server.close();
});

const vms = (): Vms => new Vms();
const QUICK: QmpOptions = { vms: vms(), units: new Units(), epochOf: () => 7, firstMs: 1, longestMs: 2 };
function start(options: Partial<QmpOptions> = {}): void {
  read(new QmpSource(server.path, { ...QUICK, vms: vms(), ...options }));
}
function read(source: Source): void {
  const sink = (s: Said): void => {
    said.push(s);
    for (const wake of hear.splice(0)) wake();
  };
  running = source.run(sink, end.signal, () => undefined);
}

/** Waits until something that was said is so. */
async function until(what: (s: Said) => boolean): Promise<Said> {
  for (;;) {
    const found = said.find(what);
    if (found !== undefined) return found;
    await new Promise<void>(resolve => hear.push(resolve));
  }
}
const state =
  (name: string) =>
  (s: Said): boolean =>
    s.kind === 'source' && s.state === name;

/** Answers everything that is asked, as a QEMU of that name in that state. */
async function answer(peer: Peer, { name = 'web', status = 'running' } = {}): Promise<void> {
  await peer.greet();
  void (async () => {
    for (;;) {
      const { execute, id } = await peer.command();
      const answers: Record<string, unknown> = {
        'query-name': { name },
        'query-status': { running: status === 'running', status },
        'query-memory-size-summary': { 'base-memory': 134_217_728, 'plugged-memory': 0 },
      };
      await peer.say({ return: answers[execute ?? ''] ?? {}, id });
    }
  })();
}

const FAILURE = {
  event: 'MEMORY_FAILURE',
  data: { recipient: 'guest', action: 'inject', flags: { 'action-required': true, recursive: false } },
  timestamp: { seconds: 1_795_914_984, microseconds: 562_398 },
};

describe('QmpSource', () => {
  test('tells the whole state of its VM, then each event', async () => {
    writeFileSync(`${server.path}.yaml`, 'optedIn: true\ndisks: [/srv/web.img]\nowner: nobody\n');
    start();
    const peer = await server.accept();
    await answer(peer);
    expect(await until(s => s.kind === 'vm')).toMatchObject({
      vm: 'web',
      state: 'running',
      vmm: 'qemu',
      // The peer is this process: that is who listens.
      pid: process.pid,
      disks: ['/srv/web.img'],
      memoryBytes: 134_217_728,
      optedIn: true,
      owner: 'nobody',
      autostart: false,
      epoch: 7,
    });
    await until(state('reading'));
    await peer.say(FAILURE, { event: 'NIC_RX_FILTER_CHANGED', data: {} });
    expect(await until(s => s.kind === 'event')).toEqual({
      kind: 'event',
      source: 'qmp',
      vm: 'web',
      when: 1_795_914_984_562,
      event: {
        name: 'vmm.memory-failure',
        fields: { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      },
    });
    expect(said.filter(s => s.kind === 'event')).toHaveLength(1);
  });

  test('what was said while it asked is not missed', async () => {
    start();
    const peer = await server.accept();
    await peer.greet();
    await peer.command();
    await peer.say(FAILURE);
    peer.socket.destroy();
    // The negotiation was not over: nothing is known of the VM, and the loss is said.
    await until(state('lost'));
    const again = await server.accept();
    await again.greet();
    const asked = await again.command();
    await again.say(FAILURE, { return: { name: 'web' }, id: asked.id });
    const memory = await again.command();
    await again.say({ return: { 'base-memory': 1 }, id: memory.id });
    const status = await again.command();
    await again.say({ return: { running: true, status: 'running' }, id: status.id });
    expect(await until(s => s.kind === 'event')).toMatchObject({ event: { name: 'vmm.memory-failure' } });
  });

  test('says lost and back with the gap, and reconciles: the panic that nobody told is in the state', async () => {
    start();
    const peer = await server.accept();
    await answer(peer);
    await until(state('reading'));
    const again = server.accept();
    peer.socket.destroy();
    await until(state('lost'));
    await answer(await again, { status: 'guest-panicked' });
    expect(await until(state('back'))).toMatchObject({ vm: 'web', gapMs: expect.any(Number) });
    expect(await until(s => s.kind === 'vm' && s.state === 'crashed')).toMatchObject({ reason: 'guest-panicked' });
    // The definition is large, and the same.
    expect(said.filter(s => s.kind === 'vm' && s.definition !== undefined)).toHaveLength(1);
  });

  test('a peer that stalls is left, and said', async () => {
    start({ answerMs: 200, askMs: 10 });
    // On a busy machine a first connection may be too slow itself.
    void (async () => {
      for (;;) {
        const peer = await server.accept();
        void (async () => {
          await peer.greet();
          for (const value of [{ name: 'web' }, { 'base-memory': 1 }, { running: true, status: 'running' }])
            await peer.say({ return: value, id: (await peer.command()).id });
        })();
      }
    })();
    const isLeft = (s: Said): boolean =>
      state('stalled')(s) && 'reason' in s && s.reason?.includes('query-status') === true;
    expect(await until(isLeft)).toMatchObject({ vm: 'web' });
  });

  test('a peer that never greets stalls, from the first try on', async () => {
    start({ answerMs: 50 });
    await server.accept();
    expect(await until(s => s.kind === 'source')).toMatchObject({
      state: 'stalled',
      vm: 'peer',
      reason: expect.stringContaining('greeting'),
    });
  });

  test('a peer that floods is left, and costs no more than a second of its events', { timeout: 20_000 }, async () => {
    start();
    const peer = await server.accept();
    await answer(peer);
    await until(state('reading'));
    const many = `${JSON.stringify(FAILURE)}\r\n`.repeat(1000);
    const flood = async (): Promise<void> => {
      while (!peer.socket.destroyed && !peer.socket.closed && peer.socket.writable) await peer.write(many);
    };
    void flood();
    expect(await until(state('stalled'))).toMatchObject({ reason: expect.stringContaining('floods') });
    expect(said.filter(s => s.kind === 'event').length).toBeLessThanOrEqual(10_000);
  });

  test('a peer that flaps is asked once for many events, and the last state is told', async () => {
    start();
    const peer = await server.accept();
    await peer.greet();
    let status = 'running';
    let asked = 0;
    void (async () => {
      for (;;) {
        const { execute, id } = await peer.command();
        if (execute === 'query-status') asked++;
        const answers: Record<string, unknown> = {
          'query-name': { name: 'web' },
          'query-status': { running: status === 'running', status },
        };
        await peer.say({ return: answers[execute ?? ''] ?? {}, id });
      }
    })();
    await until(state('reading'));
    status = 'paused';
    await peer.say(...Array.from({ length: 500 }, (_, i) => ({ event: i % 2 === 0 ? 'RESUME' : 'STOP' })));
    await until(s => s.kind === 'vm' && s.state === 'paused');
    expect(asked).toBeLessThan(10);
  });

  test('a line that never ends is refused', async () => {
    start();
    const peer = await server.accept();
    await answer(peer);
    await until(state('reading'));
    void peer.write('x'.repeat(2 << 20));
    expect(await until(state('lost'))).toMatchObject({ reason: expect.stringContaining('1048576') });
  });

  test('what both ways said teaches the number of the event', async () => {
    const emitted = new Emitted('MEMORY_FAILURE');
    start({ emitted: () => emitted });
    const peer = await server.accept();
    await answer(peer);
    await until(state('reading'));
    emitted.line(1_795_914_984_562_400, 11);
    await peer.say(FAILURE);
    await until(s => s.kind === 'event');
    emitted.line(1_795_914_994_000_000, 11);
    expect(emitted.lost(1_795_915_000_000_000)).toEqual([1_795_914_994_000_000]);
  });

  test('a VM whose process is gone is told gone, also when it ended while nobody looked', async () => {
    const path = `${server.path}.2`;
    const script = `
      const net = require('node:net');
      net.createServer(s => {
        s.write('{"QMP": {"version": {"qemu": {"micro": 0, "minor": 1, "major": 11}, "package": ""}, "capabilities": []}}\\r\\n');
        let text = '';
        s.on('data', d => {
          const lines = (text + d).split('\\n');
          text = lines.pop();
          for (const l of lines) {
            const { id, execute } = JSON.parse(l);
            const all = { 'query-name': { name: 'db' }, 'query-status': { running: true, status: 'running' } };
            s.write(JSON.stringify({ return: all[execute] ?? {}, id }) + '\\r\\n');
          }
        });
      }).listen(${JSON.stringify(path)}, () => console.log('up'));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const own = vms();
    const source = new QmpSource(path, { vms: own, units: new Units(), epochOf: () => 1, firstMs: 1, longestMs: 5 });
    const sink = (s: Said): void => {
      said.push(s);
      for (const wake of hear.splice(0)) wake();
    };
    running = source.run(sink, end.signal, () => undefined);
    await until(state('reading'));
    const before = own.find('db');
    expect(before?.copy).toMatchObject({ pid: child.pid, socket: path });
    child.kill('SIGKILL');
    const gone = await until(s => s.kind === 'vm' && s.state === 'gone');
    expect(gone).toMatchObject({ vm: 'db', pid: child.pid, epoch: 1 });
    expect(said.filter(s => s.kind === 'event').map(s => s.kind === 'event' && s.event.name)).toEqual(['vmm.exit']);
    end.abort();
    await running;
    // Another agent, which only has what the first wrote down.
    const later = vms();
    later.foundCopy('db', before!.copy!);
    const told = new AbortController();
    const second: Said[] = [];
    const take = (s: Said): void => {
      second.push(s);
      if (s.kind === 'source') told.abort();
    };
    await new QmpSource(path, { vms: later, units: new Units(), epochOf: () => 2, firstMs: 1 }).run(
      take,
      told.signal,
      () => undefined,
    );
    expect(second.map(s => s.kind)).toEqual(['event', 'vm', 'source']);
    expect(second[1]).toMatchObject({ state: 'gone', epoch: 2 });
    // Under its own name: a monitor that is lost with its VM is no alert.
    expect(second[2]).toMatchObject({ state: 'lost', vm: 'db' });
  });
});

describe('QmpFolders', () => {
  let missing: string;
  beforeEach(() => void (missing = join(mkdtempSync(join(tmpdir(), 'qf-')), 'later')));
  afterEach(() => rmSync(dirname(missing), { recursive: true }));
  /** Of the folders, and of no VM. */
  const folders =
    (name: string) =>
    (s: Said): boolean =>
      state(name)(s) && !('vm' in s);

  test('one that is not there is lost and said, hinders no other, and is read once it is there', async () => {
    const first = server.accept();
    read(new QmpFolders([missing, dirname(server.path)], { ...QUICK, vms: vms(), pollMs: 1 }));
    expect(await until(folders('lost'))).toMatchObject({ source: 'qmp', reason: expect.stringContaining(missing) });
    const peer = await first;
    await answer(peer, { name: 'web' });
    await until(s => state('reading')(s) && 'vm' in s && s.vm === 'web');
    expect(said.filter(folders('reading'))).toEqual([]);
    const other = await peerServer();
    const second = other.accept();
    renameSync(dirname(other.path), missing);
    await until(folders('back'));
    const db = await second;
    await answer(db, { name: 'db' });
    await until(s => state('reading')(s) && 'vm' in s && s.vm === 'db');
    // Its folder is taken away, and a monitor that is connected is read on.
    rmSync(missing, { recursive: true });
    said = said.filter(s => !folders('lost')(s));
    await until(folders('lost'));
    await db.say(FAILURE);
    expect(await until(s => s.kind === 'event')).toMatchObject({ vm: 'db' });
    await other.close();
  });
});
