/**
 * @module Memory events of WHEA-Logger (46 and 47) that come without the firmware record: event XML, their fields as `name value`, JSON.
 * Source: Microsoft WDK, WHEA hardware error events, tidPlatformMemoryError; ValidBits is WHEA_MEMORY_ERROR_SECTION_VALIDBITS, which is
 * that of UEFI 2.10 N.2.5. Where RawData holds the record that is read instead (transport/carried.ts). The same section as
 * DecodeWheaRecord prints it, JSON over lines with the members that are valid; the names of its error types are those of WHEA_MEMERRTYPE.
 */
import { parseU64 } from '../../common/hex.ts';
import { SECTION_MEMORY } from '../../cper/guid.ts';
import { MEMORY_LAYOUT } from '../../cper/memory.ts';
import type { CperMemoryError, CperRecord, CperSeverity } from '../../cper/record.ts';
import { hasBit } from '../../registers/field.ts';
import type { ItemSink, TextNote } from '../item.ts';
import type { Reader } from '../reader.ts';
import { DATE_NEEDLES, EventDate } from './event-date.ts';
import { TakenApart } from './taken-apart.ts';

export const WHEA_MEMORY_NEEDLES: readonly string[] = [
  'PhysicalAddress',
  'BitPosition',
  '"Signature": "CPER"',
  'RequesterId',
  ...DATE_NEEDLES,
];

/** Names in the event that the section has otherwise. */
const MEMBERS: Readonly<Record<string, string>> = { RequesterId: 'requestorId', RankNumber: 'rank' };
const NAMES =
  'ValidBits|ErrorStatus|PhysicalAddressMask|PhysicalAddress|Node|Card|Module|Bank|Device|Row|Column|BitPosition|RequesterId|ResponderId|TargetId|ErrorType|RankNumber|CardHandle|ModuleHandle';
