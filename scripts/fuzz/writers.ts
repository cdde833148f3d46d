/** Fuzz targets of all that writes for people or machines: whatever stands in records, events and results, nothing of it may come out as something that a screen obeys or hides. */
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { fail } from '@syndrome/cli/fail.ts';
import { print, printJson, printLines, say } from '@syndrome/cli/output.ts';
import { progressLine } from '@syndrome/cli/progress.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { type DecodedRecord, toData } from '@syndrome/decode/decode/record.ts';
import { BriefWriter } from '@syndrome/decode/decode/to-brief.ts';
import { JsonWriter } from '@syndrome/decode/decode/to-json.ts';
import { TextWriter, toRaw } from '@syndrome/decode/decode/to-text.ts';
import type { CellResult } from '@syndrome/lab/matrix/cells.ts';
import type { RunResult } from '@syndrome/lab/run.ts';
import { AXIS_NAMES, type CellParts } from '@syndrome/trace/axes.ts';
import type { ExpectationResult } from '@syndrome/trace/expect/judge.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import { shellQuote } from '@syndrome/lab/machine/qemu-args.ts';
import { runResult } from '@syndrome/lab/testing/result.ts';
import type { Scenario } from '@syndrome/lab/scenario/load.ts';
import { LAYERS, SOURCES, TRACE_VERSION, type TraceEvent, type TraceHeader } from '@syndrome/trace/event.ts';
import { jsonReporter, screenJson } from '@syndrome/lab/report/json.ts';
import { junitXml } from '@syndrome/lab/report/junit.ts';
import { ktap } from '@syndrome/lab/report/ktap.ts';
import { MATRIX_VERSION, matrixText } from '@syndrome/lab/report/matrix.ts';
import { matrixHtml } from '@syndrome/web/view/matrix-html.ts';
import { readMatrix } from '@syndrome/web/view/matrix-file.ts';
import { distribution, distributionLines } from '@syndrome/lab/report/repeat.ts';
import { plain } from '@syndrome/trace/style.ts';
import { styledLine, styledLines, styleFor } from '@syndrome/lab/report/style.ts';
import { textReporter } from '@syndrome/lab/report/text.ts';
import { partsLine } from '@syndrome/trace/parts-line.ts';
import { CATALOG } from '@syndrome/decode/events/catalog.ts';
import type { Chance } from '../chance.ts';
import { LINES, anyInput, anyLine } from './inputs.ts';
import { HOSTILE } from './oracles.ts';
import type { Target } from './target.ts';

/** Pieces of which hostile text is made: what terminals obey, what hides, what turns around, what markup and reports are made of. */
const decoder = new TextDecoder();
const PIECES = [
  [
    '\u001b[31m',
    '\u001b[2J',
    '\u001b]0;P\u0007',
    '\u001b[?1049h',
    '\u001bc',
    '\u001bP',
    '\u009b31m',
    '\u009d',
    '\u0090',
  ],
  ['\r', '\n', '\r\n', '\b', '\u0000', '\u007f', '\u0085', '\f', '\v', '\t', '\u2028', '\u2029'],
  [
    '\u00ad',
    '\u034f',
    '\u061c',
    '\u115f',
    '\u1160',
    '\u180e',
    '\u200b',
    '\u200f',
    '\u202e',
    '\u2060',
    '\u2069',
    '\u206f',
  ],
  ['\u3164', '\ufe0f', '\ufeff', '\uffa0', '\ufff9', '\ufffb', '\ufffe', '\uffff', '\u2800', '\u{e0001}', '\u{e0041}'],
  ['\u{e007f}', '\u{e0100}', '\u{1d173}', '\ud800', '\udfff', '\udc00\ud800', '\u{1f600}', '日本', 'é', '×'],
  [
    '<',
    '>',
    '&',
    '"',
    "'",
    ']]>',
    '</pre>',
    '<script>',
    '&#0;',
    '# SKIP',
    'ok 1',
    '1..1',
    '[[ATTACHMENT|x]]',
    '%s',
    '\\x1b',
  ],
  ['', ' ', '   ', 'word', '0x1234', '__proto__', 'constructor', 'style-:31m', '\u001b[style-abc:31m'],
];

