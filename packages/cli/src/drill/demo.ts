/**
 * @module The first thing that a newcomer to the supervisor runs: two agents, a controller with its ledger, a VM, a customer, three
 * lost pages. The one place where lab and supervisor are put together.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { commandOf } from '@syndrome/decode/inject/ways.ts';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import { namedMca } from '@syndrome/decode/mca/named.ts';
import type { Services } from '@syndrome/lab/parts.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { type DrillFolder, drillFolder, type DrillHost, HOSTS } from './folder.ts';
import { factsOfLedger } from './ledger.ts';
import { endVm, Processes } from './processes.ts';
import { receive, type Received } from './receiver.ts';
import { judge } from './judge.ts';
import type { DrillReport, Moment } from './report.ts';
import { drillProgram, type DrillVm, drillVm, guestOf, LINES } from './vm.ts';
import type { CopiesLine } from './copies.ts';

const PAGES = 3;
/** Bounds of what is waited for, ms. All of it together ends within the time of the command. */
const BOOT_MS = 60_000; // Of a guest; of agents and controller too, which compile their sources at a first start.
const STEP_MS = 20_000;
const NAME = 'drill-vm';

/** What is known while it runs. */
interface Run {
  folder: DrillFolder;
  vm: DrillVm;
  signal: AbortSignal;
  notices: Received[];
  copies: CopiesLine[];
  story: (who: Moment['who'], what: string) => void;
}

/** Something of the drill did not come in time. */
class DrillError extends SyndromeError {}

/** Waits until something is there. @throws DrillError E_DRILL_WAIT with what was waited for */
async function until<T>(
  what: string,
  run: Pick<Run, 'signal'>,
  most: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + most;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new DrillError('E_DRILL_WAIT', `the drill waited ${most / 1000} s in vain for ${what}`);
    await sleep(20, undefined, { signal: run.signal });
  }
}

interface DrillOptions {
  services: Services;
  signal: AbortSignal;
  /** Takes each point of the story when it happens. */
  onMoment: (moment: Moment) => void;
  /** Keeps the folder with ledger and logs. */
  keep?: boolean;
}

/** The report, and where ledger and logs are where they were kept. */
type DrillResult = DrillReport & { folder?: string };

/**
 * Runs the drill. Everything that it starts has ended when it returns, also when it is interrupted.
 * @throws DrillError, SupplyError, LabSkip
 */
export async function drillDemo({ services, signal, onMoment, keep }: DrillOptions): Promise<DrillResult> {
  const began = performance.now();
  const uuid = randomUUID();
  const timeline: Moment[] = [];
  const story = (who: Moment['who'], what: string, at = Date.now()): void => {
    timeline.push({ at, who, what });
    onMoment({ at, who, what });
  };
  const notices: Received[] = [];
  const copies: CopiesLine[] = [];
  const processes = new Processes();
  let folder: DrillFolder | undefined;
  const secret: { bytes?: Uint8Array } = {};
  // The receiver is there before the file that names it.
  const receiver = await receive(
    () => secret.bytes,
    notice => {
      notices.push(notice);
      story('customer', `is told (${notice.type}): ${String(notice.data['summary'])}`, notice.at);
    },
  );
  try {
    folder = drillFolder(await drillProgram(services), (secretFile, allow) => ({
      kind: 'webhook',
      name: 'customer',
      url: receiver.url,
      secretFiles: [secretFile],
      allow: [allow],
    }));
    secret.bytes = folder.secret;
    const vm = await drillVm(uuid, folder.disk, services);
    const run: Run = { folder, vm, signal, notices, copies, story };
    processes.teller(join(import.meta.dirname, './copies.ts'), [uuid], told => void copies.push(told as CopiesLine));
    processes.command(['controller', '--config', folder.controller], folder.log('controller'));
    for (const host of HOSTS)
      processes.command(['agent', '--config', folder.host(host).site], folder.log(`agent-${host}`));
    startFirst(run);
    const found = await throughIt(run);
    const { lost } = processes;
    await processes.end();
    const seen = {
      ...found,
      facts: await factsOfLedger(folder.ledger, uuid),
      notices,
      copies,
      timeline,
      refused: receiver.refused(),
      lost,
    };
    const report = judge('demo', { ...seen, seconds: (performance.now() - began) / 1000 });
    return keep === true ? { ...report, folder: folder.path } : report;
  } finally {
    await processes.end();
    endVm(uuid);
    receiver.close();
    if (folder !== undefined && keep !== true) rmSync(folder.path, { recursive: true, force: true });
  }
}

