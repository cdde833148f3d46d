/** @module One raw log line: bounded, stripped of its transport's prefixes. */

/** Longer lines are cut; no line that matters here comes near it. */
export const MAX_LINE = 4096;

interface LogLine {
  text: string;
  /** printk caller id (`T12`, `C3`) when the kernel prints it (CONFIG_PRINTK_CALLER); it tells interleaved blocks apart. */
  caller: string | undefined;
  /** False when a syslog prefix names another program than the kernel. */
  kernel: boolean;
}

const ANSI = /\u001b\[[0-9;?]{0,16}[A-Za-z]/g;
/**
 * `Dec 22 08:20:00 host tag[pid]: ` of syslog and journald, its time also with a fraction (short-precise), as
 * `2026-03-16T11:34:29.123456+01:00` (short-iso), `Mon 2026-03-16 11:34:29 CET` (short-full, with-unit, where the unit
 * stands before the tag), `2026-03-16 11:34:29`, `1710585269.123456` (short-unix); BusyBox puts `kern.err` before the tag. What
 * ends in a colon is no host: QEMU puts such a time before its own name. Anybody may choose a tag of any characters (`logger -t`).
 */
const SYSLOG =
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}T[\d:.+Z-]{8,32}|\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?|[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})? [A-Z0-9+:-]{1,8}|\d{10}\.\d{6}) (?!\[ {0,8}[TC]?\d|[+-]\d{2}:?\d{2} )\S{0,254}[^\s:] (?:[a-z]{1,8}[0-7]?\.[a-z]{1,8} )?(?:[^\s/:[\]]{1,255}\/)?(?:([^\s:[\]]{1,64})(?:\[\d{1,10}\])?|([^\s:]{0,63}[^\s:\]])): /;
/** The same without a host, as people take it out; only of these programs, as any message may look alike. */
const HOSTLESS =
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}T[\d:.+Z-]{8,32}|\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?) {1,4}(kernel|mcelog|rasdaemon)(?:\[\d{1,10}\])?: /;
/** The same with the month in another language, of these programs only: journald takes it from the locale. */
const LOCALIZED =
  /^[^\s\d[\]{}<>:]{1,12} {1,2}\d{1,2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})? \S{0,254}[^\s:] (kernel|mcelog|rasdaemon)(?:\[\d{1,10}\])?: |^\d{1,2}月 {1,2}\d{1,2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})? \S{0,254}[^\s:] (kernel|mcelog|rasdaemon)(?:\[\d{1,10}\])?: /;
/** Host and program without a time, as people take it out; only of these programs, behind a host with their process id. */
const DATELESS = /^(?:[^\s:[\]{}"]{1,255} (?=\w{6,9}\[))?(mcelog|rasdaemon)(?:\[\d{1,10}\])?: /;
/** RFC 5424: `<3>1 2026-03-16T11:34:29Z host app procid msgid [data] `. */
const SYSLOG5424 =
  /^<\d{1,3}>1 \S{1,64} \S{1,255} (\S{1,48}) \S{1,128} \S{1,32} (?:-|(?:\[[^\]]{0,1024}\]){1,8}) \ufeff?/;
/** OpenWrt's logread: `Mon Mar 16 11:34:29 2026 kern.err kernel: `. */
const LOGREAD =
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4} [a-z]{1,8}[0-7]?\.[a-z]{1,8} ([^\s:[\]]{1,64})(?:\[\d{1,10}\])?: /;
/** Behind the stamp of journald's short-monotonic and short-delta; without a process only these programs, as any message may look alike. */
const MONOTONIC =
  /^\S{1,255} (?:(kernel|mcelog|rasdaemon|qemu[\w.-]{0,48})(?:\[\d{1,10}\])?|([^\s:[\]]{1,64})\[\d{1,10}\]): (?!unhandled exception: )/;
