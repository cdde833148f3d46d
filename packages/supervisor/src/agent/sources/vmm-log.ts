/** @module The reference VMM: what it reports of itself, a JSON object a line, in a file or a FIFO. */
import { parseObject } from '@syndrome/decode/common/json.ts';
import { vmmEvents } from '@syndrome/decode/text/event-reader.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import type { SeenEvent, VmReport, VmState } from '../../core/said.ts';
import type { Positions } from '../positions.ts';
import { bootId, processFacts } from '../proc.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import type { VmFacts } from '../vm-facts.ts';
import { type Vms, howGoneCopy } from '../vms.ts';
import { followLines } from './follow.ts';

const MAX_RAW = 512;
const PAGE_SHIFT = 12n;

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
    if (facts.control !== undefined) known.control = facts.control;
    const tell = (state: VmState, reason: string): void => {
      if (known.report?.state === state) return;
      known.report = this.#report(state, reason);
      sink(known.report);
    };
    return keepReading(
      { source: 'vmm', vm },
      async ({ up, signal: ending }) => {
        const reader = vmmEvents();
        const take = (line: string): void => {
          for (const seen of reader.push(line)) {
            // Its pid is of the process, and of no event.
            if (seen.name === 'vmm.started') this.#started(parseObject(line)?.['pid']);
            const { gpa, hpa } = seen.fields as { gpa?: bigint; hpa?: bigint };
            const said: SeenEvent = {
              kind: 'event',
              source: 'vmm',
              vm,
              event: seen,
              ...(gpa === undefined ? {} : { gpa }),
              ...(hpa === undefined ? {} : { pfn: hpa >> PAGE_SHIFT }),
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
      this.#options,
    );
  }

  #started(pid: unknown): void {
    const process = Number.isSafeInteger(pid) ? processFacts(pid as number) : undefined;
    if (process === undefined) return;
    const { startTicks } = process;
    const copy = { pid: process.pid, startTicks, boot: bootId(), socket: this.#path };
    this.#options.vms.foundCopy(this.vm, copy);
  }

  #report(state: VmState, reason: string): VmReport {
    const { facts = {}, vms, epochOf } = this.#options;
    const { vm } = this;
    const copy = vms.of(vm).copy;
    return {
      kind: 'vm',
      vm,
      name: facts.name ?? vm,
      state,
      reason,
      ...(copy === undefined ? {} : { pid: copy.pid, startTicks: copy.startTicks }),
      vmm: 'reference',
      disks: facts.disks ?? [],
      memoryBytes: 0,
      autostart: facts.autostart ?? false,
      ...(facts.owner === undefined ? {} : { owner: facts.owner }),
      optedIn: facts.optedIn ?? false,
      epoch: epochOf(vm),
    };
  }
}
