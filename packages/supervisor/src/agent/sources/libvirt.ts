/** @module The libvirt source: all domains with state and reason at each (re)connection, its events, and what changed since. */
import { LibvirtClient } from '@syndrome/qemu/libvirt/client.ts';
import { readDefinition, withoutSecrets } from '@syndrome/qemu/libvirt/definition.ts';
import { LibvirtCallError, LibvirtDeadlineError, LibvirtDefinitionError } from '@syndrome/qemu/libvirt/errors.ts';
import type { LibvirtEvent } from '@syndrome/qemu/libvirt/events.ts';
import type { XmlElement } from '@syndrome/qemu/xml/element.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { libvirtEvent } from '@syndrome/decode/text/libvirt/libvirt-events.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import type { SeenEvent, VmReport, VmState } from '../../core/said.ts';
import type { DomainNow, LibvirtVms } from '../libvirt-vms.ts';
import type { ProcessFacts } from '../proc.ts';
import { MAX_NEEDS } from '../../wire/act.ts';
import { cpuNeed, missingSecret } from '../needs.ts';
import { keepReading, pause, type ReconnectOptions, type Session, stalledBy } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import type { Emitted } from './emitted.ts';
import { wordsOf } from './libvirt-words.ts';

/** Of `<syndrome:vm xmlns:syndrome="…" act="yes" owner="…"/>` in a domain's <metadata>: its owner wants us to act. */
const METADATA_NAMESPACE = 'urn:syndrome:supervisor:1';

/** Who else starts domains again, by the namespace that they mark them with. */
const OWNERS: readonly (readonly [prefix: string, owner: string])[] = [
  ['http://openstack.org/xmlns/libvirt/nova/', 'OpenStack'],
  ['http://ovirt.org/vm/', 'oVirt'],
  ['http://kubevirt.io', 'KubeVirt'],
];

interface LibvirtSourceOptions {
  vms: LibvirtVms;
  /** The highest epoch that the agent has persisted for a VM. */
  epochOf: (vm: VmId) => Epoch;
  /** Between two looks at all domains, ms; what changes without an event (autostart) is seen then. Default 15 s. */
  lookMs?: number;
  /** Between our keepalives, ms. Default 5 s. */
  keepaliveMs?: number;
  /** How long an answer may take, ms. Default 10 s. */
  answerMs?: number;
  reconnect?: ReconnectOptions;
  /** What QEMU's log tells of emitted events. */
  emitted?: (vm: VmId) => Emitted;
  /** Read what QEMU prints for a domain (the guest address stands there only), and what its guest writes on a console that is kept. */
  logsOf?: (vm: VmId, name: string, console: string | undefined) => Source[];
}

/** Why a domain is paused that a migration brings. */
const ARRIVING = new Set(['migrating', 'starting up']);

type ReadOptions = LibvirtSourceOptions & {
  /** Told of each domain that has a process. */
  onVm: (report: VmReport) => void;
  /** Kept over reconnections: the process in which each domain was seen to run. */
  running: Map<VmId, number>;
};

/** Reads one libvirt. */
export function libvirtSource(options: LibvirtSourceOptions): Source {
  // The end of a domain is told also where only an earlier connection, or an earlier agent, had seen it.
  const before = new Map(options.vms.copies().map(([vm, { report }]) => [vm, report as VmReport]));
  const running = new Map<VmId, number>();
  const logs = new Map<VmId, Promise<unknown>>();
  return {
    name: 'libvirt',
    run: async (sink, signal, pulse) => {
      logs.clear();
      const onVm = ({ vm, name, definition }: VmReport): void => {
        if (logs.has(vm)) return;
        const sources = options.logsOf?.(vm, name, consoleOf(definition)) ?? [];
        // Their pulse is not ours: a log that is read says nothing of libvirt.
        logs.set(vm, Promise.all(sources.map(source => source.run(sink, signal, () => {}))));
      };
      const session = (s: Session): Promise<void> =>
        readLibvirt({ ...options, onVm, running }, before, s, sink, pulse).catch((error: unknown) => {
          throw stalledBy(error, LibvirtDeadlineError);
        });
      await keepReading({ source: 'libvirt' }, session, sink, signal, options.reconnect);
      await Promise.all(logs.values());
    },
  };
}