/** A text of somebody who means harm, or of nobody in particular. */
function hostile(chance: Chance): string {
  let text = '';
  for (let n = 1 + chance.below(5); n > 0; n--) {
    const piece = chance.oneIn(4)
      ? String.fromCodePoint(chance.below(chance.oneIn(2) ? 0x1_0000 : 0x11_0000))
      : chance.pick(chance.pick(PIECES));
    text += chance.oneIn(40) ? piece.repeat(chance.below(300)) : piece;
    if (chance.oneIn(8)) text += anyLine(chance);
  }
  return text;
}

/** The same data with hostile text in some of its strings; the members named keep theirs. */
function infected<T>(value: T, chance: Chance, keep: ReadonlySet<string> = new Set()): T {
  if (typeof value === 'string') return (chance.oneIn(3) ? hostile(chance) : value) as T;
  if (Array.isArray(value)) return value.map(v => infected<unknown>(v, chance, keep)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, v]) => [
    key,
    keep.has(key) ? v : infected<unknown>(v, chance, keep),
  ]);
  return Object.fromEntries(members) as T;
}

/** A text in ASCII, for whoever reads what failed. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What is wrong with lines that somebody will see. */
function seen(what: string, lines: readonly string[]): string[] {
  return lines.filter(line => HOSTILE.test(line)).map(line => `${what}: ${quoted(line)}`);
}

/** A text whose line feeds are its own: as many as it has without anything hostile in it. */
const inLines = (text: string): string[] => text.split('\n');

/** Hostile text in one or two lines of a log. */
function hostileLog(chance: Chance): Uint8Array {
  const lines: string[] = [];
  for (let n = 1 + chance.below(4); n > 0; n--) {
    const line = chance.pick(LINES);
    const at = chance.below(line.length + 1);
    // A line end of its own would begin another line, which is no fault.
    const text = hostile(chance).replaceAll('\n', '');
    lines.push(chance.oneIn(2) ? line.slice(0, at) + text + line.slice(at) : line.replace(/\b[a-z]{3,}(?=:\d)/, text));
  }
  return Buffer.from(lines.join('\n'));
}

/** A record with hostile text wherever it has text. The kinds decide how it is read, so they stay. */
function infectedRecord(record: DecodedRecord, chance: Chance): DecodedRecord {
  const { cpu, bank, raw, kind } = record;
  const keep = new Set(['kind', 'space']);
  const { source, flags, severity, mcacod, address, component, lint, headline, title, explanation, nextStep, outlook } =
    record;
  const { place, count, threshold, time, lineTime } = record;
  const text = infected(
    {
      place,
      time,
      lineTime,
      source,
      flags,
      severity,
      mcacod,
      address,
      component,
      lint,
      headline,
      title,
      explanation,
      nextStep,
      outlook,
    },
    chance,
    keep,
  );
  const fields = infected([...record.fields], chance, new Set(['register']));
  return {
    ...text,
    kind,
    count,
    threshold,
    raw: kind === 'event' ? infected(raw, chance, keep) : raw,
    cpu,
    bank,
    registers: record.registers,
    class: chance.oneIn(3) ? hostile(chance) : record.class,
    diagnostics: infected([...record.diagnostics], chance),
    fields,
    fieldsOf: register => fields.filter(f => f.register === register),
    pattern: undefined,
    outlookPattern: undefined,
  };
}

