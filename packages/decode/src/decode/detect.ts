/** @module What an input is, from its first bytes, with the evidence. */
import { findRecord, looksLikeGhesBlock } from '../cper/reader.ts';
import { linuxMcesIn } from '../cper/linux-mce.ts';
import { isCperRecord } from '../cper/uefi-record.ts';
import { concat } from '../cper/x86.ts';
import { LOG_NEEDLES } from '../text/log-needles.ts';
import { CARRIED_NEEDLES } from '../text/transport/carried.ts';
import { looksLikeSel } from '../text/bmc/raw-record.ts';
import { looksLikeMceInject } from '../text/tools/mce-inject-reader.ts';
import {
  MAX_VALUES,
  VALUE_FORMS,
  clearValues,
  isNoStatement,
  tooManyValues,
  values,
  whyNoValues,
} from '../text/values/values.ts';
import { Base64Text, HexText } from './byte-text.ts';
import type { ByteSink, ByteText } from './byte-text.ts';
import type { Form } from './form.ts';
import { DumpText, dumpLayouts } from './hex-dump.ts';
import type { DumpLayout } from './hex-dump.ts';

export interface Detection {
  form: Exclude<Form, 'auto'>;
  /** One sentence. */
  evidence: string;
  /** For binary forms the first bytes: those of the input itself, or those that its text stands for. */
  binary?: Uint8Array;
  /** What makes bytes of the text, where the input is text that stands for bytes. */
  text?: (sink: ByteSink) => ByteText;
}

/** Shorter texts of digits are a value, or anything. */
const MIN_BYTES = 20;

/** The first bytes that a text stands for, up to what is wrong with it, and those from there to the next such place. */
function firstBytes(
  text: Uint8Array,
  whole: boolean,
  open: (sink: ByteSink) => ByteText,
): { bytes: Uint8Array; more: Uint8Array[]; sound: boolean } {
  const runs: Uint8Array[][] = [[]];
  const reader = open({
    bytes: bytes => runs.at(-1)?.push(bytes.slice()),
    broken: () => runs.push([]),
  });
  reader.push(text);
  // Where the text ends within a byte the last one is said to be lost when all is read.
  const sound = runs.length === 1;
  if (whole) reader.end();
  const [bytes = new Uint8Array(0), ...more] = runs.map(parts => concat(parts));
  return { bytes, more, sound };
}

/** Whether nearly all of a text is hex digits. A wrong one makes no base64 of it, whose every character they are too. */
function isNearlyHex(text: Uint8Array): boolean {
  let digits = 0;
  let others = 0;
  let before = 0;
  for (const byte of text) {
    const letter = (byte | 0x20) - 0x61;
    // Base64 writes zeros as `A`, and `0x` is of hex.
    const counted = letter !== 0 && !(letter === 23 && before === 0x30);
    if (counted && ((byte >= 0x30 && byte <= 0x39) || (letter > 0 && letter < 6))) digits++;
    else if (counted && byte > 0x20) others++;
    before = byte;
  }
  return digits > 8 * others;
}

type BinaryForm = 'cper' | 'ghes' | 'mce-erst' | 'ipmi-sel';

function binaryForm(bytes: Uint8Array, more: boolean): BinaryForm | undefined {
  if (isCperRecord(bytes)) return 'cper';
  if (looksLikeSel(bytes, more)) return 'ipmi-sel';
  if (looksLikeGhesBlock(bytes, 0, more)) return 'ghes';
  return linuxMcesIn(bytes, more) === undefined ? undefined : 'mce-erst';
}

const EVIDENCE: Readonly<Record<BinaryForm, string>> = {
  cper: 'begins with CPER',
  ghes: 'begins like an error status block',
  'mce-erst': 'a machine check that Linux saved (struct mce)',
  'ipmi-sel': 'records of a system event log (ipmitool sel writeraw)',
};

/** What a text stands for; a firmware record where this has no words. */
const TEXT_OF: Readonly<Partial<Record<BinaryForm, string>>> = {
  'mce-erst': 'a machine check that Linux saved',
  'ipmi-sel': 'records of a system event log',
};

/** How a text can be read as a dump; its last row may go on behind what is looked at. */
const dumpsOf = (head: Uint8Array, whole: boolean): DumpLayout[] =>
  dumpLayouts(whole ? head : head.subarray(0, head.lastIndexOf(NEWLINE) + 1));

/** The ways in which a text can stand for bytes, the likelier first. */
function byteTexts(
  head: Uint8Array,
  whole: boolean,
): (Pick<Detection, 'text'> & {
  name: string;
  bytes: Uint8Array;
  more: Uint8Array[];
  sound: boolean;
  nearly?: true;
})[] {
  const dumps = dumpsOf(head, whole).map(layout => ({
    name: 'dump',
    bytes: layout.bytes,
    more: [],
    sound: true,
    text: (sink: ByteSink) => new DumpText(layout, sink),
  }));
  const plain = [
    { name: 'hex', text: (sink: ByteSink) => new HexText(sink) },
    { name: 'base64', text: (sink: ByteSink) => new Base64Text(sink) },
  ].map(one => ({ ...one, ...firstBytes(head, whole, one.text) }));
  const [hex] = plain;
  if (hex?.sound === false && isNearlyHex(head)) return [...dumps, { ...hex, sound: true, nearly: true }];
  return [...dumps, ...plain];
}

