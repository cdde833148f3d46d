import { z } from 'zod';
import { LabError } from '../errors.ts';
import type { Session } from '../session.ts';
import { duration, ident, ns } from './arguments.ts';
import { findInterrupt, type InterruptLine } from './interrupt-line.ts';
import { defineStep } from './step.ts';

/** Sums one line of /proc/interrupts. */
async function readInterrupt(session: Session, match: string): Promise<InterruptLine> {
  const table = await session.agent.readText('/proc/interrupts');
  const found = findInterrupt(table.split('\n'), match);
  if (!found) throw new LabError('E_LAB_INTERRUPTS', `/proc/interrupts of the guest has no line with "${match}"`);
  return found;
}

export const interrupts = defineStep({
  name: 'interrupts',
  schema: z
    .strictObject({
      match: z.string().min(1).max(40).describe('part of the line of /proc/interrupts'),
      as: ident.describe('name of the counter; a second reading tells the difference'),
      until: z.int().min(1).optional().describe('read again until the difference is at least this'),
      within: duration.default('30s'),
    })
    .describe('read a line of /proc/interrupts'),
  means: () => ({ is: 'count' }),
  run: async (session, { match, as, until, within }) => {
    const before = session.counters.get(as);
    const deadline = session.recorder.now() + ns(within);
    let line = await readInterrupt(session, match);
    while (until !== undefined && line.count - (before ?? line.count) < until && session.recorder.now() < deadline) {
      await session.nextEvent(500, event => event.layer === 'xen' || event.name === 'guest.panic');
      line = await readInterrupt(session, match);
    }
    session.counters.set(as, line.count);
    const delta = before === undefined ? {} : { delta: line.count - before };
    session.note('guest.interrupts', { name: as, count: line.count, ...delta, description: line.description });
  },
});
