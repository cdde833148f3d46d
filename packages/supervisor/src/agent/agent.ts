/** @module The agent of a host: sources → spool → controller, and acts the other way. */
import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type Act, ACT_KINDS, type ActResult } from '../core/act.ts';
import type { Epoch, HostId, VmId } from '../core/ids.ts';
import type { Said } from '../core/said.ts';
import { toJson } from '../wire/json.ts';
import { rowLine } from '../wire/row.ts';
import { ActBook, LOOKS_FOR_END } from './acts/book.ts';
import { checkNeeds } from './acts/check.ts';
import { HostActs } from './acts/host.ts';
import { askLock } from './acts/image-lock.ts';
import { askLease } from './acts/lease.ts';
import { QemuActs } from './acts/qemu.ts';
import { isReference, ReferenceActs } from './acts/reference.ts';
import { type Actuator, resultOf } from './actuator.ts';
import type { AgentConfig } from './config.ts';
import { endBehind } from './end-behind.ts';
import { frameAt, Joiner } from './join.ts';
import { Keeper } from './keeper.ts';
import type { execPart } from './exec/part.ts';
import { isExecDefinition } from './exec/definition.ts';
import type { libvirtPart } from './libvirt-part.ts';
import { Positions } from './positions.ts';
import { pause } from './reconnect.ts';
import { ConsoleSource } from './sources/console.ts';
import { emittedByVm } from './sources/emitted.ts';
import { HostSource } from './sources/host.ts';
import { KmsgSource } from './sources/kmsg.ts';
import { QmpFolders, type QmpOptions, QmpSource } from './sources/qmp.ts';
import { findTraceEvent, TraceSource } from './sources/trace.ts';
import { VmmLogSource } from './sources/vmm-log.ts';
import type { Source } from './source.ts';
import { Coalescer } from './spool/coalesce.ts';
import { Spool } from './spool/spool.ts';
import { Units } from './units.ts';
import { leaseReports } from './sanlock.ts';
import { runUplink } from './uplink.ts';
import { Vms } from './vms.ts';

/** What others add to an agent: a drill, another libvirt. */
export interface AgentParts {
  sources?: readonly Source[];
  /** Acts on domains of libvirt, in place of those of the configuration. */
  libvirt?: Actuator;
}

interface AgentContext {
  host: HostId;
  vms: Vms;
  epochOf: (vm: VmId) => Epoch;
}

export interface AgentOptions {
  /** Makes the parts, which may need the epochs. */
  parts?: (context: AgentContext) => AgentParts;
  /** Tells a person what happens, a line each. */
  log?: (text: string) => void;
  tickMs?: number;
}

/** Above this part of its bound the spool counts repeats earlier and longer; at 1 the sources are stopped, below `ROOM` started again. */
const TIGHT = 0.75;
const ROOM = 0.5;
const TRACEFS = '/sys/kernel/tracing';
/** What stands for a row that the disk damaged. */
const FILLER = toJson({
  kind: 'source',
  source: 'agent',
  state: 'back',
  gapMs: 0,
  lostEvents: 1,
  reason: 'a row of the spool was damaged on the disk',
} satisfies Said);

const LOCKS: Actuator = { act: (act, signal) => askLock(act, signal) };
const LEASES: Actuator = { act: (act, signal) => askLease(act, {}, signal) };
/** It was held up, by the disk or by a start before it: nobody waits for it any more. */
const LATE: Actuator = {
  act: act => Promise.resolve(resultOf(act, { state: 'refused', reason: 'its deadline was over before it began' })),
};
const RAW_KINDS = new Set<Act['kind']>(['soft-offline', 'hard-offline', 're-offline']);

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