const PREFIXES: readonly RegExp[] = [SYSLOG, HOSTLESS, SYSLOG5424, LOGREAD, LOCALIZED, DATELESS];
const BRACKET = 0x5b;
/** `kern  :err   : `, from `dmesg -x`; `<3>`, the raw level. */
const LEVEL = /^(?:<\d{1,3}>|[a-z0-9]{1,8} {0,7}:[a-z]{1,7} {0,7}: )/;
/**
 * `[    1.234567] `, `[    1.234567][    T1] `, `[    1.234567] [    T1] `, `[Mon Mar 16 11:34:29 2026] ` in any
 * language; with the difference behind it (`dmesg -d`) or alone (`dmesg -H`: `[Mar16 11:34] `, `[  +0.000123] `); with
 * the CPU behind it (`[    1.234567,3] `, of telephones); `[2026-03-16T11:34:29.123Z] `, of what logs a serial line;
 * `[    1.234567 ] `, as pages show it.
 */
const STAMP =
  /^\[(?: {0,8}\d{1,10}\.\d{3,9}(?:,\d{1,3})?(?: <[ \d.+]{1,16}>)? ?|[^\s\]]{1,16} [^\s\]]{1,16} {1,2}\d{1,2} [\d:]{8} \d{4}|[A-Z][a-z]{2}[ \d]\d \d{2}:\d{2}| {0,8}\+\d{1,8}\.\d{6}|\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)\] ?(?:\[ {0,8}([TC]\d{1,10})\] ?)?/;
/** `2026-03-16T11:34:29,123456+01:00 `, from `dmesg --time-format iso`: no host and no program follow. */
const STAMP_ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2},\d{6}[+-]\d{2}:\d{2} /;
/** CPU and task that kernels of telephones put behind the stamp: `[3:  swapper/3:    0] `, `(0)[1:swapper/0]`. */
const TASK = /^(?:\(\d{1,3}\)\[\d{1,7}:[^\]]{1,32}\] ?|\[ {0,4}\d{1,3}: {0,16}[^\]:]{1,24}: {0,6}\d{1,7}\] ?)/;
/** The caller where the console or the log prints no time: `[    T1] `. */
const CALLER = /^\[ {0,8}([TC]\d{1,10})\] ?/;
/** The same stamp somewhere in a line: the console wrote it behind what a program left without a line end. */
const STAMP_INSIDE = /\[ {0,8}\d{1,10}\.\d{6} ?\] ?(?:\[ {0,8}[TC]\d{1,10}\] ?)?/;

/**
 * What stands before a line, or before its syslog prefix, and names no program: `3,1205,5123456793,-;` of /dev/kmsg and
 * netconsole, `2026-03-16T11:34:29.1Z stderr F ` of Kubernetes (CRI), ` kernel:` of syslogd on a terminal,
 * `> >> ` of a quoted mail.
 */
const WRAPPER =
  /^(?:(?:\d[\w.+~-]{0,63},)?\d{1,4},\d{1,20},\d{1,20},[a-z-](?:,[^;]{0,128})?;|\d{4}-\d{2}-\d{2}T[\d:.]{8,18}(?:Z|[+-]\d{2}:\d{2}) std(?:err|out) [FP] |\s?kernel: ?|>[>|\s]{0,15})/;
/**
 * The same where only what follows tells: a relay's `Mar 16 11:34:29 10.0.0.1 `, the file and line of `grep -r`, the
 * marks of a quoted mail or of a comment, blanks.
 */
