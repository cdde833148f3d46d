import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { peerServer } from '@syndrome/qemu/libvirt/testing/peer.ts';
import type { Act, ActResult } from '../core/act.ts';
import type { ResultReport, Said, SeenEvent } from '../core/said.ts';
import { resultOf } from './actuator.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { parse } from 'yaml';
import { agentConfigSchema } from './config.ts';
import type { Sink, Source } from './source.ts';
import { TestController } from './testing/controller.ts';
import { serve, t1, VM } from './testing/fake-libvirt.ts';

let folder: string;
let controller: TestController;
let end: AbortController;
let running: Promise<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
  controller = await TestController.listen(join(folder, 'c.sock'));
  end = new AbortController();
  running = Promise.resolve();
});
afterEach(async () => {
  end.abort();
  await running;
  await controller.close();
  rmSync(folder, { recursive: true });
});

/** A source that a test speaks through. */
class Voice implements Source {
  readonly name = 'drill';
  runs = 0;
  say: Sink = () => undefined;

  run(sink: Sink, signal: AbortSignal): Promise<void> {
    this.runs++;
    this.say = sink;
    return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}

async function start(options: AgentOptions = {}, more = '', vms = `${folder}/vms`): Promise<Agent> {
  const text = `host: a
folder: ${folder}/state
controller: ${folder}/c.sock
kmsg: false
trace: false
sysfs: false
start: { folder: ${vms}, logs: ${folder}/logs }
${more}`;
  const agent = await Agent.open(agentConfigSchema.parse(parse(text)), { tickMs: 10, ...options });
  running = agent.run(end.signal);
  return agent;
}
async function stop(): Promise<void> {
  end.abort();
  await running;
  end = new AbortController();
}

const failure = (n: number): SeenEvent => ({
  kind: 'event',
  source: 'drill',
  vm: 'web',
  event: event('vmm.memory-failure', { recipient: 'guest', action: 'inject' }),
  pfn: BigInt(n),
});
const isEvent = (said: Said): said is SeenEvent => said.kind === 'event';
const isResult = (said: Said): said is ResultReport => said.kind === 'result';
const act = (id: string, epoch: number): Act => ({
  id,
  kind: 'pause',
  host: 'a',
  vm: 'web',
  epoch,
  incident: 'inc-1',
  deadline: Date.now() + 60_000,
});

describe('the agent', () => {
  test('brings what sources say to the controller', async () => {
    const voice = new Voice();
    await start({ parts: () => ({ sources: [voice] }) });
    voice.say(failure(1));
    expect(await controller.until(isEvent)).toEqual(failure(1));
    expect(controller.said[0]).toMatchObject({ source: 'agent', state: 'reading' });
  });

  test('keeps what the controller does not hear, and brings it after a restart', async () => {
    const voice = new Voice();
    await controller.close();
    await start({ parts: () => ({ sources: [voice] }) });
    voice.say(failure(1));
    await stop();
    controller = await TestController.listen(join(folder, 'c.sock'));
    await start();
    expect(await controller.until(isEvent)).toEqual(failure(1));
  });

  test('does an act once, whatever comes how often, and answers the same', async () => {
    const done: string[] = [];
    const libvirt = {
      act: (order: Act): Promise<ActResult> => {
        done.push(order.id);
        return Promise.resolve(resultOf(order, { state: 'confirmed', seen: { status: 'paused' } }));
      },
    };
    await start({ parts: () => ({ libvirt }) });
    controller.order(act('1', 5));
    const first = await controller.until(isResult);
    expect(first).toEqual({
      kind: 'result',
      action: '1',
      vm: 'web',
      epoch: 5,
      state: 'confirmed',
      seen: { status: 'paused' },
    });
    controller.order(act('old', 4));
    expect(await controller.until(s => isResult(s) && s.action === 'old')).toMatchObject({ state: 'refused' });
    controller.order({ ...act('other', 6), host: 'b' });
    expect(await controller.until(s => isResult(s) && s.action === 'other')).toMatchObject({ state: 'refused' });
    await stop();
    // It is ordered again as soon as the agent is there.
    await start({ parts: () => ({ libvirt }) });
    await controller.until(
      s => isResult(s) && s.action === '1' && controller.said.filter(isResult).filter(r => r.action === '1').length > 1,
    );
    expect(done).toEqual(['1']);
    for (const again of controller.said.filter(isResult).filter(r => r.action === '1')) expect(again).toEqual(first);
  });

  test('refuses what it does not know from a newer controller, and stays', async () => {
    await start();
    controller.order({ ...act('new', 7), kind: 'teleport' as Act['kind'] });
    expect(await controller.until(s => isResult(s) && s.action === 'new')).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('does not know how to teleport'),
    });
    // Nothing is written down of it: an older epoch is not refused for it.
    controller.order({ ...act('next', 6), kind: 'check', needs: [] });
    expect(await controller.until(s => isResult(s) && s.action === 'next')).toMatchObject({ state: 'confirmed' });
  });

