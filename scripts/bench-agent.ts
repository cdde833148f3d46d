/**
 * `node scripts/bench-agent.ts [--vms N] [--seconds N] [--notices N] [--restarts N] [--json]`: what an agent costs its host, as it is
 * published and from the sources, when a customer has been told of a lost page, and how long a VM is down whose guest has met a fatal
 * error; a count of 0 leaves a part out. All parts are real and processes of their own: agents, controller, QEMU and its guest. Figures are of this machine at this moment; each stands beside its limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CopiesLine } from '@syndrome/cli/drill/copies.ts';
import { drillFolder } from '@syndrome/cli/drill/folder.ts';
import { endVm, Processes } from '@syndrome/cli/drill/processes.ts';
import { receive } from '@syndrome/cli/drill/receiver.ts';
import { drillProgram, drillVm, guestOf, LINES } from '@syndrome/cli/drill/vm.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import { commandOf } from '@syndrome/decode/inject/ways.ts';
import { namedMca } from '@syndrome/decode/mca/named.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';

const { values } = commandLine({
  options: {
    vms: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    notices: { type: 'string', default: '200' },
    restarts: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const [VMS, SECONDS] = [Number(values.vms), Number(values.seconds)];
const [NOTICES, RESTARTS] = [Number(values.notices), Number(values.restarts)];
/** Limits of the design. */
const LIMIT = { residentMb: 90, idlePercent: 1, noticeMs: 100, restartMs: 5000 };
/** All that is started has so long to do what is waited for, ms. */
const PATIENCE_MS = 120_000;
const root = join(import.meta.dirname, '..');