const MAYBE_WRAPPER =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \S{1,255} (?=[A-Z][a-z]{2} [ \d]\d \d{2}:|\d{4}-)|[>|#\s]{1,16}|[^\s:[\]{}"]{1,255}:(?:\d{1,9}(?::|(?=\[)))?)/;
/** Wrappers around one line. */
const MAX_WRAPPERS = 3;

/** What only the kernel begins a message with. */
const ANCHOR =
  /mce: \[Hardware Error\]: |(?:\{\d{1,10}\})?\[Hardware Error\](?:: |(?=[ A-Za-z]))|EDAC MC\d|Memory failure: 0x/;
const PANIC = 'Kernel panic - not syncing: ';
/** Longer text before a kernel message is no prefix. */
const MAX_BEFORE = 160;
/** The end of a prefix that names another program than the kernel, of a sentence, of what begins a quotation, or of a report that is only foretold. */
const FOREIGN =
  /(?:^|[\s/])(?!kernel:)[A-Za-z][\w.@/-]{0,63}(?:\[\d{1,10}\])?: ?$|\[\d{1,10}\]: ?$|(?:^|[A-Za-z]{2} )[A-Za-z]{2,32} $|["'`]$|\{<n>\}$/;

/** Whether a text begins with what only the kernel begins a message with, perhaps behind a stamp. */
export function beginsKernelMessage(text: string): boolean {
  const from = STAMP.exec(text)?.[0].length ?? 0;
  return text.startsWith(PANIC, from) || ANCHOR.exec(text.slice(from, from + MAX_BEFORE))?.index === 0;
}

/** The prefix that names a program. */
function named(text: string): { length: number; program: string | undefined } | undefined {
  if (text.charCodeAt(0) === BRACKET) {
    const stamp = STAMP.exec(text)?.[0].length;
    return stamp === undefined ? undefined : prefixOf(MONOTONIC, text.slice(stamp), stamp);
  }
  for (const form of PREFIXES) {
    const prefix = prefixOf(form, text, 0);
    if (prefix !== undefined) return prefix;
  }
  return undefined;
}

/** Of the groups of a form one names the program. */
function prefixOf(
  form: RegExp,
  text: string,
  before: number,
): { length: number; program: string | undefined } | undefined {
  const m = form.exec(text);
  return m === null
    ? undefined
    : { length: before + m[0].length, program: m.slice(1).find(name => name !== undefined) };
}

/** What a transport put before a message: its length and the program it names, if any. */
function transport(text: string, wrappers = 0): { length: number; program: string | undefined } | undefined {
  const prefix = named(text);
  if (prefix !== undefined) return prefix;
  // The kernel's own stamp, or nothing: most lines.
  if (text.charCodeAt(0) === BRACKET || wrappers >= MAX_WRAPPERS) return undefined;
  const sure = WRAPPER.exec(text);
  const wrapper = (sure ?? MAYBE_WRAPPER.exec(text))?.[0];
  if (wrapper === undefined) return undefined;
  const rest = text.slice(wrapper.length);
  const inner = transport(rest, wrappers + 1);
  if (sure === null) {
    if (inner === undefined && !STAMP.test(rest) && !beginsKernelMessage(rest)) return undefined;
    // `word: ` is a program, not a file that grep names.
    if (wrapper.endsWith(':') && rest.startsWith(' ')) return undefined;
  }
  return { length: wrapper.length + (inner?.length ?? 0), program: inner?.program };
}

/** What a page in Markdown puts a backslash before, where it shows a log as text. */
const ESCAPED = /\\([[\]_*|<>{}#])/g;
/** The end of a string in the source of a program that writes such a line, or looks for one. */
const SOURCE_STRING = /\\n["'`]|["'`]\)?;\s*$/;
/**
 * What only source has: the mark of a comment, a word of a language before what it declares or gives, what stands for a value in a format,
 * the groups and classes of a regular expression.
 */
const SOURCE =
  /^\s{0,32}(?:\/\/|\/\*)|^\s{0,32}(?:const|let|var|return|export|import|static|case|throw|re:|pattern:) |%(?:[#0]?\d{0,2}(?:ll|l|h|z)?[xXud]|s|pS|pv|\*pbl?)(?![\w%])|\(\?[:=!<]|\(\.[*+]\)|\\[bdsSw](?![\w.])|\[0-9a-f\]/;

/** The name of a process in a message, which its user chooses: any fifteen characters. mm/memory-failure.c, drivers/acpi/apei/ghes.c, kernel/panic.c. */
const NAME =
  /((?:Sending SIGBUS to|Killing|GHES:|Comm:) ).{1,64}?(?=:\d{1,10}(?:: | (?:early )?due to )| (?:Not tainted|Tainted: ))/s;

/** Where the name of a process stands in a message; undefined where none does. */
export function nameIn(text: string): { from: number; to: number } | undefined {
  const m = NAME.exec(text);
  return m === null ? undefined : { from: m.index + (m[1]?.length ?? 0), to: m.index + m[0].length };
}

const withoutName = (line: string): string => line.replace(NAME, '$1');

/** Whether a line is one of source code whatever it holds: what stands in it was never printed. */
export const isSource = (line: string): boolean => SOURCE.test(withoutName(line));

/** The same of a line in which a message of the kernel stands: none ends as a string in source does. */
export function isSourceCode(line: string): boolean {
  return SOURCE_STRING.test(withoutName(line)) || isSource(line);
}

/** Whether a line begins as one that was printed: with a time, or with a program. */
export function isPrinted(raw: string): boolean {
  const { text, program } = syslogLine(raw);
  const message = text.slice(LEVEL.exec(text)?.[0].length ?? 0);
  return program !== undefined || isStamped(message);
}

const isStamped = (message: string): boolean => STAMP.test(message) || STAMP_ISO.test(message);

/** Cuts, removes terminal escapes and line ends. */
export function cleanLine(raw: string): string {
  const line = raw
    .slice(0, MAX_LINE)
    .replace(ANSI, '')
    .replace(/[\r\n]{1,8}$/, '')
    .replace(/^\r{1,8}/, '');
  return line.includes('\\[') ? line.replace(ESCAPED, '$1') : line;
}

/** Strips syslog, level and time prefixes from one line of Linux output. */
export function linuxLine(raw: string): LogLine {
  let text = cleanLine(raw);
  let kernel = true;
  const prefix = transport(text);
  if (prefix !== undefined) {
    kernel = prefix.program === undefined || prefix.program === 'kernel';
    text = text.slice(prefix.length);
  }
  const lvl = LEVEL.exec(text);
  if (lvl !== null) text = text.slice(lvl[0].length);
  let stamp = STAMP.exec(text) ?? STAMP_ISO.exec(text);
  if (stamp === null && prefix === undefined) {
    const inside = STAMP_INSIDE.exec(text);
    const name = inside === null ? undefined : nameIn(text);
    // A process may be called like a stamp.
    if (inside !== null && !(name !== undefined && inside.index >= name.from && inside.index < name.to)) {
      text = text.slice(inside.index);
      stamp = STAMP.exec(text);
    }
  }
  let caller: string | undefined;
  if (stamp !== null) {
    text = text.slice(stamp[0].length);
    // What logs a serial line puts its own stamp before the kernel's.
    const second = STAMP.exec(text);
    if (second !== null) text = text.slice(second[0].length);
    caller = second?.[1] ?? stamp[1];
    const task = TASK.exec(text);
    if (task !== null) text = text.slice(task[0].length);
  } else {
    const alone = CALLER.exec(text);
    if (alone !== null) {
      text = text.slice(alone[0].length);
      caller = alone[1];
    }
  }
  // Behind the kernel's own stamp its message begins: what stands further on may be anybody's.
  if (kernel && stamp === null && prefix?.program === undefined) text = fromAnchor(text);
  // No message that is read here begins or ends with a blank that tells: who showed it to others put it there.
  return { text: text.trim(), caller, kernel };
}

/** Behind a prefix that nobody knows, the message of the kernel; the text itself where another program is named. */
function fromAnchor(text: string): string {
  // A panic may tell of what else the kernel prints.
  if (text.startsWith('Kernel panic')) return text;
  const at = ANCHOR.exec(text)?.index ?? 0;
  return at > 0 && at <= MAX_BEFORE && !FOREIGN.test(text.slice(0, at)) ? text.slice(at) : text;
}

/** Strips a syslog or journald prefix only; `program` is the tag it names. */
export function syslogLine(raw: string): { text: string; program: string | undefined } {
  const text = cleanLine(raw);
  const prefix = transport(text);
  return prefix === undefined
    ? { text, program: undefined }
    : { text: text.slice(prefix.length), program: prefix.program };
}

/** Who wrote a line, where it says so: a program that it names, or the kernel, also by its stamp or by its words. */
export type Writer = 'kernel' | 'other';

/** Who wrote a line; undefined where it names nobody, and more may stand before what was written. */
export function writerOf(raw: string): Writer | undefined {
  const { text, program } = syslogLine(raw);
  if (program !== undefined) return program === 'kernel' ? 'kernel' : 'other';
  const message = text.slice(LEVEL.exec(text)?.[0].length ?? 0);
  return isStamped(message) || beginsKernelMessage(message) ? 'kernel' : undefined;
}

/** A u64 from hex digits with or without `0x`; undefined when it is not one. */
export function hexU64(digits: string | undefined): bigint | undefined {
  if (digits === undefined) return undefined;
  const bare = digits.replace(/^0[xX]/, '');
  return /^[0-9a-fA-F]{1,16}$/.test(bare) ? BigInt(`0x${bare}`) : undefined;
}