const PAIR = new RegExp(
  `(?:Name=["'](${NAMES})["']>|["'\\[]?\\b(${NAMES})["'\\]]?(?: {0,8}[:=])?[ \\t]{0,32}["']?)(0x[0-9a-fA-F]{1,16}|\\d{1,20})\\b`,
  'g',
);
const FRU = /(?:Name=["']FRUText["']>|"FRUText" ?: ?")([^<"]{1,64})[<"]/;
const TYPE = /^\s{0,40}"ErrorType" ?: ?"(\w{6,24})"/;
const TYPES: readonly string[] = [
  'Unknown',
  'NoError',
  'SingleBitECC',
  'MultiBitECC',
  'SingleSymChipKill',
  'MultiSymChipKill',
  'MasterAbort',
  'TargetAbort',
  'ParityError',
  'WatchdogTimeout',
  'InvalidAddress',
  'MirrorBroken',
  'MemorySparing',
];
const CLOSES = /^\s{0,40}\},?\s{0,4}$/;
const EVENT_ID = /\bEventID\b[^>\d\n]{0,40}>?\s{0,4}(46|47)\b|"event_?[iI][dD]" ?: ?"?(46|47)\b/;
const HEAD = /\bA (fatal|corrected) hardware error has occurred\b/;
const RAW = /RawData\W{1,12}(?:43504552|Q1BFU)/;
const ENDS = /<\/Event(?:Data)?>/;
const BEGINS = /<Event[ >]/;
const MAX_LINES = 40;
const SEVERITY: Readonly<Record<string, CperSeverity>> = {
  46: 'fatal',
  47: 'corrected',
  fatal: 'fatal',
  corrected: 'corrected',
};
const UNGRADED: TextNote = {
  code: 'W_TEXT_VALUE',
  message: 'the event does not say whether the error was corrected (event 47) or fatal (46)',
};
/** Without one of them it is no memory event: other events have a node or a device too. */
const OWN = ['PhysicalAddress', 'PhysicalAddressMask', 'BitPosition'] as const;

interface Open {
  firstLine: number;
  lastLine: number;
  others: number;
  fields: Map<string, bigint>;
  fru: string | undefined;
  severity: CperSeverity | undefined;
  hasRecord: boolean;
}

/** Puts the fields of a memory event together. */
export class WheaMemoryReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  readonly #date = new EventDate();
  #open: Open | undefined;
  readonly #header = new TakenApart();

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#header.wanted;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    // One line may hold a whole event, or several.
    if (BEGINS.test(text) || CLOSES.test(text)) this.end();
    this.#takenApart(text);
    this.#date.take(text, lineNumber);
    const parts = text.split(/(?<=<\/Event>)/);
    let taken = false;
    for (const part of parts) {
      taken = this.#line(part, lineNumber) || taken;
      if (ENDS.test(part)) this.end();
    }
    if (!taken) this.skipped(1);
    return taken;
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.others += lines;
    if (this.#open.others > MAX_LINES) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    const time = open === undefined ? undefined : this.#date.taken();
    if (open === undefined || open.hasRecord || !OWN.some(name => open.fields.has(name))) return;
    const { firstLine, lastLine, fields, fru } = open;
    const graded = open.severity ?? this.#header.severity;
    const severity = graded ?? 'none';
    const section = { type: SECTION_MEMORY, severity, revision: 0x300, flags: 0, body: bodyOf(fields) };
    const record: CperRecord = {
      kind: 'cper',
      severity,
      sections: [fru === undefined ? section : { ...section, fruText: fru }],
      origin: { source: this.#source, firstLine, lastLine },
    };
    const notes = graded === undefined ? [UNGRADED] : [];
    const stamp = time === undefined ? {} : { stamp: time };
    this.#sink({ type: 'cper', form: 'windows', firstLine, lastLine, ...stamp, record, notes });
  }

  /** What only a record that was taken apart says in words: its severity, and the type of the error. */
  #takenApart(text: string): void {
    this.#header.take(text);
    const type = TYPES.indexOf(TYPE.exec(text)?.[1] ?? '');
    if (type >= 0) this.#open?.fields.set('ErrorType', BigInt(type));
  }

  #line(text: string, lineNumber: number): boolean {
    if (this.#open === undefined && !WHEA_MEMORY_NEEDLES.some(n => text.includes(n)) && !HEAD.test(text)) return false;
    const id = EVENT_ID.exec(text);
    const severity = SEVERITY[id?.[1] ?? id?.[2] ?? HEAD.exec(text)?.[1] ?? ''];
    const pairs = Array.from(text.matchAll(PAIR), m => [m[1] ?? m[2] ?? '', parseU64(m[3] ?? '')] as const);
    const known = pairs.filter(([, value]) => value !== undefined);
    const isOwn = known.some(([name]) => OWN.some(own => own === name));
    if (this.#open === undefined && !isOwn && severity === undefined && !text.includes('WHEA-Logger')) return false;
    for (const [name, value] of known) {
      if (this.#open?.fields.has(name) === true) this.end();
      this.#at(lineNumber).fields.set(name, value ?? 0n);
    }
    const fru = FRU.exec(text)?.[1]?.trim();
    if (fru !== undefined && fru !== '' && this.#open !== undefined) this.#open.fru = fru.slice(0, 20);
    if (severity !== undefined) this.#at(lineNumber).severity = severity;
    if (text.includes('WHEA-Logger')) this.#at(lineNumber);
    if (RAW.test(text) && this.#open !== undefined) this.#open.hasRecord = true;
    return known.length > 0 && (this.#open?.fields.has('PhysicalAddress') === true || isOwn);
  }

  #at(lineNumber: number): Open {
    const open = (this.#open ??= {
      firstLine: lineNumber,
      lastLine: lineNumber,
      others: 0,
      fields: new Map(),
      fru: undefined,
      severity: undefined,
      hasRecord: false,
    });
    open.lastLine = lineNumber;
    open.others = 0;
    return open;
  }
}

/** The section: members that ValidBits marks, all that are there where it is missing. */
function bodyOf(fields: ReadonlyMap<string, bigint>): CperMemoryError {
  const marks = fields.get('ValidBits');
  const body: Record<string, unknown> = { kind: 'memory' };
  for (const [name, value] of fields) {
    const member = MEMBERS[name] ?? `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const field = MEMORY_LAYOUT.fields.find(f => f.name === member);
    if (field?.kind !== 'integer' || (marks !== undefined && !hasBit(marks, field.valid ?? 63))) continue;
    const width = field.hi - field.lo + 1;
    const fitting = BigInt.asUintN(width, value);
    body[member] = width > 32 ? fitting : Number(fitting);
  }
  return body as unknown as CperMemoryError;
}
