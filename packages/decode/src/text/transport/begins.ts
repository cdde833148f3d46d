/**
 * @module What a line begins with of its own: a time, a stamp of the kernel, a tag, a number and a date, a program with its process, a
 * mark of a quotation. What begins so is no rest of the line before, wherever somebody broke that.
 */

const BEGINS: readonly RegExp[] = [
  // Marks of a quoted mail; the kernel's stamp; a time in brackets; a priority.
  /^(?:>|\s{0,8}\[ {0,8}\d{1,10}\.\d{3,9}(?: ?\]|[[,])|\[[A-Z][a-z]{2} |<\d{1,3}>)/,
  // Times of syslog, of the journal and of logread.
  /^(?:[A-Z][a-z]{2} [ \d]\d \d{2}:|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:|[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} |\s{0,8}\d{4}-\d{2}-\d{2}[T ]\d{2}:|\d{10}\.\d{6} )/,
  // A number and a date, as lists of events have them.
  /^\s{0,8}[0-9a-f]{1,5} {1,2}\|? ?\d{2,4}[-/]\d{2}/,
  // What only the kernel and Xen begin a message with.
  /^(?:\(XEN\) |(?:mce: |\{\d{1,10}\})?\[Hardware Error\]|EDAC |Memory failure: |Kernel panic - not syncing: )/,
  /^(?:\s?kernel|mcelog|rasdaemon|systemd|qemu-[\w-]{1,32})(?:\[\d{1,10}\])?:/,
  // Devices of PCI; programs that begin a record so, beside the kernel of FreeBSD and ESXi.
  /^(?:[a-z][\w-]{1,24} (?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d: |MCA: |MCE \d|MC:PCPU\d|HARDWARE ERROR|Hardware event\.|Message from syslogd@)/,
  // ESXi since its start.
  /^\d{1,3}:\d{2}:\d{2}:\d{2}\.\d{3} cpu\d/,
  // Rows of ftrace and perf script: the task, its number, the CPU; what was typed behind a prompt.
  /^(?:\s{0,24}<\.{3}>-\d|\s{0,24}\S{1,24}[- ]\d{1,7} {1,8}(?:\([\s\d-]{1,12}\) )?\[\d{3}\] |[\w./-]{1,24}[@:][\w~/.-]{0,64}[#$] )/,
];

/** Whether a line begins as one of its own. */
export const beginsLine = (line: string): boolean => BEGINS.some(begins => begins.test(line));

/** How a line begins, whatever numbers stand there: lines of one kind, one behind another, begin alike. */
export const beginningOf = (line: string): string => line.slice(0, 16).replaceAll(/[0-9a-f]{2,16}|\d/gi, '0');
