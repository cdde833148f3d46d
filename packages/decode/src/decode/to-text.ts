/** @module A decoded record as text: at most 100 columns, readable in a mail; untrusted text is made safe. */
import { placed } from '../registers/field.ts';
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { CperError } from '../cper/error.ts';
import { bytesToHex } from '../cper/layout.ts';
import { encodeCper } from '../cper/region.ts';
import { holdsError } from '../mca/registers.ts';
import { bitStrip, halved } from './bit-strip.ts';
import { countText } from './count.ts';
import { isOfWindows } from '../cper/guid.ts';
import { hasReaders, tellingMessage } from './outlook.ts';
import { cpuText, isOfDimm, placeText } from './place.ts';
import type { DecodedPlace } from './place.ts';
import { rowOfSource } from './record.ts';
import type { DecodedAddress, DecodedCode, DecodedField, DecodedRecord, DecodedSource, Finding } from './record.ts';
import { COLUMNS, MIN_COLUMNS, labelled, labelledWords, wrap } from './wrap.ts';

/** Untrusted text for one place of a line: a tab there would move what follows. */
function oneLine(text: string, maxLength: number): string {
  return safeText(text.replaceAll('\t', ' '), maxLength);
}

/** Emphasis of the parts of a text; the default is none. */
export type TextStyle = (part: 'headline' | 'dim' | 'error' | 'warning', text: string) => string;

interface TextOptions {
  /** All fields of all registers, not only those that are set. */
  table?: boolean;
  /** Every record whole: by default one that says what an earlier one said is shortened to what is its own. */
  full?: boolean;
  /** What Linux, Xen, QEMU and KVM will do. Default true. */
  outlook?: boolean;
  style?: TextStyle;
  /** Of the terminal, 48 to 100. Default 100. */
  columns?: number;
}

const PLAIN: TextStyle = (_part, text) => text;
/** Register member → its name in the manuals. */
const REGISTER: Readonly<Record<string, string>> = {
  status: 'MCi_STATUS',
  mcgStatus: 'MCG_STATUS',
  mcgCap: 'MCG_CAP',
  addr: 'MCi_ADDR',
  misc: 'MCi_MISC',
  synd: 'MCA_SYND',
  synd1: 'MCA_SYND1',
  synd2: 'MCA_SYND2',
  ipid: 'MCA_IPID',
  config: 'MCA_CONFIG',
  destat: 'MCA_DESTAT',
  deaddr: 'MCA_DEADDR',
  ppin: 'PPIN',
  tsc: 'TSC',
  cpuid: 'CPUID',
  apicId: 'APIC id',
  microcode: 'microcode',
  rip: 'RIP',
  cs: 'CS',
  esr: 'ESR',
  far: 'FAR',
  hpfar: 'HPFAR_EL2',
  pfar: 'PFAR',
  elr: 'ELR',
};

/** A register of a section of a firmware record is named by its path. */
function registerName(name: string): string {
  return REGISTER[name] ?? name.replace(/^sections\[(\d+)\]\.(?:body\.)?/, 'section $1 ');
}

/** The value that the fields of a firmware record's register make up; undefined for rows that are no bits. */
function valueOf(fields: readonly DecodedField[]): bigint | undefined {
  let value = 0n;
  for (const { lo, value: part } of fields) {
    if (lo === undefined || typeof part !== 'bigint') return undefined;
    value |= placed(part, lo);
  }
  return value;
}

/** `input:3-6`, or the byte range. */
function whereFrom({ source }: DecodedRecord): string {
  const [input, from] = [oneLine(source.input, 200), oneLine(source.from, 40)];
  if (source.firstLine !== undefined && source.lastLine !== undefined) {
    const lines =
      source.firstLine === source.lastLine ? `${source.firstLine}` : `${source.firstLine}-${source.lastLine}`;
    return `${input}:${lines} (${from})`;
  }
  const row = rowOfSource(source);
  if (row !== undefined) return `${input}:${oneLine(row, 80)} (${from})`;
  return source.firstByte === undefined
    ? input
    : `${input} bytes ${source.firstByte}-${source.endByte ?? ''} (${from})`;
}

/** Places that are named one by one. */
const MAX_COPIES = 4;

