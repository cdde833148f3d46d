/**
 * The supervisor on two real libvirt hosts of this machine: agents, a controller with its ledger, a customer, and one VM that
 * is moved, loses memory, is started again elsewhere, is held where nobody can prove that it stopped, and panics late.
 */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Processes } from '@syndrome/cli/drill/processes.ts';
import type { CopiesLine } from '@syndrome/cli/drill/copies.ts';
import type { SiteDrillReport } from '@syndrome/cli/drill/site-drill.ts';
import { factsOfLedger } from '@syndrome/cli/drill/ledger.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import { commandOf } from '@syndrome/decode/inject/ways.ts';
import { namedMca } from '@syndrome/decode/mca/named.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { Agent } from '@syndrome/supervisor/agent/agent.ts';
import { agentConfigSchema } from '@syndrome/supervisor/agent/config.ts';
import { libvirtPart } from '@syndrome/supervisor/agent/libvirt-part.ts';
import { DrillSource } from '@syndrome/supervisor/agent/sources/drill.ts';
import { TestController } from '@syndrome/supervisor/agent/testing/controller.ts';
import { guestLine } from '@syndrome/supervisor/agent/testing/guest-line.ts';
import {
  consoleOf,
  guestDefinition,
  guestParts,
  type LibvirtHost,
  type LibvirtHosts,
  libvirtHosts,
  noLibvirt,
  until,
  uuidOf,
} from '@syndrome/supervisor/agent/testing/libvirt-hosts.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runInside } from './inside.ts';
import { type RunningSite, startSite } from './running-site.ts';

const NAME = 't1';
const VM = uuidOf(NAME);
const BOOT_MS = 90_000;

const POLICY = {
  schema: 1,
  name: 'libvirt',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere' },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'tell' },
  ],
};

