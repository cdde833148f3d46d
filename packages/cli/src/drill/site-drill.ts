/** @module `syndrome drill NAME`: a game day on the reader's own site. An error into a VM that wants it, and what becomes of it. */
import { appendFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { MceInjection } from '@syndrome/decode/inject/injection.ts';
import { goesToAll, mceInjection } from '@syndrome/decode/inject/mce.ts';
import { commandOf } from '@syndrome/decode/inject/ways.ts';
import { classify } from '@syndrome/decode/mca/classify.ts';
import { vendorOfId } from '@syndrome/decode/mca/cpu.ts';
import { NAMED_MCA, type NamedMca } from '@syndrome/decode/mca/named.ts';
import { domainMonitor } from '@syndrome/qemu/libvirt/monitor.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { type MachineFacts, machineFacts } from '@syndrome/qemu/qmp/machine-facts.ts';
import { injectMce } from '@syndrome/qemu/qmp/mce.ts';
import { listenerOf } from '@syndrome/supervisor/agent/proc.ts';
import { handsOff } from '@syndrome/supervisor/core/budget.ts';
import type { Effect } from '@syndrome/supervisor/core/input.ts';
import type { Vm } from '@syndrome/supervisor/core/state.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { consentFor, consentLines, knownTarget, statedTarget } from '../consent.ts';
import type { ContextOptions } from '../context-options.ts';
import { qmpAddress } from '../qmp-address.ts';
import { type Explained, GameDay, type Step, type StepName } from './steps.ts';

/** How often the controller is asked what of it was delivered, ms. */
const ASK_MS = 100;
/** How long libvirt may take to tell what QEMU did, after QEMU has answered: its events come by another way. */
const LATE_MS = 5000;

export interface SiteDrillOptions extends ContextOptions {
  config?: string;
  vm?: string;
  qmp?: string;
  addr?: string;
  yes?: boolean;
  dryRun?: boolean;
  /** Seconds. */
  timeout: number;
}

export interface SiteDrillReport {
  schemaVersion: 1;
  drill: string;
  /** `dry-run`: nothing was injected. */
  verdict: 'pass' | 'fail' | 'dry-run';
  vm: string;
  host: string;
  command: string;
  /** Whether the injector has said which page it was. A record without an address, or a corrected one, has no lost page. */
  witness: boolean;
  /** ms UTC. */
  injectedAt?: number;
  /** What QEMU did with it. */
  qemu?: string;
  decided?: { rung: string; rule: string; policy: string; why: string };
  incidents: string[];
  witnesses: string[];
  steps: Step[];
  gaps: { step: StepName; why: string }[];
  notBefore?: number;
}

/** The record, and where. @throws UsageError */
function chosen(name: string, addr: string | undefined): { named: NamedMca; address: bigint | undefined } {
  const named = NAMED_MCA.find(record => record.name === name);
  if (named === undefined)
    throw new UsageError('E_USAGE', `there is no drill "${name}"`, {
      hint: didYouMean(name, ['demo', ...NAMED_MCA.map(record => record.name)]) ?? 'See `syndrome inject --list`.',
    });
  const address = addr === undefined ? undefined : parseU64(addr);
  if (addr !== undefined && address === undefined)
    throw new UsageError('E_USAGE', `--addr ${addr} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
  if (named.needsAddress && address === undefined)
    throw new UsageError('E_USAGE', `${name} needs --addr`, {
      hint: 'A guest physical address that the guest can spare, such as 0x1234000.',
    });
  return { named, address };
}

/** What is injected: to all CPUs only where there are more, and where this CPU has that; AMD's takes machine checks one by one. */
function injectionFor(
  named: NamedMca,
  address: bigint | undefined,
  { cpus, cpuVendor = '' }: MachineFacts,
): MceInjection {
  const broadcast = goesToAll(named) && cpus !== 1 && vendorOfId(cpuVendor) !== 'amd';
  return mceInjection({ named, addr: address, broadcast });
}

/** What of the site a drill needs. @throws UsageError E_DRILL_SITE, and what readSite throws */
function siteOf(file: string): {
  agent: NonNullable<ReturnType<typeof readSite>['agent']>;
  drill: string;
  admin: string;
} {
  const { agent, drill } = readSite(file);
  if (agent === undefined)
    throw new UsageError('E_DRILL_SITE', `${file} has no agent`, {
      hint: 'Name the file of the host that runs the VM.',
    });
  if (drill === undefined)
    throw new UsageError('E_DRILL_SITE', `${file} does not allow drills`, {
      hint: 'Write `drill: /var/lib/syndrome/drill.ndjson` under agent:, and start the agent again.',
    });
  const { controller } = agent;
  if (typeof controller !== 'string')
    throw new UsageError('E_DRILL_SITE', `the controller of ${file} is on another machine`, {
      hint: 'A drill asks the controller over its own socket, which is here only where the controller is.',
    });
  return { agent, drill, admin: join(dirname(controller), 'admin.sock') };
}

type Site = ReturnType<typeof siteOf>;

function refused(vm: string, why: string, hint?: string): UsageError {
  const text = `VM ${safeText(vm, 80)}: ${safeText(why, 300)}; nothing was injected`;
  return new UsageError('E_DRILL_VM', text, hint === undefined ? {} : { hint });
}

/** The VM, if its owner wants it and if it runs here. @throws UsageError E_DRILL_VM */
async function vmOf({ agent, admin }: Site, wanted: string): Promise<{ vm: Vm; copy: Vm['copies'][number] }> {
  const vms = (await ask(admin, { ask: 'list', list: 'vms' })) as Vm[];
  const found = vms.filter(vm => vm.id === wanted);
  const [vm, second] = found.length > 0 ? found : vms.filter(({ name }) => name === wanted);
  if (vm === undefined || second !== undefined)
    throw refused(
      wanted,
      vm === undefined ? 'the controller knows none of that name' : 'more than one has that name',
      'See `syndrome fleet vms`.',
    );
  const off = handsOff(vm);
  if (off !== undefined)
    throw refused(wanted, off, 'A drill may act on it: opt it in as docs/supervisor.md says, or take another VM.');
  const copy = vm.copies.find(c => c.host === vm.home && c.proof === undefined);
  if (copy?.state !== 'running') throw refused(wanted, `it does not run, but is ${copy?.state ?? 'nowhere'}`);
  if (copy.host !== agent.host)
    throw refused(
      wanted,
      `it runs on ${copy.host}, and the file is of ${agent.host}`,
      `Name the file of ${copy.host}.`,
    );
  return { vm, copy };
}

/**
 * Speaks to the monitor of the VM: that of `--qmp`, or the one that libvirt keeps for a domain of its own.
 * @throws UsageError E_DRILL_VM
 */
async function monitorOf(
  { agent }: Site,
  { vm, copy }: Awaited<ReturnType<typeof vmOf>>,
  qmp: string | undefined,
  signal: AbortSignal,
): Promise<{ client: QmpClient; lateMs: number }> {
  if (qmp !== undefined) {
    checkMonitor(agent, vm.name, copy.pid, qmp);
    return { client: await QmpClient.connect(qmpAddress(qmp), { signal }), lateMs: 0 };
  }
  const { libvirt } = agent;
  if (vm.vmm !== 'libvirt' || libvirt === undefined)
    throw new UsageError('E_USAGE', `--qmp is missing: libvirt does not run VM ${safeText(vm.name, 80)} here`, {
      hint: "Name a monitor of it that is not the agent's: -qmp unix:PATH,server=on,wait=off",
    });
  const { socket: path, uri } = libvirt;
  return { client: await domainMonitor({ path, uri }, vm.id, signal), lateMs: LATE_MS };
}

/** Whether a socket is a monitor of a VM's own, and not that of the agent. @throws UsageError E_DRILL_VM */
function checkMonitor(agent: Site['agent'], wanted: string, pid: string | undefined, qmp: string): void {
  const { path } = { path: undefined, ...qmpAddress(qmp) };
  if (path === undefined) throw refused(wanted, 'whose monitor a TCP port is cannot be seen', 'Give it a unix socket.');
  const socket = resolve(path);
  const ofAgent =
    agent.monitors.some(m => m.socket === socket) || [...agent.folders, agent.start.folder].includes(dirname(socket));
  if (ofAgent && (/\.(?:qmp|sock)$/.test(socket) || agent.monitors.some(m => m.socket === socket)))
    throw refused(
      wanted,
      `${socket} is the agent's monitor, and a monitor has one client`,
      'Give the VM a second one, outside of folders: -qmp unix:PATH,server=on,wait=off',
    );
  const listener = listenerOf(socket);
  // PIDs are used again: it is the start time that makes it the process that the agent knows.
  if (listener !== undefined && `${listener.pid}/${listener.startTicks}` === pid) return;
  const who = listener === undefined ? 'nobody is seen to listen there' : `process ${listener.pid} listens there`;
  throw refused(
    wanted,
    `${socket} is not known to be its monitor: ${who}, and the VM is process ${pid?.split('/')[0] ?? '?'}`,
    'Name a monitor of this VM, as its user or as root.',
  );
}

/** Says which page it was: the monitor's `mce` has no address of the host. @throws UsageError E_DRILL_SITE */
function writeWitness(file: string, line: object): void {
  try {
    appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new UsageError('E_DRILL_SITE', `the drill cannot be written to ${file}`, {
      cause,
      hint: 'The error was injected. Run the drill as the user of the agent.',
    });
  }
}

/**
 * Runs a drill on a site that runs. Nothing is injected unless all of it holds: the site allows drills, the VM has opted in, the
 * monitor is its own, and the outlook has no objection, or `yes`.
 * @param say takes what is worth knowing at once
 * @throws UsageError E_DRILL_SITE, E_DRILL_VM, E_INJECT_FATAL; SyndromeError E_FLEET_CONTROLLER
 */
export async function siteDrill(
  name: string,
  options: SiteDrillOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<SiteDrillReport> {
  const { config, vm: wanted, qmp } = options;
  const { named, address } = chosen(name, options.addr);
  if (config === undefined || wanted === undefined)
    throw new UsageError('E_USAGE', `--${config === undefined ? 'config' : 'vm'} is missing`, {
      hint: `syndrome drill ${name} --config SITE --vm VM; \`syndrome drill demo\` needs none of them.`,
    });
  const stated = statedTarget(options);
  const site = siteOf(config);
  const found = await vmOf(site, wanted);
  const { vm } = found;
  // A corrected error takes no page away, and an injector that says so would put one into the ledger.
  const witness = named.needsAddress && classify(named) !== 'CE';
  const report = { schemaVersion: 1, drill: name, vm: vm.id, host: site.agent.host, witness } as const;
  const { client, lateMs } = await monitorOf(site, found, qmp, signal);
  const day = new GameDay(vm.id);
  const over = new AbortController();
  let wake = Promise.withResolvers<void>();
  let subscription: Promise<unknown> | undefined;
  try {
    const facts = await machineFacts(client);
    const injection = injectionFor(named, address, facts);
    const command = commandOf(injection) ?? '';
    const consent = consentFor(injection, knownTarget(stated, facts));
    if (consent.needed && options.yes !== true) {
      for (const line of [`What ${name} may do to VM ${safeText(vm.name, 80)}:`, ...consentLines(consent)]) say(line);
      if (options.dryRun !== true)
        throw new UsageError('E_INJECT_FATAL', `${name} may kill or reset the guest; nothing was done`, {
          hint: `Repeat with --yes if that is what you want, or say what runs there (--consumer, --set): ${command}`,
        });
    }
    if (options.dryRun === true)
      return { ...report, command, verdict: 'dry-run', incidents: [], witnesses: [], steps: day.steps(), gaps: [] };
    const subscribed = Promise.withResolvers<void>();
    subscription = ask(
      site.admin,
      { ask: 'subscribe' },
      {
        signal: over.signal,
        onAnswer: subscribed.resolve,
        onEvent: effect => {
          day.take(effect as Effect, Date.now());
          wake.resolve();
        },
      },
    );
    await Promise.race([subscribed.promise, subscription]);
    const injectedAt = Date.now();
    day.begin(injectedAt);
    say(`> ${command}`);
    const { action } = await injectMce(client, injection, { lateMs });
    if (witness && action !== 'ignore') {
      day.expectWitness(injection.addr);
      writeWitness(site.drill, { vm: vm.id, when: injectedAt, gpa: hex64(injection.addr), kind: name });
    }
    const end = performance.now() + options.timeout * 1000;
    // Twice in a row: what was committed a moment ago may be told a moment later.
    for (let whole = 0; whole < 2 && performance.now() < end; whole = day.gaps().length === 0 ? whole + 1 : 0) {
      await Promise.race([wake.promise, sleep(ASK_MS, undefined, { signal }), subscription]);
      wake = Promise.withResolvers();
      for (const id of day.incidents) day.explained((await ask(site.admin, { ask: 'explain', id })) as Explained);
    }
    const gaps = day.gaps();
    return {
      ...report,
      command,
      verdict: gaps.length === 0 && action !== 'ignore' ? 'pass' : 'fail',
      injectedAt,
      qemu: action,
      ...(day.decided === undefined ? {} : { decided: day.decided }),
      incidents: [...day.incidents],
      witnesses: [...day.witnesses].toSorted(),
      steps: day.steps(),
      gaps,
      ...(day.notBefore === undefined ? {} : { notBefore: day.notBefore }),
    };
  } finally {
    over.abort();
    await client.close();
    await subscription?.catch((error: unknown) => {
      if (!(error instanceof SyndromeError)) throw error;
    });
  }
}