export class Agent {
  /**
   * Opens spool, epochs and results of the folder, and makes the sources.
   * @throws SyndromeError E_AGENT_RUNNING, E_AGENT_BOOK; Error where others may write to the folder
   */
  static async open(config: AgentConfig, options: AgentOptions = {}): Promise<Agent> {
    mkdirSync(config.folder, { recursive: true, mode: 0o700 });
    requireOwnFolder(config.folder);
    chmodSync(config.folder, 0o700);
    // Most of what an agent could load, and of no use on a host without it.
    const libvirt = config.libvirt && (await import('./libvirt-part.ts')).libvirtPart;
    const exec = config.exec && (await import('./exec/part.ts')).execPart;
    const spoolOptions = { maxBytes: config.spoolMiB * 2 ** 20, filler: FILLER };
    const spool = await Spool.open(join(config.folder, 'spool'), spoolOptions);
    try {
      return new Agent(config, options, spool, { libvirt, exec });
    } catch (error) {
      await spool.close();
      throw error;
    }
  }

  readonly spool: Spool;
  readonly vms: Vms;
  readonly #config: AgentConfig;
  readonly #options: AgentOptions;
  readonly #book: ActBook;
  readonly #positions: Positions;
  readonly #coalescer: Coalescer;
  readonly #joiner: Joiner;
  readonly #keepers: Keeper[];
  readonly #units = new Units();
  readonly #qemu: Actuator;
  readonly #reference: Actuator;
  readonly #onHost: Actuator;
  readonly #checks: Actuator;
  readonly #libvirt: Actuator | undefined;
  readonly #exec: Actuator | undefined;
  readonly #acting = new Set<Promise<void>>();
  /** Starts that are under way: the end of a copy is looked for behind them. */
  readonly #starting = new Map<VmId, Promise<void>>();
  #isFull = false;
  #signal = new AbortController().signal;

