/**
 * @module What stands before or around every line of an input, in the same way: numbers, times, the names of pods and streams, marks of a
 * quotation, the indentation of a list, the border of a pane, the columns of a table. Known from the first lines, it is taken off all that
 * have it, so that a line which says nothing alone (the rest of a wrapped one, an empty one, an indented one) is what it was. Where a single
 * line has it only, shown.ts looks behind it. Sources: cat(1) -n, less(1) -N, grep(1) -n; kubectl logs --timestamps and --prefix, the log
 * format of CRI; aws logs tail; logcli (Loki); docker compose logs; RFC 4180; GitHub Flavored Markdown 4.10.
 */
import { ELEMENT, cellsOfRow } from './markup.ts';
import { MAX_LINE, beginsKernelMessage, syslogLine } from './line.ts';

/** Takes what stands around off a line stands around off a line; undefined where the line has none of it. */
export type Frame = (line: string) => string | undefined;
/** Finds it in lines that have it; undefined where it is not there. */
type Find = (lines: readonly string[]) => Frame | undefined;

/** Lines that make sure that all have it. */
const SURE = 4;
/** Of lines among which others stand this part has it. */
const MOST = 0.6;
const MAX_DEEP = 4;
const MAX_LINES = 256;
const MAX_COLUMNS = 64;

/** Blanks of a page. */
const BLANKS = /[\u00a0\u2007\u202f]/g;
const ANSI = /\u001b\[[0-9;?]{0,16}[A-Za-z]/g;
const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]{8,18}(?:Z|[+-]\d{2}:?\d{2})(?: std(?:out|err) [FP])?(?:[ \t]|$)/;

/** The stream of an instance, as `aws logs tail` prints it behind the time. */
const STREAM = /^i-[0-9a-f]{8,17}(?: |$)/;

/** What stands before a line, as this form has it. */
const prefix =
  (form: RegExp): Find =>
  () =>
  line => {
    const length = form.exec(line)?.[0].length;
    return length === undefined ? undefined : line.slice(length);
  };

/** Whether host and program seem to follow a time, as syslog has it. Of a message whose first words look so neither is one. */
function isSyslog(line: string, rest: string): boolean {
  const { program } = syslogLine(line);
  return program !== undefined && !beginsKernelMessage(rest) && !TIME.test(rest);
}