const DECODED: Target = {
  name: 'writers:decode',
  holds:
    'logs and records full of hostile text as text, brief lines, raw values and JSON: nothing of it comes out, and JSON keeps its value',
  weight: 4,
  open: () => chance => {
    const { records } = decode(chance.oneIn(4) ? anyInput(chance) : hostileLog(chance), { input: hostile(chance) });
    const shown = records.slice(0, 8).flatMap(r => (chance.oneIn(2) ? [r, infectedRecord(r, chance)] : [r]));
    const text = new TextWriter({
      table: chance.oneIn(4),
      full: chance.oneIn(2),
      outlook: chance.oneIn(8),
      columns: 48 + chance.below(53),
    });
    const [brief, json] = [new BriefWriter(), new JsonWriter()];
    return shown.flatMap(record => {
      const data = toData(record);
      const written = json.line(record);
      const line = written === undefined ? screenJson(data) : decoder.decode(written).slice(0, -1);
      const wrong = [
        ...seen('text', inLines(text.text(record))),
        ...seen('brief', [brief.line(record), ...brief.summary()]),
        ...seen('raw', [toRaw(record)]),
        ...seen('JSON', [line]),
      ];
      return stringify(JSON.parse(line)) === stringify(JSON.parse(stringify(data)))
        ? wrong
        : [...wrong, 'JSON: another value'];
    });
  },
};

/** An event of the catalogue, or none of it, with hostile text in what it says. */
function anyEvent(chance: Chance, seq: number): TraceEvent {
  const { name, fieldTypes: known } = chance.pick(CATALOG);
  const fields: Record<string, string | number | boolean | bigint> = {};
  for (const field of Object.keys(known)) {
    if (chance.oneIn(8)) continue;
    fields[field] = chance.pick([hostile(chance), hostile(chance), chance.u32(), chance.u64(), chance.oneIn(2)]);
  }
  if (chance.oneIn(8)) fields[hostile(chance)] = hostile(chance);
  const event: Record<string, unknown> = {
    seq,
    t: chance.u32(),
    layer: chance.oneIn(16) ? (hostile(chance) as TraceEvent['layer']) : chance.pick(LAYERS),
    source: chance.oneIn(16) ? (hostile(chance) as TraceEvent['source']) : chance.pick(SOURCES),
    name: chance.oneIn(8) ? hostile(chance) : name,
    fields,
  };
  if (chance.oneIn(2)) event['raw'] = hostile(chance);
  if (chance.oneIn(4)) event['dir'] = chance.pick(['send', 'receive']);
  if (chance.oneIn(4)) {
    event['record'] = infected({ kind: 'x86-mca', vendor: 'intel', bank: 1, status: '0xbd80000000000134' }, chance);
  }
  return event as unknown as TraceEvent;
}

const PARTS = { qemu: '11.1.3', kernel: '7.2', cpu: 'max × 1', memory: '256 MiB', someThing: 'x', kernelPath: '/k' };

const anyParts = (chance: Chance): Record<string, string> => ({
  ...infected(PARTS, chance),
  ...(chance.oneIn(3) ? { hostKernel: hostile(chance) } : {}),
  ...(chance.oneIn(3) ? { [hostile(chance)]: hostile(chance) } : {}),
});

const anyHeader = (chance: Chance): TraceHeader => ({
  type: 'trace',
  version: TRACE_VERSION,
  tool: hostile(chance),
  scenario: hostile(chance),
  startedAt: hostile(chance),
  layers: LAYERS.filter(() => chance.oneIn(2)),
  expect: [],
  settle: 0,
  parts: anyParts(chance),
});

function anyResult(chance: Chance): RunResult {
  const expectation: ExpectationResult = {
    expectation: 'never: guest.panic',
    kind: 'never',
    status: chance.pick(['pass', 'fail', 'not-judged']),
    evidence: [1],
    nearest: [],
    reason: 'ok',
  };
  const result = runResult({
    verdict: chance.pick(['pass', 'fail', 'error', 'skip']),
    outcome: chance.pick(OUTCOMES),
    expectations: [expectation],
    causes: [{ id: 'linux-x', text: 'Why.', history: 'Since 6.19.' }],
    parts: anyParts(chance),
    ...(chance.oneIn(2) ? { problem: { code: 'E_X', message: 'no', hint: 'do' } } : {}),
  });
  return infected(result, chance, new Set(['kind', 'status', 'verdict']));
}

/** What a reporter wrote. */
function reported(write: (put: (line: string) => void) => void): string[] {
  const lines: string[] = [];
  write(line => void lines.push(line));
  return lines;
}

