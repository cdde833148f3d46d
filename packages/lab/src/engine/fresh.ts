/** @module The engines that start a machine for each run. */
import type { TraceHeader, TraceEvent } from '@syndrome/trace/event.ts';
import type { Services } from '../parts.ts';
import { runScenario } from '../run.ts';
import type { Engine } from './engine.ts';

/** Restores the state after the boot for each run, or boots. */
export function freshEngine(kind: 'restore' | 'cold', services: Services): Engine {
  return {
    kind,
    refusals: [],
    run: async (spec, { signal, onHeader, onEvent, ...options } = {}) => {
      const signals = [services.signal, signal].filter(one => one !== undefined);
      const events: TraceEvent[] = [];
      let header: TraceHeader | undefined;
      const before = process.cpuUsage();
      const result = await runScenario(kind === 'cold' ? { ...spec, cold: true } : spec, {
        ...services,
        ...options,
        ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
        onHeader: (said, trace) => {
          header = said;
          onHeader?.(said, trace);
        },
        onEvent: event => {
          events.push(event);
          onEvent?.(event);
        },
      });
      const { user, system } = process.cpuUsage(before);
      if (header === undefined) throw new Error('a run has no header');
      return {
        result,
        header,
        events,
        engine: spec.cold ? 'cold' : kind,
        refusals: [],
        cpuSeconds: { own: (user + system) / 1e6 },
        ...(result.trace === '' ? {} : { trace: result.trace }),
      };
    },
    close: () => Promise.resolve(),
  };
}
