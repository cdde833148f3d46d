/** @module Asks a program again and again which VMs there are, and what has happened to them. */
import type { Epoch, VmId } from '../../core/ids.ts';
import type { VmReport } from '../../core/said.ts';
import { keepReading, pause, type ReconnectOptions, Stalled } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { howGoneCopy, type Vms } from '../vms.ts';
import { ask, type Asker, NoAnswer } from './ask.ts';
import { takeSaid } from './copy.ts';

/** Events that are known by their id. */
const MAX_KNOWN = 16_384;

interface ExecSourceOptions extends ReconnectOptions {
  vms: Vms;
  epochOf: (vm: VmId) => Epoch;
  /** Between two questions, ms. */
  everyMs: number;
}

/** One that hangs is stalled; one that fails is lost; it is asked again either way. What it did not say is not taken for gone. */
export class ExecSource implements Source {
  readonly name = 'exec';
  readonly #asker: Asker;
  readonly #options: ExecSourceOptions;
  readonly #told = new Map<VmId, string>();
  readonly #events = new Set<string>();

  constructor(asker: Asker, options: ExecSourceOptions) {
    this.#asker = asker;
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    // After each gap everything is told anew.
    return keepReading(
      { source: 'exec' },
      async ({ up, signal: ending }) => {
        this.#told.clear();
        while (!ending.aborted) {
          await this.#look(sink, ending).catch((error: unknown) => {
            throw error instanceof NoAnswer && error.cut ? new Stalled(error.message) : error;
          });
          up();
          pulse();
          await pause(this.#options.everyMs, ending);
        }
      },
      sink,
      signal,
      { longestMs: this.#options.everyMs, ...this.#options },
    );
  }

  async #look(sink: Sink, signal: AbortSignal): Promise<void> {
    const { vms, epochOf } = this.#options;
    const { vms: said, events } = await ask(this.#asker, { do: 'list' }, signal);
    const named = new Set(said.map(({ vm }) => vm));
    for (const one of said) this.#tell(takeSaid(vms, one, epochOf), sink);
    for (const { vm, report, copy } of vms.all()) {
      if (named.has(vm) || report?.vmm !== 'exec' || report.state === 'gone') continue;
      // One that is left out is gone where its process is; else nobody knows, and what was said stands.
      const gone = copy === undefined ? undefined : howGoneCopy(copy);
      if (gone === undefined) continue;
      const { definition: _, ...rest } = report;
      this.#tell({ ...rest, state: 'gone', reason: gone, epoch: epochOf(vm) }, sink);
    }
    for (const { id, vm, when, event } of events) {
      if (this.#events.has(id) || !event.name.startsWith('vmm.')) continue;
      this.#events.add(id);
      const [oldest] = this.#events;
      if (this.#events.size > MAX_KNOWN && oldest !== undefined) this.#events.delete(oldest);
      sink({ kind: 'event', source: 'exec', vm, when, event });
    }
  }

  /** What is as it was is not told again. */
  #tell(report: VmReport, sink: Sink): void {
    this.#options.vms.of(report.vm, 'exec').report = report;
    const text = JSON.stringify(report);
    if (this.#told.get(report.vm) === text) return;
    this.#told.set(report.vm, text);
    sink(report);
  }
}
