/**
 * The supervisor in emulated AMD hosts, all of it real: KVM, QEMU and a Linux guest in each, and beside them an agent that reads this
 * kernel, this QEMU and their processes; a controller and a customer on this machine. One story: a page with corrected errors is
 * moved, a bad one is told by everybody who knows of it, the guest panics over it and is started on the other host; what that one
 * loses nobody hears, but QEMU does not migrate it; and the first host, booted again, takes no VM before its bad pages are out of use.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '@syndrome/base/store/sqlite.ts';
import { factsOfLedger } from '@syndrome/cli/drill/ledger.ts';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Assembly } from '@syndrome/lab/parts.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { hmpChecked } from '@syndrome/qemu/qmp/hmp.ts';
import { gpa2hpa } from '@syndrome/qemu/qmp/translate.ts';
import { inputsOf } from '@syndrome/supervisor/controller/input-json.ts';
import { inputsAfter } from '@syndrome/supervisor/controller/journal.ts';
import type { Act, ActKind } from '@syndrome/supervisor/core/act.ts';
import type { ResultReport, Row, Said } from '@syndrome/supervisor/core/said.ts';
import { amdAgent, assembleAmd, filesOf } from './host-fleet/amd.ts';
import {
  agentProgram,
  bring,
  diskOf,
  forgetPositions,
  giveDisk,
  killAgent,
  Line,
  startAgent,
  startHost,
  writeSmall,
} from './host-fleet/hosts.ts';
import { untilIn } from './host-fleet/until.ts';
import { runInside } from './inside.ts';
import { type RunningSite, startSite } from './running-site.ts';

const VM = 'amd-vm';
/** Of the hosts; and the guest of the thread "x86/mce/amd: Fix VM crash during deferred error handling", which panics at its poll. */
const KERNELS = { kernel: '7.2.12', guest: '6.19.6' };
const POLICY = {
  schema: 1,
  name: 'amd',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'vm-died', of: 'vm', when: { consequence: ['panicked', 'died'] }, do: 'restart-elsewhere' },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'tell' },
    { name: 'weak-page', of: 'page', when: { corrected: 3, within: '24h' }, do: 'soft-offline' },
  ],
  deadlines: { act: '3m', stop: '2m', start: '3m', prove: '1m', migrate: '3m' },
};
/** The same, and pages are taken out of use again after a boot. */
const AGAIN = { ...POLICY, version: '2', reoffline: true };
/** A corrected error of memory in a bank: VAL, EN, MISCV, ADDRV (APM volume 2, MCi_STATUS). */
const CORRECTED = '0x9c000000000000c0';
/** Bit of /proc/kpageflags (admin-guide/mm/pagemap.rst): out of use. */
const HWPOISON = 19n;
/** Of one thing that is waited for, ms: an emulated host under load is slow, and boots a guest in minutes. */
const PATIENCE = 180_000;
const BOOT = 600_000;
const SLOW = { deadlineMs: PATIENCE };