/** A time, where no host and program follow in most of the lines: these say whose a line is. */
const times: Find = lines => {
  const restOf = (line: string): string | undefined => {
    const length = TIME.exec(line)?.[0].length;
    return length === undefined ? undefined : line.slice(length);
  };
  // An instance that stands before lines of which some name no program is a stream of CloudWatch, and no host of syslog.
  const isOfStream = lines.some(line => STREAM.test(restOf(line) ?? '') && !isSyslog(line, restOf(line) ?? ''));
  const named = lines.filter(line => {
    const rest = restOf(line) ?? '';
    return isSyslog(line, rest) && !(isOfStream && STREAM.test(rest));
  });
  if (named.length > 1 && 2 * named.length >= lines.length) return undefined;
  return line => {
    const rest = restOf(line);
    if (rest !== undefined && isOfStream && STREAM.test(rest)) return rest;
    return rest !== undefined && isSyslog(line, rest) && /^[a-z\d][\w.-]{0,254} [a-z][\w.-]{0,63}(?:\[\d|:)/.test(rest)
      ? undefined
      : rest;
  };
};

/** Numbers that rise, one line after another, all with the same mark behind them. */
const numbers =
  (form: RegExp): Find =>
  lines => {
    let last = -1;
    for (const line of lines) {
      const digits = form.exec(line)?.[1];
      if (digits === undefined || Number(digits) <= last) return undefined;
      last = Number(digits);
    }
    return line => (form.test(line) ? line.replace(form, '') : undefined);
  };

/** The same marks before each line; an empty line may have them without the blank. */
const marks =
  (form: RegExp): Find =>
  lines => {
    const found = lines.map(line => form.exec(line)?.[0] ?? '');
    const [first = ''] = found.toSorted((a, b) => a.length - b.length);
    if (first === '' || !lines.every(line => line.startsWith(first))) return undefined;
    return line => {
      if (line.startsWith(first)) return line.slice(first.length);
      return line.trimEnd() === first.trimEnd() ? '' : undefined;
    };
  };

/** Fields before tabs: a date, or the same in all lines. */
const tabs: Find = lines => {
  const first = /^([^\t]{1,64})\t/.exec(lines[0] ?? '')?.[1];
  if (first === undefined) return undefined;
  const isDate = (field: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(field);
  return line => {
    const at = line.indexOf('\t');
    const field = line.slice(0, at);
    return at > 0 && (isDate(first) ? isDate(field) : field === first) ? line.slice(at + 1) : undefined;
  };
};

const indentation: Find = lines => {
  // JSON, XML and the entries of a journal are read by it.
  if (lines.some(line => /^\s{1,64}(?:["[\]{}]|\d{1,20},?$)|^ {4}[A-Z_]{2,64}=/.test(line) || ELEMENT.test(line)))
    return undefined;
  const least = Math.min(...lines.map(line => /^ {0,64}/.exec(line)?.[0].length ?? 0));
  return least === 0 ? undefined : line => (line.slice(0, least).trim() === '' ? line.slice(least) : undefined);
};

/** The fields of a row of RFC 4180, those in quotation marks without them; undefined where it is none. */
function fieldsOf(line: string): { text: string; isQuoted: boolean }[] | undefined {
  const out: { text: string; isQuoted: boolean }[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let m = field.exec(line); m !== null && out.length < MAX_COLUMNS; m = field.exec(line)) {
    out.push({ text: m[1]?.replaceAll('""', '"') ?? m[2] ?? '', isQuoted: m[1] !== undefined });
    if (m[3] === '') return field.lastIndex === line.length ? out : undefined;
  }
  return undefined;
}

/** A table of which one column alone is in quotation marks, or the last of those: that of the text. */
const table: Find = lines => {
  const rows = lines.map(line => fieldsOf(line.trimEnd()));
  const width = rows[0]?.length ?? 0;
  if (width < 2) return undefined;
  let column = -1;
  for (const row of rows) {
    const quoted = row?.findLastIndex(f => f.isQuoted) ?? -1;
    if (row?.length !== width || quoted < 0 || (column >= 0 && column !== quoted)) return undefined;
    column = quoted;
  }
  return line => {
    const row = fieldsOf(line.trimEnd());
    const field = row?.length === width ? row[column] : undefined;
    return field?.isQuoted === true ? field.text : undefined;
  };
};

/** A table of Markdown whose text stands in the marks of code. */
const markdown: Find = lines => {
  if (!lines.every(line => /^\s{0,4}\|.{0,8192}`\s{0,8}\|\s{0,4}$/s.test(line))) return undefined;
  const width = cellsOfRow(lines[0] ?? '')?.length;
  return line => {
    const cells = cellsOfRow(line);
    return cells?.length === width ? cells?.at(-1) : undefined;
  };
};

const border: Find = () => line => {
  const end = /[│┃║▕]\s{0,4}$/.exec(line);
  return end === null ? undefined : line.slice(0, end.index).trimEnd();
};

const FRAMES: readonly Find[] = [
  border,
  numbers(/^ {0,8}L?(\d{1,7}): ?/),
  numbers(/^ {0,8}(\d{1,7})\.(?: |$)/),
  numbers(/^ {0,8}(\d{1,7})\t/),
  // less -N: seven columns and a blank.
  numbers(/^(?=[ \d]{8}) {0,6}(\d{1,7})(?: |$)/),
  prefix(/^\/[\w./@-]{1,200}[:-]\d{1,7}[:-]/),
  prefix(/^\[[\w.-]{1,80}\/[\w./:-]{1,160}\] /),
  times,
  prefix(/^\{[\w.-]{1,64}="[^{}]{1,400}\} /),
  prefix(STREAM),
  tabs,
  tabs,
  table,
  markdown,
  marks(/^(?:(?:>{1,4} ?|&gt; ?){1,8}|[-*•] )/),
  indentation,
];

/** The lines that have it, where enough of them do. */
function having(take: Frame, lines: readonly string[]): boolean {
  const has = lines.map(line => take(line) !== undefined);
  const count = has.filter(Boolean).length;
  return count > 1 && (count >= MOST * lines.length || has.slice(-SURE).every(Boolean));
}

/** What all or the last of the lines have, whatever others stand before them. */
function found(find: Find, lines: readonly string[]): Frame | undefined {
  for (const some of [lines, lines.slice(1), lines.slice(-SURE), lines.slice(0, SURE)]) {
    const take = some.length < 2 ? undefined : find(some);
    if (take !== undefined && having(take, lines)) return take;
  }
  return undefined;
}

/** Colours of a terminal, and other blanks than that of the keyboard. */
const ANY = /\u001b\[|[\u00a0\u2007\u202f]/;
const plain = (line: string): string => line.replaceAll(ANSI, '').replaceAll(BLANKS, ' ').slice(0, MAX_LINE);

const linesOf = (text: string): string[] =>
  text
    .split('\n', MAX_LINES)
    .map(line => line.replace(/\r$/, ''))
    .filter(line => line.trim() !== '');

/**
 * What stands around the lines of a text; undefined where they stand alone.
 * @param text its first lines, whole
 * @example frameOf('12: a\n13: b\n')?.('14:   c') // → '  c'
 */
export function frameOf(text: string): Frame | undefined {
  const takes: Frame[] = [];
  let lines = linesOf(text).map(plain);
  if (ANY.test(text)) takes.push(plain);
  for (const find of FRAMES) {
    if (takes.length >= MAX_DEEP) break;
    const take = found(find, lines);
    if (take === undefined) continue;
    takes.push(take);
    lines = lines.map(line => take(line)).filter((line): line is string => line !== undefined && line.trim() !== '');
  }
  if (takes.length === 0) return undefined;
  return line => {
    let text: string | undefined = line.replace(/\r$/, '');
    for (const take of takes) {
      text = take(text);
      if (text === undefined) return undefined;
    }
    return text;
  };
}

/** Whether what stands around lines is not known before some more have come: the last of them may be one of the first that have it. */
export function mayBeFramed(text: string): boolean {
  const lines = linesOf(text).map(plain);
  const last = lines.at(-1);
  if (last === undefined) return false;
  const ahead = lines.slice(-SURE);
  return FRAMES.some(find => {
    const take = find([last]);
    if (take?.(last) === undefined) return false;
    const others = ahead.findLastIndex(line => take(line) === undefined);
    return ahead.length - 1 - others < SURE;
  });
}
