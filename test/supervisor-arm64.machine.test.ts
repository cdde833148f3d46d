/**
 * The supervisor on arm64, all of it real: two emulated hosts with KVM, an agent in each, the reference VMM with a Linux guest, errors
 * that the guest consumes and one that the host's kernel finds, a controller and a customer on this machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factsOfLedger } from '@syndrome/cli/drill/ledger.ts';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { GdbClient } from '@syndrome/qemu/gdb/client.ts';
import { breakStage2Walk } from '@syndrome/qemu/gdb/poke.ts';
import { arm64Agent, assembleArm64, VM_FILES } from './host-fleet/arm64.ts';
import { agentProgram, bring, killAgent, Line, startAgent, startHost } from './host-fleet/hosts.ts';
import { untilIn } from './host-fleet/until.ts';
import { runInside } from './inside.ts';
import { storyOf, storyText } from './parity.ts';
import { type RunningSite, startSite } from './running-site.ts';

const VM = 'arm-vm';
/** As that of the drill on x86, and each page is taken out of the guest as well: this VMM can. */
const POLICY = {
  schema: 1,
  name: 'arm64',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere', drain: true },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'quarantine' },
  ],
};
/** Of one thing that is waited for, ms: an emulated host under load is slow, and boots a guest in minutes. */
const PATIENCE = 120_000;
const BOOT = 300_000;

