/** @module QMP sockets: one monitor for each VM, held open, asked, and listened to. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { whyNotOwn } from '@syndrome/base/disk/own-folder.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import { QmpClient, type QmpEvent } from '@syndrome/qemu/qmp/client.ts';
import { QmpDeadlineError } from '@syndrome/qemu/qmp/errors.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import type { SeenEvent, VmReport, VmState } from '../../core/said.ts';
import { Changed } from '../changed.ts';
import { bootId, listenerOf, type ProcessFacts, unitOfProcess } from '../proc.ts';
import type { Positions } from '../positions.ts';
import { ramOf } from '../join.ts';
import { keepReading, pause, type ReconnectOptions, type Session, Stalled, stalledBy } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { factsBeside, factsOfArgv, needsOf, printsOnLog, qemuDefinition, type VmFacts } from '../vm-facts.ts';
import type { Unit, Units } from '../units.ts';
import { type Copy, type KnownVm, type Vms, howGoneCopy } from '../vms.ts';
import { ConsoleSource } from './console.ts';
import type { Emitted } from './emitted.ts';
import { QemuLogSource } from './qemu-log.ts';

/** QMP's run states (qapi/run-state.json) as states of a VM. */
const STATES: Readonly<Record<string, VmState>> = {
  running: 'running',
  'finish-migrate': 'migrating-out',
  postmigrate: 'migrating-out',
  inmigrate: 'migrating-in',
  'guest-panicked': 'crashed',
  'internal-error': 'crashed',
  shutdown: 'shut-off',
};
/** After these the state is asked for. */
const CHANGES = new Set(['STOP', 'RESUME', 'SHUTDOWN', 'GUEST_PANICKED', 'RESET', 'SUSPEND', 'WAKEUP', 'MIGRATION']);

/** How long a monitor may take to answer, ms. */
const ANSWER_MS = 5000;
/** How often it is asked whether it still does, ms. */
const ASK_MS = 15_000;
/** Between two questions for the state because of events, ms. */
const FLAP_MS = 50;
/** No QEMU says so much in a second; whoever does is left, and comes back after a pause. */
const MAX_EVENTS_A_SECOND = 5000;
/** No event or answer that we ask for is longer, bytes. */
const MAX_LINE_BYTES = 1 << 20;
/** How long a process is waited for after its monitor is gone, ms; each later try to connect looks again. */
const END_MS = 150;

export interface QmpOptions extends ReconnectOptions {
  vms: Vms;
  units: Units;
  /** The highest epoch that was persisted for a VM. */
  epochOf: (vm: VmId) => Epoch;
  facts?: VmFacts;
  /** What QEMU's log tells of emitted events. */
  emitted?: (vm: VmId) => Emitted;
  positions?: Positions;
  /** The host page behind an address of QEMU's process, where it can be told. */
  pfnOf?: (vm: VmId, hva: bigint) => bigint | undefined;
  answerMs?: number;
  askMs?: number;
  proc?: string;
}

/** One monitor. */
export class QmpSource implements Source {
  readonly name = 'qmp';
  readonly socket: string;
  readonly #options: QmpOptions;
  #sent = '';
  #definition = '';
  #of: { source: 'qmp'; vm?: VmId } = { source: 'qmp' };

  constructor(socket: string, options: QmpOptions) {
    this.socket = socket;
    this.#options = options;
  }