const REPORT: Target = {
  name: 'writers:report',
  holds:
    'events, results and scenarios full of hostile text as a time line, verdicts, a distribution and JSON lines: nothing of it comes out',
  weight: 4,
  open: () => chance => {
    const [results, scenario] = [
      [anyResult(chance), anyResult(chance)],
      { name: hostile(chance), title: hostile(chance) },
    ];
    const options = { all: chance.oneIn(2), quiet: chance.oneIn(8) };
    const look = { style: plain, width: 60 + chance.below(81) };
    const lines = reported(put => {
      const reporter = textReporter(put, look, options);
      reporter.start?.(scenario as Scenario);
      reporter.header?.(anyHeader(chance), 't');
      for (let n = 1; n < 4; n++) reporter.event?.(anyEvent(chance, n));
      for (const result of results) reporter.result?.(result);
      void reporter.finish?.(results);
    });
    const json = reported(put => results.forEach(result => jsonReporter(put).result?.(result)));
    const same = json.every((line, i) => stringify(JSON.parse(line)) === stringify(JSON.parse(stringify(results[i]))));
    return [
      ...seen('report', lines),
      ...seen('parts', [partsLine(anyParts(chance))]),
      ...seen('distribution', distributionLines(distribution(hostile(chance), results))),
      ...seen('JSON', json),
      ...(same ? [] : ['JSON: another value']),
    ];
  },
};

