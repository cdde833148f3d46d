import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { QmpClient, type QmpClientOptions, type QmpEvent, type TranscriptEntry } from './client.ts';
import {
  QmpClosedError,
  QmpCommandError,
  QmpConnectError,
  QmpDeadlineError,
  QmpError,
  QmpNegotiationError,
  QmpProtocolError,
} from './errors.ts';
import { GREETING, type Peer, type PeerServer, peerServer } from './testing/peer.ts';

let server: PeerServer;
beforeAll(async () => {
  server = await peerServer();
});
afterAll(() => server.close());

/** A negotiated client and its peer. */
async function connected(options: QmpClientOptions = {}): Promise<{ client: QmpClient; peer: Peer }> {
  const { socket, peer } = await server.pair();
  const [client] = await Promise.all([QmpClient.attach(socket, options), peer.greet()]);
  return { client, peer };
}

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => expect.fail(`resolved to ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

const memoryFailure = {
  event: 'MEMORY_FAILURE',
  data: { recipient: 'guest', action: 'inject', flags: { 'action-required': false, recursive: false } },
  timestamp: { seconds: 1, microseconds: 2 },
};

describe('connecting', () => {
  test('reads the greeting and enables out-of-band execution', async () => {
    const { socket, peer } = await server.pair();
    const [client, negotiation] = await Promise.all([QmpClient.attach(socket), peer.greet()]);
    expect(negotiation).toMatchObject({ execute: 'qmp_capabilities', arguments: { enable: ['oob'] } });
    expect(client.greeting).toEqual({
      version: { major: 11, minor: 1, micro: 3 },
      package: 'test',
      capabilities: ['oob'],
    });
    expect(client.oob).toBe(true);
    await client.close();
  });

  test('leaves out-of-band execution off when told so', async () => {
    const { socket, peer } = await server.pair();
    const [client, negotiation] = await Promise.all([QmpClient.attach(socket, { oob: false }), peer.greet()]);
    expect(negotiation).not.toHaveProperty('arguments');
    expect(await failure(client.execute('query-status', {}, { oob: true }))).toBeInstanceOf(UsageError);
    await client.close();
  });

  test('to a listening path', async () => {
    const accepted = server.accept().then(peer => peer.greet());
    const client = await QmpClient.connect({ path: server.path });
    await accepted;
    await client.close();
    expect(await client.closed).toBeUndefined();
  });

  test('to nothing says so', async () => {
    const error = await failure(QmpClient.connect({ path: `${server.path}.none` }));
    expect(error).toBeInstanceOf(QmpConnectError);
    expect(error).toMatchObject({ code: 'E_QMP_CONNECT', hint: expect.stringMatching(/not created it yet/) as string });
  });

  test('to a path the kernel would cut says so', async () => {
    const error = await failure(QmpClient.connect({ path: `/tmp/${'x'.repeat(200)}` }));
    expect(error).toMatchObject({ code: 'E_QMP_CONNECT', message: expect.stringMatching(/107 bytes/) as string });
  });

  test('to a human monitor says so', async () => {
    const { socket, peer } = await server.pair();
    const attaching = failure(QmpClient.attach(socket));
    await peer.write("QEMU 11.1.3 monitor - type 'help' for more information\r\n(qemu) ");
    const error = await attaching;
    expect(error).toBeInstanceOf(QmpNegotiationError);
    expect(error).toMatchObject({ hint: expect.stringMatching(/human monitor/) as string });
    expect(socket.destroyed || socket.writableEnded).toBe(true);
  });

  test('to a peer that says nothing ends at the deadline', async () => {
    const { socket } = await server.pair();
    const error = await failure(QmpClient.attach(socket, { deadlineMs: 20 }));
    expect(error).toBeInstanceOf(QmpDeadlineError);
    expect(error).toMatchObject({ waitingFor: 'QMP greeting' });
  });

  test('to a peer that leaves says so', async () => {
    const { socket, peer } = await server.pair();
    const attaching = failure(QmpClient.attach(socket));
    peer.socket.end();
    expect(await attaching).toBeInstanceOf(QmpClosedError);
  });

  test('over a destroyed stream says so', async () => {
    const { socket } = await server.pair();
    socket.destroy();
    expect(await failure(QmpClient.attach(socket))).toBeInstanceOf(QmpClosedError);
  });

  test('refused by the peer says so', async () => {
    const { socket, peer } = await server.pair();
    const attaching = failure(QmpClient.attach(socket));
    await peer.write(GREETING);
    const { id } = await peer.command();
    await peer.say({ error: { class: 'GenericError', desc: 'Capability oob not available' }, id });
    expect(await attaching).toBeInstanceOf(QmpNegotiationError);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    'a deadline of %s ms is refused',
    async deadlineMs => {
      expect(await failure(QmpClient.connect({ path: server.path }, { deadlineMs }))).toBeInstanceOf(UsageError);
    },
  );
});

describe('commands', () => {
  test('overlap, go out in order, at most eight at a time, and keep their answers', async () => {
    const { client, peer } = await connected();
    const calls = Array.from({ length: 20 }, (_, i) => client.execute('x-echo', { i }));
    const sent = [];
    for (let i = 0; i < 8; i++) sent.push(await peer.command());
    expect(peer.unread).toBe(0);
    for (let i = 0; i < 20; i++) {
      const command = sent.shift() ?? (await peer.command());
      expect(command.arguments).toEqual({ i });
      await peer.say({ return: i, id: command.id });
    }
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await client.close();
  });

  test('out of band overtake a full window', async () => {
    const { client, peer } = await connected();
    const stuck = Array.from({ length: 9 }, () => client.execute('x-slow'));
    const oob = client.execute('query-yank', {}, { oob: true });
    const sent = [];
    for (let i = 0; i < 9; i++) sent.push(await peer.command());
    expect(sent.at(-1)).toMatchObject({ 'exec-oob': 'query-yank' });
    await peer.say({ return: [], id: sent.at(-1)!.id });
    expect(await oob).toEqual([]);
    const settled = Promise.allSettled(stuck);
    await client.close();
    expect((await settled).every(s => s.status === 'rejected')).toBe(true);
  });

  test('that fail carry class and text', async () => {
    const { client, peer } = await connected();
    const call = failure(client.execute('qom-get', { path: '/nope', property: 'x' }));
    const { id } = await peer.command();
    await peer.say({ error: { class: 'DeviceNotFound', desc: "Device '/nope' not found" }, id });
    const error = await call;
    expect(error).toBeInstanceOf(QmpCommandError);
    expect(error).toMatchObject({ command: 'qom-get', class: 'DeviceNotFound', desc: "Device '/nope' not found" });
    await client.close();
  });

  test('whose answer has another shape than the table says fail', async () => {
    const { client, peer } = await connected();
    const call = failure(client.execute('query-status'));
    const { id } = await peer.command();
    await peer.say({ return: { status: 'running' }, id });
    expect(await call).toMatchObject({
      code: 'E_QMP_PROTOCOL',
      message: expect.stringMatching(/lacks 'running'/) as string,
    });
    await client.close();
  });

  test('a run state of a newer QEMU passes', async () => {
    const { client, peer } = await connected();
    const call = client.execute('query-status');
    const { id } = await peer.command();
    await peer.say({ return: { status: 'teleported', running: true, extra: 1 }, id });
    expect((await call).status).toBe('teleported');
    await client.close();
  });

  test('at their deadline leave the connection usable, and the late answer is dropped', async () => {
    const notes: (string | undefined)[] = [];
    const { client, peer } = await connected({ onTranscript: entry => notes.push(entry.note) });
    const late = failure(client.execute('x-slow', {}, { deadlineMs: 20 }));
    const slow = await peer.command();
    const error = await late;
    expect(error).toBeInstanceOf(QmpDeadlineError);
    expect(error).toMatchObject({ hint: expect.stringMatching(/may still be carried out/) as string });
    const next = client.execute('stop');
    const { id } = await peer.command();
    await peer.say({ return: 'late', id: slow.id }, { return: {}, id });
    expect(await next).toEqual({});
    expect(notes).toContain("dropped: late answer to 'x-slow'");
    await client.close();
  });

  test('that were still queued at their deadline were not sent', async () => {
    const { client, peer } = await connected();
    const stuck = Array.from({ length: 8 }, () => client.execute('x-slow'));
    const settled = Promise.allSettled(stuck);
    const error = await failure(client.execute('system_reset', {}, { deadlineMs: 20 }));
    expect(error).toMatchObject({ code: 'E_QMP_DEADLINE', hint: expect.stringMatching(/was not sent/) as string });
    for (let i = 0; i < 8; i++) {
      const { id } = await peer.command();
      await peer.say({ return: {}, id });
    }
    await settled;
    const last = client.execute('stop');
    const { execute, id } = await peer.command();
    expect(execute).toBe('stop');
    await peer.say({ return: {}, id });
    await last;
    await client.close();
  });

  test('has() asks once', async () => {
    const { client, peer } = await connected();
    const asked = Promise.all([client.has('stop'), client.has('inject-ghes-v2-error')]);
    const { execute, id } = await peer.command();
    expect(execute).toBe('query-commands');
    await peer.say({ return: [{ name: 'stop' }], id });
    expect(await asked).toEqual([true, false]);
    expect(await client.has('cont')).toBe(false);
    expect(peer.unread).toBe(0);
    await client.close();
  });

  test('a human-monitor line may not smuggle a second one', async () => {
    const { client, peer } = await connected();
    expect(await failure(client.hmp('info status\nquit'))).toMatchObject({ code: 'E_HMP_CONTROL_CHARACTER' });
    expect(peer.unread).toBe(0);
    await client.close();
  });

  test('the types of the table hold', () => {
    const typed = (client: QmpClient): unknown[] => [
      // @ts-expect-error -- 'property' is missing
      () => client.execute('qom-get', { path: '/machine' }),
      // @ts-expect-error -- no such action
      () => client.execute('set-action', { reboot: 'explode' }),
      // @ts-expect-error -- arguments are mandatory
      () => client.execute('human-monitor-command'),
      () => client.execute('query-status').then(({ running }): boolean => running),
      () => client.execute('x-anything', { at: 'all' }).then((value: unknown) => value),
    ];
    expect(typed).toBeTypeOf('function');
  });
});

describe('events', () => {
  test('reach every listener in order, and one that throws does not matter', async () => {
    const notes: (string | undefined)[] = [];
    const { client, peer } = await connected({ onTranscript: entry => notes.push(entry.note) });
    const heard: string[] = [];
    client.onEvent(() => {
      throw new Error('listener is broken');
    });
    const rejecting = (): unknown => Promise.reject(new Error('async listener is broken'));
    client.onEvent(rejecting);
    const stop = client.onEvent(event => heard.push(`a ${event.event}`));
    client.onEvent(event => heard.push(`b ${event.event}`));
    await Promise.all([client.waitEvent('STOP', 5000), peer.say({ event: 'STOP' })]);
    stop();
    await Promise.all([client.waitEvent('RESUME', 5000), peer.say({ event: 'RESUME' })]);
    expect(heard).toEqual(['a STOP', 'b STOP', 'b RESUME']);
    expect(notes).toContain('an event listener threw: listener is broken');
    expect(notes).toContain('an event listener threw: async listener is broken');
    await client.close();
  });

  test('are waited for by name with their data typed, or by predicate', async () => {
    const { client, peer } = await connected();
    const byName = client.waitEvent('MEMORY_FAILURE', 5000);
    const byPredicate = client.waitEvent(event => event.data['action'] === 'inject', 5000);
    await peer.say({ event: 'STOP' }, { event: 'MEMORY_FAILURE', data: {} }, memoryFailure);
    const event = await byName;
    expect(event.data.flags['action-required']).toBe(false);
    expect(event.timestamp).toEqual({ seconds: 1, microseconds: 2 });
    expect(await byPredicate).toBe(event);
    await client.close();
  });

  test('that do not come end at the deadline; a predicate that throws says why', async () => {
    const { client, peer } = await connected();
    expect(await failure(client.waitEvent('RESET', 20))).toMatchObject({
      code: 'E_QMP_DEADLINE',
      waitingFor: 'event RESET',
    });
    const broken = failure(
      client.waitEvent(() => {
        throw new Error('odd');
      }, 5000),
    );
    await peer.say({ event: 'STOP' });
    expect(await broken).toMatchObject({ message: 'odd' });
    await client.close();
  });

  test('are iterated from the call on, and the loop ends with the connection', async () => {
    const { client, peer } = await connected();
    const iterator = client.events();
    await Promise.all([client.waitEvent('RESUME', 5000), peer.say({ event: 'STOP' }, { event: 'RESUME' })]);
    const seen: string[] = [];
    for await (const event of iterator) {
      seen.push(event.event);
      if (seen.length === 2) peer.socket.end();
    }
    expect(seen).toEqual(['STOP', 'RESUME']);
  });

  test('an iterator that overflows says so after what it kept', async () => {
    const { client, peer } = await connected();
    const iterator = client.events({ limit: 2 });
    const last = client.waitEvent('RESUME', 5000);
    await peer.say({ event: 'A' }, { event: 'B' }, { event: 'C' }, { event: 'RESUME' });
    await last;
    expect((await iterator.next()).value).toMatchObject({ event: 'A' });
    expect((await iterator.next()).value).toMatchObject({ event: 'B' });
    expect(await failure(iterator.next())).toMatchObject({ code: 'E_QMP_EVENTS_LOST' });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    await client.close();
  });

  test('an iterator ends when aborted, also while waiting', async () => {
    const { client } = await connected();
    const abort = new AbortController();
    const next = client.events({ signal: abort.signal }).next();
    abort.abort();
    expect(await next).toEqual({ value: undefined, done: true });
    await client.close();
  });

  test('belong to the command that was executing, also when one packet holds everything', async () => {
    const { client, peer } = await connected();
    const first = client.hmpObserved('mce 0 1 0x8000000000000000 0 0 0');
    const second = client.executeObserved('stop');
    const [a, b] = [await peer.command(), await peer.command()];
    await peer.say(memoryFailure, { return: '', id: a.id }, { event: 'STOP' }, { return: {}, id: b.id }, memoryFailure);
    const names = (events: QmpEvent[]): string[] => events.map(e => e.event);
    expect(names((await first).events)).toEqual(['MEMORY_FAILURE']);
    expect(names((await second).events)).toEqual(['STOP']);
    await client.close();
  });
});

describe('the end of the connection', () => {
  test('rejects what is pending, waits and iterates, and says why', async () => {
    const { client, peer } = await connected();
    const pending = failure(client.execute('cont'));
    const waiting = failure(client.waitEvent('STOP', 5000));
    const iterating = client.events().next();
    await peer.command();
    peer.socket.end();
    const error = await pending;
    expect(error).toBeInstanceOf(QmpClosedError);
    expect(error).toMatchObject({ command: 'cont', message: expect.stringMatching(/may or may not/) as string });
    expect(await waiting).toBeInstanceOf(QmpClosedError);
    expect(await iterating).toEqual({ value: undefined, done: true });
    expect(await client.closed).toBeInstanceOf(QmpClosedError);
    expect(await failure(client.execute('stop'))).toMatchObject({
      code: 'E_QMP_CLOSED',
      message: expect.stringMatching(/was not sent/) as string,
    });
    expect(await failure(client.waitEvent('STOP', 5000))).toBeInstanceOf(QmpClosedError);
    await client.close();
  });

  test('within a message is told in the transcript', async () => {
    const notes: (string | undefined)[] = [];
    const { client, peer } = await connected({ onTranscript: entry => notes.push(entry.note) });
    await peer.write('{"event": "STO');
    peer.socket.end();
    expect(await client.closed).toBeInstanceOf(QmpClosedError);
    expect(notes.at(-1)).toMatch(/ended within a message of 14/);
  });

  test.each([
    ['an error without id', '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\r\n'],
    ['a line that is not JSON', '\u0001\u0002oops\r\n'],
    ['half of two interleaved messages', '{"event": "ST{"event": "STOP"}OP"}\r\n'],
    ['pretty-printed JSON', '{\r\n    "event": "STOP"\r\n}\r\n'],
    ['a second greeting', GREETING],
  ])('follows %s', async (_what, bytes) => {
    const { client, peer } = await connected();
    const pending = failure(client.execute('stop'));
    await peer.command();
    await peer.write(bytes);
    expect(await pending).toBeInstanceOf(QmpClosedError);
    const reason = await client.closed;
    expect(reason).toBeInstanceOf(QmpProtocolError);
    expect((reason as QmpProtocolError).received).not.toBe('');
  });

  test('follows a line beyond the bound', async () => {
    const { client, peer } = await connected({ maxLineBytes: 4096 });
    void peer.write(`{"event": "${'x'.repeat(5000)}`);
    expect(await client.closed).toMatchObject({
      code: 'E_QMP_PROTOCOL',
      message: expect.stringMatching(/4096 bytes/) as string,
    });
  });

  test('by signal rejects what is pending', async () => {
    const abort = new AbortController();
    const { client, peer } = await connected({ signal: abort.signal });
    const pending = failure(client.execute('stop'));
    await peer.command();
    abort.abort(new Error('enough'));
    expect(await pending).toBeInstanceOf(QmpClosedError);
    expect(await client.closed).toMatchObject({ message: 'the connection was aborted' });
  });

  test('by a listener, in the middle of a packet, ends the reading there', async () => {
    const { client, peer } = await connected();
    const heard: string[] = [];
    client.onEvent(event => {
      heard.push(event.event);
      void client.close();
    });
    await peer.say({ event: 'STOP' }, { event: 'RESUME' });
    expect(await client.closed).toBeUndefined();
    expect(heard).toEqual(['STOP']);
  });
});