let folder: string;
let hosts: LibvirtHosts | undefined;
let site: RunningSite;
let definition = '';
/** How many processes of the VM there were, counted from /proc by a process of its own. */
const copies: CopiesLine[] = [];
const observer = new Processes();
const agents = new Map<string, { end: AbortController; done: Promise<void> }>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sl-'));
});
afterAll(async () => {
  for (const name of agents.keys()) await endAgent(name);
  await site?.stop();
  await observer.end();
  await hosts?.down();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: 'a' | 'b'): LibvirtHost => (hosts as LibvirtHosts)[name];
const drillFile = (name: string): string => join(folder, `${name}.drill`);
const agentLine = (name: 'a' | 'b'): string => join(at(name).folder, 'run/vm', `${NAME}.agent`);

/** The agent of a host: what a site's file makes of it, but that it sees no process of the other host, with which it shares the kernel. */
async function startAgent(
  name: 'a' | 'b',
  { own = join(folder, name), controller = site.agents }: { own?: string; controller?: string } = {},
): Promise<AbortController> {
  const [host, other] = [at(name), at(name === 'a' ? 'b' : 'a')];
  const config = agentConfigSchema.parse({
    host: name,
    folder: own,
    controller,
    kmsg: false,
    trace: false,
    storage: [hosts?.shared],
    start: { folder: join(own, 'vms'), logs: join(own, 'logs') },
    libvirt: {
      socket: host.socket,
      logs: join(host.folder, 'log/qemu'),
      peers: {
        [other.name]: { uri: other.uri, migrateUri: `unix:${hosts?.shared}/to-${other.name}.sock`, unsafe: true },
      },
    },
  });
  const { libvirt = config.libvirt, ...rest } = config;
  if (libvirt === undefined) throw new Error('no libvirt');
  const agent = await Agent.open(rest, {
    log: line => site.log.push(`agent ${name}: ${line}`),
    parts: context => {
      // Its own /run/libvirt is a folder here.
      const here = (path: string): string => path.replace(/^\/run\/libvirt\//, `${host.folder}/run/`);
      const part = libvirtPart(libvirt, { ...context, sees: host.sees(), here });
      return { libvirt: part.libvirt, sources: [...part.sources, new DrillSource(drillFile(name))] };
    },
  });
  const end = new AbortController();
  agents.set(own, { end, done: agent.run(end.signal) });
  return end;
}

async function endAgent(own: string): Promise<void> {
  const agent = agents.get(own);
  agents.delete(own);
  agent?.end.abort();
  await agent?.done;
}

/** Looks until something is so; where it is not in time, says what agents and controller said. */
async function see(is: () => boolean | Promise<boolean>, deadlineMs?: number): Promise<void> {
  await until(is, deadlineMs).catch(async (error: unknown) => {
    const acts = (await site.list<object>('actions')).map(act => JSON.stringify({ ...act, body: undefined }));
    throw new Error([String(error), ...site.log.slice(-40), ...acts].join('\n'), { cause: error });
  });
}

interface VmAnswer {
  id: string;
  copies: { host: string; epoch: number; state: string }[];
}
const runsOn = async (host: string, epoch: number): Promise<boolean> =>
  (await site.list<VmAnswer>('vms'))[0]?.copies.some(
    c => c.host === host && c.epoch === epoch && c.state === 'running',
  ) === true;
/** What was ordered and what became of it, newest first. */
const acts = async (): Promise<string[]> =>
  (await site.list<{ state: string; body: { kind: string; host: string; epoch: number } }>('actions')).map(
    ({ state, body: { kind, host, epoch } }) => `${kind} ${host} ${epoch} ${state}`,
  );
/** What was seen or decided of VMs; what is of a host alone is left out. */
const incidentsOfVms = async (): Promise<object[]> =>
  (await site.list<{ cause: string }>('incidents')).filter(i => i.cause !== 'host');
const told = (type: string, from = 0): boolean => site.notices.slice(from).some(n => n.type.includes(type));
const most = (from: number): number => Math.max(...copies.slice(from).map(line => line.copies.length));

/** What a person types. */
const typed = (...words: string[]): ReturnType<typeof runInside> =>
  runInside(process.env, ['fleet', ...words, '--config', site.config]);
async function fleet(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await typed(...words);
  expect(code, stderr).toBe(0);
  return stdout;
}

const boots = async (host: LibvirtHost): Promise<number> =>
  (await consoleOf(host, NAME)).match(/syndrome agent \S+ ready/g)?.length ?? 0;

async function answers(name: 'a' | 'b', after: number): Promise<void> {
  await see(async () => (await boots(at(name))) > after, BOOT_MS);
  expect(await guestLine(agentLine(name), 'hello')).toMatch(/ ok .*arch=x86_64/);
}

/** What a person types for a game day, with the file of a host. */
const drill = (host: 'a' | 'b', gpa: bigint, ...more: string[]): ReturnType<typeof runInside> =>
  runInside(process.env, ['drill', 'srao', '--config', siteFile(host), '--vm', NAME, '--addr', hex64(gpa), ...more]);

/** The file of a host, as far as a drill reads it. */
function siteFile(name: 'a' | 'b'): string {
  const agent = { host: name, controller: site.agents, drill: drillFile(name), libvirt: { socket: at(name).socket } };
  const file = join(folder, `${name}.site.yaml`);
  writeFileSync(file, JSON.stringify({ site: 'libvirt', folder: join(folder, name), agent }), { mode: 0o600 });
  return file;
}

/** Maps pages of a process in the guest. @returns their guest addresses */
async function victims(name: 'a' | 'b', count: number): Promise<bigint[]> {
  const line = agentLine(name);
  expect(await guestLine(line, 'spawn name=victim')).toMatch(/ ok /);
  expect(await guestLine(line, 'on-signal proc=victim action=report')).toMatch(/ ok /);
  const pages: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await guestLine(line, `map proc=victim id=page${i} kill=early`);
    pages.push(parseU64(/ phys=(\S+)/.exec(answer)?.[1] ?? '') ?? 0n);
  }
  expect(pages).not.toContain(0n);
  return pages;
}

/** A page is lost: QEMU's monitor tells the guest, and who typed that says which page it was. Waits until the customer knows. */
async function lose(name: 'a' | 'b', gpa: bigint): Promise<void> {
  const before = site.notices.length;
  const line = { vm: VM, when: Date.now(), gpa: hex64(gpa), kind: 'srao' };
  appendFileSync(drillFile(name), `${JSON.stringify(line)}\n`);
  const command = commandOf(mceInjection({ named: namedMca('srao'), addr: gpa })) ?? '';
  await at(name).virsh('qemu-monitor-command', NAME, '--hmp', command);
  await see(() => told('memory.poisoned', before));
}

describe('two libvirt hosts, their agents and a controller', () => {
  beforeEach(context => skipWithout(context, 'libvirt', noLibvirt()));

  test('migrated-source-lives: a clean VM is moved live off a drained host, and has moved when its source is proven gone', async () => {
    hosts = await libvirtHosts();
    site = await startSite(folder, POLICY);
    observer.teller(join(import.meta.dirname, '../packages/cli/src/drill/copies.ts'), [VM], line => {
      copies.push(line as CopiesLine);
    });
    definition = await guestDefinition(hosts, NAME, await guestParts());
    const file = join(folder, 'domain.xml');
    writeFileSync(file, definition);
    for (const name of ['a', 'b']) writeFileSync(drillFile(name), '');
    await startAgent('a');
    await startAgent('b');
    await at('a').virsh('define', file);
    await at('a').virsh('start', NAME);
    await see(() => runsOn('a', 0));
    await answers('a', 0);
    await fleet('drain', 'a');
    await see(() => told('vm.migrated'));
    expect(await runsOn('b', 0)).toBe(true);
    expect((await acts()).slice(0, 2)).toEqual(['prove a 0 confirmed', 'migrate a 0 confirmed']);
    expect(await guestLine(agentLine('b'), 'hello')).toMatch(/ ok /);
    await fleet('repaired', 'a');
  });

  test('what a guest writes on its console is words: it is kept, and nothing follows', async () => {
    const lines = [
      'Memory failure: 0x12345: recovery action for dirty LRU page: Recovered',
      'mce: [Hardware Error]: Machine check events logged',
      'Kernel panic - not syncing: so says a guest',
    ];
    for (const line of lines)
      expect(await guestLine(agentLine('b'), `write path=/dev/kmsg value=${encodeURIComponent(`<0>${line}`)}`)).toMatch(
        / ok /,
      );
    expect(await incidentsOfVms()).toEqual([]);
    expect(await runsOn('b', 0)).toBe(true);
  });

  test('a drill needs no monitor of its own: it is refused without consent, and looks before it leaps', async () => {
    const refused = await drill('b', 0x30_0000n);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('[E_INJECT_FATAL]') });
    const elsewhere = await drill('a', 0x30_0000n, '--yes');
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('it runs on b, and the file is of a') });
    const dry = await drill('b', 0x30_0000n, '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is injected; this would be: mce 0'),
    });
    expect(await incidentsOfVms()).toEqual([]);
  });

  test('mce → event → incident → signed notice; a drill takes the third page → stop, proof, the VM on the other host', async () => {
    const from = copies.length - 1;
    const before = await boots(at('a'));
    const [first = 0n, second = 0n, third = 0n] = await victims('b', 3);
    for (const page of [first, second]) await lose('b', page);
    const { code, stdout, stderr } = await drill('b', third, '--yes', '--json', '--timeout', '60');
    expect(code, `${stdout}${stderr}`).toBe(0);
    const report = JSON.parse(stdout) as SiteDrillReport;
    console.log(stdout);
    expect(report).toMatchObject({ verdict: 'pass', vm: VM, host: 'b', qemu: 'inject', gaps: [] });
    expect(report.decided).toMatchObject({ rung: 'restart-elsewhere', rule: 'third-error' });
    expect(report.witnesses).toEqual(['drill lab.injected', 'libvirt vmm.memory-failure']);
    expect(report.steps.map(({ step, ms }) => [step, typeof ms])).toEqual(
      ['durable', 'incident', 'witness', 'notice', 'address', 'act', 'proof', 'start'].map(step => [step, 'number']),
    );
    await see(() => told('vm.restarted'));
    expect(await runsOn('a', 1)).toBe(true);
    await answers('a', before);
    expect(most(from)).toBe(1);
    expect(await acts()).toEqual(expect.arrayContaining(['stop b 0 confirmed', 'start a 1 confirmed']));
  });

  test('old-host-autostarts: the old host has learned the newer epoch, and refuses an act of the old one', async () => {
    await see(async () => (await acts()).includes('autostart-off b 1 confirmed'));
    // Another agent with the books of that host, so that its own rows go where they belong.
    const own = join(folder, 'b-again');
    mkdirSync(own, { mode: 0o700 });
    cpSync(join(folder, 'b', 'acts.json'), join(own, 'acts.json'));
    const controller = await TestController.listen(join(folder, 'again.sock'));
    try {
      await startAgent('b', { own, controller: join(folder, 'again.sock') });
      const act = { id: 'old', kind: 'start', host: 'b', vm: VM, incident: 'inc-1', definition } as const;
      controller.order({ ...act, epoch: 0, deadline: Date.now() + 60_000 });
      const answer = await controller.until(said => said.kind === 'result' && said.action === 'old');
      expect(answer).toMatchObject({ state: 'refused', reason: expect.stringContaining('epoch 0') });
    } finally {
      await endAgent(own);
      await controller.close();
    }
    expect(copies.at(-1)?.copies).toHaveLength(1);
  });

  test('storage-lost-agent-stopped, assumed-rebooted: where its stop cannot be proven it is held, and told; an attestation ends it', async () => {
    const from = copies.length - 1;
    const told0 = site.notices.length;
    const before = await boots(at('b'));
    await endAgent(join(folder, 'a'));
    await fleet('restart', VM);
    await see(() => told('alert.unproven', told0));
    expect(await guestLine(agentLine('a'), 'hello')).toMatch(/ ok /);
    expect(await at('b').virsh('list', '--name')).not.toContain(NAME);
    const [copy] = copies.at(-1)?.copies ?? [];
    process.kill(copy?.pid ?? 0, 'SIGKILL');
    await see(() => copies.at(-1)?.copies.length === 0);
    // That it is gone is known to nobody, and nothing follows from it.
    expect(told('vm.restarted', told0)).toBe(false);
    const wrong = await typed('attest', VM, 'a', '0', '--statement', 'of an older epoch');
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('is refused') });
    await fleet('attest', VM, 'a', '1', '--statement', 'its process was killed, and is not in /proc');
    await see(() => told('vm.restarted', told0));
    expect(await runsOn('b', 2)).toBe(true);
    await answers('b', before);
    expect(most(from)).toBe(1);
  });

  test('a panic that comes later is the same incident', async () => {
    const told0 = site.notices.length;
    const incidents0 = (await site.list('incidents')).length;
    for (const module of ['pvpanic', 'pvpanic-mmio'])
      await guestLine(agentLine('b'), `insmod path=/modules/${module}.ko.xz`);
    const [page = 0n] = await victims('b', 1);
    await lose('b', page);
    guestLine(agentLine('b'), 'write path=/proc/sysrq-trigger value=c').catch(() => undefined);
    await see(async () =>
      (await site.list<{ consequence?: string }>('incidents')).some(i => i.consequence === 'panicked'),
    );
    const incidents = (await site.list<{ id: string; consequence?: string }>('incidents')).slice(incidents0);
    expect(incidents).toHaveLength(1);
    expect(incidents[0]).toMatchObject({ cause: 'page', consequence: 'panicked' });
    // Its console has the reason, in words.
    await see(async () =>
      (await site.list<{ remarks: string[] }>('incidents')).some(i =>
        i.remarks.join().includes('sysrq triggered crash'),
      ),
    );
    await see(() => site.notices.slice(told0).filter(n => n.type.includes('memory.poisoned')).length === 2);
  });

  test('the ledger, replayed, decides the same, and says all of it', async () => {
    const pages = (await site.list<{ id: string; cause: string }>('incidents')).filter(i => i.cause === 'page');
    expect(pages).toHaveLength(4);
    const explained = await fleet('explain', pages[2]?.id ?? '');
    console.log(explained);
    // Its console was read, also where it says what is not so.
    expect(explained).toMatch(/says that it is Linux \d[^]*the guest's kernel panicked: so says a guest/);
    expect(explained).toMatch(
      /seen +libvirt vmm\.memory-failure[^]*told +customer: VM t1 has lost[^]*stop on b: confirmed[^]*start on a: confirmed/,
    );
    await site.stop();
    const facts = await factsOfLedger(site.ledger, VM);
    expect(facts.replay).toBe('same');
    for (const { cause, witnesses } of facts.incidents)
      if (cause === 'page')
        expect([...witnesses.keys()].toSorted()).toEqual(['drill lab.injected', 'libvirt vmm.memory-failure']);
    const proofs = facts.decisions.filter(d => d.rule === 'core/stop-proof');
    expect(proofs.map(({ host, inputs }) => `${host} ${inputs['epoch']} ${inputs['proof']}`)).toEqual([
      'a 0 domain-destroyed',
      'b 0 domain-destroyed',
      'a 1 attested',
    ]);
    expect(site.refused()).toBe(0);
    expect(new Set(site.notices.map(n => n.id)).size).toBe(site.notices.length);
  });
});