  test('does not do what was held up until its deadline was over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    try {
      const done: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const libvirt = {
        act: async (order: Act): Promise<ActResult> => {
          done.push(order.id);
          begun.resolve();
          await promise;
          return resultOf(order, { state: 'unknown' });
        },
      };
      await start({ parts: () => ({ libvirt }) });
      controller.order({ ...act('start', 5), kind: 'start' });
      await begun.promise;
      controller.order({ ...act('stop', 5), kind: 'terminate' });
      controller.order(act('other', 5));
      await vi.waitFor(() => expect(done).toEqual(['start', 'other']));
      vi.setSystemTime(Date.now() + 3_600_000);
      resolve();
      expect(await controller.until(s => isResult(s) && s.action === 'stop')).toMatchObject({ state: 'refused' });
      expect(done).toEqual(['start', 'other']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('goes on when its clock is set: its rows keep their order, and deadlines are those of the controller', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    try {
      const voice = new Voice();
      const done: string[] = [];
      const libvirt = {
        act: (order: Act): Promise<ActResult> => {
          done.push(order.id);
          return Promise.resolve(resultOf(order, { state: 'confirmed' }));
        },
      };
      await start({ parts: () => ({ libvirt, sources: [voice] }) });
      const now = Date.now();
      const orders = { forward: act('forward', 5), back: act('back', 5) };
      voice.say(failure(1));
      await controller.until(s => isEvent(s) && s.pfn === 1n);
      vi.setSystemTime(now + 3_600_000);
      voice.say(failure(2));
      controller.order(orders.forward);
      await controller.until(s => isResult(s) && s.action === 'forward');
      vi.setSystemTime(now - 3_600_000);
      voice.say(failure(3));
      controller.order(orders.back);
      await controller.until(s => isResult(s) && s.action === 'back');
      // Over at the controller; by the clock of this host it has an hour left.
      controller.order({ ...act('late', 5), deadline: now - 1 });
      expect(await controller.until(s => isResult(s) && s.action === 'late')).toMatchObject({
        state: 'refused',
        reason: expect.stringContaining('its deadline is over'),
      });
      await controller.until(s => isEvent(s) && s.pfn === 3n);
      expect(done).toEqual(['forward', 'back']);
      const rows = [...controller.rows.values()].filter(row => isEvent(row.said)).toSorted((a, b) => a.seq - b.seq);
      expect(rows.map(row => isEvent(row.said) && row.said.pfn)).toEqual([1n, 2n, 3n]);
      expect(rows.map(row => Math.round((row.at - now) / 3_600_000))).toEqual([0, 1, -1]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('domains of libvirt are told and acted on by libvirt, also by an agent that was started again', async () => {
    const daemon = await peerServer();
    const domain = `libvirt: { socket: ${daemon.path} }`;
    const prove = (id: string): Act => ({ ...act(id, 5), kind: 'prove', vm: VM });
    const isRunning = (said: Said): boolean => said.kind === 'vm' && said.vm === VM && said.state === 'running';
    try {
      const served = daemon.accept().then(peer => serve(peer, new Map([[VM, t1()]])));
      await start({}, domain);
      await served;
      expect(await controller.until(isRunning)).toMatchObject({ vmm: 'libvirt', name: 't1' });
      void daemon.accept().then(peer => serve(peer, new Map([[VM, t1()]])));
      controller.order(prove('1'));
      expect(await controller.until(isResult)).toMatchObject({
        state: 'failed',
        reason: 'libvirt says running (booted)',
      });
      await stop();
      await daemon.close();
      await start({}, domain);
      controller.order(prove('2'));
      expect(await controller.until(s => isResult(s) && s.action === '2')).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('cannot connect') as string,
      });
    } finally {
      await daemon.close().catch(() => undefined);
    }
  });

  test('looks for the end of a copy behind a start that is under way, and not behind that of another VM', async () => {
    const done: string[] = [];
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const libvirt = {
      act: async (order: Act): Promise<ActResult> => {
        if (order.kind === 'start') {
          begun.resolve();
          await goOn.promise;
        }
        done.push(order.id);
        return resultOf(order, { state: 'confirmed' });
      },
    };
    await start({ parts: () => ({ libvirt }) });
    controller.order({ ...act('start', 5), kind: 'start' });
    await begun.promise;
    controller.order({ ...act('prove', 5), kind: 'prove' });
    controller.order({ ...act('of another', 5), kind: 'prove', vm: 'db' });
    await controller.until(s => isResult(s) && s.action === 'of another');
    goOn.resolve();
    await controller.until(s => isResult(s) && s.action === 'prove');
    expect(done).toEqual(['of another', 'start', 'prove']);
  });

  test('an act of which nothing comes is unknown, and never done again', async () => {
    let begun = 0;
    const libvirt = {
      act: (order: Act, signal: AbortSignal): Promise<ActResult> =>
        new Promise((_, reject) => {
          begun++;
          signal.addEventListener('abort', () => reject(new Error(`${order.id} was given up`)), { once: true });
          end.abort();
        }),
    };
    await start({ parts: () => ({ libvirt }) });
    controller.order(act('1', 5));
    await running;
    end = new AbortController();
    await start({ parts: () => ({ libvirt }) });
    expect(await controller.until(isResult)).toMatchObject({ action: '1', state: 'unknown' });
    expect(begun).toBe(1);
  });

  test('a full spool stops the sources, says so, drops nothing, and goes on with the gap', {
    timeout: 30_000,
  }, async () => {
    const voice = new Voice();
    await controller.close();
    const agent = await start({ parts: () => ({ sources: [voice] }) }, 'spoolMiB: 1');
    let n = 0;
    // Each another page, so that nothing can be put together.
    while (agent.spool.fill < 1) {
      for (let i = 0; i < 200; i++) voice.say({ ...failure(++n), raw: 'x'.repeat(400) });
      await agent.spool.durable(agent.spool.lastSeq);
    }
    controller = await TestController.listen(join(folder, 'c.sock'));
    await controller.until(s => s.kind === 'source' && s.state === 'spool-full');
    expect(await controller.until(s => s.kind === 'source' && s.source === 'drill')).toMatchObject({
      state: 'back',
      gapMs: expect.any(Number),
      reason: 'the spool was full',
    });
    expect(voice.runs).toBe(2);
    voice.say(failure(n + 1));
    await controller.until(s => isEvent(s) && s.pfn === BigInt(n + 1));
    expect(new Set(controller.said.filter(isEvent).map(s => s.pfn)).size).toBe(n + 1);
  });

  test('a storm of one page costs a row a second, and its count is right', async () => {
    const voice = new Voice();
    const agent = await start({ parts: () => ({ sources: [voice] }) });
    for (let i = 0; i < 50_000; i++) voice.say(failure(1));
    expect(agent.spool.lastSeq).toBeLessThan(40);
    await stop();
    await start();
    const counted = (): number => controller.said.filter(isEvent).reduce((sum, s) => sum + (s.count ?? 1), 0);
    await controller.until(() => counted() === 50_000);
    expect(controller.said.filter(isEvent).length).toBeLessThan(40);
  });

  test('a position is kept only when all that was read up to it is durable, repeats that are counted too', async () => {
    await controller.close();
    const log = join(folder, 'vmm.ndjson');
    const text = '{"event":"quarantine-hit","vcpu":0,"exit":"mmio","gpa":"0x1000","action":"sea"}\n'.repeat(100);
    writeFileSync(log, text);
    const agent = await start({}, `vmms: [{ vm: web, events: ${log} }]`);
    const kept = join(folder, 'state/positions.json');
    await vi.waitUntil(() => existsSync(kept) && readFileSync(kept, 'utf8').includes(`:${text.length}"`), {
      interval: 1,
      timeout: 4000,
    });
    // What a kill would leave here.
    const rows: Said[] = [];
    const last = agent.spool.durableSeq;
    while (rows.length < last)
      rows.push(...(await agent.spool.read(rows.length + 1)).map(row => parseObject(row.body) as unknown as Said));
    expect(rows.filter(isEvent).reduce((sum, { count }) => sum + (count ?? 1), 0)).toBe(100);
    controller = await TestController.listen(join(folder, 'c.sock'));
  });

  test('what no controller would take does not stand in the way of the rest', async () => {
    const voice = new Voice();
    await start({ parts: () => ({ sources: [voice] }) });
    voice.say({ ...failure(1), vm: 'a name\nof two lines' });
    voice.say(failure(2));
    await controller.until(s => isEvent(s) && s.pfn === 2n);
    expect(controller.said).toContainEqual(expect.objectContaining({ source: 'drill', state: 'back', lostEvents: 1 }));
  });

  test('who may start nothing still watches', async () => {
    const voice = new Voice();
    const log: string[] = [];
    const options = { parts: () => ({ sources: [voice] }), log: (line: string) => void log.push(line) };
    await start(options, '', `${folder}/c.sock/vms`);
    expect(log).toContainEqual(expect.stringContaining('no VM can be started here'));
    voice.say(failure(1));
    expect(await controller.until(isEvent)).toEqual(failure(1));
  });

  test('a second agent on the same folder is refused', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'E_AGENT_RUNNING' });
  });
});