/** Formats that hold no record themselves, by their first bytes, and what to do with them. */
const OTHER_FORMATS: readonly (readonly [magic: readonly number[], advice: string])[] = [
  [[0x1f, 0x8b], 'compressed with gzip: unpack it first, as in `zcat FILE | syndrome decode`'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz: unpack it first, as in `xzcat FILE | syndrome decode`'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd: unpack it first, as in `zstdcat FILE | syndrome decode`'],
  [[0x42, 0x5a, 0x68], 'compressed with bzip2: unpack it first, as in `bzcat FILE | syndrome decode`'],
  [
    [0x4c, 0x50, 0x4b, 0x53, 0x48, 0x48, 0x52, 0x48],
    'a journal of systemd: `journalctl --file FILE | syndrome decode`',
  ],
];
const ACPI_HEADER = 36;

/** What to do with an input of another format; undefined when it is none that is known. */
function otherFormat(bytes: Uint8Array): string | undefined {
  const packed = OTHER_FORMATS.find(([magic]) => magic.every((b, i) => bytes[i] === b));
  if (packed !== undefined) return packed[1];
  const name = String.fromCharCode(...bytes.subarray(0, 4));
  if (bytes.length < ACPI_HEADER || !['BERT', 'HEST', 'ERST', 'EINJ'].includes(name)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (length < ACPI_HEADER || length > 1 << 20) return undefined;
  return name === 'BERT'
    ? 'an ACPI table BERT: it only says where the records are; Linux shows those in /sys/firmware/acpi/tables/data/BERT'
    : `an ACPI table ${name}: it describes how errors are reported and holds no record`;
}

/** What only a log has. */
const LOG_ONLY = [' Machine Check: ', ' Machine Check Exception: ', 'Memory failure: 0x', '(XEN) ', 'Linux version '];
/** journald's export form begins with it. */
const UNDERSCORE = 0x5f;
const NEWLINE = 0x0a;
const latin1 = new TextDecoder('latin1');

/**
 * The first words that only a log has, if a whole line has them: then nothing that follows can make another form of the
 * input, which of `journalctl -kf` may be hours in coming.
 * Where the first line is one of values the others may be too, and all that there is has to be looked at.
 * @param since where the first line begins that was not looked at before
 * @param esr whether values are ESRs
 */
export function surelyLog(bytes: Uint8Array, since = 0, esr = false): string | undefined {
  const end = bytes.lastIndexOf(NEWLINE);
  if (end < since || bytes[0] === UNDERSCORE || bytes.includes(0, since)) return undefined;
  const text = latin1.decode(bytes.subarray(since, end));
  let first = Number.POSITIVE_INFINITY;
  let found: string | undefined;
  for (const words of LOG_ONLY) {
    const at = text.indexOf(words);
    if (at >= 0 && at < first) [first, found] = [at, words];
  }
  return found === undefined || beginsWithValues(bytes, esr) ? undefined : found;
}

function beginsWithValues(bytes: Uint8Array, esr: boolean): boolean {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    const line = latin1.decode(bytes.subarray(at, end < 0 ? bytes.length : end));
    if (!isNoStatement(line)) return clearValues(line, { esr });
    if (end < 0) return false;
    at = end + 1;
  }
  return false;
}

/** Whether a text has a word of logs; one of bytes in digits counts only behind something else in its line. */
function isWithinLine(text: string, word: string): boolean {
  const at = text.indexOf(word);
  return at >= 0 && (!CARRIED_NEEDLES.includes(word) || text.slice(text.lastIndexOf('\n', at) + 1, at).trim() !== '');
}

