import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { newApp } from './app.ts';
import { eventStream, eventText, lastEventId, type ServerEvent } from './events.ts';
import { serve, type Served } from './serve.ts';
import { ask } from './testing/ask.ts';

let stop = new AbortController();
let served: Served | undefined;
afterEach(async () => {
  stop.abort();
  await served?.ended;
});

/** A server whose only stream is this. */
async function streamOf(
  source: (signal: AbortSignal, last: string | undefined) => AsyncGenerator<ServerEvent, void>,
  beatMs?: number,
): Promise<number> {
  stop = new AbortController();
  const app = newApp(error => {
    throw error;
  });
  app.get('/', c => eventStream(c, signal => source(signal, lastEventId(c)), stop.signal, beatMs));
  served = await serve(app, { port: 0 }, stop.signal);
  return served.port ?? 0;
}

/** A reader of a stream that stays. */
async function listen(port: number, headers: Record<string, string> = {}) {
  const asked: ClientRequest = request({ host: '127.0.0.1', port, path: '/', headers, agent: false });
  asked.on('error', () => {});
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  let wake = (): void => {};
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  response.on('error', () => {});
  const ended = new Promise<void>(resolve => response.on('close', () => resolve()));
  const until = async (wanted: string): Promise<string> => {
    while (!text.includes(wanted)) await new Promise<void>(resolve => (wake = resolve));
    return text;
  };
  return { asked, response, ended, until };
}
const aborted = (signal: AbortSignal): Promise<unknown> => (signal.aborted ? Promise.resolve() : once(signal, 'abort'));

test('an event is one event, whatever is in it', () => {
  expect(eventText({ id: '1', event: 'lines', data: 'a\nb\r\nc\rdata: d\n\nevent: evil' })).toBe(
    'id: 1\nevent: lines\ndata: a\ndata: b\ndata: c\ndata: data: d\ndata: \ndata: event: evil\n\n',
  );
  expect(eventText({ id: '1\nevent: evil', event: 'x\r\ry', data: '' })).toBe(
    'id: 1 event: evil\nevent: x y\ndata: \n\n',
  );
});

test('events come as they are made, and the page is told how soon to come back', async () => {
  const port = await streamOf(async function* () {
    yield { id: '1', data: 'one' };
    yield { id: '2', event: 'named', data: 'two' };
  });
  const { status, headers, body } = await ask(port, '/');
  expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'text/event-stream', 'no-store']);
  expect(body).toBe('retry: 1000\n\nid: 1\ndata: one\n\nid: 2\nevent: named\ndata: two\n\n');
});

test('who comes back says what it has: by the header, or in the address', async () => {
  const port = await streamOf(async function* (_, last) {
    yield { data: `after ${last}` };
  });
  expect((await ask(port, '/', { headers: { 'last-event-id': '41' } })).body).toContain('data: after 41\n');
  expect((await ask(port, '/?after=7')).body).toContain('data: after 7\n');
  expect((await ask(port, '/?after=7', { headers: { 'last-event-id': '41' } })).body).toContain('data: after 41\n');
});

test('a stream with nothing to say gives a sign of life', async () => {
  const port = await streamOf(async function* (signal) {
    await aborted(signal);
    yield { data: 'late' };
  }, 10);
  const { until } = await listen(port);
  expect(await until('event: beat\ndata: \n\nevent: beat')).not.toContain('late');
});

describe('a stream ends', () => {
  test('with the page: its source is told, and lets go of what it holds', async () => {
    let told = (): void => {};
    const released = new Promise<void>(resolve => (told = resolve));
    const port = await streamOf(async function* (signal) {
      try {
        yield { data: 'first' };
        await aborted(signal);
      } finally {
        told();
      }
    });
    const { asked, until } = await listen(port);
    await until('first');
    asked.destroy();
    await expect(released).resolves.toBeUndefined();
  });
  test('with the server', async () => {
    const port = await streamOf(async function* (signal) {
      yield { data: 'first' };
      await aborted(signal);
    });
    const { ended, until } = await listen(port);
    await until('first');
    stop.abort();
    await expect(Promise.all([ended, served?.ended])).resolves.toBeDefined();
  });
  test('with its source, also where that fails', async () => {
    const port = await streamOf(async function* () {
      yield { data: 'first' };
      throw new Error('the secret of the source');
    });
    expect((await ask(port, '/')).body).toBe('retry: 1000\n\ndata: first\n\n');
  });
});

test('for a reader that takes nothing nothing is made', async () => {
  let made = 0;
  const port = await streamOf(async function* () {
    for (; made < 1000; made++) yield { data: 'x'.repeat(100_000) };
  });
  const { response, until } = await listen(port);
  await until('xxx');
  response.pause();
  // What is on its way fills the buffers of both ends, and then no more is asked for.
  let before = -1;
  await expect
    .poll(
      () => {
        const still = before === made;
        before = made;
        return still;
      },
      { interval: 200, timeout: 15_000 },
    )
    .toBe(true);
  expect(made).toBeLessThan(900);
});

test('what was sent is let go', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sent: WeakRef<ServerEvent>[] = [];
  const port = await streamOf(async function* (signal) {
    for (let i = 1; i <= 50; i++) {
      const event = { id: `${i}`, data: 'x'.repeat(1000) };
      sent.push(new WeakRef(event));
      yield event;
    }
    await aborted(signal);
  }, 10);
  const { until } = await listen(port);
  await until('id: 50\n');
  await until('event: beat');
  const kept = (): number => {
    collect();
    return sent.filter(event => event.deref() !== undefined).length;
  };
  // The last one may still be in a register.
  await expect.poll(kept).toBeLessThan(3);
});

test('HEAD begins no stream', async () => {
  let begun = false;
  const port = await streamOf(async function* () {
    begun = true;
    yield { data: 'x' };
  });
  expect((await ask(port, '/', { method: 'HEAD' })).status).toBe(200);
  expect(begun).toBe(false);
});
