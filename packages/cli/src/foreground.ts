/** @module Whether this process may read from its terminal: one in the background is stopped by the kernel when it does (SIGTTIN). */
import { readFileSync } from 'node:fs';

/**
 * Whether the process group of a process is that of the foreground of its terminal (proc(5), /proc/pid/stat: pgrp and tpgid).
 * @param stat the text of that file; what stands in parentheses is the name, and may hold anything
 * @example isInForeground('7 (a) b) S 1 42 42 34816 42 4194304') // true
 */
export function isInForeground(stat = readFileSync('/proc/self/stat', 'latin1')): boolean {
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group !== undefined && group === foreground;
}

/**
 * Does something at each Enter in the terminal, while this process is in its foreground: a shell tells one that it brings there
 * or sends on its way behind (SIGCONT).
 * @returns how that is ended
 */
export function onEnter(act: () => void): () => void {
  if (!process.stdin.isTTY) return () => {};
  const look = (): void => {
    process.stdin.off('data', act);
    if (isInForeground()) process.stdin.on('data', act);
    else process.stdin.pause();
  };
  process.on('SIGCONT', look);
  look();
  return () => {
    process.off('SIGCONT', look);
    process.stdin.off('data', act);
    process.stdin.pause();
  };
}