/** Decides how to read an input whose first bytes these are; `whole` when there are no more, `esr` when values are ESRs. */
export function detect(bytes: Uint8Array, whole: boolean, from: Form, esr = false): Detection {
  if (from === 'log' || from === 'value' || from === 'journal-export' || from === 'mce-inject') {
    return { form: from, evidence: 'asked for' };
  }
  if (from === 'xen-mcelog' || from === 'mce-erst' || from === 'ipmi-sel') {
    const text = byteTexts(bytes, whole).find(t => t.name !== 'base64' && t.sound && t.bytes.length > 0);
    return { form: from, evidence: 'asked for', binary: text?.bytes ?? bytes, ...textOf(text) };
  }
  const direct = binaryForm(bytes, !whole);
  if (direct !== undefined && (from === 'auto' || from === direct)) {
    return {
      form: direct,
      evidence: EVIDENCE[direct],
      binary: bytes,
    };
  }
  const words = from === 'auto' ? surelyLog(bytes, 0, esr) : undefined;
  if (words !== undefined) return { form: 'log', evidence: `log: \`${words.trim()}\`` };
  const asked = from === 'cper' || from === 'ghes' ? from : undefined;
  if (!bytes.includes(0)) {
    const texts = byteTexts(bytes, whole);
    for (const text of texts) {
      // What is said to be binary may be as short as it likes, and begin as it likes, if all of it is such text.
      const least = asked === undefined || text.name === 'base64' ? MIN_BYTES : text.nearly ? 0 : 1;
      if (text.bytes.length < least) continue;
      const found = binaryForm(text.bytes, !whole);
      // Rows of digits alone are read as text, each of them a record.
      const form = found === 'ipmi-sel' && text.name !== 'dump' ? undefined : found;
      if (form === undefined && (asked === undefined || !text.sound)) continue;
      return {
        form: form ?? asked ?? 'ghes',
        evidence: `${text.name} text of ${TEXT_OF[form ?? 'ghes'] ?? 'a firmware record'}`,
        binary: text.bytes,
        ...textOf(text),
      };
    }
    const content = latin1.decode(bytes);
    const log = LOG_NEEDLES.some(n => isWithinLine(content, n));
    for (const text of log ? [] : texts) {
      const run = text.more.find(r => findRecord(r) === 0);
      const form = run === undefined ? undefined : binaryForm(run, !whole);
      if (run === undefined || form === undefined || (asked !== undefined && form !== asked)) continue;
      const evidence = `${text.name} text of a firmware record, behind something else`;
      return { form, evidence, binary: run, ...textOf(text) };
    }
  }
  if (asked !== undefined) return { form: asked, evidence: 'asked for', binary: bytes };
  const text = new TextDecoder().decode(bytes);
  // The last line may go on behind what is looked at.
  const all = (whole ? text : text.slice(0, text.lastIndexOf('\n') + 1)).split('\n');
  const lines = all.filter(l => !isNoStatement(l));
  const found = valueEvidence(lines, esr);
  if (found !== undefined) return { form: 'value', evidence: found };
  // Such a line may have no end in what is looked at.
  if (tooManyValues(lines[0] ?? text, { esr }))
    return { form: 'value', evidence: 'the first line is a list of values' };
  if (text.startsWith('__CURSOR=')) return { form: 'journal-export', evidence: 'begins with __CURSOR=' };
  if (looksLikeMceInject(all)) {
    return { form: 'mce-inject', evidence: 'CPU and STATUS statements of mce-inject' };
  }
  const mixed = mixedEvidence(lines, esr);
  if (mixed !== undefined) return { form: 'value', evidence: mixed };
  const other = otherFormat(bytes);
  if (other !== undefined) return { form: 'log', evidence: other };
  const word = LOG_NEEDLES.find(n => text.includes(n));
  if (word !== undefined) return { form: 'log', evidence: `log: \`${word.trim()}\`` };
  const at = bytes.includes(0) && bytes[0] !== UNDERSCORE ? findRecord(bytes) : -1;
  if (at >= 0) {
    const form = isCperRecord(bytes, at) ? 'cper' : 'ghes';
    return { form, evidence: `a firmware record begins at byte ${at}`, binary: bytes };
  }
  // With its first rows damaged no record begins there, but what is wrong with the rows has to be said.
  const [dump] = bytes.includes(0) ? [] : dumpsOf(bytes, whole);
  if (dump !== undefined && 2 * dump.rows >= lines.length) {
    const evidence = 'dump text, which does not begin with a whole firmware record';
    return { form: 'ghes', evidence, binary: dump.bytes, text: sink => new DumpText(dump, sink) };
  }
  const line = lines[0];
  const why =
    line === undefined
      ? undefined
      : line.length > MAX_VALUES
        ? `the first line has ${line.length} characters, and one of values has at most ${MAX_VALUES}`
        : whyNoValues(line);
  return {
    form: 'log',
    evidence: why === undefined ? 'read as a log; nothing known in its beginning' : `${why}; ${VALUE_FORMS}`,
  };
}

const textOf = (text: Pick<Detection, 'text'> | undefined): Pick<Detection, 'text'> =>
  text?.text === undefined ? {} : { text: text.text };

/** Why lines are values, although not each of them need be one; undefined when they are not. */
function valueEvidence(lines: readonly string[], esr: boolean): string | undefined {
  const [first] = lines;
  if (first === undefined || values(first, { esr }) === undefined) return undefined;
  const count = lines.filter(l => values(l, { esr }) !== undefined).length;
  if (count === lines.length) return 'every line is a value or a list of values';
  // A line that is none is told apart; a log has none, or few.
  const log = lines.some(l => LOG_NEEDLES.some(n => l.includes(n)));
  return log || 2 * count < lines.length ? undefined : `${count} of ${lines.length} lines are values`;
}

/** The same of lines that are mostly values beyond doubt, whatever the first and the others are. */
function mixedEvidence(lines: readonly string[], esr: boolean): string | undefined {
  const count = lines.filter(l => clearValues(l, { esr })).length;
  return 2 * count > lines.length ? `${count} of ${lines.length} lines are values` : undefined;
}