/** `also messages:12`: where the same lines stand again. */
function copiesText({ input: own, copies = [] }: DecodedSource): string {
  const bundle = own.slice(0, own.indexOf(':') + 1);
  if (copies.length === 0) return '';
  const named = copies
    .slice(0, MAX_COPIES)
    .map(({ input, firstLine }) =>
      oneLine(
        `${input.startsWith(bundle) ? input.slice(bundle.length) : input}${firstLine === undefined ? '' : `:${firstLine}`}`,
        200,
      ),
    );
  const more = copies.length > MAX_COPIES ? [`${copies.length - MAX_COPIES} more`] : [];
  return `also ${[...named, ...more].join(', ')}`;
}

function addressText(address: DecodedAddress): string {
  const space =
    address.space === 'unknown' ? 'not known to be a system physical address' : address.space.replace('-', ' ');
  const parts = [`${hex64(address.value)} (${space}`];
  if (address.pfn !== undefined) parts.push(`, page frame 0x${address.pfn.toString(16)}`);
  if (address.lsb !== undefined) parts.push(`, ${size(address.lsb)}`);
  return `${parts.join('')})`;
}

/** 2^lsb bytes in words. */
function size(lsb: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  return `${2 ** (lsb % 10)} ${units[Math.floor(lsb / 10)] ?? ''}`;
}

function valueText(field: DecodedField): string {
  const { value, hi, lo } = field;
  if (typeof value !== 'bigint') return oneLine(String(value), 60);
  if (hi !== undefined && hi === lo) return value.toString();
  return hi === undefined ? hex64(value) : `0x${value.toString(16)}`;
}

/** Where the meanings of fields stand, and the width below which they stand under the field. */
const MEANING = 44;
const MEANING_BESIDE = 72;
const MEANING_BELOW = 10;
/** The widest strip of bits. */
const STRIP = 75;

function fieldLine(field: DecodedField, letter: string | undefined, columns: number): string[] {
  const range = field.hi === undefined ? '' : field.hi === field.lo ? `${field.hi}` : `${field.hi}:${field.lo}`;
  const head = `    ${(letter ?? '').padEnd(2)}${range.padEnd(7)}${oneLine(field.name, 60).padEnd(16)} ${valueText(field)}`;
  const meaning = field.meaning ?? '';
  if (meaning === '') return [head];
  if (columns < MEANING_BESIDE) return [head, ...wrap(meaning, ' '.repeat(MEANING_BELOW), columns)];
  if (head.length >= MEANING) return [head, ...wrap(meaning, ' '.repeat(MEANING), columns)];
  const lines = wrap(meaning, ' '.repeat(MEANING), columns);
  return [head.padEnd(MEANING) + (lines[0] ?? '').trimStart(), ...lines.slice(1)];
}

class Clock {
  /** The last minute that was asked for, as text up to its seconds: most records share it with their neighbours. */
  #minute = -1;
  #text = '';

  /** Date and time of seconds since 1970, as far as a calendar has years of four digits. */
  text(time: bigint): string {
    if (time > 253_402_300_799n) return hex64(time);
    const seconds = Number(time);
    const minute = Math.floor(seconds / 60);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#text = new Date(minute * 60_000).toISOString().slice(0, 17);
    }
    return `${this.#text}${String(seconds % 60).padStart(2, '0')}Z`;
  }
}

/** When and where: `2026-01-31T12:00:00Z, CPU 3, bank 9, socket 1`, as far as a record says. */
function place(record: DecodedRecord, clock: Clock): string {
  if (record.raw.kind !== 'x86-mca') return oneLine(record.time?.text ?? '', 80);
  const { time, socket } = record.raw;
  const { bank } = record;
  const cpu = cpuText(record.raw);
  const parts: string[] = [];
  if (time !== undefined && time !== 0n) parts.push(clock.text(time));
  else if (record.lineTime !== undefined) parts.push(oneLine(record.lineTime.text, 80));
  if (cpu !== undefined) parts.push(cpu);
  if (bank !== undefined) parts.push(`bank ${bank}`);
  if (socket !== undefined) parts.push(`socket ${socket}`);
  return parts.join(', ');
}

function codeText({ value, mnemonic, filtered, extended }: DecodedCode): string {
  const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;
  if (extended !== undefined) return `${hex(value, 4)}, extended code ${hex(extended.value, 2)}: ${extended.text}`;
  return `${hex(value, 4)} ${mnemonic}${filtered === true ? ', reports of corrections filtered (bit 12)' : ''}`;
}