/** Starts the VM on host a, as an administrator does, with the facts beside its monitor's socket. */
function startFirst({ folder, vm, story }: Run): void {
  const { vms } = folder.host('a');
  const log = join(vms, 'lines/qemu.log');
  writeFileSync(
    join(vms, `${LINES.qmp}.json`),
    JSON.stringify({ vm: vm.uuid, name: NAME, optedIn: true, disks: [vm.disk], log }),
    { mode: 0o600 },
  );
  const [program = '', ...args] = vm.argv(vms);
  const fd = openSync(log, 'a', 0o600);
  spawn(program, args, { detached: true, stdio: ['ignore', fd, fd], cwd: '/' }).unref();
  closeSync(fd);
  story('drill', `starts ${NAME} on host a`);
}

interface VmAnswer {
  id: string;
  copies: { host: string; epoch: number; state: string; proof?: unknown }[];
}

/** What the controller lists; nothing while it does not answer. */
async function listed({ folder }: Run, list: 'vms' | 'pages'): Promise<Record<string, unknown>[]> {
  const { sockets } = readPlaces(folder.controller);
  const answer = await ask(sockets.admin, { ask: 'list', list }, { deadlineMs: 2000 }).catch(() => []);
  return answer as Record<string, unknown>[];
}

const vmsOf = async (run: Run): Promise<VmAnswer | undefined> => (await listed(run, 'vms'))[0] as VmAnswer | undefined;

const runsOn = async (run: Run, host: DrillHost): Promise<true | undefined> =>
  (await vmsOf(run))?.copies.some(c => c.host === host && c.state === 'running') === true ? true : undefined;

interface Found {
  pages: bigint[];
  guestBootMs: number;
}

async function throughIt(run: Run): Promise<Found> {
  const { folder, vm, story, notices } = run;
  const [a, b] = [folder.host('a'), folder.host('b')];
  await until('the controller to know the VM on host a', run, BOOT_MS, () => runsOn(run, 'a'));
  story('controller', `knows ${NAME} on host a`);
  const guest = await connectGuest(run, a.vms);
  const pages: bigint[] = [];
  try {
    await guest.call('spawn', { name: 'victim' });
    for (let i = 0; i < PAGES; i++) {
      const { phys } = await guest.call('map', { proc: 'victim', id: `page${i}`, kill: 'early' });
      if (phys === undefined) throw new DrillError('E_DRILL_WAIT', 'the guest did not tell where its page is');
      pages.push(phys);
    }
    await guest.call('on-signal', { proc: 'victim', action: 'report' });
    story(
      'drill',
      `the guest answers on host a; a process in it has pages ${pages.map(p => `0x${p.toString(16)}`).join(', ')}`,
    );
    const qmp = await QmpClient.connect({ path: join(a.vms, LINES.operator) });
    try {
      for (const [i, page] of pages.entries()) {
        const told = notices.length;
        const injection = mceInjection({ named: namedMca('srao'), addr: page });
        const command = commandOf(injection) ?? '';
        story('drill', `injects ${i + 1} of ${PAGES}: ${command}`);
        const when = Date.now();
        await qmp.execute('human-monitor-command', { 'command-line': command });
        // Only now: who says it earlier has the supervisor stop the VM before the error is in it.
        appendFileSync(a.drill, `${JSON.stringify({ vm: vm.uuid, when, gpa: hex64(page), kind: 'srao' })}\n`);
        await until(`notice ${i + 1}`, run, STEP_MS, () =>
          notices.slice(told).some(n => n.type.includes('poisoned')) ? true : undefined,
        );
        await until(`page ${i + 1} in the ledger`, run, STEP_MS, async () =>
          (await listed(run, 'pages')).some(p => p['gpa'] === hex64(page)) ? true : undefined,
        );
      }
    } finally {
      await qmp.close();
    }
  } finally {
    guest.close();
  }
  await until('the VM to run on host b', run, STEP_MS, () => runsOn(run, 'b'));
  story('agent b', `${NAME} runs on host b`);
  const started = Date.now();
  const again = await connectGuest(run, b.vms);
  const guestBootMs = Date.now() - started;
  again.close();
  story('drill', 'the guest answers on host b');
  await until('the notice of the restart', run, STEP_MS, () =>
    notices.some(n => n.type.includes('vm.restarted')) ? true : undefined,
  );
  return { pages, guestBootMs };
}

const connectGuest = (run: Run, vms: string): ReturnType<typeof guestOf> =>
  until('the lines of the guest', run, STEP_MS, () =>
    guestOf(vms, BOOT_MS).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error))),
  );

const isMissing = (error: unknown): boolean =>
  /ENOENT|ECONNREFUSED/.test(String(error instanceof Error ? (error.cause ?? error) : error));
