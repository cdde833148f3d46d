import type { StdioOptions } from 'node:child_process';

/** Runs a program to its end, handing signals on to it; see child.mjs. */
export function runChild(
  command: string,
  args: readonly string[],
  options?: { cwd?: string; stdio?: StdioOptions },
): Promise<{ code: number; interrupted: boolean; error?: Error }>;