describe('the transcript', () => {
  test('holds both directions as they went over the wire, integers exact', async () => {
    const entries: TranscriptEntry[] = [];
    const { client, peer } = await connected({ onTranscript: entry => entries.push(entry) });
    const call = client.execute('qom-get', { path: '/machine', property: 'x' });
    const { id } = await peer.command();
    await peer.write(`{"return": 12826251738751172917, "id": "${id}"}\r\n`);
    expect(await call).toBe(0xb200000000000135n);
    expect(entries.map(e => e.direction)).toEqual(['receive', 'send', 'receive', 'send', 'receive']);
    expect(entries[0]!.raw).toBe(GREETING.trimEnd());
    expect(entries[3]!.message).toMatchObject({ execute: 'qom-get', id });
    expect(JSON.parse(entries[3]!.raw)).toEqual(entries[3]!.message);
    expect(entries[4]).toMatchObject({ message: { return: 0xb200000000000135n, id } });
    expect(entries.every((e, i) => i === 0 || e.t >= entries[i - 1]!.t)).toBe(true);
    await client.close();
  });

  test('is bounded, and its listener may throw', async () => {
    const entries: TranscriptEntry[] = [];
    const { client, peer } = await connected({
      onTranscript: entry => {
        entries.push(entry);
        throw new Error('disk full');
      },
    });
    const call = client.execute('x-long');
    const { id } = await peer.command();
    await peer.say({ return: 'y'.repeat(100_000), id });
    expect(await call).toHaveLength(100_000);
    expect(entries.at(-1)!.raw).toHaveLength(65_536);
    expect(entries.at(-1)!.note).toMatch(/cut from 1000\d\d characters/);
    await client.close();
  });
});