async function readLibvirt(
  options: ReadOptions,
  before: Map<VmId, VmReport>,
  session: Session,
  sink: Sink,
  pulse: () => void,
): Promise<void> {
  const { signal } = session;
  const { vms, lookMs = 15_000 } = options;
  const { socket: path, uri } = vms.place;
  const client = await LibvirtClient.connect(
    { path },
    {
      signal,
      onAlive: pulse,
      ...(uri === undefined ? {} : { uri }),
      ...(options.answerMs === undefined ? {} : { deadlineMs: options.answerMs }),
      ...(options.keepaliveMs === undefined ? {} : { keepaliveMs: options.keepaliveMs }),
    },
  );
  const reader = new DomainReader(options, before, client, sink);
  const stop = new AbortController();
  try {
    client.onEvent(event => reader.take(event));
    await client.listen();
    session.up();
    pulse();
    const looks = (async () => {
      while (!stop.signal.aborted) {
        await reader.all();
        pulse();
        await pause(lookMs, stop.signal);
      }
    })();
    const why = await Promise.race([client.closed, looks]);
    if (why !== undefined) throw why;
  } finally {
    stop.abort();
    await client.close();
  }
}

/** Tells of the domains of one connection, one look after the other. */
class DomainReader {
  readonly #options: ReadOptions;
  readonly #before: Map<VmId, VmReport>;
  readonly #client: LibvirtClient;
  readonly #sink: Sink;
  /** What was told on this connection: after a gap everything is told again. */
  readonly #told = new Map<VmId, string>();
  #looking: Promise<void> = Promise.resolve();

  constructor(options: ReadOptions, before: Map<VmId, VmReport>, client: LibvirtClient, sink: Sink) {
    this.#options = options;
    this.#before = before;
    this.#client = client;
    this.#sink = sink;
  }

  /** Tells of an event at once, and then looks at its domain. */
  take(e: LibvirtEvent): void {
    const vm = e.domain.uuid;
    const { host } = this.#options.vms;
    if (e.event === 'lifecycle' && e.type === 'stopped') {
      if (e.detail === 'migrated') host.hasLeft(vm);
      else this.#options.vms.hasEnded(vm);
    }
    if (e.event === 'memory-failure') this.#options.emitted?.(vm).arrived(Date.now() * 1000, 'MEMORY_FAILURE');
    const event = libvirtEvent(e);
    if (event !== undefined) {
      const seen: SeenEvent = { kind: 'event', source: 'libvirt', event, vm, raw: wordsOf(e) };
      host.saw(seen);
      this.#sink(seen);
    }
    if (e.event === 'lifecycle' || e.event === 'reboot') {
      // What fails here fails at the next look at all, too, and is told then.
      this.#queue(() => this.#one(vm)).catch(() => undefined);
    }
  }

  /** Looks at every domain, and at those that were there before. */
  all(): Promise<void> {
    return this.#queue(async () => {
      const domains = await this.#client.call('connect-list-all-domains');
      let found: ReadonlyMap<VmId, ProcessFacts> | undefined;
      const processes = (): ReadonlyMap<VmId, ProcessFacts> => (found ??= this.#options.vms.processes());
      for (const vm of new Set([...domains.map(d => d.uuid), ...this.#before.keys()])) await this.#one(vm, processes);
    });
  }

  /** One look at a time, so that an older state is never told after a newer one. Its failure is that of who waits. */
  #queue(look: () => Promise<void>): Promise<void> {
    const next = this.#looking.then(look);
    this.#looking = next.catch(() => undefined);
    // That the connection ended is told by itself.
    return next.catch(error => {
      if (this.#client.isOpen) throw error;
    });
  }

  async #one(vm: VmId, processes?: () => ReadonlyMap<VmId, ProcessFacts>): Promise<void> {
    try {
      const now = await this.#options.vms.now(this.#client, vm);
      const report = now === undefined ? this.#gone(vm) : await this.#report(now, processes);
      if (report !== undefined) this.#tell(report);
    } catch (error) {
      // One domain that is busy or hangs hides no other; the next look asks again.
      if (!(error instanceof LibvirtCallError || error instanceof LibvirtDeadlineError)) throw error;
    }
  }

  #tell(report: VmReport): void {
    const { vm } = report;
    this.#remember(report);
    if (report.state === 'gone') this.#before.delete(vm);
    else this.#before.set(vm, report);
    const text = JSON.stringify(report);
    const told = this.#told.get(vm);
    if (told === text) return;
    this.#told.set(vm, text);
    this.#sink(told === undefined ? report : sinceFirst(report, told));
  }

