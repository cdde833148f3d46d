/** @module The engines that start a machine for each run. */
import type { Services } from '../parts.ts';
import { tracedRun } from '../run.ts';
import type { Engine } from './engine.ts';

/** Restores the state after the boot for each run, or boots. */
export function freshEngine(kind: 'restore' | 'cold', services: Services): Engine {
  return {
    kind,
    refusals: [],
    run: async (spec, { signal, ...options } = {}) => {
      const before = process.cpuUsage();
      const { machineSeconds, ...rest } = await tracedRun(kind === 'cold' ? { ...spec, cold: true } : spec, {
        ...services,
        ...options,
        ...bothSignals(services.signal, signal),
      });
      const { user, system } = process.cpuUsage(before);
      return {
        ...rest,
        engine: spec.cold ? 'cold' : kind,
        refusals: [],
        cpuSeconds: { own: (user + system) / 1e6, ...(machineSeconds === undefined ? {} : { qemu: machineSeconds }) },
        ...(rest.result.trace === '' ? {} : { trace: rest.result.trace }),
      };
    },
    close: () => Promise.resolve(),
  };
}

/** The signal that either of two aborts. */
export function bothSignals(one: AbortSignal | undefined, other: AbortSignal | undefined): { signal?: AbortSignal } {
  const signals = [one, other].filter(signal => signal !== undefined);
  return signals.length === 0 ? {} : { signal: AbortSignal.any(signals) };
}
