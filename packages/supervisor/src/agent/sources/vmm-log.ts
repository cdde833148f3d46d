/** @module The reference VMM: what it reports of itself, a JSON object a line, in a file or a FIFO. */
import { pfnOf } from '@syndrome/decode/registers/address.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { vmmEvents } from '@syndrome/decode/text/event-reader.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import type { SeenEvent, VmReport, VmState } from '../../core/said.ts';
import type { Positions } from '../positions.ts';
import { bootId, type ProcessFacts, processFacts } from '../proc.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { referenceDefinition, type VmFacts } from '../vm-facts.ts';
import { type Copy, type Vms, howGoneCopy } from '../vms.ts';
import { followLines } from './follow.ts';

const MAX_RAW = 512;

type Data = Readonly<Record<string, unknown>>;

interface VmmLogOptions extends ReconnectOptions {
  vms: Vms;
  epochOf: (vm: VmId) => Epoch;
  facts?: VmFacts;
  positions?: Positions;
  pollMs?: number;
}

/** Follows one reference VMM. */
export class VmmLogSource implements Source {
  readonly name = 'vmm';
  readonly vm: VmId;
  readonly #path: string;
  readonly #options: VmmLogOptions;
  #memoryBytes = 0;

  constructor(vm: VmId, path: string, options: VmmLogOptions) {
    this.vm = vm;
    this.#path = path;
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { vms, positions, pollMs, facts = {} } = this.#options;
    const { vm } = this;
    const name = `vmm:${this.#path}`;
    const known = vms.of(vm, 'reference');
    known.events = this.#path;
    known.vmm = 'reference';
    if (facts.control !== undefined) known.control = facts.control;
    const tell = (state: VmState, reason: string): void => {
      if (known.report?.state === state) return;
      known.report = this.#report(state, reason);
      sink(known.report);
      const { definition: _, ...first } = known.report;
      if (state === 'running' && known.copy !== undefined) vms.foundCopy(vm, { ...known.copy, report: first });
    };
    return keepReading(
      { source: 'vmm', vm },
      async ({ up, signal: ending }) => {
        const reader = vmmEvents();
        const take = (line: string): void => {
          for (const seen of reader.push(line)) {
            const written = parseObject(line) ?? {};
            // Its process and its memory are in no event of the catalogue.
            if (seen.name === 'vmm.started') this.#started(written);
            const { gpa, hpa } = seen.fields as { gpa?: bigint; hpa?: bigint };
            const when = Date.parse(String(written['time']));
            const said: SeenEvent = {
              kind: 'event',
              source: 'vmm',
              vm,
              event: seen,
              // What is read late happened when it was written.
              ...(Number.isSafeInteger(when) && when >= 0 ? { when } : {}),
              ...(gpa === undefined ? {} : { gpa }),
              ...(hpa === undefined ? {} : { pfn: pfnOf(hpa) }),
              raw: line.slice(0, MAX_RAW),
            };
            vms.saw(said);
            sink(said);
            if (seen.name === 'vmm.started') tell('running', 'started');
            if (seen.name === 'vmm.stopped') tell('shut-off', seen.fields.reason);
          }
        };
        await followLines(this.#path, take, {
          signal: ending,
          from: positions?.get(name),
          // Its first line says which process it is.
          begin: 'start',
          ...(pollMs === undefined ? {} : { pollMs }),
          up: () => {
            up();
            pulse();
          },
          idle: position => {
            pulse();
            positions?.set(name, position);
            const gone = known.copy === undefined ? undefined : howGoneCopy(known.copy);
            if (gone !== undefined) tell('gone', gone);
            else if (known.copy !== undefined && known.report === undefined) tell('running', 'its process is there');
          },
        });
      },
      sink,
      signal,
      // It may be started here at any time, and its file with it.
      { longestMs: 2000, ...this.#options },
    );
  }

  /** Its process, and where guest memory lies in it. */
  #started({ pid, memory }: Data): void {
    const [gpa, hva, bytes] = ['gpa', 'hva', 'bytes'].map(name =>
      parseU64(String((memory as Data | undefined)?.[name])),
    );
    if (bytes !== undefined) this.#memoryBytes = Number(bytes);
    const process = Number.isSafeInteger(pid) ? processFacts(pid as number) : undefined;
    const known = this.#options.vms.of(this.vm);
    // An older copy's line, whose number another process has by now, does not say which one was begun.
    const isOther = known.begun !== undefined && process?.argv.includes(this.#path) !== true;
    if (process === undefined || isOther) return;
    const ram = gpa === undefined || hva === undefined || bytes === undefined ? undefined : { gpa, hva, bytes };
    if (ram !== undefined) known.ram = [ram];
    // One that was started again is told again.
    delete known.report;
    const { startTicks } = process;
    const words = ram && { gpa: hex64(ram.gpa), hva: hex64(ram.hva), bytes: hex64(ram.bytes) };
    const found = { pid: process.pid, startTicks, boot: bootId(), socket: this.#path };
    const copy = { ...found, ...(words === undefined ? {} : { ram: [words] }) };
    this.#options.vms.foundCopy(this.vm, copy);
  }

  #report(state: VmState, reason: string): VmReport {
    const { facts = {}, vms, epochOf } = this.#options;
    const { vm } = this;
    const copy = vms.of(vm).copy;
    const process = copy === undefined ? undefined : ownProcess(copy);
    return {
      kind: 'vm',
      vm,
      name: facts.name ?? vm,
      state,
      reason,
      ...(copy === undefined ? {} : { pid: copy.pid, startTicks: copy.startTicks }),
      vmm: 'reference',
      ...(process === undefined ? {} : { definition: JSON.stringify(referenceDefinition(process)) }),
      disks: facts.disks ?? [],
      memoryBytes: this.#memoryBytes || (copy?.report?.memoryBytes ?? 0),
      autostart: facts.autostart ?? false,
      ...(facts.owner === undefined ? {} : { owner: facts.owner }),
      optedIn: facts.optedIn ?? false,
      epoch: epochOf(vm),
    };
  }
}

/** The process of a copy, where it is there. */
function ownProcess(copy: Copy): ProcessFacts | undefined {
  const facts = howGoneCopy(copy) === undefined ? processFacts(copy.pid) : undefined;
  return facts?.startTicks === copy.startTicks ? facts : undefined;
}
