/** @module Acts on a bare QEMU: over its monitor, and on its process where that does not answer. */
import { mkdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { whyNotOwn } from '@syndrome/base/disk/own-folder.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import type { Act, ActResult, StopProof } from '../../core/act.ts';
import type { VmId } from '../../core/ids.ts';
import type { VmReport } from '../../core/said.ts';
import { type Actuator, resultOf } from '../actuator.ts';
import { bootId, listenerOf, type ProcessFacts, startedWith, UNKNOWN_BOOT } from '../proc.ts';
import { pause } from '../reconnect.ts';
import { missingSecret } from '../needs.ts';
import { memorySize } from '../sources/qmp.ts';
import { factsOfArgv, localCommand, type QemuDefinition, qemuDefinitionSchema, type VmFacts } from '../vm-facts.ts';
import type { Units } from '../units.ts';
import { type Copy, type KnownVm, type Vms, howGoneCopy } from '../vms.ts';
import { logOf, startNoted } from './detached.ts';
import { guardRefusal } from './migration-guard.ts';

interface QemuActsOptions {
  vms: Vms;
  units: Units;
  /** Where the sockets of the VMs that we start are. */
  folder: string;
  /** Where their error output goes. */
  logs: string;
  /** Programs that a definition may start, by their whole path: no other. */
  programs: readonly string[];
  /** How long `quit`, and then SIGTERM, may take before the next stronger way, ms. Default 1500. */
  stepMs?: number;
  proc?: string;
}

/** What the monitor of a VM that was started says of it. */
interface Running {
  status: string;
  memoryBytes: number;
}

type Outcome = Omit<ActResult, 'action' | 'vm' | 'epoch'>;

const LOOK_MS = 20;
const failed = (reason: string): Outcome => ({ state: 'failed', reason });
const refused = (reason: string): Outcome => ({ state: 'refused', reason });

export class QemuActs implements Actuator {
  readonly #options: QemuActsOptions;

  constructor(options: QemuActsOptions) {
    this.#options = options;
  }

  async act(act: Act, signal: AbortSignal): Promise<ActResult> {
    const { vm } = act;
    if (vm === undefined) return resultOf(act, refused(`${act.kind} needs a VM`));
    const late = AbortSignal.timeout(Math.max(1, Math.min(act.deadline - Date.now(), 0x7fff_ffff)));
    const either = AbortSignal.any([signal, late]);
    try {
      return resultOf(act, await this.#do(act, vm, either));
    } catch (error) {
      if (either.aborted)
        return resultOf(act, { state: 'unknown', reason: `it was not over by then: ${messageOf(error)}` });
      return resultOf(act, failed(messageOf(error)));
    }
  }

  async #do(act: Act, vm: VmId, signal: AbortSignal): Promise<Outcome> {
    if (act.kind === 'start') return this.#start(act, vm, signal);
    const known = this.#options.vms.find(vm);
    if (known === undefined) return failed(`this host knows no VM ${vm}`);
    switch (act.kind) {
      case 'pause':
        return this.#pause(known);
      case 'reset':
        return this.#reset(known);
      case 'migrate':
        return this.#migrate(known);
      case 'autostart-off':
        return this.#autostartOff(known);
      case 'stop':
      case 'terminate':
        return this.#stop(act, known, signal);
      case 'prove':
        return this.#prove(act, known);
      default:
        return refused(`a bare QEMU cannot be asked for ${act.kind}`);
    }
  }

  async #pause(known: KnownVm): Promise<Outcome> {
    const qmp = monitor(known);
    await qmp.execute('stop');
    const { running, status } = await qmp.execute('query-status');
    return running ? failed(`it runs all the same: ${status}`) : { state: 'confirmed', seen: { status } };
  }

  async #reset(known: KnownVm): Promise<Outcome> {
    const qmp = monitor(known);
    const reset = qmp.waitEvent('RESET', 10_000);
    const [, event] = await Promise.all([qmp.execute('system_reset'), reset]);
    const { status } = await qmp.execute('query-status');
    return { state: 'confirmed', seen: { reason: event.data.reason, status } };
  }

  /**
   * A bare QEMU has nowhere to go: none listens for it on another host. That it would not go anyway it is asked all the same, since it
   * knows of poisoned pages that nobody has told us of: it looks for them before it connects to anywhere.
   */
  async #migrate(known: KnownVm): Promise<Outcome> {
    const nowhere = join(this.#options.folder, 'nobody-listens-here');
    try {
      await monitor(known).execute('migrate', { uri: `unix:${nowhere}` });
    } catch (error) {
      return guardRefusal(messageOf(error)) ?? refused(`a bare QEMU is not migrated: ${messageOf(error)}`);
    }
    return refused('a bare QEMU is not migrated: none waits for it on another host');
  }

  /** We start nothing by ourselves, and what others start is theirs to switch off. */
  async #autostartOff(known: KnownVm): Promise<Outcome> {
    const why = await this.#startsAgain(known, known.copy);
    if (why === undefined) return { state: 'confirmed', seen: { autostart: 'off' } };
    return failed(`something on this host starts it again by itself: ${why}. Switch it off there`);
  }

  /** What starts it again here by itself: what its administrator says, and what systemd says now of the unit that it ran in. */
  async #startsAgain({ report }: KnownVm, copy: Copy | undefined): Promise<string | undefined> {
    if (copy?.autostart === true) return 'its configuration says so';
    const unit = copy?.unit;
    if (unit === undefined)
      return (report ?? copy?.report)?.autostart === true ? 'its configuration says so' : undefined;
    const { again, said } = await this.#options.units.ask(unit);
    return again ? `its unit ${unit.name}: ${said}` : undefined;
  }

  async #stop(act: Act, known: KnownVm, signal: AbortSignal): Promise<Outcome> {
    const { stepMs = 1500 } = this.#options;
    this.#lookForBegun(known);
    const { copy, qmp } = known;
    const lost = this.#begunIsOver(act, known);
    if (copy === undefined && lost !== undefined) return lost;
    if (copy === undefined) return failed('its process is not known: it can be neither ended nor proven gone');
    let way = 'it had ended';
    if (!this.#isGone(copy) && qmp !== undefined) {
      way = 'quit';
      // One that does not read its monitor does not answer either.
      const asked = qmp.execute('quit', {}, { deadlineMs: stepMs }).catch(() => undefined);
      await Promise.all([asked, this.#gone(copy, stepMs, signal)]);
    }
    for (const name of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.#isGone(copy) || signal.aborted) continue;
      way = name;
      // Looked at just now: this very process, and not another of the same number.
      process.kill(copy.pid, name);
      await this.#gone(copy, name === 'SIGTERM' ? stepMs : 0x7fff_ffff, signal);
    }
    if (!this.#isGone(copy)) return { state: 'unknown', reason: 'its process is still there', seen: evidenceOf(copy) };
    return this.#proof(act, known, copy, way);
  }

  async #prove(act: Act, known: KnownVm): Promise<Outcome> {
    this.#lookForBegun(known);
    const { copy } = known;
    const lost = this.#begunIsOver(act, known);
    if (copy === undefined && lost !== undefined) return lost;
    if (copy === undefined) return { state: 'unknown', reason: 'no process of it was seen on this host' };
    if (!this.#isGone(copy)) return failed(`it is there: pid ${copy.pid}`);
    return this.#proof(act, known, copy, 'looked at');
  }

  /** Its process is gone: that proves the stop where nothing brings it back, and no other process has its monitor. */
  async #proof(act: Act, known: KnownVm, copy: Copy, way: string): Promise<Outcome> {
    const { proc } = this.#options;
    const gone = howGoneCopy(copy, proc);
    if (gone === undefined) return failed(`it is there: pid ${copy.pid}`);
    const seen = { ...evidenceOf(copy), process: gone, way };
    if (copy.left === true)
      return { state: 'unknown', reason: 'it went to another host alive: that it is gone here proves nothing', seen };
    const another = copy.others?.find(one => howGoneCopy(one, proc) === undefined);
    if (another !== undefined) return failed(`another process of it is there: pid ${another.pid}`);
    const begun = this.#begunIsOver(act, known);
    if (begun !== undefined && begun.proof === undefined) return begun;
    const again = await this.#startsAgain(known, copy);
    if (again !== undefined)
      return { state: 'confirmed', reason: `it is gone, and no proof: something may start it again: ${again}`, seen };
    // One that was started here listens in our own folder, whatever we know of it.
    const own = join(this.#options.folder, basename(copy.socket));
    const other = this.#holderOf(known, copy.socket) ?? this.#holderOf(known, own);
    if (other !== undefined) return failed(`another process has its monitor: pid ${other.pid}`);
    return { state: 'confirmed', seen, proof: proofOf(act, known.vm, seen) };
  }

  /** The process that has the monitor of a VM now, or writes the file that is one's. */
  #holderOf({ vmm }: KnownVm, socket: string): ProcessFacts | undefined {
    const { proc } = this.#options;
    return vmm === 'reference' ? startedWith('--events', socket, proc) : listenerOf(socket, proc);
  }

  /** What was begun here may have been lost between its start and the note of its process: it is known by its socket. */
  #lookForBegun(known: KnownVm): void {
    const { vm, begun } = known;
    const { vms, proc } = this.#options;
    const found = begun === undefined ? undefined : this.#holderOf(known, begun.socket);
    if (begun === undefined || found === undefined) return;
    const { pid, startTicks } = found;
    vms.foundCopy(vm, { pid, startTicks, boot: bootId(proc), socket: begun.socket, epoch: begun.epoch });
  }

  /**
   * What is known of a start whose process is not: its proof where nothing came of it, or the host has booted since; undefined where there is
   * no such start. That nobody has its socket at this moment is no proof.
   */
  #begunIsOver(act: Act, { vm, begun, report }: KnownVm): Outcome | undefined {
    if (begun === undefined) return undefined;
    const { epoch, socket, boot, nothing } = begun;
    const now = bootId(this.#options.proc);
    const isGone = nothing !== undefined || (boot !== now && ![boot, now].includes(UNKNOWN_BOOT));
    const seen = { epoch: String(epoch), socket, boot };
    if (!isGone) {
      const reason = `a start of epoch ${epoch} was begun here, and its process was not seen: it may be there`;
      return { state: 'unknown', reason, seen };
    }
    const over = { ...seen, process: nothing === undefined ? 'host-rebooted' : 'absent', way: nothing ?? 'looked at' };
    if (report?.autostart === true)
      return { state: 'confirmed', reason: 'it is gone, and no proof: its configuration starts it again', seen: over };
    return { state: 'confirmed', seen: over, proof: proofOf(act, vm, over) };
  }

  async #start(act: Act, vm: VmId, signal: AbortSignal): Promise<Outcome> {
    const { vms, folder, logs, proc } = this.#options;
    const definition = parseDefinition(act.definition);
    if (typeof definition === 'string') return refused(definition);
    const [secret] = definition.cut ?? [];
    if (secret !== undefined) return refused(missingSecret(secret));
    const { argv, socket, facts: said } = localCommand(definition, folder);
    const [program = ''] = argv;
    if (!this.#mayStart(program))
      return refused(`${program} is no program that this agent may start: name it in its configuration (programs)`);
    const uid = process.geteuid?.();
    if (definition.uid !== undefined && definition.uid !== uid)
      return refused(`it ran as user ${definition.uid}, and this agent runs as ${uid}: it would have other rights`);
    const before = vms.find(vm);
    if (before !== undefined) this.#lookForBegun(before);
    const there = before?.copy;
    const one = [...(there === undefined ? [] : [there]), ...(there?.others ?? [])].find(c => !this.#isGone(c));
    if (one !== undefined) return failed(`it runs here already: pid ${one.pid}`);
    const listener = listenerOf(socket, proc);
    if (listener !== undefined) return failed(`pid ${listener.pid} listens on ${socket} already`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const logPath = logOf(vm, logs);
    // What was said of it on its old host holds here, and its log is read.
    writeWhole(`${socket}.json`, JSON.stringify({ ...said, vm, log: logPath }));
    const { facts, ended } = startNoted(argv, definition.cwd, logPath, { vms, vm, epoch: act.epoch, socket, proc });
    const running = await this.#running(socket, vm, ended, signal);
    const why = ended();
    if (why !== undefined) vms.cameToNothing(vm, why);
    if (why !== undefined) return failed(why);
    if (running === undefined) return { state: 'unknown', reason: 'its monitor did not say that it runs' };
    if (facts === undefined) return { state: 'unknown', reason: 'its process was not seen' };
    this.#noteFirst(act, { ...facts, argv }, socket, said, running);
    const { pid, startTicks } = facts;
    return { state: 'confirmed', seen: { pid: String(pid), startTicks, status: running.status } };
  }

  /** What a source would tell of it first, so that its end can be told also where it comes before any source has seen it. */
  #noteFirst(act: Act, { pid, startTicks, argv }: ProcessFacts, socket: string, said: VmFacts, up: Running): void {
    const { vms, proc } = this.#options;
    const { vm = '', epoch } = act;
    if (vms.of(vm).report?.pid === pid) return;
    const { disks, cpuModel } = factsOfArgv(argv);
    const report: VmReport = {
      kind: 'vm',
      vm,
      name: said.name ?? vm,
      state: 'running',
      reason: up.status,
      pid,
      startTicks,
      vmm: 'qemu',
      disks: said.disks ?? disks,
      memoryBytes: up.memoryBytes,
      ...(cpuModel === undefined ? {} : { cpuModel }),
      autostart: said.autostart ?? false,
      ...(said.owner === undefined ? {} : { owner: said.owner }),
      optedIn: said.optedIn ?? false,
      epoch,
    };
    vms.foundCopy(vm, { pid, startTicks, boot: bootId(proc), socket, epoch, report });
  }

  #mayStart(program: string): boolean {
    const { programs } = this.#options;
    if (!programs.includes(program)) return false;
    try {
      return whyNotOwn(realpathSync(program)) === undefined;
    } catch {
      // Nothing is there that could be started, as the system will say.
      return true;
    }
  }

  /** Waits until a monitor says that its VM runs; the source may be the one that has it. */
  async #running(
    socket: string,
    vm: VmId,
    ended: () => string | undefined,
    signal: AbortSignal,
  ): Promise<Running | undefined> {
    while (!signal.aborted && ended() === undefined) {
      const known = this.#options.vms.find(vm);
      const theirs = known?.copy?.socket === socket ? known.qmp : undefined;
      const own =
        theirs ?? (await QmpClient.connect({ path: socket }, { deadlineMs: 500, signal }).catch(() => undefined));
      try {
        const memoryBytes = own === undefined ? 0 : await memorySize(own);
        const { running, status } = (await own?.execute('query-status', {}, { deadlineMs: 2000 })) ?? {};
        if (running === true && status !== undefined) return { status, memoryBytes };
      } catch {
        // It may be on its way up.
      } finally {
        if (own !== theirs) await own?.close();
      }
      await pause(LOOK_MS, signal);
    }
    return undefined;
  }

  #isGone(copy: Copy): boolean {
    return howGoneCopy(copy, this.#options.proc) !== undefined;
  }

  /** Waits until it is gone, or the time is over. */
  async #gone(copy: Copy, ms: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#isGone(copy) && performance.now() < until && !signal.aborted) await pause(LOOK_MS, signal);
  }
}

function monitor(known: KnownVm): QmpClient {
  if (known.qmp === undefined) throw new Error('its monitor cannot be asked now');
  return known.qmp;
}

const proofOf = (act: Act, vm: VmId, seen: Record<string, string>): StopProof => ({
  kind: 'process-gone',
  vm,
  host: act.host,
  epoch: act.epoch,
  at: Date.now(),
  evidence: { ...seen, autostart: 'off' },
});

const evidenceOf = ({ pid, startTicks, boot }: Copy): Record<string, string> => ({
  pid: String(pid),
  startTicks,
  boot,
});

function parseDefinition(text: string | undefined): QemuDefinition | string {
  if (text === undefined) return 'start needs a definition';
  try {
    return qemuDefinitionSchema.parse(JSON.parse(text));
  } catch (error) {
    return `its definition is not that of a bare QEMU: ${messageOf(error).slice(0, 200)}`;
  }
}
