/** A token that is over ends what was begun with it, too. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerEvent } from '@syndrome/base/http/events.ts';
import type { Desk } from '../controller/desk.ts';
import { restApp } from './app.ts';
import type { Route } from './route.ts';
import { newToken, Tokens } from './tokens.ts';

const DAY = 86_400_000;
const EVENTS: Route = {
  method: 'GET',
  path: '/v1/events',
  id: 'follow',
  summary: 'events',
  role: 'viewer',
  events: 'events',
  params: {},
  query: {},
  kind: 'events',
  async *follow(_desk, _last, signal): AsyncGenerator<ServerEvent, void> {
    yield { data: 'first' };
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  },
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stream of events for a token that is good for so long, and how it is asked for. */
function site(forMs: number | undefined) {
  const { token, sha256 } = newToken();
  const until = forMs === undefined ? undefined : Date.now() + forMs;
  const app = restApp({
    routes: [EVENTS],
    tokens: new Tokens([{ name: 'vera', roles: ['viewer'], sha256, until }]),
    ledgers: [{ below: '', desk: () => ({ over: new AbortController().signal }) as Desk }],
    signal: new AbortController().signal,
    onFault: error => {
      throw error;
    },
  });
  const headers = { authorization: `Bearer ${token}`, host: 'localhost' };
  return async () => await app.request('http://localhost/v1/events', { headers });
}

/** Reads until the stream ends. */
function reading(response: Response) {
  const seen = { text: '', ended: false };
  void (async () => {
    for await (const chunk of response.body ?? []) seen.text += Buffer.from(chunk as Uint8Array).toString();
    seen.ended = true;
  })();
  return seen;
}

// The last is longer than a timer can be set for: 2^31-1 ms are 25 days.
test.each([1000, 90_000, 60 * DAY])('a stream ends when its token does, after %i ms, and not before', async forMs => {
  const ask = site(forMs);
  const [first, second] = [reading(await ask()), reading(await ask())];
  // Of 60 days the last hour only: the stream says that it lives every 2 s.
  if (forMs > DAY) {
    vi.setSystemTime(Date.now() + 10 * DAY);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(first.ended).toBe(false);
    vi.setSystemTime(Date.now() + 50 * DAY - 130_000);
  }
  await vi.advanceTimersByTimeAsync(forMs > DAY ? 500 : forMs - 1);
  expect([first.ended, second.ended, first.text.includes('data: first')]).toEqual([false, false, true]);
  await vi.advanceTimersByTimeAsync(forMs > DAY ? 61_000 : 1);
  expect([first.ended, second.ended]).toEqual([true, true]);
  expect((await ask()).status).toBe(401);
});

test('a token without an end ends none', async () => {
  const stream = reading(await site(undefined)());
  await vi.advanceTimersByTimeAsync(120_000);
  expect(stream.ended).toBe(false);
});
