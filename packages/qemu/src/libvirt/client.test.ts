import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Domain, writeDomain } from './calls.ts';
import { LibvirtClient, type LibvirtClientOptions } from './client.ts';
import {
  LibvirtCallError,
  LibvirtClosedError,
  LibvirtConnectError,
  LibvirtDeadlineError,
  LibvirtProtocolError,
} from './errors.ts';
import type { LibvirtEvent } from './events.ts';
import type { Peer } from './testing/peer.ts';
import { peerServer } from './testing/peer.ts';
import { XdrWriter } from './xdr.ts';

const T1: Domain = { name: 't1', uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7', id: 3 };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function pair(options: LibvirtClientOptions = {}): Promise<{ client: LibvirtClient; peer: Peer }> {
  const server = await peerServer();
  cleanups.push(() => server.close());
  const [client, peer] = await Promise.all([LibvirtClient.connect({ path: server.path }, options), server.accept()]);
  cleanups.push(() => client.close());
  return { client, peer };
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    value => expect.fail(`resolved to ${String(value)}`),
    (error: unknown) => error,
  );

function nextEvents(client: LibvirtClient, count: number): Promise<LibvirtEvent[]> {
  return new Promise(resolve => {
    const events: LibvirtEvent[] = [];
    client.onEvent(event => {
      if (events.push(event) === count) resolve(events);
    });
  });
}

