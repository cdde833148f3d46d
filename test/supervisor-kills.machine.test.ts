/**
 * Controller, agents and the VM itself are killed with -9 at random moments while pages are lost and the VM is moved between two
 * hosts. `SYNDROME_KILLS=300` kills more often than 20 times; `SYNDROME_SEED` gives other moments (0: by the clock).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@syndrome/base/store/open.ts';
import type { CopiesLine } from '@syndrome/cli/drill/copies.ts';
import { endVm, Processes } from '@syndrome/cli/drill/processes.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { processFacts } from '@syndrome/supervisor/agent/proc.ts';
import { readHeader, readRow } from '@syndrome/supervisor/agent/spool/line.ts';
import { replay } from '@syndrome/supervisor/controller/replay.ts';
import { chance } from '@syndrome/supervisor/sim/chance.ts';
import type { Order } from '@syndrome/supervisor/core/input.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { toJson } from '@syndrome/supervisor/wire/json.ts';
import { parseRow } from '@syndrome/supervisor/wire/row.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

const KILLS = Number(process.env['SYNDROME_KILLS'] ?? 20);
const SEED = Number(process.env['SYNDROME_SEED'] ?? 1) || Date.now();
const VM = randomUUID();
const HOSTS = ['a', 'b'] as const;
const MAIN = join(import.meta.dirname, '../packages/cli/src/main.ts');
/** After so long without a process of the VM a person looks, ms. */
const DOWN_MS = 4000;

const POLICY = {
  schema: 1,
  name: 'kills',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'died', of: 'vm', when: { consequence: ['died'] }, do: 'restart-elsewhere' },
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere' },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'tell' },
  ],
  deadlines: { act: '5s', stop: '5s', start: '5s', migrate: '5s', prove: '3s', fence: '5s' },
};

let folder: string;
const parts = new Map<string, ChildProcess>();
const observer = new Processes();
const copies: CopiesLine[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sk-'));
});
afterEach(async () => {
  for (const part of parts.values()) part.kill('SIGKILL');
  endVm(VM);
  await observer.end();
  rmSync(folder, { recursive: true, force: true });
});

const siteFile = (name: string): string => join(folder, `${name}.yaml`);
const logFile = (name: string): string => join(folder, `${name}.log`);
const running = (): CopiesLine['copies'] => copies.at(-1)?.copies ?? [];

/** The files of the site, as those of three machines. */
function writeSite(program: string): void {
  const write = (name: string, data: object): void =>
    writeFileSync(join(folder, name), JSON.stringify(data), { mode: 0o600 });
  write('policy.yaml', POLICY);
  write('controller.yaml', { site: 'kills', folder: join(folder, 'c'), policy: join(folder, 'policy.yaml') });
  for (const host of HOSTS) {
    const vms = join(folder, host, 'vms');
    mkdirSync(vms, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, `${host}.drill`), '', { mode: 0o600 });
    const agent = {
      host,
      controller: join(folder, 'c/run/agents.sock'),
      start: { folder: vms, logs: join(folder, host, 'logs'), programs: [program] },
      kmsg: false,
      trace: false,
      drill: join(folder, `${host}.drill`),
    };
    write(`${host}.yaml`, { site: 'kills', folder: join(folder, host), agent });
  }
}