interface Row {
  name: string;
  value: number;
  unit: string;
  limit: number;
  met: boolean;
  detail: string;
}
const rows: Row[] = [];
function row(name: string, value: number, unit: string, limit: number, detail: string): void {
  rows.push({ name, value, unit, limit, met: value <= limit, detail });
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`);
}

/** The value that this share of all is not above: 0.5 is the median. */
const share = (of: readonly number[], part: number): number =>
  of.toSorted((x, y) => x - y)[Math.floor(of.length * part)] ?? Number.NaN;

const write = (file: string, data: unknown): string => {
  writeFileSync(file, JSON.stringify(data), { mode: 0o600 });
  return file;
};

/** What the kernel says that a process has, MiB and seconds of a CPU (proc(5)). */
function costOf(pid: number): { resident: number; highest: number; proportional: number; cpu: number } {
  const kib = (file: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1]) / 1024;
  // Behind the name, which may hold blanks: utime and stime are the fields 14 and 15, in ticks of 10 ms.
  const [, fields = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const words = fields.split(' ');
  return {
    resident: kib('status', 'VmRSS'),
    highest: kib('status', 'VmHWM'),
    proportional: kib('smaps_rollup', 'Pss'),
    cpu: (Number(words[11]) + Number(words[12])) / 100,
  };
}

interface VmAnswer {
  id: string;
  copies: { host: string; state: string; proof?: { kind: string } }[];
}
const vmsOf = async (site: string): Promise<VmAnswer[]> =>
  (await ask(readPlaces(site).sockets.admin, { ask: 'list', list: 'vms' }, { deadlineMs: 2000 }).catch(
    () => [],
  )) as VmAnswer[];

function start(words: readonly string[], log: string): ChildProcess {
  const fd = openSync(log, 'a', 0o600);
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  return child;
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}

/** One agent that watches many monitors, with its controller, and nothing happens. */
async function idle(way: string, program: readonly string[], qemu: readonly string[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sb-'));
  const children: ChildProcess[] = [];
  try {
    mkdirSync(join(dir, 'vms'), { mode: 0o700 });
    const site = write(join(dir, 'site.yaml'), {
      folder: join(dir, 's'),
      agent: { host: 'a', folders: [join(dir, 'vms')] },
    });
    for (let i = 0; i < VMS; i++) {
      // A machine without a CPU: to an agent it is a VM like any other.
      const words = ['-M', 'none', '-S', '-nodefaults', '-no-user-config', '-display', 'none', '-name', `vm-${i}`];
      const qmp = `unix:${dir}/vms/${i}.qmp,server=on,wait=off`;
      children.push(start([...qemu, ...words, '-qmp', qmp], join(dir, 'qemu.log')));
    }
    children.push(start([...program, 'controller', '--config', site], join(dir, 'controller.log')));
    const words = [...program, 'agent', '--config', site];
    const began = performance.now();
    // The first start from the sources compiles them; the figures are those of the next.
    const first = start(words, join(dir, 'first.log'));
    children.push(first);
    await until(`${VMS} VMs at the controller`, async () => ((await vmsOf(site)).length === VMS ? true : undefined));
    const known = (performance.now() - began) / 1000;
    await end([first]);
    const agent = start(words, join(dir, 'agent.log'));
    children.push(agent);
    await until('the agent to be connected', () =>
      readFileSync(join(dir, 'agent.log'), 'utf8').includes('connected to') ? true : undefined,
    );
    // The garbage of the start is not what it costs later.
    await sleep(5000);
    const pid = agent.pid ?? 0;
    const before = costOf(pid);
    await sleep(SECONDS * 1000);
    const after = costOf(pid);
    const mb = (value: number): string => `${value.toFixed(1)} MB`;
    row(
      `agent with ${VMS} VMs, ${way}: resident`,
      after.resident,
      'MB',
      LIMIT.residentMb,
      `at most ${mb(after.highest)}, its share of what is mapped by others too ${mb(after.proportional)}; all VMs known after ${known.toFixed(1)} s`,
    );
    row(
      `agent with ${VMS} VMs, ${way}: idle`,
      ((after.cpu - before.cpu) / SECONDS) * 100,
      '% of a core',
      LIMIT.idlePercent,
      `${(after.cpu - before.cpu).toFixed(2)} s in ${SECONDS} s; ${before.cpu.toFixed(1)} s for its start`,
    );
  } finally {
    await end(children);
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Each page of a process in a guest that is lost: when did QEMU emit its event, and when had the customer the signed notice of it?
 * Between them are the agent, which syncs the event to its spool, the controller, which commits it and decides, and HTTP.
 */
async function notices(supply: Supply): Promise<void> {
  const services = { supply, signal: AbortSignal.timeout(NOTICES * PATIENCE_MS), onNotice: console.error };
  const uuid = randomUUID();
  const processes = new Processes();
  const secret: { bytes?: Uint8Array } = {};
  const told = new Map<string, number>();
  const receiver = await receive(
    () => secret.bytes,
    // The first notice of an incident: others may say more of it.
    ({ id, at }) => void (id.endsWith('/poisoned') && !told.has(id) && told.set(id, at)),
  );
  const folder = drillFolder(await drillProgram(services), (secretFile, allow) => ({
    kind: 'webhook',
    name: 'customer',
    url: receiver.url,
    secretFiles: [secretFile],
    allow: [allow],
  }));
  secret.bytes = folder.secret;
  const { site, vms, drill } = folder.host('a');
  const took: number[] = [];
  const actions = new Set<string>();
  try {
    // The VM stays where it is, whatever it meets.
    write(join(folder.path, 'policy.yaml'), {
      schema: 1,
      name: 'bench',
      version: '1',
      mode: 'act',
      rules: [{ name: 'page', of: 'vm', when: { errors: 1 }, do: 'tell' }],
    });
    const vm = await drillVm(uuid, folder.disk, services);
    processes.command(['controller', '--config', folder.controller], folder.log('controller'));
    processes.command(['agent', '--config', site], folder.log('agent'));
    write(join(vms, `${LINES.qmp}.json`), { vm: uuid, name: 'vm', optedIn: true, disks: [vm.disk] });
    const [first = '', ...words] = vm.argv(vms);
    spawn(first, words, { detached: true, stdio: 'ignore' }).unref();
    await until('the VM at the controller', async () =>
      (await vmsOf(folder.controller))[0]?.copies[0]?.state === 'running' ? true : undefined,
    );
    const guest = await until('the guest', () => guestOf(vms, PATIENCE_MS).catch(() => undefined));
    await guest.call('spawn', { name: 'victim' });
    await guest.call('on-signal', { proc: 'victim', action: 'report' });
    const qmp = await QmpClient.connect({ path: join(vms, LINES.operator) });
    for (let n = 0; n < NOTICES; n++) {
      const { phys } = await guest.call('map', { proc: 'victim', id: 'page', kill: 'early' });
      const injection = mceInjection({ named: namedMca('srao'), addr: phys });
      const emitted = qmp.waitEvent('MEMORY_FAILURE', PATIENCE_MS);
      const when = Date.now();
      await qmp.execute('human-monitor-command', { 'command-line': commandOf(injection) ?? '' });
      // The monitor's `mce` has no address of the host, which makes one page of all: the injector says which one it was.
      appendFileSync(drill, `${JSON.stringify({ vm: uuid, when, gpa: hex64(phys ?? 0n), kind: 'srao' })}\n`);
      const { timestamp, data } = await emitted;
      actions.add(data.action);
      const at = await until(`notice ${n + 1}`, () => [...told.values()][n]);
      took.push(at - Math.floor((timestamp?.seconds ?? Number.NaN) * 1000 + (timestamp?.microseconds ?? 0) / 1000));
      // A page that is lost is not given out again: the next one is another.
      await guest.call('unmap', { proc: 'victim', id: 'page' });
    }
    guest.close();
    await qmp.close();
  } finally {
    await processes.end();
    endVm(uuid);
    receiver.close();
    rmSync(folder.path, { recursive: true, force: true });
  }
  row(
    'QMP event → durable → signed notice received, p99',
    share(took, 0.99),
    'ms',
    LIMIT.noticeMs,
    `p50 ${share(took, 0.5)} ms, slowest ${Math.max(...took)} ms of ${took.length}, one at a time, at a load of ${loadavg()[0]?.toFixed(1)}; real QEMU and Linux guest (${[...actions].join(', ')}), agent, controller, HTTP; ${receiver.refused()} not signed`,
  );
}

/** A guest that dies of an error is restarted, to and fro between two hosts. */
async function restarts(supply: Supply): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sb-'));
  const services = { supply, signal: AbortSignal.timeout(RESTARTS * PATIENCE_MS), onNotice: console.error };
  const uuid = randomUUID();
  const processes = new Processes();
  const seen: CopiesLine[] = [];
  const [down, boots, proofs]: [number[], number[], Set<string>] = [[], [], new Set()];
  try {
    const program = await drillProgram(services);
    const vm = await drillVm(uuid, join(dir, 'disk.img'), services);
    const policy = write(join(dir, 'policy.yaml'), {
      schema: 1,
      name: 'bench',
      version: '1',
      mode: 'act',
      rules: [{ name: 'panicked', of: 'vm', when: { consequence: ['panicked'] }, do: 'restart-elsewhere' }],
    });
    const controller = write(join(dir, 'c.yaml'), { folder: join(dir, 'c'), policy });
    const vmsFolder = (host: string): string => join(dir, host, 'vms');
    processes.teller(
      join(root, 'packages/cli/src/drill/copies.ts'),
      [uuid],
      told => void seen.push(told as CopiesLine),
    );
    processes.command(['controller', '--config', controller], join(dir, 'c.log'));
    for (const host of ['a', 'b']) {
      mkdirSync(join(vmsFolder(host), 'lines'), { recursive: true, mode: 0o700 });
      const start = { folder: vmsFolder(host), logs: join(dir, host, 'logs'), programs: [program] };
      const agent = {
        host,
        controller: join(dir, 'c/run/agents.sock'),
        start,
        kmsg: false,
        trace: false,
        storage: [dir],
      };
      const site = write(join(dir, `${host}.yaml`), { folder: join(dir, host), agent });
      processes.command(['agent', '--config', site], join(dir, `${host}.log`));
    }
    write(join(vmsFolder('a'), `${LINES.qmp}.json`), { vm: uuid, name: 'vm', optedIn: true, disks: [vm.disk] });
    const [first = '', ...words] = vm.argv(vmsFolder('a'));
    spawn(first, words, { detached: true, stdio: 'ignore' }).unref();
    let host = 'a';
    for (let n = 0; n <= RESTARTS; n++) {
      const booting = performance.now();
      const guest = await until('the guest', () => guestOf(vmsFolder(host), PATIENCE_MS).catch(() => undefined));
      guest.close();
      if (n > 0) boots.push(performance.now() - booting);
      await until(`the VM on host ${host}`, async () =>
        (await vmsOf(controller))[0]?.copies.some(c => c.host === host && c.state === 'running') === true
          ? true
          : undefined,
      );
      if (n === RESTARTS) break;
      const old = seen.at(-1)?.copies[0];
      const qmp = await QmpClient.connect({ path: join(vmsFolder(host), LINES.operator) });
      const fatal = commandOf(mceInjection({ named: namedMca('uc-fatal') })) ?? '';
      const at = Date.now();
      await qmp.execute('human-monitor-command', { 'command-line': fatal });
      const other = await until('another QEMU', () =>
        seen.find(
          line => line.at >= at && line.copies.some(c => c.pid !== old?.pid || c.startTicks !== old.startTicks),
        ),
      );
      down.push(other.at - at);
      for (const { proof } of (await vmsOf(controller))[0]?.copies ?? [])
        if (proof !== undefined) proofs.add(proof.kind);
      await qmp.close();
      host = host === 'a' ? 'b' : 'a';
    }
  } finally {
    await processes.end();
    endVm(uuid);
    rmSync(dir, { recursive: true, force: true });
  }
  const copies = Math.max(...seen.map(line => line.copies.length));
  row(
    'fatal error injected → QEMU running elsewhere',
    Math.max(...down),
    'ms',
    LIMIT.restartMs,
    `slowest of ${down.length}, median ${Math.round(share(down, 0.5))} ms; proof: ${[...proofs].join(', ')}; at most ${copies} copy in /proc; the guest’s own boot ${(share(boots, 0.5) / 1000).toFixed(1)} s more`,
  );
}

const supply = await Supply.open({ progress: p => p.phase === 'done' && console.error(`${p.part}: ready`) });
const dist = mkdtempSync(join(tmpdir(), 'sb-'));
try {
  const build = await runChild(process.execPath, [join(root, 'scripts/build.ts'), '--out', dist], { stdio: 'ignore' });
  if (build.code !== 0) throw new Error('the program could not be built');
  const { argv } = await supply.qemu('x86_64');
  // With the bounds of the heap that the published program names in its first line.
  const [head = ''] = readFileSync(join(dist, 'syndrome/bin/syndrome.js'), 'utf8').split('\n');
  const bounds = head.split(' ').filter(word => word.startsWith('--'));
  if (VMS > 0) {
    await idle('published', [process.execPath, ...bounds, join(dist, 'syndrome/bin/syndrome.js')], argv);
    await idle('from sources', [join(root, 'bin/syndrome')], argv);
  }
  if (NOTICES > 0) await notices(supply);
  if (RESTARTS > 0) await restarts(supply);
} finally {
  rmSync(dist, { recursive: true, force: true });
}

if (values.json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  for (const { name, value, unit, limit, met, detail } of rows)
    console.log(
      `${name.padEnd(48)} ${value.toFixed(value < 10 ? 2 : 1).padStart(8)} ${unit.padEnd(11)} ${met ? 'met' : 'NOT MET'}: limit ${limit}; ${detail}`,
    );
}