  private constructor(
    config: AgentConfig,
    options: AgentOptions,
    spool: Spool,
    make: { libvirt?: typeof libvirtPart | undefined; exec?: typeof execPart | undefined },
  ) {
    this.#config = config;
    this.#options = options;
    this.spool = spool;
    this.#book = new ActBook(join(config.folder, 'acts.json'));
    this.#positions = new Positions(join(config.folder, 'positions.json'));
    this.vms = new Vms(join(config.folder, 'copies.json'));
    this.#coalescer = new Coalescer(said => this.#write(said));
    this.#joiner = new Joiner(this.vms);
    const epochOf = (vm: VmId): Epoch => this.#book.epochOf(vm);
    const context: AgentContext = { host: config.host, vms: this.vms, epochOf };
    const parts = options.parts?.(context) ?? {};
    const logs = { vms: this.vms, positions: this.#positions, pfnOf: this.#pfnOf };
    const libvirt = config.libvirt && make.libvirt?.(config.libvirt, context, logs);
    const exec = config.exec && make.exec?.(config.exec, context);
    this.#exec = exec?.exec;
    this.#libvirt = parts.libvirt ?? libvirt?.libvirt;
    this.#qemu = new QemuActs({ vms: this.vms, units: this.#units, ...config.start });
    const { logs: outputs, programs } = config.start;
    this.#reference = new ReferenceActs({ vms: this.vms, logs: outputs, programs }, this.#qemu);
    this.#onHost = new HostActs({ allowed: config.offline });
    this.#checks = { act: (act, signal) => checkNeeds(act, { programs, signal }) };
    const sources = [
      ...this.#sources(epochOf),
      ...(libvirt?.sources ?? []),
      ...(exec?.sources ?? []),
      ...(parts.sources ?? []),
    ];
    this.#keepers = sources.map(source => new Keeper(source, said => this.take(said)));
    const { torn, damaged } = spool.recovery;
    if (torn > 0) this.#log(`an unfinished write of ${torn} bytes was cut off the spool`);
    if (damaged > 0) this.#log(`${damaged} rows of the spool were damaged; fillers stand for them`);
  }

  /** Runs until `signal` aborts; then ends the sources, writes what is on its way, and returns. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const { host, controller } = this.#config;
    const where = typeof controller === 'string' ? controller : String(controller.address);
    this.take({ kind: 'source', source: 'agent', state: 'reading', reason: `agent ${VERSION}` });
    for (const keeper of this.#keepers) keeper.start(performance.now());
    const uplink = runUplink(
      this.spool,
      {
        socket: controller,
        host,
        agent: `syndrome ${VERSION}`,
        onAct: act => this.#order(act),
        onState: reason =>
          this.#log(reason === undefined ? `connected to ${where}` : `no connection to the controller: ${reason}`),
      },
      signal,
    );
    while (!signal.aborted) {
      await pause(this.#options.tickMs ?? 1000, signal);
      this.#tick();
    }
    await Promise.all(this.#keepers.map(keeper => keeper.stop(performance.now())));
    await Promise.all(this.#acting);
    await uplink;
    this.#coalescer.end();
    await this.#savePositions().catch(() => undefined);
    await this.spool.close();
  }

  /** Takes what a source, or a drill, has to say. */
  take(said: Said): void {
    const joined = said.kind === 'event' ? this.#joiner.join(said) : said;
    this.#coalescer.take(joined, performance.now(), this.spool.fill >= TIGHT);
  }

  /** Takes an order of the controller, or of a drill: it is done once for its id, and its result goes through the spool. */
  #order(act: Act): void {
    const wrong = this.#whyNot(act);
    const begin: ReturnType<ActBook['begin']> =
      wrong === undefined
        ? this.#book.begin(act, Date.now())
        : { begin: false, answer: resultOf(act, { state: 'refused', reason: wrong }) };
    if (!begin.begin) {
      if (begin.answer !== undefined) this.#answer(begin.answer);
      return;
    }
    this.#log(`${act.kind} ${act.vm ?? ''} (${act.id}, epoch ${act.epoch})`);
    const before =
      (LOOKS_FOR_END.has(act.kind) && act.vm !== undefined ? this.#starting.get(act.vm) : undefined) ??
      Promise.resolve();
    const acting = before
      .then(() =>
        Date.now() < act.deadline ? this.#actuatorOf(act).act(act, this.#signal) : LATE.act(act, this.#signal),
      )
      .catch((error: unknown) => resultOf(act, { state: 'unknown', reason: messageOf(error) }))
      .then(async result => {
        this.#book.end(result);
        this.#answer(result);
        if (act.kind !== 'start') return;
        for (const said of await endBehind(this.vms, result, this.#signal)) this.take(said);
      })
      .finally(() => {
        this.#acting.delete(acting);
        if (act.vm !== undefined && this.#starting.get(act.vm) === acting) this.#starting.delete(act.vm);
      });
    this.#acting.add(acting);
    if (act.kind === 'start' && act.vm !== undefined) this.#starting.set(act.vm, acting);
  }

  /** Why an act is none for this agent; nothing is written down of it. */
  #whyNot({ host, kind }: Act): string | undefined {
    if (host !== this.#config.host) return `this is host ${this.#config.host}, and the act is for ${host}`;
    return ACT_KINDS.includes(kind) ? undefined : `agent ${VERSION} does not know how to ${safeText(kind, 100)}`;
  }

  #answer(result: ActResult): void {
    this.#log(`${result.action}: ${result.state}${result.reason === undefined ? '' : `: ${result.reason}`}`);
    this.take({ kind: 'result', ...result });
  }

  #actuatorOf(act: Act): Actuator {
    if (act.kind === 'check') return this.#checks;
    if (act.kind === 'ask-lock') return LOCKS;
    if (act.kind === 'ask-lease') return LEASES;
    if (RAW_KINDS.has(act.kind)) return this.#onHost;
    const vmm = act.vm === undefined ? undefined : this.vms.find(act.vm)?.vmm;
    const isExec = act.definition === undefined ? vmm === 'exec' : isExecDefinition(act.definition);
    if (isExec && this.#exec !== undefined) return this.#exec;
    if (act.definition === undefined ? vmm === 'reference' : isReference(act.definition)) return this.#reference;
    // A domain is libvirt's; a VM that is to be started here is what its definition is.
    const isOne = vmm === undefined || vmm === 'libvirt';
    const isDomain = act.definition === undefined ? isOne : act.definition.trimStart().startsWith('<');
    return isDomain && this.#libvirt !== undefined ? this.#libvirt : this.#qemu;
  }

  #write(said: Said): void {
    let body: string;
    try {
      // What no controller would take may not stand in the way of the rest.
      rowLine({ seq: 1, at: 0, said });
      body = toJson(said);
    } catch (error) {
      this.#log(`a row was left out: ${messageOf(error)}`);
      const source = said.kind === 'event' || said.kind === 'source' ? said.source : 'agent';
      body = toJson({
        kind: 'source',
        source,
        state: 'back',
        gapMs: 0,
        lostEvents: 1,
        reason: messageOf(error).slice(0, 300),
      });
    }
    this.spool.append(body);
    if (!this.#isFull && this.spool.fill >= 1) this.#fill();
  }

  /** Nothing more is read until there is room; what is said of that still fits. */
  #fill(): void {
    this.#isFull = true;
    const reason = this.spool.failure ?? `${this.spool.bytes} bytes wait for the controller`;
    this.#log(`the spool is full: nothing is read until there is room (${reason})`);
    // Behind the row that is being written.
    queueMicrotask(() => {
      for (const keeper of this.#keepers) void keeper.stop(performance.now(), true);
      this.#write({ kind: 'source', source: 'agent', state: 'spool-full', reason });
    });
  }

  #tick(): void {
    const now = performance.now();
    const { fill } = this.spool;
    this.#coalescer.tick(now, fill >= TIGHT);
    if (!this.#isFull && fill >= 1) this.#fill();
    else if (this.#isFull && fill < ROOM) {
      this.#isFull = false;
      this.#log('there is room in the spool again');
      this.take({ kind: 'source', source: 'agent', state: 'back', reason: 'there is room in the spool' });
      for (const keeper of this.#keepers) keeper.start(now);
    }
    for (const keeper of this.#keepers) keeper.tick(now);
    this.vms.flush();
    void this.#savePositions().catch(() => undefined);
  }

  /** Positions are written when the rows that were read up to them are durable; what is only counted in memory is not. */
  async #savePositions(): Promise<void> {
    // Where there is little room the counts stay together, and the positions wait for them.
    if (this.#coalescer.holds && this.spool.fill >= TIGHT) return;
    const text = this.#positions.take();
    if (text === undefined) return;
    this.#coalescer.end();
    await this.spool.durable(this.spool.lastSeq);
    this.#positions.save(text);
  }

  /** The host page behind an address of a VM's process. */
  readonly #pfnOf = (vm: VmId, hva: bigint): bigint | undefined => {
    const pid = this.vms.find(vm)?.copy?.pid;
    return pid === undefined ? undefined : frameAt(pid, hva);
  };

  #sources(epochOf: (vm: VmId) => Epoch): Source[] {
    const { folders, monitors, vmms, kmsg, trace, sysfs, start, storage, cpuModels, sanlock } = this.#config;
    const { lockspaces = [] } = sanlock ?? {};
    const leases =
      sanlock === undefined ? {} : { leases: (signal: AbortSignal) => leaseReports(lockspaces, {}, signal) };
    const positions = this.#positions;
    const { vms } = this;
    const qmp: QmpOptions = { vms, units: this.#units, epochOf, emitted: emittedByVm(), positions, pfnOf: this.#pfnOf };
    const watched = new Set(folders);
    try {
      mkdirSync(start.folder, { recursive: true, mode: 0o700 });
      watched.add(start.folder);
    } catch (error) {
      // Who only watches need not be able to start anything.
      this.#log(`no VM can be started here: ${messageOf(error)}`);
    }
    return [
      ...(sysfs === false ? [] : [new HostSource({ storage, cpuModels, ...leases })]),
      ...(kmsg === true || (kmsg === 'auto' && mayRead('/dev/kmsg')) ? [new KmsgSource({ positions })] : []),
      ...(trace === true || (trace === 'auto' && findTraceEvent(TRACEFS) !== undefined) ? [new TraceSource()] : []),
      ...(watched.size === 0 ? [] : [new QmpFolders([...watched], qmp)]),
      ...monitors.map(({ socket, ...facts }) => new QmpSource(socket, { ...qmp, facts })),
      ...vmms.map(({ events, ...facts }) => new VmmLogSource(facts.vm, events, { vms, epochOf, positions, facts })),
      ...vmms.flatMap(({ vm, console }) =>
        console === undefined ? [] : [new ConsoleSource(vm, console, { positions })],
      ),
    ];
  }

  #log(text: string): void {
    this.#options.log?.(text);
  }
}