function start(name: string): void {
  const fd = openSync(logFile(name), 'a', 0o600);
  const command = name === 'controller' ? 'controller' : 'agent';
  const child = spawn(process.execPath, [MAIN, command, '--config', siteFile(name)], { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  parts.set(name, child);
}

async function kill(name: string): Promise<void> {
  const child = parts.get(name) as ChildProcess;
  expect(child.exitCode, `${name} has ended by itself: ${readFileSync(logFile(name), 'utf8').slice(-2000)}`).toBeNull();
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  if (name !== 'controller') keepAccepted(name);
  start(name);
}

/** A list of the controller; none while it does not answer. */
async function list<T>(what: 'actions' | 'vms' | 'pages'): Promise<T[] | undefined> {
  const { admin } = readPlaces(siteFile('controller')).sockets;
  return (await ask(admin, { ask: 'list', list: what }, { deadlineMs: 2000 }).catch(() => undefined)) as
    | T[]
    | undefined;
}

interface VmAnswer {
  copies: { host: string; epoch: number; state: string; proof?: unknown }[];
}

const byHand = { restarts: 0, attested: 0 };
async function order(given: Order): Promise<void> {
  const { admin } = readPlaces(siteFile('controller')).sockets;
  await ask(admin, { ask: 'order', by: 'test', order: given }).catch(() => undefined);
}

/**
 * What a person does who finds the VM down and nothing under way: has it started; where that does not help, attests the copies
 * that nobody could prove gone: there is none in /proc, and an agent refuses an act that is over.
 */
async function repair(again: boolean): Promise<void> {
  const acts = await list<{ state: string }>('actions');
  const vm = (await list<VmAnswer>('vms'))?.[0];
  if (acts === undefined || vm === undefined || acts.some(a => a.state === 'intent' || a.state === 'sent')) return;
  for (const { host, epoch, proof } of vm.copies) {
    if (!again || proof !== undefined || running().length > 0) continue;
    byHand.attested++;
    await order({ order: 'attest', vm: VM, host, epoch, statement: 'no process of it is in /proc' });
  }
  byHand.restarts++;
  await order({ order: 'restart', vm: VM });
}

/** Waits until the VM has a process. */
async function there(): Promise<void> {
  let since = performance.now();
  const last = since + 120_000;
  while (running().length === 0) {
    const now = performance.now();
    if (now > last)
      throw new Error(
        `the VM stays down\n${JSON.stringify(await list('vms'))}\n${JSON.stringify(await list('actions'))}`,
      );
    if (now - since > DOWN_MS) {
      await repair(now > last - 100_000);
      since = now;
    }
    await sleep(20);
  }
}

/** The host in whose folder the VM's monitor is; where it has just gone, that where it may have been. */
function hostOf(): (typeof HOSTS)[number] {
  const [copy] = running();
  const argv = copy === undefined ? [] : (processFacts(copy.pid)?.argv ?? []);
  return argv.some(word => word.includes(join(folder, 'b/'))) ? 'b' : 'a';
}

/** Rows that an agent has accepted: whole lines of its spool, by host, spool and number. */
const accepted = new Map<string, string>();
function keepAccepted(host: string): void {
  for (const name of readdirSync(join(folder, host), { recursive: true, encoding: 'utf8' })) {
    if (!/(?:^|\/)seg-\d+\.log$/.test(name)) continue;
    const [head = '', ...lines] = readFileSync(join(folder, host, name), 'utf8').split('\n');
    const { spool = '' } = readHeader(head) ?? {};
    for (const line of lines) {
      const row = readRow(line);
      // What was not written whole was not accepted.
      if (row !== undefined)
        accepted.set(`${host} ${spool} ${row.seq}`, said(`{"seq":${row.seq},"at":${row.at},"said":${row.body}}`));
    }
  }
}
/** What a row says, in one form. */
const said = (body: string): string => {
  const { at, said: what } = parseRow(body, '', '');
  return toJson({ at, said: what });
};

/** The rows of the ledger, in the same form. */
function ledgerRows(): Map<string, string> {
  const ledger = new DatabaseSync(readPlaces(siteFile('controller')).store.at, { readOnly: true });
  try {
    const rows = ledger.prepare(`select host, spool, "row", body from input where kind = 'row'`).all();
    return new Map(
      rows.map(({ host, spool, row, body }) => [[host, spool, row].map(String).join(' '), said(String(body))]),
    );
  } finally {
    ledger.close();
  }
}

async function stop(name: string): Promise<void> {
  const part = parts.get(name) as ChildProcess;
  const ended = once(part, 'exit');
  part.kill('SIGTERM');
  await ended;
}

/** Acts that an agent began, over all its lives: it writes a line before each. */
const begun = (host: string): string[] =>
  [...readFileSync(logFile(host), 'utf8').matchAll(/agent: [\w-]+ \S+ \((\S+), epoch \d+\)$/gm)].map(m => m[1] ?? '');

test(
  `${KILLS} times kill -9 (seed ${SEED}): nothing accepted is lost, no act is begun twice, no two QEMUs`,
  async () => {
    const [program = '', ...first] = await testQemu('x86_64');
    const random = chance(SEED);
    writeSite(program);
    observer.teller(join(import.meta.dirname, '../packages/cli/src/drill/copies.ts'), [VM], line => {
      copies.push(line as CopiesLine);
    });
    for (const name of ['controller', ...HOSTS]) start(name);
    const socket = join(folder, 'a/vms/vm.qmp');
    writeFileSync(`${socket}.json`, JSON.stringify({ vm: VM, name: 'vm', optedIn: true }), { mode: 0o600 });
    const words = ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-uuid', VM];
    const qemu = [...first, ...words, '-qmp', `unix:${socket},server=on,wait=off`];
    spawn(program, qemu, { stdio: 'ignore', detached: true }).unref();
    while ((await list<VmAnswer>('vms'))?.[0]?.copies.some(c => c.state === 'running') !== true) await sleep(50);

    let pages = 0;
    const bag: string[] = [];
    const killed: Record<string, number> = {};
    for (let n = 0; n < KILLS; n++) {
      await there();
      const host = hostOf();
      for (let i = 0; i < 3; i++) {
        const line = { vm: VM, when: Date.now(), gpa: hex64(BigInt(++pages) << 12n), kind: 'srao' };
        appendFileSync(join(folder, `${host}.drill`), `${JSON.stringify(line)}\n`);
        await sleep(random() * 60);
      }
      await sleep(random() * 1200);
      // Each of them as often as the others, in an order of chance.
      if (bag.length === 0) bag.push('controller', ...HOSTS, 'qemu', 'qemu');
      const [what = 'qemu'] = bag.splice(Math.floor(random() * bag.length), 1);
      killed[what] = (killed[what] ?? 0) + 1;
      if (what === 'qemu') endVm(VM);
      else await kill(what);
    }
    await there();
    const open = async (): Promise<boolean> =>
      (await list<{ state: string }>('actions'))?.some(a => a.state === 'intent' || a.state === 'sent') !== false;
    while (((await list('pages'))?.length ?? 0) < pages || (await open())) await sleep(100);
    // Also what comes last, and is of no page: all that the spools hold now has to be in the ledger once it was sent.
    for (const host of HOSTS) {
      await stop(host);
      keepAccepted(host);
      start(host);
    }
    const missing = (): string[] => {
      const there = ledgerRows();
      return [...accepted].flatMap(([row, what]) => (there.get(row) === what ? [] : [`${row}: ${what}`]));
    };
    await expect.poll(missing, { timeout: 60_000, interval: 500 }).toEqual([]);
    for (const name of [...HOSTS, 'controller']) await stop(name);

    const store = await openStore(readPlaces(siteFile('controller')).store);
    const spools = await store.query(
      `select host, spool, count(*) as rows, min("row") as first, max("row") as last from input where kind = 'row' group by host, spool`,
    );
    for (const { rows, first: lowest, last } of spools) expect([lowest, rows]).toEqual([1n, last]);
    expect(Math.max(...copies.map(line => line.copies.length))).toBe(1);
    const acts = HOSTS.flatMap(host => begun(host));
    expect(acts.length).toBeGreaterThan(0);
    expect(acts.toSorted()).toEqual([...new Set(acts)].toSorted());
    const confirmed = await store.query(`select id from act where state = 'confirmed'`);
    expect(acts).toEqual(expect.arrayContaining(confirmed.map(({ id }) => id)));
    const processes = new Set(copies.flatMap(line => line.copies.map(c => `${c.pid}/${c.startTicks}`)));
    expect(processes.size - 1).toBeLessThanOrEqual(acts.filter(id => id.includes('/start/')).length);
    const replayed = await replay(store.query);
    expect(replayed).not.toHaveProperty('differs');
    await store.close();
    const rows = spools.reduce((sum, s) => sum + Number(s['rows']), 0);
    console.log(
      `seed ${SEED}: ${KILLS} kills ${JSON.stringify(killed)}; ${pages} pages and ${rows} rows, ${accepted.size} of them seen in a spool, 0 lost; ${acts.length} acts, 0 begun twice; ` +
        `${processes.size} processes of the VM, 1 at a time; by hand ${JSON.stringify(byHand)}; ${replayed.decisions} decisions, the same in a replay`,
    );
  },
  60_000 + KILLS * 10_000,
);
