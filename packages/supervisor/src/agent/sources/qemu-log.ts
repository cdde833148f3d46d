/** @module QEMU's error output: the only place that names the guest address on x86, and the events that nobody got. */
import { event } from '@syndrome/decode/events/event.ts';
import { qemuEvents } from '@syndrome/decode/text/event-reader.ts';
import type { VmId } from '../../core/ids.ts';
import type { SeenEvent } from '../../core/said.ts';
import type { Positions } from '../positions.ts';
import { keepReading, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import type { Vms } from '../vms.ts';
import { Emitted } from './emitted.ts';
import { followLines } from './follow.ts';

const MAX_RAW = 512;

export interface QemuLogOptions extends ReconnectOptions {
  vms: Vms;
  emitted?: Emitted;
  /** Whose loss of an emitted event is told. Default: of its monitor. */
  events?: 'qmp' | 'libvirt';
  positions?: Positions;
  pollMs?: number;
  /** The host page behind an address of QEMU's process, where it can be told. */
  pfnOf?: (vm: VmId, hva: bigint) => bigint | undefined;
}

/** Follows the log of one VM. Of what QEMU and its guest may write, only what QEMU says of memory errors counts. */
export class QemuLogSource implements Source {
  readonly name = 'qemu-log';
  readonly vm: VmId;
  readonly #path: string;
  readonly #options: QemuLogOptions;

  constructor(vm: VmId, path: string, options: QemuLogOptions) {
    this.vm = vm;
    this.#path = path;
    this.#options = options;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { vms, emitted = new Emitted('MEMORY_FAILURE'), positions, pollMs, pfnOf, events = 'qmp' } = this.#options;
    const { vm } = this;
    const name = `qemu-log:${this.#path}`;
    const say = (seen: SeenEvent): void => {
      vms.saw(seen);
      sink(seen);
    };
    /** What QEMU emitted and its monitor did not give us: that it happened is known, what it said is not. */
    const sayLost = (): void => {
      const lost = emitted.lost(Date.now() * 1000);
      if (lost.length === 0) return;
      sink({ kind: 'source', source: events, vm, state: 'back', gapMs: 0, lostEvents: lost.length });
      for (const us of lost)
        say({
          kind: 'event',
          source: 'qemu-log',
          vm,
          event: event('vmm.memory-failure', {}),
          when: Math.floor(us / 1000),
        });
    };
    return keepReading(
      { source: 'qemu-log', vm },
      async ({ up, signal: ending }) => {
        const reader = qemuEvents();
        const take = (line: string): void => {
          for (const seen of reader.push(line)) {
            if (seen.name === 'vmm.event-emitted') {
              // Without a time it cannot be told from others.
              if (seen.fields.us !== undefined) emitted.line(seen.fields.us, seen.fields.number);
              continue;
            }
            if (seen.name === 'vmm.message') continue;
            const { hva, gpa } = seen.fields as { hva?: bigint; gpa?: bigint };
            const pfn = hva === undefined ? undefined : pfnOf?.(vm, hva);
            say({
              kind: 'event',
              source: 'qemu-log',
              vm,
              event: seen,
              ...(gpa === undefined ? {} : { gpa }),
              ...(pfn === undefined ? {} : { pfn }),
              raw: line.slice(0, MAX_RAW),
            });
          }
        };
        await followLines(this.#path, take, {
          signal: ending,
          from: positions?.get(name),
          ...(pollMs === undefined ? {} : { pollMs }),
          up: () => {
            up();
            pulse();
          },
          idle: position => {
            pulse();
            positions?.set(name, position);
            sayLost();
          },
        });
      },
      sink,
      signal,
      this.#options,
    );
  }
}