let folder: string;
let site: RunningSite;
const end = new AbortController();
const sessions: Session[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sa-'));
});
afterAll(async () => {
  end.abort();
  await Promise.all(sessions.map(session => session.stop()));
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const until = untilIn({ site: () => site, sessions }, PATIENCE);

interface VmAnswer {
  id: string;
  copies: { host: string; epoch: number; state: string }[];
}
const runsOn = async (host: string): Promise<true | undefined> =>
  (await site.list<VmAnswer>('vms'))[0]?.copies.some(c => c.host === host && c.state === 'running') ? true : undefined;
const poisoned = (from: number): true | undefined =>
  site.notices.slice(from).some(n => n.type.includes('poisoned')) ? true : undefined;
const confirmed = (kind: string, n: number): Promise<true | undefined> =>
  site
    .list<{ kind: string; state: string }>('actions')
    .then(acts => (acts.filter(a => a.kind === kind && a.state === 'confirmed').length >= n ? true : undefined));

/**
 * The guest consumes an error: the table behind 2 MiB of its memory is unreadable for its next access. It is readable again before
 * anybody is told to act: the kernel of the host would walk into it.
 */
async function consume(session: Session, line: Line, id: string): Promise<bigint> {
  const { agent, gdbPath = '' } = session;
  const { phys = 0n } = await agent.call('map', { proc: 'victim', id, size: '2m' });
  expect(phys).not.toBe(0n);
  const gdb = await GdbClient.connect({ path: gdbPath }, { signal: end.signal });
  line.hold();
  try {
    const broken = await breakStage2Walk(gdb, { ipa: phys, attempts: 1500 });
    try {
      expect((await agent.call('touch', { proc: 'victim', id }, { deadlineMs: PATIENCE })).signal).toBe('SIGBUS');
    } finally {
      await broken.restore();
    }
  } finally {
    await gdb.close();
    line.release();
  }
  return phys;
}

/** The host's kernel finds an error in a page of the guest that nobody consumes: it names the frame, and nothing else. */
async function poison({ agent, host }: Session, id: string): Promise<{ gpa: bigint; pfn: bigint }> {
  if (host === undefined) throw new Error('no host layer');
  const { phys: gpa = 0n } = await agent.call('map', { proc: 'victim', id });
  // Where it lies in the host, the VMM is asked by a request of its own, and answers where it writes everything.
  await host.call('write', { path: VM_FILES.control, value: JSON.stringify({ cmd: 'page', gpa: hex64(gpa) }) + '\n' });
  const hpa = await until('the answer of the VMM', async () => {
    const lines = (await host.readText(VM_FILES.events, { max: 1 << 20 })).split('\n');
    const answer = lines.find(line => line.includes('"event":"page"'));
    return answer === undefined ? undefined : parseU64(JSON.parse(answer).hpa.value);
  });
  await host.call('hwpoison', { pfn: hpa >> 12n });
  return { gpa, pfn: hpa >> 12n };
}

describe('two emulated arm64 hosts', () => {
  test('an error → abort, quarantine, notice; the third page → stop, proof, the VM on the other host', async context => {
    const supply = await Supply.open();
    const parts = await assembleArm64(VM, { supply }).catch((error: unknown) => {
      if (error instanceof SyndromeError) return error;
      throw error;
    });
    skipWithout(context, 'mirror', parts instanceof Error ? parts.message : undefined);
    if (parts instanceof Error) return;
    const program = await agentProgram();
    site = await startSite(folder, POLICY);
    const start = async (name: string, hostOnly: boolean): Promise<Session> => {
      const trace = join(folder, `${name}.ndjson`);
      const session = await startHost(parts, trace, end.signal, { cacheDir: supply.cacheDir, hostOnly });
      sessions.push(session);
      await bring(session, program);
      return session;
    };
    const a = await start('a', false);
    const line = new Line(a.uplink, site.agents);
    await startAgent(a, 'a', arm64Agent(VM));
    const b = await start('b', true);
    new Line(b.uplink, site.agents);
    await startAgent(b, 'b', arm64Agent(VM));
    /** When the lab saw the VMM of host a end, and the guest print on host b: nothing of the supervisor tells that. */
    const seen: { ended?: number; printed?: number } = {};
    a.recorder.listen(e => void (e.name === 'vmm.exit' && (seen.ended ??= performance.now())));
    b.recorder.listen(
      e => void (e.layer === 'guest' && e.source === 'console' && (seen.printed ??= performance.now())),
    );
    await until('the VM on host a', () => runsOn('a'));
    await until('host b', async () => ((await site.list('hosts')).length === 2 ? true : undefined));

    await a.agent.call('spawn', { name: 'victim' });
    await a.agent.call('spawn', { name: 'bystander' });
    await a.agent.call('on-signal', { proc: 'victim', action: 'report' });
    await a.agent.call('map', { proc: 'bystander', id: 'other' });
    await a.agent.call('spin', { proc: 'bystander', id: 'other' });
    const first = await consume(a, line, 'first');
    await until('the first notice', () => poisoned(0));
    await until('the first quarantine', () => confirmed('quarantine', 1));
    // What is out of the guest's memory is not consumed again.
    expect((await a.agent.call('touch', { proc: 'victim', id: 'first' }, { deadlineMs: PATIENCE })).signal).toBe(
      'SIGBUS',
    );
    let told = site.notices.length;
    // Nobody is there to see the next one: it is read where it was written, by the agent that comes after.
    await killAgent(a);
    const second = await poison(a, 'second');
    await startAgent(a, 'a', arm64Agent(VM));
    await until('the second notice', () => poisoned(told));
    told = site.notices.length;
    const third = await consume(a, line, 'third');
    await until('the third notice', () => poisoned(told));
    await until('the VM on host b', () => runsOn('b'));
    await b.agent.nextEvent(e => e.name === 'ready', { after: 0, deadlineMs: BOOT });
    expect(await b.agent.call('hello', {}, { deadlineMs: PATIENCE })).toMatchObject({ arch: 'aarch64' });
    await until('the notice of the restart', () => site.notices.find(n => n.type.includes('vm.restarted')));
    const explained = await runInside(process.env, ['fleet', 'explain', 'inc-1', '--config', site.config]);
    const joined = await runInside(process.env, ['fleet', 'explain', 'inc-2', '--config', site.config]);
    await site.stop();

    const each = [/told +customer: VM arm-vm has lost/, /act +quarantine on a: confirmed/];
    for (const words of [/seen +vmm vmm\.arm-sea/, ...each]) expect(explained.stdout).toMatch(words);
    for (const words of [/seen +kmsg host\.memory-failure/, ...each]) expect(joined.stdout).toMatch(words);
    const facts = await factsOfLedger(site.ledger, VM);
    await expect(storyText(storyOf(facts, VM))).toMatchFileSnapshot('golden/parity-arm64.json');
    expect(facts.replay).toBe('same');
    // Three pages, an incident each. Of the second its frame alone was told by the kernel, its guest address by the VMM.
    const incidents = facts.incidents.filter(i => i.cause === 'page');
    expect(incidents.map(i => [i.host, i.vm])).toEqual([1, 2, 3].map(() => ['a', VM]));
    expect([...(incidents[0]?.witnesses.keys() ?? [])]).toEqual(['vmm vmm.arm-sea', 'vmm vmm.quarantine-hit']);
    expect([...(incidents[2]?.witnesses.keys() ?? [])]).toEqual(['vmm vmm.arm-sea']);
    expect([...(incidents[1]?.witnesses.keys() ?? [])].toSorted()).toEqual(
      expect.arrayContaining(['kmsg host.memory-failure', 'vmm vmm.sigbus']),
    );
    // What was told by its guest address alone is the same page.
    const pages = facts.pages.filter(p => p.pfn !== undefined && p.vms.includes(VM));
    expect(pages.map(p => p.gpa)).toEqual([first, second.gpa, third].map(hex64));
    expect(pages[1]?.pfn).toBe(hex64(second.pfn));
    expect(pages.map(p => [p.consumed === true, p.quarantined === true])).toEqual([
      [true, true],
      [false, true],
      [true, true],
    ]);
    const words = site.notices.filter(n => n.type.includes('poisoned')).map(n => n.data['summary']);
    expect(words).toEqual(
      [first, second.gpa, third].map(
        gpa =>
          `VM ${VM} has lost 4 KiB of memory at guest address 0x${gpa.toString(16)} to a memory error of its host.`,
      ),
    );
    expect(facts.proofs).toMatchObject([{ kind: 'process-gone', host: 'a', epoch: 0, evidence: { autostart: 'off' } }]);
    expect(facts.running).toMatchObject([
      { host: 'a', epoch: 0 },
      { host: 'b', epoch: 1 },
    ]);
    expect(seen.ended).toBeLessThan(seen.printed ?? 0);
    expect(new Set(site.notices.map(n => n.id)).size).toBe(site.notices.length);
  });
});