  async run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { facts = {}, vms } = this.#options;
    // The name that QEMU has is known once it answers, or from an earlier agent; until then its socket's stands for it.
    const of = (this.#of = { source: 'qmp', vm: facts.vm ?? vms.ofSocket(this.socket)?.vm ?? socketName(this.socket) });
    let log: Promise<void> | undefined;
    let words: Promise<void> | undefined;
    const onVm = (vm: VmId, { log: path, console }: VmFacts, argv: readonly string[]): void => {
      const { vms, emitted, positions, pfnOf } = this.#options;
      const kept = positions === undefined ? {} : { positions };
      if (console !== undefined) words ??= new ConsoleSource(vm, console, kept).run(sink, signal, pulse);
      // What a guest prints among QEMU's own lines would be taken for them.
      if (path === undefined || printsOnLog(argv)) return;
      log ??= new QemuLogSource(vm, path, {
        vms,
        ...kept,
        ...(emitted === undefined ? {} : { emitted: emitted(vm) }),
        ...(pfnOf === undefined ? {} : { pfnOf }),
      }).run(sink, signal, pulse);
    };
    const session = (s: Session): Promise<void> =>
      this.#session(s, of, sink, pulse, onVm).catch((error: unknown) => {
        throw stalledBy(error, QmpDeadlineError);
      });
    await keepReading(of, session, sink, signal, { longestMs: 5000, ...this.#options });
    await Promise.all([log, words]);
  }

  /** Says that it is not read any more, where its socket is taken away. */
  tellEnded(sink: Sink): void {
    sink({ kind: 'source', ...this.#of, state: 'ended' });
  }

  async #session(
    { up, signal }: Session,
    of: { vm?: VmId },
    sink: Sink,
    pulse: () => void,
    onVm: (vm: VmId, facts: VmFacts, argv: readonly string[]) => void,
  ): Promise<void> {
    const { vms, emitted, answerMs = ANSWER_MS, askMs = ASK_MS, proc } = this.#options;
    const facts = { ...this.#options.facts, ...factsBeside(this.socket) };
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    let known: KnownVm | undefined;
    let process: ProcessFacts | undefined;
    const options = { deadlineMs: answerMs, maxLineBytes: MAX_LINE_BYTES, signal: either };
    const qmp = await QmpClient.connect({ path: this.socket }, options).catch((error: unknown) => {
      // It may have ended while nobody could ask it, or nobody was here.
      const last = vms.ofSocket(this.socket);
      if (last?.copy !== undefined && howGoneCopy(last.copy, proc) !== undefined) this.#tellGone(last, sink);
      throw error;
    });
    try {
      let stop: Error | undefined;
      const leave = (why: Error): void => {
        stop ??= why;
        ending.abort();
      };
      // Before the first question, so that nothing is missed between answer and listening.
      const early: QmpEvent[] = [];
      let take = (e: QmpEvent): void => void (early.length < MAX_EVENTS_A_SECOND && early.push(e));
      let [second, inSecond] = [0, 0];
      qmp.onEvent(e => {
        const now = Math.floor(performance.now() / 1000);
        if (now !== second) [second, inSecond] = [now, 0];
        if (++inSecond > MAX_EVENTS_A_SECOND) leave(new Stalled('the peer floods: more events than any QEMU sends'));
        else take(e);
      });
      process = listenerOf(this.socket, proc);
      const name = (await qmp.execute('query-name')).name;
      const vm = facts.vm ?? name ?? socketName(this.socket);
      of.vm = vm;
      known = vms.of(vm);
      known.qmp = qmp;
      onVm(vm, facts, process?.argv ?? []);
      const memoryBytes = await memorySize(qmp);
      const unit = process === undefined ? undefined : unitOfProcess(process.pid, proc);
      const report = async (): Promise<void> => {
        const { status } = await qmp.execute('query-status');
        if (status === 'postmigrate') vms.hasLeft(vm);
        this.#tell(sink, {
          ...this.#facts(vm, facts.name ?? name ?? vm, facts, process),
          autostart: await this.#autostart(facts, unit),
          state: STATES[status] ?? 'paused',
          reason: status,
          memoryBytes,
        });
      };
      await report();
      if (process !== undefined) {
        const { pid, startTicks } = process;
        const { definition: _, ...first } = known.report as VmReport;
        vms.foundCopy(vm, {
          pid,
          startTicks,
          boot: bootId(proc),
          socket: this.socket,
          report: first,
          ...(unit && { unit }),
          ...(facts.autostart === undefined ? {} : { autostart: facts.autostart }),
        });
      }
      up();
      let [isAsking, isOld] = [false, false];
      /** Asks for the state once for all events that came meanwhile: a peer that flaps is not asked for each. */
      const refresh = async (): Promise<void> => {
        isOld = true;
        if (isAsking) return;
        isAsking = true;
        try {
          for (; isOld && !either.aborted; await pause(FLAP_MS, either)) {
            isOld = false;
            await report();
          }
        } catch {
          // The next question says what is wrong.
        } finally {
          isAsking = false;
        }
      };
      take = e => {
        sinkEvent(sink, vms, vm, e);
        if (e.timestamp !== undefined)
          emitted?.(vm).received(e.timestamp.seconds * 1e6 + e.timestamp.microseconds, e.event);
        if (CHANGES.has(e.event)) void refresh();
      };
      for (const e of early) take(e);
      pulse();
      // Not in the way of events; without it no guest address is told, and nothing else.
      const ram = ramOf(qmp, memoryBytes).then(
        pieces => void (known === undefined || (known.ram = pieces)),
        () => undefined,
      );
      const asking = (async () => {
        while (!either.aborted) {
          await pause(askMs, either);
          if (either.aborted) return;
          try {
            await report();
            pulse();
          } catch (error) {
            if (!either.aborted) leave(new Stalled(messageOf(error)));
          }
        }
      })();
      const why = await qmp.closed;
      ending.abort();
      await Promise.all([asking, ram]);
      if (stop !== undefined) throw stop;
      if (why !== undefined) throw why;
    } finally {
      ending.abort();
      if (known?.qmp === qmp) delete known.qmp;
      if (known?.copy !== undefined && process !== undefined && !signal.aborted)
        await this.#lookGone(known, known.copy, sink, signal);
    }
  }

  /** The monitor is gone: is its process? */
  async #lookGone(known: KnownVm, copy: Copy, sink: Sink, signal: AbortSignal): Promise<void> {
    const until = performance.now() + END_MS;
    while (howGoneCopy(copy, this.#options.proc) === undefined) {
      if (performance.now() > until || signal.aborted) return;
      await pause(10, signal);
    }
    this.#tellGone(known, sink);
  }

  #tellGone(known: KnownVm, sink: Sink): void {
    const { vms, epochOf, proc } = this.#options;
    const { vm, copy } = known;
    const last = known.report ?? copy?.report;
    if (last === undefined || copy === undefined || last.state === 'gone') return;
    const seen: SeenEvent = { kind: 'event', source: 'proc', vm, event: event('vmm.exit', {}) };
    vms.saw(seen);
    sink(seen);
    const reason = howGoneCopy(copy, proc) ?? '';
    this.#tell(sink, { ...last, state: 'gone', reason, epoch: epochOf(vm) });
  }

  /** Whether its administrator, or systemd, says that the host starts it by itself. */
  async #autostart(facts: VmFacts, unit: Unit | undefined): Promise<boolean> {
    return facts.autostart === true || (unit !== undefined && (await this.#options.units.lately(unit)).again);
  }

  #facts(
    vm: VmId,
    name: string,
    facts: VmFacts,
    process: ProcessFacts | undefined,
  ): Omit<VmReport, 'state' | 'reason' | 'memoryBytes' | 'autostart'> {
    const said = factsOfArgv(process?.argv ?? []);
    const made = process && qemuDefinition(process, this.socket, { ...facts, vm, name }, this.#options.proc);
    return {
      kind: 'vm',
      vm,
      name,
      vmm: 'qemu',
      ...(process && { pid: process.pid, startTicks: process.startTicks }),
      ...(made && { definition: JSON.stringify(made), needs: needsOf(made) }),
      disks: facts.disks ?? said.disks,
      ...(said.cpuModel === undefined ? {} : { cpuModel: said.cpuModel }),
      ...(facts.owner === undefined ? {} : { owner: facts.owner }),
      optedIn: facts.optedIn ?? false,
      epoch: this.#options.epochOf(vm),
    };
  }

  /** Tells what changed; the definition only where it did, since it is large. */
  #tell(sink: Sink, report: VmReport): void {
    this.#options.vms.of(report.vm).report = report;
    const text = JSON.stringify(report);
    if (text === this.#sent) return;
    this.#sent = text;
    const { definition, ...rest } = report;
    if (definition === undefined || definition === this.#definition) return sink(rest);
    this.#definition = definition;
    sink(report);
  }
}

const socketName = (socket: string): string => basename(socket).replace(/\.(?:qmp|sock)$/, '');

function sinkEvent(sink: Sink, vms: Vms, vm: VmId, e: QmpEvent): void {
  const named = qmpEvent(e);
  // What no catalogue knows is no news of a memory error.
  if (named.name === 'vmm.event') return;
  const at = e.timestamp;
  // QEMU says -1 where it could not read the clock.
  const when = at === undefined || at.seconds < 0 ? undefined : at.seconds * 1000 + Math.floor(at.microseconds / 1000);
  const seen: SeenEvent = { kind: 'event', source: 'qmp', vm, event: named, ...(when === undefined ? {} : { when }) };
  vms.saw(seen);
  sink(seen);
}

/** Guest memory, bytes; 0 where this QEMU does not say. */
export async function memorySize(qmp: QmpClient): Promise<number> {
  try {
    const answer = (await qmp.execute('query-memory-size-summary')) as { 'base-memory'?: unknown };
    const size = answer['base-memory'];
    return typeof size === 'number' || typeof size === 'bigint' ? Number(size) : 0;
  } catch {
    return 0;
  }
}

/** Folders in which sockets come and go: each socket is read for as long as it is there. */
export class QmpFolders implements Source {
  readonly name = 'qmp';
  readonly #folders: readonly string[];
  readonly #options: QmpOptions & { pollMs?: number };

  constructor(folders: readonly string[], options: QmpOptions & { pollMs?: number }) {
    this.#folders = folders;
    this.#options = options;
  }

  async run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const pollMs = this.#options.pollMs ?? 5000;
    const running = new Map<string, { end: AbortController; done: Promise<void> }>();
    const session = async ({ up }: Session): Promise<void> => {
      const watched = this.#folders.map(folder => ({ folder, changed: new Changed() }));
      try {
        while (!signal.aborted) {
          let failure: unknown;
          const there = watched.flatMap(({ folder, changed }) => {
            try {
              changed.arm(folder);
              return sockets(folder);
            } catch (error) {
              failure ??= error;
              // What was connected through it still is.
              return [...running.keys()].filter(path => dirname(path) === folder);
            }
          });
          this.#follow(there, running, sink, signal, pulse);
          // The others are looked through all the same, now and at each try.
          if (failure !== undefined) throw failure;
          up();
          pulse();
          const either = new AbortController();
          const until = AbortSignal.any([signal, either.signal]);
          await Promise.race(watched.map(({ changed }) => changed.wait(pollMs, until)));
          either.abort();
        }
      } finally {
        for (const { changed } of watched) changed.end();
      }
    };
    await keepReading({ source: 'qmp' }, session, sink, signal, { longestMs: pollMs, ...this.#options });
    await Promise.all([...running.values()].map(r => r.done));
  }

  /** Begins to read the sockets that are new, and ends those that are gone together with their process. */
  #follow(
    there: readonly string[],
    running: Map<string, { end: AbortController; done: Promise<void> }>,
    sink: Sink,
    signal: AbortSignal,
    pulse: () => void,
  ): void {
    for (const path of there) {
      if (running.has(path)) continue;
      const end = new AbortController();
      const source = new QmpSource(path, this.#options);
      const done = source.run(sink, AbortSignal.any([signal, end.signal]), pulse).then(() => {
        if (!signal.aborted) source.tellEnded(sink);
      });
      running.set(path, { end, done });
    }
    for (const [path, { end }] of running) {
      if (there.includes(path)) continue;
      // The name of a socket is gone before its process is, and that has to be told too.
      const known = this.#options.vms.ofSocket(path);
      if (known !== undefined && (known.report ?? known.copy?.report)?.state !== 'gone') continue;
      end.abort();
      running.delete(path);
    }
  }
}

/** The sockets of a folder, by their ending. @throws the error of the file system */
function sockets(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => /\.(?:qmp|sock)$/.test(name))
    .map(name => join(folder, name))
    .filter(path => {
      try {
        // Whoever may make a socket or its facts here could speak for any VM.
        return statSync(path).isSocket() && whyNotOwn(path) === undefined;
      } catch {
        return false;
      }
    });
}
