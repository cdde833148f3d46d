/** @module What arm64 Linux prints of a process that crashed, with debug.exception-trace: arch/arm64/kernel/traps.c, arm64_show_signal(). */

/** Lines of a register dump: arm64 prints 17, x86 about as many. */
const DUMP_LINES = 20;

/** The lines of the last dump of a console, from the exception to the last registers; none where there is no dump. */
export function lastExceptionDump(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex(line => line.includes('unhandled exception: '));
  if (start < 0) return [];
  const dump = lines.slice(start, start + DUMP_LINES);
  const end = dump.findIndex(line => /\bx0 ?: /.test(line));
  return dump.slice(0, end < 0 ? DUMP_LINES : end + 1);
}
