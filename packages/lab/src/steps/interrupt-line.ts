/** One line of /proc/interrupts: the counts of all CPUs added up, and the rest of the line. */
export interface InterruptLine {
  count: number;
  /** What stands after the counts, e.g. `xen-dyn -virq mce`. */
  description: string;
}

/**
 * Finds the line of /proc/interrupts that contains `match`.
 * The label before the colon counts too: `MCE`, `THR`, a number.
 */
export function findInterrupt(lines: readonly string[], match: string): InterruptLine | undefined {
  for (const line of lines.slice(1)) {
    const parts = /^\s*(\S+):((?:\s+\d+)+)/.exec(line);
    if (!parts) continue;
    const description = line.slice(parts[0].length).trim();
    if (parts[1] !== match && !description.includes(match)) continue;
    const counts = (parts[2] ?? '').trim().split(/\s+/).map(Number);
    return { count: counts.reduce((a, b) => a + b, 0), description };
  }
  return undefined;
}
