/** @module The engine that leads a machine to the point of an injection once, and forks it there for each run. */
import { Hub } from '../fork/hub.ts';
import type { Services } from '../parts.ts';
import type { Engine } from './engine.ts';
import { forkRefusal } from './fork-refusal.ts';
import { pointEngine } from './point-engine.ts';
import { StoppedMachines } from './stopped-machines.ts';

/**
 * @param library the shared object of fork/library.ts
 * @param next carries out what cannot be forked
 */
export async function forkEngine(library: string, next: Engine, services: Services): Promise<Engine> {
  const hub = await Hub.open();
  const machines = new StoppedMachines(hub, library, services);
  return pointEngine({
    kind: 'fork',
    points: {
      at: async (...run) => {
        const machine = await machines.at(...run);
        return {
          steps: machine.steps,
          recorded: machine.recorded,
          restarts: machine.restarts,
          take: async (...at) => (await machine.fork(...at)).session,
          release: () => machine.release(),
        };
      },
      close: async () => {
        await machines.close();
        hub.close();
      },
    },
    refuses: forkRefusal,
    never: { code: 'E_LAB_FORK', why: 'self-test' },
    next,
    services,
  });
}
