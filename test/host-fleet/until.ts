/** What a test of a fleet in lab machines waits for, and what it says where that does not come. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '@syndrome/lab/session.ts';
import type { RunningSite } from '../running-site.ts';

/** A fleet under test. It comes to be while the test runs. */
interface Fleet {
  site: () => RunningSite;
  sessions: readonly Session[];
}

/** Looks until something is there. */
type Until = <T>(what: string, look: () => Promise<T | undefined> | T | undefined) => Promise<T>;

/** A wait of a fleet. @param patienceMs of one thing; its error has what was said last */
export function untilIn(fleet: Fleet, patienceMs: number): Until {
  return async (what, look) => {
    const last = performance.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > last) throw new Error(`waited in vain for ${what}\n${(await said(fleet)).join('\n')}`);
      await sleep(50);
    }
  };
}

/** What agents and controller said last. */
async function said({ site, sessions }: Fleet): Promise<string[]> {
  return [
    ...site().log.slice(-20),
    ...sessions.flatMap(({ recorder }) =>
      recorder.events.flatMap(e => (e.source === 'stderr' ? [e.raw ?? ''] : [])).slice(-30),
    ),
    JSON.stringify(await site().list('actions')),
  ];
}