describe('LibvirtClient', () => {
  test('calls may overlap and be answered out of order; numbers are exact', async () => {
    const { client, peer } = await pair();
    const held: (() => void)[] = [];
    peer.answers = (header, body) => {
      if (header.procedure === 102)
        held.push(() => peer.reply(header, new XdrWriter().uhyper((1n << 63n) + 1n).bytes()));
      if (header.procedure === 212) {
        expect(Buffer.from(body).includes(Buffer.from(T1.uuid.replaceAll('-', ''), 'hex'))).toBe(true);
        return new XdrWriter().int(6).int(1).bytes();
      }
      return undefined;
    };
    const free = client.call('node-get-free-memory');
    expect(await client.call('domain-get-state', { domain: T1 })).toEqual({ state: 'crashed', reason: 'panicked' });
    held[0]!();
    expect(await free).toBe((1n << 63n) + 1n);
  });

  test('an error of libvirt is class, number and text, and ends nothing', async () => {
    const { client, peer } = await pair();
    peer.answers = () => ({ number: 42, text: 'Domain not found: \u001b[31mt1' });
    const error = await failure(client.call('domain-lookup-by-name', { name: 't1' }));
    expect(error).toBeInstanceOf(LibvirtCallError);
    expect(error).toMatchObject({ class: 'no-domain', number: 42, call: 'domain-lookup-by-name' });
    expect((error as Error).message).not.toContain('\u001b');
    peer.answers = () => new XdrWriter().string('a').bytes();
    expect(await client.call('connect-get-hostname')).toBe('a');
  });

  test('messages become typed events; one that nobody knows is read over', async () => {
    const { client, peer } = await pair();
    const events = nextEvents(client, 4);
    peer.event(423, w => (writeDomain(w, T1), w.int(1).int(1).uint(3)));
    peer.event(999, w => w.int(5));
    peer.event(318, w => (writeDomain(w, T1), w.int(8).int(0)));
    peer.event(319, w => writeDomain(w, T1));
    peer.event(363, w => (writeDomain(w, T1), w.array([], () => {})));
    expect(await events).toEqual([
      {
        event: 'memory-failure',
        domain: T1,
        recipient: 'guest',
        action: 'inject',
        actionRequired: true,
        recursive: true,
      },
      { event: 'lifecycle', domain: T1, type: 'crashed', detail: 'panicked' },
      { event: 'reboot', domain: T1 },
      { event: 'job-completed', domain: T1 },
    ]);
  });

  test('a libvirt that lacks an event is listened to for the others', async () => {
    const { client, peer } = await pair();
    const asked: number[] = [];
    peer.answers = (_, body) => {
      const event = new DataView(body.buffer, body.byteOffset).getInt32(0);
      asked.push(event);
      return event === 25 ? { number: 8, text: 'unsupported event ID 25' } : new XdrWriter().int(event).bytes();
    };
    await client.listen();
    expect(asked).toEqual([0, 1, 3, 21, 25]);
  });

  test('a call has a deadline; the late answer is read over and the connection goes on', async () => {
    const { client, peer } = await pair();
    let late = (): void => {};
    peer.answers = header => {
      if (header.procedure !== 59) return new XdrWriter().uhyper(1n).bytes();
      late = () => peer.reply(header, new XdrWriter().string('a').bytes());
      return undefined;
    };
    expect(await failure(client.call('connect-get-hostname', undefined, 20))).toBeInstanceOf(LibvirtDeadlineError);
    late();
    expect(await client.call('node-get-free-memory')).toBe(1n);
  });

  test('answers pings, and ends where nobody answers ours', async () => {
    let alive = 0;
    const { client, peer } = await pair({ keepaliveMs: 15, onAlive: () => alive++ });
    peer.ping();
    peer.lives = false;
    expect(await client.closed).toBeInstanceOf(LibvirtDeadlineError);
    expect(peer.messages.map(m => m.header.procedure)).toEqual(expect.arrayContaining([1, 2]));
    expect(alive).toBeGreaterThan(0);
  });

  test('what is asked when the daemon goes away is told so, and nothing later is sent', async () => {
    const { client, peer } = await pair();
    peer.answers = () => (peer.end(), undefined);
    const error = await failure(client.call('connect-get-hostname'));
    expect(error).toBeInstanceOf(LibvirtClosedError);
    expect(await client.closed).toBeInstanceOf(LibvirtClosedError);
    expect(await failure(client.call('connect-get-hostname'))).toBeInstanceOf(LibvirtClosedError);
  });

  test.each<[string, (peer: Peer) => void]>([
    ['a message that is too long', peer => peer.write(Buffer.from('7fffffff', 'hex'))],
    ['a malformed event', peer => peer.event(423, w => w.string('t1'))],
    [
      'a stream that nobody asked for',
      peer =>
        peer.write(
          Buffer.from(`0000001c${'20008086'}${'00000001'}${'00000001'}${'00000003'}${'00000000'}${'00000002'}`, 'hex'),
        ),
    ],
    [
      'another program',
      peer =>
        peer.write(
          Buffer.from(`0000001c${'20008088'}${'00000001'}${'00000001'}${'00000002'}${'00000000'}${'00000000'}`, 'hex'),
        ),
    ],
  ])('%s ends the connection', async (_, say) => {
    const { client, peer } = await pair();
    say(peer);
    expect(await client.closed).toBeInstanceOf(LibvirtProtocolError);
  });

  test('an answer of another shape is no value', async () => {
    const { client, peer } = await pair();
    peer.answers = () => new XdrWriter().string('a').int(1).bytes();
    expect(await failure(client.call('connect-get-hostname'))).toBeInstanceOf(LibvirtProtocolError);
    expect(await client.closed).toBeInstanceOf(LibvirtProtocolError);
  });

  test('aborting closes, and a socket that is not there is said', async () => {
    const abort = new AbortController();
    const { client } = await pair({ signal: abort.signal });
    abort.abort();
    expect(await client.closed).toBeInstanceOf(LibvirtClosedError);
    const dir = await mkdtemp(join(tmpdir(), 'libvirt-'));
    cleanups.push(() => rm(dir, { recursive: true }));
    expect(await failure(LibvirtClient.connect({ path: join(dir, 'none') }))).toBeInstanceOf(LibvirtConnectError);
  });

  test('hears both directions', async () => {
    const heard: string[] = [];
    await pair({ onTranscript: ({ direction, header }) => heard.push(`${direction} ${header.procedure}`) });
    expect(heard).toEqual(['send 66', 'receive 66', 'send 1', 'receive 1', 'send 60', 'receive 60']);
  });
});