describe('over a real socket', () => {
  test('a conversation cut at every byte is the same conversation', async () => {
    for (let at = 1; ; at++) {
      const { client, peer } = await connected();
      const call = client.executeObserved('query-status');
      const { id } = await peer.command();
      const bytes = Buffer.from(
        `{"event": "STOP", "data": {}}\r\n{"return": {"running": false, "status": "paused"}, "id": "${id}"}\r\n`,
      );
      if (at >= bytes.length) {
        await Promise.all([failure(call), client.close()]);
        break;
      }
      await peer.write(bytes.subarray(0, at));
      await turn();
      await peer.write(bytes.subarray(at));
      const { value, events } = await call;
      expect([value.status, events.map(e => e.event)]).toEqual(['paused', ['STOP']]);
      await client.close();
    }
  });

  test('whatever bytes come, every call ends and only with our errors', async () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .constantFrom('\r\n', '{"event": "STOP"}\r\n', '{"return": {}, "id": 7}\r\n', '{"return"', '}\r\n', '\u0000')
        .map(s => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 20 }), async chunks => {
        const { client, peer } = await connected({ maxLineBytes: 300 });
        client.onEvent(() => {});
        const calls = Promise.allSettled([
          client.execute('stop'),
          client.hmp('info status'),
          client.waitEvent('RESET', 5000),
        ]);
        for (const chunk of chunks) await peer.write(chunk);
        peer.socket.end();
        for (const outcome of await calls) {
          expect(outcome.status === 'rejected' && outcome.reason instanceof QmpError).toBe(true);
        }
        expect(await client.closed).toBeInstanceOf(QmpError);
      }),
      { numRuns: 60 },
    );
  });
});
