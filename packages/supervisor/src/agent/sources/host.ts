/** @module The host itself: boot, memory, and the kernel's counters of bad memory (Documentation/ABI/testing/sysfs-memory-page-offline, -edac). */
import { readdirSync, readFileSync } from 'node:fs';
import { freemem, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { corruptedKb } from '@syndrome/decode/text/linux/meminfo.ts';
import type { HostReport, LeaseReport } from '../../core/said.ts';
import { bootId } from '../proc.ts';
import { keepReading, pause, type ReconnectOptions } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';

const KINDS = ['total', 'recovered', 'ignored', 'failed', 'delayed'] as const;
const MAX_COUNTERS = 4096;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function names(path: string, like: RegExp): string[] {
  try {
    return readdirSync(path).filter(name => like.test(name));
  } catch {
    return [];
  }
}

/**
 * Counters by name: `node0.memory_failure.total`, `mc0.ce_count`, `HardwareCorrupted` in bytes. What this
 * kernel does not have is left out: no counter is not the same as none counted.
 */
export function hostCounters(sys = '/sys', proc = '/proc'): Record<string, number> {
  const counters: [string, number][] = [];
  const add = (name: string, path: string): void => {
    const value = Number(read(path)?.trim() || Number.NaN);
    if (Number.isSafeInteger(value)) counters.push([name, value]);
  };
  const nodes = join(sys, 'devices/system/node');
  for (const node of names(nodes, /^node\d+$/))
    for (const kind of KINDS) add(`${node}.memory_failure.${kind}`, join(nodes, node, 'memory_failure', kind));
  const edac = join(sys, 'devices/system/edac/mc');
  // Those without a place are among them; uncorrected ones are counted where the kernel handles them.
  for (const mc of names(edac, /^mc\d+$/)) add(`${mc}.ce_count`, join(edac, mc, 'ce_count'));
  const corrupted = corruptedKb(read(join(proc, 'meminfo')) ?? '');
  if (corrupted !== undefined) counters.push(['HardwareCorrupted', corrupted * 1024]);
  return Object.fromEntries(counters.slice(0, MAX_COUNTERS));
}

interface HostOptions extends ReconnectOptions {
  sys?: string;
  proc?: string;
  /** Between two looks, ms. Default 5000. */
  pollMs?: number;
  /** Storage that this host reaches and CPU models that it can give, as its administrator says. */
  storage?: readonly string[];
  cpuModels?: readonly string[];
  /** Its leases of sanlock, where it is set up to tell of them. */
  leases?: (signal: AbortSignal) => Promise<LeaseReport[] | undefined>;
  /** Between two looks at them, which take a process or two each, ms. Default 15 s. */
  leasesMs?: number;
}

/** Free memory counts as changed when it moved by this part of all. */
const MEMORY_STEP = 1 / 16;

/** Tells of the host at the start, and when a counter or much of the free memory changed. */
export class HostSource implements Source {
  readonly name = 'sysfs';
  readonly #options: HostOptions;

  constructor(options: HostOptions = {}) {
    this.#options = options;
  }

  /** As it is now. */
  report(): HostReport {
    const { sys, proc, storage = [], cpuModels = [] } = this.#options;
    return {
      kind: 'host',
      boot: bootId(proc),
      arch: process.arch === 'arm64' ? 'arm64' : 'x86-64',
      kernel: release(),
      memoryBytes: totalmem(),
      freeBytes: freemem(),
      cpuModels: [...cpuModels],
      storage: [...storage],
      counters: hostCounters(sys, proc),
    };
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const { pollMs = 5000 } = this.#options;
    const { leases, leasesMs = 15_000 } = this.#options;
    const session = async ({ up }: { up: () => void }): Promise<void> => {
      let last: HostReport | undefined;
      let [held, looked]: [LeaseReport[] | undefined, number] = [undefined, -Infinity];
      while (!signal.aborted) {
        if (leases !== undefined && performance.now() - looked >= leasesMs) {
          held = (await leases(signal)) ?? held;
          looked = performance.now();
          if (signal.aborted) return;
        }
        const now: HostReport = { ...this.report(), ...(held === undefined ? {} : { leases: held }) };
        const moved = Math.abs(now.freeBytes - (last?.freeBytes ?? 0)) > now.memoryBytes * MEMORY_STEP;
        const isOther = ({ counters, leases: of }: HostReport): boolean =>
          JSON.stringify([now.counters, now.leases]) !== JSON.stringify([counters, of]);
        if (last === undefined) up();
        if (last === undefined || moved || isOther(last)) sink((last = now));
        pulse();
        await pause(pollMs, signal);
      }
    };
    return keepReading({ source: 'sysfs' }, session, sink, signal, this.#options);
  }
}
