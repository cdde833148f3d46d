/** What the page of a fleet shows while answers are late, fail, or are of another input. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Fleet } from '@syndrome/supervisor/client/types.ts';
import { FleetModel } from './model.ts';

const fleet = (input: number, more: Partial<Fleet> = {}): Fleet => ({
  input,
  inputs: 1000,
  now: 0,
  mode: 'observe',
  policy: 'p@1#0',
  breakerOpen: false,
  hosts: [],
  vms: 1,
  troubled: [],
  openIncidents: 0,
  incidents: [],
  poisoned: 0,
  pages: [],
  alerts: [],
  decisions: 0,
  ...more,
});
const UNPROVEN: Partial<Fleet> = {
  troubled: [
    {
      id: 'db',
      name: 'db',
      epoch: 0,
      step: 'unproven',
      incident: 'inc-1',
      unproven: [{ host: 'h', epoch: 0, state: 'running', since: 1 }],
    },
  ],
};

type Answer = Response | Promise<Response>;
const json = (body: unknown, status = 200): Response => Response.json(body, { status });
const refused = (status: number, detail: string): Response => json({ detail, hint: 'Do this.' }, status);

/** A controller that answers as it is told, by the beginning of the path; the longest counts. */
class Controller {
  readonly answers = new Map<string, () => Answer>();
  readonly asked: { path: string; signal: AbortSignal | undefined }[] = [];
  #events: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    this.answers.set('v1/fleet', () => json(fleet(1000)));
    this.answers.set('v1/decisions', () => json({ items: [] }));
    this.answers.set('v1/incidents/', () => json({ incident: { id: 'inc-1' }, decisions: [], acts: [], notices: [] }));
    this.answers.set('v1/events', () => new Response(new ReadableStream({ start: c => void (this.#events = c) })));
  }

  readonly fetch = async (path: string, { signal }: RequestInit = {}): Promise<Response> => {
    this.asked.push({ path, signal: signal ?? undefined });
    const [at = ''] = [...this.answers.keys()].filter(p => path.startsWith(p)).toSorted((a, b) => b.length - a.length);
    const over = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const answer = await Promise.race([this.answers.get(at)?.(), over]);
    return answer ?? refused(404, 'none');
  };

  paths(beginning: string): string[] {
    return this.asked.map(({ path }) => path).filter(path => path.startsWith(beginning));
  }

  /** A sign of life of the stream, and all that follows from it. */
  async beat(): Promise<void> {
    this.#events?.enqueue(new TextEncoder().encode('event: beat\ndata: \n\n'));
    await vi.advanceTimersByTimeAsync(300);
  }
}

let controller: Controller;
let model: FleetModel;
beforeEach(() => {
  vi.useFakeTimers();
  controller = new Controller();
  vi.stubGlobal('fetch', controller.fetch);
  vi.stubGlobal('document', {
    visibilityState: 'visible',
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  model = new FleetModel();
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function entered(now: Fleet = fleet(1000, UNPROVEN)): Promise<void> {
  controller.answers.set('v1/fleet', () => json(now));
  expect(await model.enter('syn_x')).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
}
/** Long enough for a look to be asked for and answered. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(500);

test('a filter changes no sum', async () => {
  await entered();
  model.find.value = 'nothing has this';
  expect([model.rows.value.length, model.unproven.value, model.unprovenNow.value]).toEqual([0, 1, 1]);
});

test('of an input that is read or refused nothing is shown, and no sum', async () => {
  await entered();
  controller.answers.set('v1/fleet?input=500', () => json(fleet(500, UNPROVEN)));
  controller.answers.set('v1/fleet?input=10', () => refused(422, 'too long ago'));
  model.look(500);
  expect([model.at.value, model.shown.value, model.unproven.value]).toEqual([500, undefined, undefined]);
  await settled();
  expect([model.shown.value?.input, model.unproven.value]).toEqual([500, 1]);
  model.look(10);
  expect([model.at.value, model.shown.value, model.untold.value]).toEqual([10, undefined, undefined]);
  await settled();
  expect([model.at.value, model.shown.value, model.unproven.value]).toEqual([10, undefined, undefined]);
  expect(model.untold.value).toEqual({ message: 'too long ago', hint: 'Do this.' });
  model.look(undefined);
  expect([model.shown.value?.input, model.unproven.value, model.untold.value]).toEqual([1000, 1, undefined]);
});

test('a slider that is moved asks once it rests, and what was asked before is called off', async () => {
  await entered();
  const first = Promise.withResolvers<Response>();
  controller.answers.set('v1/fleet?input=100', () => first.promise);
  controller.answers.set('v1/fleet?input=7', () => json(fleet(7)));
  for (let input = 120; input >= 100; input--) model.look(input);
  await settled();
  for (let input = 20; input >= 7; input--) model.look(input);
  expect(controller.asked.find(({ path }) => path === 'v1/fleet?input=100')?.signal?.aborted).toBe(true);
  await settled();
  expect(controller.paths('v1/fleet?')).toEqual(['v1/fleet?input=100', 'v1/fleet?input=7']);
  first.resolve(json(fleet(100)));
  await settled();
  expect(model.shown.value?.input).toBe(7);
});

test('step by step it goes on from the input that is asked for, also while that is read', async () => {
  await entered();
  model.step(-1);
  model.step(-1);
  model.step(-1);
  expect(model.at.value).toBe(997);
});

test('of an incident whose row is gone nothing stays', async () => {
  await entered();
  await vi.waitFor(() => expect(model.explained.value?.incident.id).toBe('inc-1'));
  model.find.value = 'nothing has this';
  expect([model.row, model.explained.value]).toEqual([undefined, undefined]);
  model.find.value = '';
  await vi.waitFor(() => expect(model.explained.value?.incident.id).toBe('inc-1'));
  controller.answers.set('v1/fleet?input=5', () => json(fleet(5)));
  model.look(5);
  await settled();
  expect([model.shown.value?.input, model.row, model.explained.value]).toEqual([5, undefined, undefined]);
});

test.each([
  [401, 'the token is over'],
  [500, 'the server failed at this answer'],
])('an answer %i to what is new makes the page stale, with the reason, until one is good', async (status, why) => {
  await entered();
  await controller.beat();
  expect([model.stream.value?.state.value, model.stale.value]).toEqual(['live', false]);
  controller.answers.set('v1/fleet', () => refused(status, why));
  await controller.beat();
  expect([model.stream.value?.state.value, model.stale.value]).toEqual(['live', true]);
  expect(model.behind.value).toEqual({ message: why, hint: 'Do this.' });
  controller.answers.set('v1/fleet', () => new Response(undefined, { status: 304 }));
  await controller.beat();
  expect([model.stale.value, model.behind.value]).toEqual([false, undefined]);
});

test('who is let in, and then not told what was decided, stands at the door', async () => {
  controller.answers.set('v1/decisions', () => refused(503, 'a standby'));
  expect(await model.enter('syn_x')).toBe(false);
  expect([model.newest.value, model.trouble.value?.message]).toEqual([undefined, 'a standby']);
  controller.answers.set('v1/decisions', () => json({ items: [] }));
  expect(await model.enter('syn_x')).toBe(true);
  expect([model.newest.value?.input, model.stream.value?.state.value]).not.toContain(undefined);
});

test('an older answer that comes later is not shown, and what is new meanwhile is asked for', async () => {
  await entered(fleet(1));
  const answers: ((response: Response) => void)[] = [];
  controller.answers.set('v1/fleet', () => new Promise<Response>(resolve => answers.push(resolve)));
  await controller.beat();
  await controller.beat();
  // Whatever is in flight, the last one is answered first.
  answers.toReversed().forEach((answer, i) => answer(json(fleet(10 - i))));
  await vi.advanceTimersByTimeAsync(1);
  expect(model.newest.value?.input).toBe(10);
  await controller.beat();
  answers.at(-1)?.(json(fleet(20)));
  await settled();
  expect(model.newest.value?.input).toBe(20);
});

test('an answer that does not come makes the page stale', async () => {
  await entered();
  controller.answers.set('v1/fleet', () => new Promise<Response>(() => {}));
  await controller.beat();
  expect(model.stale.value).toBe(false);
  for (let i = 0; i < 60; i++) await controller.beat();
  expect([model.stream.value?.state.value, model.stale.value]).toEqual(['live', true]);
});