/** Registers in the order they are shown: those that a record has, then rows that belong to none. */
function registerNames(record: DecodedRecord): readonly string[] {
  // Those of a firmware record stand where its sections have them.
  const names = record.kind === 'cper' ? [] : Object.keys(record.registers);
  return record.kind === 'x86-mca' ? names : [...new Set([...names, ...record.fields.map(f => f.register)])];
}

function lintText({ code, message, section }: Finding): string {
  return `${code}: ${message}${section === undefined ? '' : ` [${section}]`}`;
}

/** Whose a UEFI record is, of which Linux gets none: APEI gives it status blocks (drivers/acpi/apei/ghes.c, bert.c). */
function wholeRecord({ creatorId }: { creatorId: string }): string {
  return isOfWindows(creatorId)
    ? 'none here: Windows wrote the record, and its rules are not known; Linux never got it'
    : 'none here: a whole UEFI record (CPER) is what a BMC or a store of records keeps; whether a system got the error too, it does not say (Linux gets status blocks of APEI, and `syndrome predict` says what it does with one)';
}

/** Why nothing can be said. */
function noOutlook({ raw, source }: DecodedRecord): string | undefined {
  if (!hasReaders(source.from)) return undefined;
  if (raw.kind === 'cper') return raw.header === undefined ? undefined : wholeRecord(raw.header);
  if (raw.kind !== 'x86-mca' || raw.vendor !== undefined || !holdsError(raw.status)) return undefined;
  return 'not known without the CPU’s vendor; --vendor or --cpuid gives it';
}

/** Answers that differ only in what the CPU was doing are one line. */
function outlookTexts(record: DecodedRecord): string[] {
  const { outlook } = record;
  const none = outlook.length === 0 ? noOutlook(record) : undefined;
  if (none !== undefined) return [none];
  const said: { consumer: string; text: string; delivery: string; context: string[] }[] = [];
  for (const { consumer, context, outcome, rule, dependsOn, messages } of outlook) {
    const message = tellingMessage(messages);
    const printed = message === undefined ? '' : ` Prints: ${message}.`;
    const depends = dependsOn.length === 0 ? '' : ` Depends on: ${dependsOn.join(', ')}.`;
    const text = `${outcome.replace('-', ' ')}. ${rule.text} [${rule.id}]${printed}${depends}`;
    const { delivery = '', running = '' } = context;
    const same = said.find(s => s.consumer === consumer && s.delivery === delivery && s.text === text);
    if (same === undefined) said.push({ consumer, text, delivery, context: [delivery, running] });
    else same.context.push(running);
  }
  return said.map(({ consumer, text, context }) => {
    const known = context.filter(word => word !== '').join(', ');
    return `${known === '' ? consumer : `${consumer} (${known})`}: ${text}`;
  });
}

/** Each line with its line end. */
const joined = (lines: readonly string[]): string => (lines.length === 0 ? '' : `${lines.join('\n')}\n`);

/** The text that all records of one pattern have, in the order it is shown. */
interface CommonText {
  title: string;
  severity: string;
  /** The error code. */
  code: string;
  component: string;
  lint: string;
  nextStep: string;
  /** With what came of it before. */
  outlook: string;
  /** Lint and title, made when it is first asked for: what tells most records apart. */
  key?: string;
}

/** Texts that are laid out once; when there are more all are forgotten. Of patterns that differ most say the same things. */
const MAX_LAID_OUT = 2048;

/** Lines by what they were laid out of. */
class LaidOut {
  /** By label: a text that many records share is found as it is, without a new one made of both. */
  readonly #known = new Map<string, Map<string, string>>();
  #kept = 0;

  /** @param text says with the label all that decides the lines */
  get(label: string, text: string, lines: () => readonly string[]): string {
    const known = this.#known.get(label)?.get(text);
    if (known !== undefined) return known;
    const laid = joined(lines());
    if (this.#kept >= MAX_LAID_OUT) {
      this.#known.clear();
      this.#kept = 0;
    }
    this.#kept++;
    const texts = this.#known.get(label);
    if (texts === undefined) this.#known.set(label, new Map([[text, laid]]));
    else texts.set(text, laid);
    return laid;
  }
}

/** What tells records apart that have the rest in common: the title of an event names values of its own. */
const sort = (record: DecodedRecord): string => (record.raw.kind === 'event' ? record.explanation : record.title);

/** A record that was written whole. */
interface Said {
  common: CommonText;
  where: string;
  /** The line that points to it, made when it is first asked for. */
  pointer?: string;
  /** Of what is no machine check. */
  explanation: string;
}