  /** Other sources and acts, and the agent after this one, know it by this. */
  #remember(report: VmReport): void {
    const { host } = this.#options.vms;
    const { definition: _, ...first } = report;
    const known = host.of(report.vm, 'libvirt');
    known.report = report;
    known.vmm = 'libvirt';
    if (report.pid === undefined || known.copy === undefined) return;
    host.foundCopy(report.vm, { ...known.copy, report: first });
    this.#options.onVm(report);
  }

  /** Of a domain that libvirt has no more. */
  #gone(vm: VmId): VmReport | undefined {
    const last = this.#before.get(vm);
    if (last === undefined) return undefined;
    const { pid: _, startTicks: __, definition: ___, ...rest } = last;
    const left = this.#options.vms.gone(vm);
    return left.gone
      ? { ...rest, state: 'gone', reason: left.how }
      : { ...rest, ...left.process, state: 'running', reason: 'libvirt has it no more, but its process runs' };
  }

  async #report(now: DomainNow, processes?: () => ReadonlyMap<VmId, ProcessFacts>): Promise<VmReport | undefined> {
    const { vms, epochOf } = this.#options;
    const { domain, autostart } = now;
    const vm = domain.uuid;
    const process = vms.process(vm, domain.name, processes);
    const xml = await vms.xml(this.#client, now);
    const { state, reason } = this.#state(now, process);
    return {
      kind: 'vm',
      vm,
      name: domain.name,
      state,
      reason,
      ...(process === undefined ? {} : { pid: process.pid, startTicks: process.startTicks }),
      vmm: 'libvirt',
      ...factsOf(xml),
      autostart,
      epoch: epochOf(vm),
    };
  }

  #state(now: DomainNow, process: ProcessFacts | undefined): { state: VmState; reason: string } {
    const { state, reason, active } = now;
    if (!active)
      return process === undefined
        ? { state: 'shut-off', reason }
        : { state: 'running', reason: `libvirt says shut off (${reason}), but its process runs` };
    if (state === 'crashed') return { state: 'crashed', reason };
    if (state !== 'paused') {
      if (process !== undefined) this.#options.running.set(now.domain.uuid, process.pid);
      return { state: 'running', reason };
    }
    // A process that waits for another's memory, and was not seen to run, comes.
    const waits =
      process?.argv.includes('-incoming') === true && this.#options.running.get(now.domain.uuid) !== process.pid;
    if (waits && ARRIVING.has(reason)) return { state: 'migrating-in', reason };
    return { state: reason === 'migrating' ? 'migrating-out' : 'paused', reason };
  }
}

/** The definition is sent when it is first told, or changed. */
function sinceFirst(report: VmReport, told: string): VmReport {
  const { definition, ...rest } = report;
  return (JSON.parse(told) as VmReport).definition === definition ? rest : report;
}

/** What the definition says; of one that cannot be read, that nothing may be done with it. */
function factsOf(
  xml: string,
): Pick<VmReport, 'definition' | 'disks' | 'needs' | 'memoryBytes' | 'cpuModel' | 'onCrash' | 'owner' | 'optedIn'> {
  try {
    const { memoryBytes, cpuModel, emulator, onCrash, disks, files, metadata } = readDefinition(xml);
    const ours = metadata.get(METADATA_NAMESPACE);
    const owner = ours?.attributes['owner'] ?? ownerOf(metadata);
    const { definition, cut } = withoutSecrets(xml);
    return {
      definition,
      disks,
      needs: [...cut.map(missingSecret), ...cpuNeed(cpuModel, emulator), ...files].slice(0, MAX_NEEDS),
      memoryBytes,
      ...(cpuModel === undefined ? {} : { cpuModel }),
      ...(onCrash === undefined ? {} : { onCrash }),
      ...(owner === undefined ? {} : { owner }),
      optedIn: ours?.attributes['act'] === 'yes',
    };
  } catch (error) {
    if (!(error instanceof LibvirtDefinitionError)) throw error;
    return { disks: [], memoryBytes: 0, owner: messageOf(error), optedIn: false };
  }
}

/** Where what its guest writes is kept; of a definition that cannot be read, nowhere. */
function consoleOf(xml: string | undefined): string | undefined {
  try {
    return xml === undefined ? undefined : readDefinition(xml).console;
  } catch (error) {
    if (error instanceof LibvirtDefinitionError) return undefined;
    throw error;
  }
}

function ownerOf(metadata: ReadonlyMap<string, XmlElement>): string | undefined {
  for (const namespace of metadata.keys())
    for (const [prefix, owner] of OWNERS) if (namespace.startsWith(prefix)) return owner;
  return undefined;
}
