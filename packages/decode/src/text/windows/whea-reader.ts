/**
 * @module WHEA-Logger's events of Windows: event XML (Event Viewer, wevtutil, Get-WinEvent), their fields as `name value`, and their
 * sentences. Source: the manifest of Microsoft-Windows-WHEA-Logger (ErrorSource, ApicId, MCABank, MciStat, MciAddr, MciMisc). The
 * firmware record in RawData is read as one wherever it stands (transport/carried.ts).
 */
import type { KindFields } from '../../events/catalog.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { parseU64 } from '../../common/hex.ts';

export const WHEA_NEEDLES: readonly string[] = [
  'MciStat',
  'MCABank',
  'MciAddr',
  'MciMisc',
  'ErrorSource',
  ' hardware error has occurred',
];

const NAMES = 'ErrorSource|ApicId|MCABank|MciStat|MciAddr|MciMisc';
/** `<Data Name="MciStat">0x…</Data>`, `"MciStat": "0x…"`, `MciStat 0x…`, `[MciStat] 0x…`. */
const PAIR = new RegExp(
  `(?:Name=["'](${NAMES})["']>|["'\\[]?\\b(${NAMES})["'\\]]?(?: {0,8}[:=])?[ \\t]{0,32}["']?)(0x[0-9a-fA-F]{1,16}|\\d{1,20})\\b`,
  'g',
);
const ENDS = /<\/Event(?:Data)?>/;
const HEAD = /\bA (fatal|corrected) hardware error has occurred\b/;
const SENTENCE =
  /\b(Reported by component|Component|Error Source|Error Type|Processor APIC ID|Processor ID): {0,8}(.{1,64}?)(?=\s*$|\s{2,}| (?:Error (?:Source|Type)|Processor (?:APIC )?ID|Reported by component|The details view):?)/g;
/** Lines of a sentence or of fields that belong together. */
const MAX_LINES = 24;

interface Open {
  firstLine: number;
  lastLine: number;
  others: number;
  fields: Map<string, bigint>;
  severity: string | undefined;
  said: Map<string, string>;
}

/** Puts the fields of an event together. */
export class WheaReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Open | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const taken = this.#line(text, lineNumber);
    const open = this.#open;
    if (open !== undefined && taken) [open.lastLine, open.others] = [lineNumber, 0];
    else this.skipped(1);
    if (ENDS.test(text)) this.end();
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
    if (open === undefined) return;
    const { firstLine, lastLine, fields } = open;
    const status = fields.get('MciStat');
    const place = { form: 'windows', firstLine, lastLine } as const;
    if (status === undefined || status === 0n) {
      // WinDbg explains the bug check in the same words, and says nothing more.
      if (open.severity !== undefined && open.said.size > 0) this.#sentence(open);
      return;
    }
    const bank = fields.get('MCABank');
    const known = bank !== undefined && bank < 256n;
    const record: X86McaRecord = { kind: 'x86-mca', bank: known ? Number(bank) : 0, status };
    for (const [name, member] of [
      ['ApicId', 'apicId'] as const,
      ['MciAddr', 'addr'] as const,
      ['MciMisc', 'misc'] as const,
    ]) {
      const value = fields.get(name);
      if (value !== undefined) record[member] = value;
    }
    dropInvalid(record);
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', ...place, record, notes: [], ...(known ? {} : { bankUnknown: true }) });
  }

  #line(text: string, lineNumber: number): boolean {
    const head = HEAD.exec(text);
    let taken = head !== null;
    if (head !== null) {
      // The sentence stands before the fields of its event.
      if (this.#open !== undefined && (this.#open.severity !== undefined || this.#open.fields.size > 0)) this.end();
      (this.#open ??= this.#new(lineNumber)).severity = head[1];
    }
    const said = this.#open?.said;
    if (this.#open?.severity !== undefined && said !== undefined) {
      for (const m of text.matchAll(SENTENCE)) {
        taken = true;
        said.set(m[1] ?? '', (m[2] ?? '').trim());
      }
    }
    for (const m of text.matchAll(PAIR)) {
      const name = m[1] ?? m[2] ?? '';
      const value = parseU64(m[3] ?? '');
      if (value === undefined) continue;
      // It alone says nothing, and other events have it too.
      if (this.#open === undefined && name === 'ApicId' && !text.includes('MciStat')) continue;
      if (this.#open?.fields.has(name) === true) this.end();
      const open = (this.#open ??= this.#new(lineNumber));
      open.fields.set(name, value);
      open.lastLine = lineNumber;
      taken = true;
    }
    return taken;
  }

  #sentence({ severity, said, firstLine, lastLine }: Open): void {
    const parts = [...said].filter(([name]) => !name.startsWith('Processor')).map(([, value]) => value);
    const fields: KindFields<'whea-fatal'> = { message: parts.join(', ') };
    const apicId = parseU64(said.get('Processor APIC ID') ?? '');
    if (apicId !== undefined) fields.apicId = apicId;
    const name = severity === 'fatal' ? 'whea-fatal' : 'whea-corrected';
    this.#sink({ ...eventItem('windows', firstLine, { name, fields }), lastLine });
  }

  #new(lineNumber: number): Open {
    return {
      firstLine: lineNumber,
      lastLine: lineNumber,
      others: 0,
      fields: new Map(),
      severity: undefined,
      said: new Map(),
    };
  }
}