/** Piece by piece: most are the same strings, and what they are joined to would be copied to be compared. */
const areAlike = (a: CommonText, b: CommonText): boolean =>
  a.severity === b.severity &&
  a.code === b.code &&
  a.component === b.component &&
  a.nextStep === b.nextStep &&
  a.outlook === b.outlook;

/** Records written whole that later ones may point to; when there are more all are forgotten, and written whole again. */
const MAX_SAID = 512;

/** What neither the component of a machine check nor its first lines say. */
const CELL: ReadonlySet<string> = new Set(['rank', 'subRank', 'device', 'bankGroup', 'bank', 'row', 'column']);

/** Writes records as text. What records of one pattern have in common is laid out once, and by default written once. */
export class TextWriter {
  readonly #table: boolean;
  readonly #full: boolean;
  readonly #outlook: boolean;
  readonly #style: TextStyle;
  readonly #columns: number;
  readonly #clock = new Clock();
  readonly #common = new WeakMap<object, CommonText>();
  readonly #outlooks = new WeakMap<object, string>();
  readonly #laidOut = new LaidOut();
  /** By lint and title those that have the rest in common too: most records differ in these, and the whole text of each is long. */
  readonly #said = new Map<string, Said[]>();
  #saidInAll = 0;
  readonly #fields = new WeakMap<readonly DecodedField[], string>();

  constructor({ table = false, full = table, outlook = true, style = PLAIN, columns = COLUMNS }: TextOptions = {}) {
    this.#table = table;
    this.#full = full;
    this.#outlook = outlook;
    this.#style = style;
    this.#columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, columns));
  }