/** What stands between the tags of a page or document; a tag that it is not made of stays. */
const withoutTags = (text: string, tags: RegExp): string => text.replace(tags, '');
const HTML_TAGS =
  /<(?:!doctype html|html lang="en"|meta [a-z"=\-'; ,0-9A-Z]+|div class="static"|table class="matrix-table"|th scope="(?:row|col)"|td class="[^"<>]*"|a href="#c\d+"|pre id="c\d+"|\/?(?:html|head|title|style|body|h1|h2|table|thead|tbody|tr|th|td|a|p|b|div|details|summary|pre))>/g;
const XML_TAGS =
  /<(?:\?xml version="1.0" encoding="UTF-8"\?|(?:testsuite|testcase|failure|error|skipped)(?: [a-z]+="[^"<>\t\n]*")+\/?|\/?(?:testsuite|testcase|failure|system-out))>/g;
/** Markup that no tag accounts for. */
const MARKUP = /<|>(?![^{}]*\})|&(?!#\d+;)/;

function markupFaults(what: string, text: string, tags: RegExp): string[] {
  const rest = withoutTags(text, tags).replace(/\n[^\n]*\{[^\n]*\}/g, '');
  return MARKUP.test(rest) ? [`${what}: markup in ${quoted(rest.slice(0, 500))}`] : [];
}

const MATRIX: Target = {
  name: 'writers:matrix',
  holds: 'cells with hostile kernels, CPUs and causes as table and page: nothing hostile, and no markup but its own',
  weight: 2,
  open: () => chance => {
    const axis = chance.pick(AXIS_NAMES);
    const name = (): CellParts => ({
      [axis]: hostile(chance),
      ...(chance.oneIn(2) ? { hostKernel: hostile(chance) } : {}),
      ...(chance.oneIn(2) ? { cpu: hostile(chance) } : {}),
    });
    const cells = Array.from(
      { length: 1 + chance.below(3) },
      (): CellResult => ({ cell: name(), result: anyResult(chance) }),
    );
    const text = stringify({ schemaVersion: MATRIX_VERSION, scenario: hostile(chance), axis, seconds: 1, cells });
    const read = readMatrix(text, hostile(chance));
    const html = 'cells' in read ? matrixHtml([read]) : '';
    return [
      ...seen('table', matrixText({ axis, cells }, { style: plain, width: 100 })),
      ...seen('page', inLines(html)),
      ...markupFaults('page', html, HTML_TAGS),
    ];
  },
};

/** Lines that KTAP is made of. */
const KTAP_LINE =
  /^(?:KTAP version 1|1\.\.\d+|(?: {2})?(?:# .*|(?:not )?ok \d+(?: [^#]*)?(?: # SKIP(?: [^#]*)?)?)| {2}(?:KTAP version 1|1\.\.\d+))$/;

const CI: Target = {
  name: 'writers:ci',
  holds:
    'results with hostile text as JUnit and KTAP: nothing hostile, and the document has only the parts that it is made of',
  weight: 3,
  open: () => chance => {
    const results = Array.from({ length: 1 + chance.below(3) }, () => anyResult(chance));
    const xml = junitXml(results);
    const tap = inLines(ktap(results).trimEnd());
    return [
      ...seen('JUnit', inLines(xml)),
      ...markupFaults('JUnit', xml, XML_TAGS),
      ...seen('KTAP', tap),
      ...tap.filter(line => !KTAP_LINE.test(line)).map(line => `KTAP: ${quoted(line)}`),
      ...(tap.filter(line => /^(?:not )?ok /.test(line)).length === results.length ? [] : ['KTAP: results']),
    ];
  },
};

/** How a line of a terminal is written over. */
// oxlint-disable-next-line no-control-regex
const REWRITTEN = /^\r\u001b\[K/;

/** What was written to stdout and stderr meanwhile, as to a terminal or not. */
function heard(work: () => void, terminal = false): string {
  let text = '';
  const streams = [process.stdout, process.stderr].map(stream => ({
    stream,
    own: (['write', 'isTTY'] as const).map(name => [name, Object.getOwnPropertyDescriptor(stream, name)] as const),
  }));
  for (const { stream } of streams) {
    stream.write = (chunk: string | Uint8Array) => ((text += String(chunk)), true);
    stream.isTTY = terminal;
  }
  try {
    work();
  } finally {
    for (const { stream, own } of streams) {
      for (const [name, before] of own) {
        if (before === undefined) Reflect.deleteProperty(stream, name);
        else Object.defineProperty(stream, name, before);
      }
    }
  }
  return text;
}

const COLOURS = styleFor(process.stdout, true);
const FORMATS = ['red', 'dim', 'reset', ['bold', 'yellow']] as const;
/** Escape sequences of those formats, as the terminal gets them. */
// oxlint-disable-next-line no-control-regex
const OURS = /\u001b\[(?:31|39|2|22|0|1|33)m/g;

const SCREEN: Target = {
  name: 'writers:screen',
  holds:
    'hostile text through all that the program prints by, errors and progress too: the colours of its styles come out and nothing else',
  weight: 8,
  open: () => chance => {
    const format = chance.pick(FORMATS);
    const [before, inside, after] = [hostile(chance), hostile(chance), hostile(chance)];
    const styled = `${before}${COLOURS(format as 'red', inside)}${after}`;
    const wrong: string[] = [];
    const sequences = Array.isArray(format) ? 4 : 2;
    const line = styledLine(styled);
    if (line.match(OURS)?.length !== sequences) wrong.push(`colours: ${quoted(line)}`);
    wrong.push(
      ...seen('line', [line.replace(OURS, '')]),
      ...seen('lines', inLines(styledLines(styled).replace(OURS, ''))),
    );
    const cause = chance.oneIn(2) ? new Error(hostile(chance)) : undefined;
    const error = chance.pick([
      new SyndromeError('E_X', before, { hint: inside, cause }),
      new UsageError('E_USAGE', `error: unknown option '${before}'`, { hint: after }),
      new TypeError(inside),
      hostile(chance),
    ]);
    const said = heard(() => {
      fail(error, [before]);
      say(inside);
      print(after);
      printLines(styled);
      printJson({ [before]: inside, after }, chance.pick([0, 2]));
    });
    wrong.push(...seen('written', inLines(said.replace(OURS, ''))));
    const phase = chance.pick(['download', 'done', 'notice'] as const);
    const progress = heard(
      () => progressLine()({ part: before, phase, done: 1, total: 2, text: inside }),
      chance.oneIn(2),
    );
    wrong.push(...seen('progress', inLines(progress.replace(REWRITTEN, ''))));
    return [...wrong, ...seen('command', [shellQuote([before, inside])])];
  },
};

export const WRITERS: readonly Target[] = [DECODED, REPORT, MATRIX, CI, SCREEN];