let folder: string;
let site: RunningSite;
const end = new AbortController();
const sessions: Session[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sh-'));
});
afterAll(async () => {
  end.abort();
  await Promise.all(sessions.map(session => session.stop()));
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const until = untilIn({ site: () => site, sessions }, PATIENCE);

interface Doing {
  id: string;
  kind: string;
  host: string;
  state: string;
  reason?: string;
}
const acts = async (kind: ActKind, host: string): Promise<Doing[]> =>
  (await site.list<Doing>('actions')).filter(a => a.kind === kind && a.host === host);
const ended = (kind: ActKind, host: string, n = 1): Promise<Doing[]> =>
  until(`${n} ${kind} on ${host}`, async () => {
    const done = (await acts(kind, host)).filter(a => a.state !== 'intent' && a.state !== 'sent');
    return done.length >= n ? done : undefined;
  });
const runsOn = (host: string): Promise<true> =>
  until(`the VM on host ${host}`, async () =>
    (await site.list<{ copies: { host: string; state: string }[] }>('vms'))[0]?.copies.some(
      c => c.host === host && c.state === 'running',
    )
      ? true
      : undefined,
  );

/** What the agents said, as the ledger has it. */
async function rows(): Promise<Row[]> {
  const store = await openSqlite(site.ledger);
  try {
    const all: Row[] = [];
    for await (const row of inputsAfter(store.query, 0))
      for (const input of inputsOf(row)) if (input.input === 'row') all.push(input.row);
    return all;
  } finally {
    await store.close();
  }
}
const saidBy = async (host: string): Promise<Said[]> =>
  (await rows()).filter(row => row.host === host).map(row => row.said);

/** Gives an agent an order of the test's own, and waits for its answer in the ledger. */
async function order(line: Line, act: Pick<Act, 'kind' | 'host'> & Partial<Act>): Promise<ResultReport> {
  const id = `test/${act.kind}/${act.host}`;
  line.order({ id, incident: 'test', epoch: 0, deadline: Date.now() + PATIENCE, ...act });
  return until(`the answer to ${id}`, async () =>
    (await saidBy(act.host)).find((s): s is ResultReport => s.kind === 'result' && s.action === id),
  );
}

async function fleet(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInside(process.env, ['fleet', ...words, '--config', site.config]);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** A page of a process in the guest: where the guest has it, and its host. */
async function page(session: Session, id: string): Promise<{ gpa: bigint; pfn: bigint }> {
  const { phys: gpa = 0n } = await session.agent.call('map', { proc: 'victim', id }, SLOW);
  return { gpa, pfn: await frameOf(session, gpa) };
}
const frameOf = async (session: Session, gpa: bigint): Promise<bigint> =>
  (await gpa2hpa(session.qmp, gpa)).address >> 12n;

function hostOf({ host }: Session): NonNullable<Session['host']> {
  if (host === undefined) throw new Error('no host layer');
  return host;
}

/** Whether the kernel of a host has taken a page out of use. */
async function isOut(session: Session, pfn: bigint): Promise<boolean> {
  const flags = await hostOf(session).readBytes('/proc/kpageflags', { max: 8, offset: pfn * 8n });
  return ((flags.readBigUInt64LE() >> HWPOISON) & 1n) === 1n;
}

async function corruptedOf(session: Session): Promise<number> {
  const text = await hostOf(session).readText('/proc/meminfo', { max: 1 << 16 });
  return Number(/^HardwareCorrupted:\s+(\d+) kB$/m.exec(text)?.[1]);
}

async function spawnVictim({ agent }: Session): Promise<void> {
  await agent.call('spawn', { name: 'victim' }, SLOW);
  await agent.call('on-signal', { proc: 'victim', action: 'report' }, SLOW);
}

/** Resets a host as its button does, and brings it to where it was after its first boot: what it had in memory is gone. */
async function reboot(session: Session, { modules, host: plan }: Assembly): Promise<void> {
  const host = hostOf(session);
  const after = host.lastSeq;
  await session.outer.execute('set-action', { reboot: 'reset' });
  await session.outer.execute('system_reset');
  await host.nextEvent(e => e.name === 'ready', { after, deadlineMs: BOOT });
  for (const path of [...modules, ...(plan?.diskModules ?? [])]) await host.call('insmod', { path }, SLOW);
  for (const copy of plan?.copies ?? []) await host.call('copy', copy, SLOW);
}

/** Whether it has all that is wanted. */
function matches(it: object, wanted: object): boolean {
  try {
    expect(it).toMatchObject(wanted);
    return true;
  } catch {
    return false;
  }
}

describe('two emulated AMD hosts', () => {
  test('a weak page, a bad page, a panic, a page that nobody heard of, a boot: the VM runs on', {
    timeout: 1_200_000,
  }, async context => {
    const supply = await Supply.open();
    const parts = await assembleAmd(VM, KERNELS, { supply }).catch((error: unknown) => {
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
    // The second finds the state of a host layer that the first has made.
    const [a, b] = await Promise.all([start('a', false), start('b', true)]);
    const files = filesOf(VM);
    await writeSmall(a, files.facts, JSON.stringify({ vm: VM, optedIn: true, log: files.log, console: files.console }));
    let line = new Line(a.uplink, site.agents);
    new Line(b.uplink, site.agents);
    await startAgent(a, 'a', amdAgent({ offline: true }));
    await startAgent(b, 'b', amdAgent());
    await runsOn('a');
    await until('host b', async () => ((await site.list('hosts')).length === 2 ? true : undefined));
    await spawnVictim(a);

    // A page of the VM has corrected errors: the kernel of its host moves it, and the guest sees nothing of that.
    const weak = await page(a, 'weak');
    await hostOf(a).call('check-interval', { seconds: 1 }, SLOW);
    for (let n = 1; n <= 3; n++) {
      await hmpChecked(a.outer, `mce 0 9 ${CORRECTED} 0x0 0x${(weak.pfn << 12n).toString(16)} 0x8c`);
      await until('the record of a corrected error', async () =>
        (await saidBy('a')).filter(s => s.kind === 'event' && s.event.name === 'host.mce-record').length >= n
          ? true
          : undefined,
      );
    }
    expect(await ended('soft-offline', 'a')).toMatchObject([{ state: 'confirmed' }]);
    expect(await frameOf(a, weak.gpa)).not.toBe(weak.pfn);
    expect(await isOut(a, weak.pfn)).toBe(true);
    expect(await a.agent.call('verify', { proc: 'victim', id: 'weak' }, SLOW)).toMatchObject({ intact: true });
    expect(await corruptedOf(a)).toBe(4);

    // A page goes bad: its host's kernel, its trace, QEMU's log and QEMU's monitor speak of it, each in its way.
    const bad = await page(a, 'bad');
    await hostOf(a).call('hwpoison', { pfn: bad.pfn }, SLOW);
    await until('the notice', () => (site.notices.some(n => n.type.includes('poisoned')) ? true : undefined));
    // Another is taken away by the agent: the content is lost, and that is told as well.
    const taken = await page(a, 'taken');
    expect(await order(line, { kind: 'hard-offline', host: 'a', pfn: taken.pfn })).toMatchObject({
      state: 'confirmed',
      seen: { pfn: hex64(taken.pfn), now: 'out of use' },
    });
    expect(await isOut(a, taken.pfn)).toBe(true);
    // A VM that has lost pages is not migrated, whoever wants it.
    const refused = await order(line, { kind: 'migrate', host: 'a', vm: VM, to: 'b' });
    expect(refused).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining("Can't migrate this vm with hardware poisoned memory"),
    });

    // The guest finds it at its next poll, and panics. It is stopped with a proof, and started on the other host.
    void a.agent.call('check-interval', { seconds: 1 }).catch(() => 'it panics before it answers');
    await runsOn('b');
    await b.agent.nextEvent(e => e.name === 'ready', { after: 0, deadlineMs: BOOT });
    await b.attachVmm(false);
    const explained = await fleet('explain', 'inc-2');

    // There it loses a page while nobody is there to hear of it. Who comes after may not read the kernel's words, nor QEMU's old ones.
    await spawnVictim(b);
    await killAgent(b);
    const unheard = await page(b, 'unheard');
    const told = b.recorder.events.length;
    await hostOf(b).call('hwpoison', { pfn: unheard.pfn }, SLOW);
    await until('QEMU on host b to know of it', () =>
      b.recorder.events.slice(told).some(e => e.name === 'vmm.memory-failure') ? true : undefined,
    );
    await forgetPositions(b);
    await startAgent(b, 'b', amdAgent({ kmsg: false, trace: false }));

    // The first host boots again: its bad pages are in use, and it takes no VM.
    await killAgent(a);
    line.end();
    const disk = await diskOf(a);
    await reboot(a, parts);
    await bring(a, program);
    await giveDisk(a, disk);
    line = new Line(a.uplink, site.agents);
    await startAgent(a, 'a', amdAgent({ offline: true }));
    expect(await isOut(a, bad.pfn)).toBe(false);
    await until('the boot of host a', async () =>
      new Set((await saidBy('a')).flatMap(s => (s.kind === 'host' ? [s.boot] : []))).size === 2 ? true : undefined,
    );
    await fleet('drain', 'b');
    await until('that there is nowhere to go', async () =>
      (await factsOfLedger(site.ledger, VM)).decisions.some(d => d.rule === 'core/no-target') ? true : undefined,
    );
    // Where the policy wants it they are taken out of use before anybody gets them. Then the VM can go there, if QEMU lets it.
    const again = join(folder, 'again.yaml');
    writeFileSync(again, JSON.stringify(AGAIN), { mode: 0o600 });
    await fleet('policy', 'set', again);
    expect((await ended('re-offline', 'a', 2)).map(act => act.state)).toEqual(['confirmed', 'confirmed']);
    for (const { pfn } of [bad, taken]) expect(await isOut(a, pfn)).toBe(true);
    await ended('start', 'a');
    await runsOn('a');
    const fromA = await saidBy('a');
    await site.stop();

    // Kernel, trace, QEMU's log and its monitor: each of the pages is one incident, with its frame, its VM and its guest address.
    const facts = await factsOfLedger(site.ledger, VM);
    const incidents = facts.incidents.filter(i => i.state !== 'absorbed');
    const pages = incidents.filter(i => i.cause === 'page');
    expect(pages.map(i => [i.host, i.vm, i.page])).toEqual([bad, taken].map(({ pfn }) => ['a', VM, hex64(pfn)]));
    expect(incidents.filter(i => i.cause === 'unlocated')).toEqual([]);
    expect([...(pages[0]?.witnesses.keys() ?? [])].toSorted()).toEqual([
      'kmsg host.hwpoison-injected',
      'kmsg host.memory-failure',
      'kmsg host.sigbus-sent',
      'qemu-log vmm.sigbus-injected',
      'qmp vmm.memory-failure',
      'tracefs host.memory-failure',
    ]);
    expect([...(pages[1]?.witnesses.keys() ?? [])]).toEqual(
      expect.arrayContaining([
        'kmsg host.memory-failure',
        'qemu-log vmm.sigbus-injected',
        'tracefs host.memory-failure',
      ]),
    );
    expect(facts.pages.map(p => [p.pfn, p.gpa, p.vms, p.kernel?.result, p.applied])).toEqual(
      [bad, taken].map(({ pfn, gpa }) => [hex64(pfn), hex64(gpa), [VM], 'Recovered', true]),
    );
    for (const word of ['kmsg', 'tracefs', 'qmp', 'qemu-log']) expect(explained).toMatch(new RegExp(`seen +${word} `));
    expect(explained).toContain('known bug of Linux 6.19 up to 6.19.9');
    expect(pages.some(i => i.consequence === 'panicked' || i.consequence === 'died')).toBe(true);
    // The kernel of the host has counted the same: two bad pages, and besides one that it could move.
    const reports = fromA.flatMap(s => (s.kind === 'host' ? [s] : []));
    expect(reports.map(r => r.counters)).toContainEqual(
      expect.objectContaining({ 'node0.memory_failure.total': 2, 'node0.memory_failure.recovered': 2 }),
    );

    // What was decided, in this order; what stands between is told to people.
    const all = facts.decisions.map(({ rule, host, inputs, why }) => ({ rule, host, why, ...inputs }));
    const story: object[] = [
      { rule: 'weak-page', act: 'soft-offline', corrected: 3 },
      { rule: 'core/stop-proof', host: 'a', epoch: 0, proof: 'process-gone', autostart: 'off' },
      { rule: 'vm-died', act: 'start', host: 'b', epoch: 1, proofs: 'a/0: process-gone' },
      { rule: 'core/host-boot', host: 'a', pages: 2 },
      { rule: 'core/no-target', 'not a': '2 of its known bad pages are in use again' },
      { rule: 'core/re-offline', host: 'a', act: 're-offline' },
      { rule: 'core/re-offline', host: 'a', act: 're-offline' },
      { act: 'migrate', host: 'b', epoch: 1, to: 'a' },
      { why: expect.stringContaining("QEMU refuses it: Can't migrate this vm with hardware poisoned memory") },
      { act: 'stop', host: 'b', epoch: 1 },
      { rule: 'core/stop-proof', host: 'b', epoch: 1, proof: 'process-gone', autostart: 'off' },
      { act: 'start', host: 'a', epoch: 2, proofs: 'b/1: process-gone' },
    ];
    let at = 0;
    for (const wanted of story) {
      const found = all.findIndex((d, i) => i >= at && matches(d, wanted));
      expect(found, `${JSON.stringify(wanted)} after decision ${at} of\n${all.map(d => d.why).join('\n')}`).not.toBe(
        -1,
      );
      at = found + 1;
    }
    expect(facts.replay).toBe('same');
  });
});
