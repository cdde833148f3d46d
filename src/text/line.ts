/** @module One raw log line: bounded, stripped of its transport's prefixes. */

/** Longer lines are cut; no line that matters here comes near it. */
export const MAX_LINE = 4096;

export interface LogLine {
  text: string;
  /** printk caller id (`T12`, `C3`) when the kernel prints it (CONFIG_PRINTK_CALLER); it tells interleaved blocks apart. */
  caller: string | undefined;
  /** False when a syslog prefix names another program than the kernel. */
  kernel: boolean;
}

const ANSI = /\u001b\[[0-9;?]{0,16}[A-Za-z]/g;
/** `Dec 22 08:20:00 host tag[pid]: ` and `2026-03-16T11:34:29.123456+01:00 host tag: `, from syslog and journald. */
const SYSLOG =
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}|\d{4}-\d{2}-\d{2}T[\d:.,+Z-]{8,32}) \S{1,255} ([^\s:[\]]{1,64})(?:\[\d{1,10}\])?: /;
/** `kern  :err   : `, from `dmesg -x`; `<3>`, the raw level. */
const LEVEL = /^(?:<\d{1,3}>|[a-z0-9]{1,8} {0,7}:[a-z]{1,7} {0,7}: )/;
/** `[    1.234567] `, `[    1.234567][    T1] `, `[    1.234567] [    T1] `, `[Mon Mar 16 11:34:29 2026] `. */
const STAMP =
  /^\[(?: {0,8}\d{1,10}\.\d{6}|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})\] ?(?:\[ {0,8}([TC]\d{1,10})\] ?)?/;
/** The same somewhere in a line: the console wrote it behind what a program left without a line end. */
const STAMP_INSIDE = /\[ {0,8}\d{1,10}\.\d{6}\] ?(?:\[ {0,8}[TC]\d{1,10}\] ?)?/;

/** Cuts, removes terminal escapes and line ends. */
export function cleanLine(raw: string): string {
  return raw
    .slice(0, MAX_LINE)
    .replace(ANSI, '')
    .replace(/[\r\n]{1,8}$/, '')
    .replace(/^\r{1,8}/, '');
}

/** Strips syslog, level and time prefixes from one line of Linux output. */
export function linuxLine(raw: string): LogLine {
  let text = cleanLine(raw);
  let kernel = true;
  const syslog = SYSLOG.exec(text);
  if (syslog !== null) {
    kernel = syslog[1] === 'kernel';
    text = text.slice(syslog[0].length);
  }
  const lvl = LEVEL.exec(text);
  if (lvl !== null) text = text.slice(lvl[0].length);
  let stamp = STAMP.exec(text);
  if (stamp === null && syslog === null) {
    const inside = STAMP_INSIDE.exec(text);
    if (inside !== null) {
      text = text.slice(inside.index);
      stamp = STAMP.exec(text);
    }
  }
  if (stamp !== null) text = text.slice(stamp[0].length);
  return { text, caller: stamp?.[1], kernel };
}

/** Strips a syslog or journald prefix only; `program` is the tag it names. */
export function syslogLine(raw: string): { text: string; program: string | undefined } {
  const text = cleanLine(raw);
  const syslog = SYSLOG.exec(text);
  return syslog === null ? { text, program: undefined } : { text: text.slice(syslog[0].length), program: syslog[1] };
}

/** A u64 from hex digits with or without `0x`; undefined when it is not one. */
export function hexU64(digits: string | undefined): bigint | undefined {
  if (digits === undefined) return undefined;
  const bare = digits.replace(/^0[xX]/, '');
  return /^[0-9a-fA-F]{1,16}$/.test(bare) ? BigInt(`0x${bare}`) : undefined;
}