  /**
   * The record in lines, each with its line end. What matters first; the registers it was read from last.
   * @param nextStep instead of the record's own, where more than the record is known
   * @param fate what came of the error, as the rest of the input says it: beside what the rules foretell
   */
  text(record: DecodedRecord, nextStep?: string, fate: readonly string[] = []): string {
    const common =
      nextStep === undefined && fate.length === 0
        ? this.#commonOf(record)
        : this.#layOut(record, nextStep ?? record.nextStep, fate);
    const { address, diagnostics } = record;
    const from = whereFrom(record);
    const where = place(record, this.#clock);
    let out = `${common.title}${where === '' ? '' : `  ${where}\n`}${this.#where(record, from)}`;
    const input = diagnostics
      .map(d => joined(this.#labelled('input', oneLine(`${d.code}: ${d.message}`, 1000))))
      .join('');
    const where64 = address === undefined ? '' : joined(this.#labelled('address', addressText(address)));
    const own = `${where64}${this.#cell(record)}`;
    const said = this.#full ? undefined : this.#saidBefore(record, common, from);
    if (said !== undefined) return `${out}${own}${input}${this.#own(record, said)}`;
    const { severity, code, component, lint, nextStep: next, outlook } = common;
    out += `${severity}${code}${own}${component}\n${this.#explanation(record)}${lint}${input}\n${next}${outlook}`;
    const registers = this.#registers(record);
    return registers === '' ? out : `${out}\n${registers}`;
  }

  /** Where it was found, and where again. */
  #where({ source }: DecodedRecord, from: string): string {
    const copies = copiesText(source);
    const first = this.#style('dim', `  ${from}`);
    return copies === '' ? `${first}\n` : `${first}\n${joined(wrap(copies, '    ', this.#columns))}`;
  }

  /** The record as one more word about an error that another one tells of: without next step, outlook and tables of registers. */
  short(record: DecodedRecord): string {
    const { title, severity, code, component, lint } = this.#commonOf(record);
    const { address, diagnostics } = record;
    const where = place(record, this.#clock);
    const input = diagnostics
      .map(d => joined(this.#labelled('input', oneLine(`${d.code}: ${d.message}`, 1000))))
      .join('');
    const where64 = address === undefined ? '' : joined(this.#labelled('address', addressText(address)));
    const head = `${title}${where === '' ? '' : `  ${where}\n`}${this.#where(record, whereFrom(record))}`;
    const isEvent = record.raw.kind === 'event';
    const values = isEvent ? [] : registerValues(record);
    const registers = values.length === 0 ? '' : this.#registerLines(record);
    const said = isEvent ? '' : `\n${this.#explanation(record)}`;
    return `${head}${isEvent ? '' : `${severity}${code}`}${where64}${this.#cell(record)}${component}${input}${registers}${said}${lint}`;
  }

  /** The cell and the number of errors, where they are not said in other words. */
  #cell(record: DecodedRecord): string {
    const count = countText(record);
    const errors = count === undefined ? '' : joined(this.#labelled('errors', count));
    const { place: where, kind } = record;
    // The component of a firmware record is its place.
    // Without a unit nothing else names the channel that a tool found.
    const isWhole = kind === 'x86-mca' && record.component?.area === 'unknown';
    const shown = (member: keyof DecodedPlace): boolean =>
      kind === 'event' || isOfDimm(member) || (kind !== 'cper' && CELL.has(member)) || (isWhole && member !== 'socket');
    // Most places of a bank name nothing but what is said elsewhere.
    const isShown = where !== undefined && (Object.keys(where) as (keyof DecodedPlace)[]).some(shown);
    const text = isShown ? placeText(where, shown) : '';
    return text === '' ? errors : `${this.#line('place', oneLine(text, 400))}${errors}`;
  }

  #explanation({ explanation }: DecodedRecord): string {
    return joined(wrap(oneLine(explanation, 2000), '  ', this.#columns));
  }

  /** The record that was written whole and says all that this one says but for what is its own; undefined for the first. */
  #saidBefore(record: DecodedRecord, common: CommonText, where: string): Said | undefined {
    // What is laid out holds no NUL.
    common.key ??= `${common.lint}\0${sort(record)}`;
    const said = this.#said.get(common.key)?.find(other => areAlike(other.common, common));
    if (said !== undefined) return said;
    if (this.#saidInAll >= MAX_SAID) {
      this.#said.clear();
      this.#saidInAll = 0;
    }
    this.#saidInAll++;
    const first = { common, where, explanation: record.kind === 'x86-mca' ? '' : record.explanation };
    const alike = this.#said.get(common.key);
    if (alike === undefined) this.#said.set(common.key, [first]);
    else alike.push(first);
    return undefined;
  }

  /** What is a record's own, where the rest was said before. */
  #own(record: DecodedRecord, said: Said): string {
    said.pointer ??= joined(this.#labelled('the rest', `same as ${said.where}`));
    // Of a machine check the explanation repeats place and address, and the fields the values.
    if (record.kind === 'x86-mca') return `${said.pointer}${this.#registerLines(record)}`;
    const own = record.explanation === said.explanation ? '' : `\n${this.#explanation(record)}`;
    const registers = this.#registers(record);
    return `${said.pointer}${own}${registers === '' ? '' : `\n${registers}`}`;
  }

  #registerLines(record: DecodedRecord): string {
    return joined(labelledWords('registers', registerValues(record), 13, this.#columns));
  }

  #labelled(label: string, text: string): string[] {
    return labelled(label, text, 13, this.#columns);
  }

  #commonOf(record: DecodedRecord): CommonText {
    const { pattern } = record;
    if (pattern === undefined) return this.#layOut(record);
    let common = this.#common.get(pattern);
    if (common === undefined) this.#common.set(pattern, (common = this.#layOut(record)));
    return common;
  }

  #layOut(record: DecodedRecord, nextStep = record.nextStep, fate: readonly string[] = []): CommonText {
    const { mcacod, component } = record;
    // Without VAL the other bits say nothing.
    const hasCode = mcacod !== undefined && mcacod.class !== 'no-error' && record.class !== 'invalid';
    const unit =
      component === undefined || component.area === 'unknown'
        ? ''
        : component.detail === undefined
          ? component.name
          : `${component.name}: ${component.detail}`;
    const lint = record.lint.map(finding => this.#lint(finding)).join('');
    return {
      title: this.#laidOut.get('', record.title, () =>
        wrap(oneLine(record.title, 500), '', this.#columns).map(line => this.#style('headline', line)),
      ),
      severity: this.#line('severity', record.severity),
      code: hasCode ? this.#line('error code', codeText(mcacod)) : '',
      component: unit === '' ? '' : this.#line('component', oneLine(unit, 400)),
      lint: lint === '' ? '' : `\n${lint}`,
      nextStep: this.#line('next step', nextStep),
      outlook: `${fate.length === 0 ? '' : this.#line('came of it', oneLine(fate.join(', '), 1000))}${this.#outlook ? this.#outlookLines(record) : ''}`,
    };
  }

  #outlookLines(record: DecodedRecord): string {
    const { outlookPattern } = record;
    let lines = outlookPattern === undefined ? undefined : this.#outlooks.get(outlookPattern);
    if (lines === undefined) {
      lines = outlookTexts(record)
        .map(text => this.#line('outlook', text))
        .join('');
      if (outlookPattern !== undefined) this.#outlooks.set(outlookPattern, lines);
    }
    return lines;
  }

  /** A text with its label, which many records have. */
  #line(label: string, text: string): string {
    return this.#laidOut.get(label, text, () => this.#labelled(label, text));
  }

  #lint(finding: Finding): string {
    const { severity } = finding;
    const text = lintText(finding);
    return this.#laidOut.get(`lint ${severity}`, text, () =>
      labelled(`lint ${severity}`, oneLine(text, 1000), 14, this.#columns).map(line =>
        this.#style(severity === 'info' ? 'dim' : severity, line),
      ),
    );
  }

  #registers(record: DecodedRecord): string {
    const registers = record.kind === 'cper' ? {} : record.registers;
    let out = '';
    for (const name of registerNames(record)) {
      const fields = record.fieldsOf(name);
      const value = registers[name] ?? valueOf(fields);
      if (value !== undefined && !(fields.length === 0 && record.kind === 'event')) {
        out += `  ${oneLine(registerName(name), 40).padEnd(12)} ${hex64(value)}\n`;
      } else if (fields.length > 0) out += `  ${oneLine(name, 40)}\n`;
      if (fields.length > 0) out += this.#fieldText(value, fields);
    }
    return out;
  }

  /** Lines of the values of one register, with its strip of bits. */
  #fieldLines(value: bigint | undefined, fields: readonly DecodedField[]): string[] {
    const out: string[] = [];
    // A strip without a bit set shows nothing.
    const shown = value !== undefined && (this.#table || value !== 0n) && fields.some(f => f.hi !== undefined);
    const strip = shown ? bitStrip(value, fields) : undefined;
    const lines = strip?.lines ?? [];
    for (const line of this.#columns < STRIP ? halved(lines) : lines) out.push(this.#style('dim', `    ${line}`));
    for (const field of fields) {
      if (!this.#table && field.hi !== undefined && field.value === 0n) continue;
      out.push(...fieldLine(field, strip?.letters.get(field), this.#columns));
    }
    return out;
  }

  /** Rows of one array belong to one value of one register. */
  #fieldText(value: bigint | undefined, fields: readonly DecodedField[]): string {
    let text = this.#fields.get(fields);
    if (text === undefined) {
      text = joined(this.#fieldLines(value, fields));
      if (Object.isFrozen(fields)) this.#fields.set(fields, text);
    }
    return text;
  }
}

/**
 * The record in lines without line ends.
 *
 * @example
 * const [record] = decode('status=0x9c00000000000135 addr=0x1234000 vendor=intel').records;
 * toText(record)[0] // 'Intel machine check, corrected: a data cache error (level 1) on a data read'
 */
export function toText(record: DecodedRecord, options: TextOptions = {}): string[] {
  return new TextWriter(options).text(record).slice(0, -1).split('\n');
}

/** The bytes of a firmware record in hex; undefined when its members do not make one. */
function cperHex(record: DecodedRecord): string | undefined {
  if (record.raw.kind !== 'cper') return undefined;
  try {
    return bytesToHex(encodeCper(record.raw));
  } catch (error) {
    if (error instanceof CperError) return undefined;
    throw error;
  }
}

function registerValues({ registers }: DecodedRecord): string[] {
  const values: string[] = [];
  for (const name in registers) values.push(`${name}=${hex64(registers[name] ?? 0n)}`);
  return values;
}

/** The raw values on one line, as `syndrome decode` takes them back: registers by name, firmware records in hex. */
export function toRaw(record: DecodedRecord): string {
  const hex = cperHex(record);
  if (hex !== undefined) return hex;
  const parts = record.kind === 'cper' ? [] : registerValues(record);
  if (record.cpu !== undefined) parts.unshift(`cpu=${record.cpu}`);
  if (record.bank !== undefined) parts.push(`bank=${record.bank}`);
  if (record.kind === 'x86-mca' && 'vendor' in record.raw && record.raw.vendor !== undefined) {
    parts.push(`vendor=${record.raw.vendor}`);
  }
  return parts.length === 0 ? oneLine(record.headline, 1000) : parts.join(' ');
}
