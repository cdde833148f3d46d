/**
 * @module The observer of a drill, a process of its own: counts the QEMU processes of one VM from /proc and from nothing else,
 * so that what the supervisor believes is held against what runs. `copies.ts UUID`, forked; a message for every change.
 */
import { pids, processFacts } from '@syndrome/supervisor/agent/proc.ts';

/** How often /proc is looked through, ms: a second copy lives for longer, because QEMU alone takes that long to start. */
const EVERY_MS = 15;
/** A process that is older has the command line that it keeps. */
const YOUNG_MS = 2000;

/** One process of a VM: PIDs are used again, so that it counts with its start time. */
interface Copy {
  pid: number;
  /** Clock ticks since boot. */
  startTicks: string;
}

/** What changed. `at` is ms UTC. */
export interface CopiesLine {
  at: number;
  copies: Copy[];
}

/** Follows the copies of the VM with that `-uuid` until the process is ended. */
function observe(uuid: string): void {
  /** What each process is, and when it was first met. A forked child has the command line of its parent until it executes. */
  const known = new Map<number, { ours: boolean; since: number }>();
  let last = '';
  const look = (): void => {
    const now = Date.now();
    const copies: Copy[] = [];
    const running = pids();
    for (const pid of running) {
      const met = known.get(pid);
      if (met !== undefined && !met.ours && now - met.since > YOUNG_MS) continue;
      // A zombie has no command line, and runs nothing.
      const facts = processFacts(pid);
      const at = facts?.argv.indexOf('-uuid') ?? -1;
      const ours = at > 0 && facts?.argv[at + 1] === uuid;
      known.set(pid, { ours, since: met?.since ?? now });
      if (ours) copies.push({ pid, startTicks: facts.startTicks });
    }
    for (const pid of known.keys()) if (!running.includes(pid)) known.delete(pid);
    const line = JSON.stringify(copies);
    if (line === last) return;
    last = line;
    process.send?.({ at: now, copies } satisfies CopiesLine);
  };
  look();
  setInterval(look, EVERY_MS);
}

const [, , uuid] = process.argv;
if (uuid === undefined) process.exit(2);
// Whoever started it may be killed: then nobody reads, and it ends.
process.on('disconnect', () => process.exit(0));
observe(uuid);
