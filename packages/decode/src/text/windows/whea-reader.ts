/**
 * @module WHEA-Logger's events of Windows: event XML (Event Viewer, wevtutil, Get-WinEvent), their fields as `name value`, and their
 * sentences, in any language. Source: the manifest of Microsoft-Windows-WHEA-Logger (ErrorSource, ApicId, MCABank, MciStat, MciAddr,
 * MciMisc). The firmware record in RawData is read as one wherever it stands (transport/carried.ts).
 */
import { AER_CORRECTABLE_STATUS, AER_UNCORRECTABLE_STATUS } from '../../cper/aer.ts';
import type { KindFields } from '../../events/catalog.ts';
import { pcieDeviceOf } from '../../registers/pci-name.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import type { Register } from '../../registers/register.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { dateIn } from '../transport/dates.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { DATE_NEEDLES, EventDate } from './event-date.ts';
import { parseU64 } from '../../common/hex.ts';

export const WHEA_NEEDLES: readonly string[] = [
  'MciStat',
  'MCABank',
  'MciAddr',
  'MciMisc',
  'ErrorSource',
  'RawData',
  ' hardware error has occurred',
  ': Machine Check Exception',
  ': Corrected Machine Check',
  '"PhysicalAddress"',
  "'PhysicalAddress'",
  ...DATE_NEEDLES,
];

const NAMES = 'ErrorSource|ApicId|MCABank|MciStat|MciAddr|MciMisc';
/** Members of events of PCI Express. */
const PCIE =
  /Name=["'](UncorrectableErrorStatus|CorrectableErrorStatus|Bus|Device|Function|Segment)["']>(0x[0-9a-fA-F]{1,16}|\d{1,20})</g;
const PCI_NAME = /Name=["'](?:Primary)?DeviceName["']>([^<]{1,128})</;
const SYSTEM_TIME = /\bSystemTime=["'](\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z)/;
/** The whole firmware record of the event, which is read by itself: signature, and its length in the bytes 20 to 23. */
const RAW = /RawData\W{1,12}(43504552(?:[0-9a-fA-F]{2})*)/;
const LEVEL = /<Level>([1-4])<\/Level>/;
/** `<Data Name="MciStat">0x…</Data>`, `"MciStat": "0x…"`, `MciStat 0x…`, `[MciStat] 0x…`. */
const PAIR = new RegExp(
  `(?:Name=["'](${NAMES})["']>|["'\\[]?\\b(${NAMES})["'\\]]?(?: {0,8}[:=])?[ \\t]{0,32}["']?)(0x[0-9a-fA-F]{1,16}|\\d{1,20})\\b`,
  'g',
);
const ENDS = /<\/Event(?:Data)?>/;
const HEAD = /\bA (fatal|corrected) hardware error has occurred\b/;
const SENTENCE =
  /\b(Reported by component|Component|Error Source|Error Type|Processor APIC ID|Processor ID|(?:Primary |Secondary )?Bus:Device:Function|Primary Device Name|Bank Number|Transaction Type|Memory Hierarchy Level): {0,8}(.{1,128}?)(?=\s*$|\s{2,}| (?:Error (?:Source|Type)|Processor (?:APIC )?ID|Reported by component|The details view):?)/g;
/** What is said of an event whose sentence names nothing. */
const IN_DATA = /\bA record describing the condition is contained in the data section\b/;
/** In other languages only the labels are translated. Those in ASCII are named; WinDbg's `Notify Type` is none of an event. */
const LABEL =
  "[^:：]{0,48}[^\\u0000-\\u007f:：][^:：]{0,48}?|Fehlerquelle|Source de l'erreur|Source d'erreur|Origen del error|Origine(?: dell')? ?errore|(?:Origem|Fonte) do erro|Foutbron|Bron van fout|Zdroj chyby|Fejlkilde|Feilkilde";
const SOURCE = new RegExp(
  `^\\s{0,40}(?=\\S)(${LABEL}) ?[:：] ?(Machine Check Exception|Corrected Machine Check)\\s*$`,
  'i',
);
const TRANSLATED = /[:：] ?([A-Z][A-Za-z/ -]{2,40} [Ee]rror)\s*$|\bAPIC[ -]?ID ?[:：] ?(\d{1,10})\s*$/i;
/** Lines of a sentence or of fields that belong together. */
const MAX_LINES = 24;

interface Open {
  firstLine: number;
  lastLine: number;
  others: number;
  fields: Map<string, bigint>;
  pcie: Map<string, bigint>;
  pciName: string | undefined;
  severity: string | undefined;
  /** The labels are not English: what stands behind them is. */
  translated?: true;
  inData?: true;
  said: Map<string, string>;
  /** The record itself is in the event, and says all this. */
  hasRecord: boolean;
  /** The date before it. */
  time: string | undefined;
}

const stampOf = ({ time }: Open): { stamp?: string } => (time === undefined ? {} : { stamp: time });

function setBits(register: Register, value: bigint): string[] {
  const read = register.read(value) as Readonly<Record<string, bigint | boolean>>;
  return register.fields.filter(f => read[f.name] === true).map(f => f.meaning ?? f.name);
}

/** Whether hex digits hold as many bytes as the record in them says. UEFI 2.10 N.2.1, Record Length. */
function isWholeRecord(digits: string): boolean {
  const length = (digits.slice(40, 48).match(/../g) ?? []).toReversed().join('');
  return digits.length >= 256 && digits.length / 2 >= Number.parseInt(length, 16);
}

/** Puts the fields of an event together. */
export class WheaReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Open | undefined;
  /** Of the event whose fields are still to come: when, and how bad Windows calls it. */
  /** The line before, where a label stands in it: in other languages the component is known by its place alone. */
  #before: { line: number; value: string } | undefined;
  readonly #date = new EventDate();
  #system: { time: bigint | undefined; level: number | undefined; line: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#date.wanted;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    this.#date.take(text, lineNumber);
    const generated =
      this.#open?.time === undefined && /^\s{0,8}TimeGenerated {1,12}: /.test(text) ? dateIn(text, false) : undefined;
    // Get-EventLog puts it behind the sentence.
    if (generated !== undefined && this.#open !== undefined) this.#open.time = generated;
    const taken = this.#line(text, lineNumber);
    const open = this.#open;
    if (open !== undefined && taken) [open.lastLine, open.others] = [lineNumber, 0];
    else this.skipped(1);
    if (ENDS.test(text)) {
      this.#finish();
      this.#system = undefined;
    }
    return taken;
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.others += lines;
    if (this.#open.others > MAX_LINES) this.#finish();
  }

  end(): void {
    this.#finish();
    this.#date.drop();
  }

  #finish(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    if (open.hasRecord) return;
    const { firstLine, lastLine, fields } = open;
    const status = fields.get('MciStat');
    const place = { form: 'windows', firstLine, lastLine } as const;
    if (open.pcie.has('UncorrectableErrorStatus') || open.pcie.has('CorrectableErrorStatus')) {
      this.#pcie(open);
      return;
    }
    if (status === undefined || status === 0n) {
      // WinDbg explains the bug check in the same words, and says nothing more.
      if (open.severity !== undefined && (open.said.has('Error Source') || open.inData === true)) this.#sentence(open);
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
    const time = this.#systemOf(firstLine)?.time;
    if (time !== undefined) record.time = time;
    dropInvalid(record);
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', ...place, ...stampOf(open), record, notes: [], ...(known ? {} : { bankUnknown: true }) });
  }

  #systemOf(firstLine: number): { time: bigint | undefined; level: number | undefined } | undefined {
    const system = this.#system;
    return system !== undefined && firstLine - system.line <= MAX_LINES ? system : undefined;
  }

  /** An event of PCI Express: the device and what its registers of Advanced Error Reporting hold. */
  #pcie(open: Open): void {
    const { pcie, pciName, firstLine, lastLine } = open;
    const of = (name: string): bigint => pcie.get(name) ?? 0n;
    const at = (name: string): number => Number(of(name));
    const pci = { segment: at('Segment'), bus: at('Bus'), device: at('Device'), function: at('Function') };
    const device = pcieDeviceOf(pci) ?? '';
    const [uncorrectable, correctable] = [of('UncorrectableErrorStatus'), of('CorrectableErrorStatus')];
    const words =
      [...setBits(AER_UNCORRECTABLE_STATUS, uncorrectable), ...setBits(AER_CORRECTABLE_STATUS, correctable)].join(
        ', ',
      ) || 'no status bit is set';
    const called = pciName?.replaceAll('&amp;', '&') ?? '';
    const message = called === '' ? words : `${words} (${called})`;
    const level = this.#systemOf(firstLine)?.level ?? 3;
    const name = uncorrectable === 0n ? 'pcie-corrected' : level < 3 ? 'pcie-fatal' : 'pcie-uncorrected';
    this.#sink({ ...eventItem('windows', firstLine, { name, fields: { device, message } }), lastLine });
  }

  /** What an event says of itself before its fields; and those of them that others have, too. */
  #beside(text: string, lineNumber: number): boolean {
    const at = SYSTEM_TIME.exec(text)?.[1];
    const level = LEVEL.exec(text)?.[1];
    if (at !== undefined || level !== undefined) {
      const before = this.#systemOf(lineNumber);
      const seconds = at === undefined ? Number.NaN : Date.parse(at) / 1000;
      const time = Number.isFinite(seconds) ? BigInt(Math.trunc(seconds)) : before?.time;
      this.#system = { time, level: level === undefined ? before?.level : Number(level), line: lineNumber };
    }
    const open = this.#open;
    if (open === undefined) return false;
    const known = open.pcie.size;
    for (const m of text.matchAll(PCIE)) {
      const value = parseU64(m[2] ?? '');
      if (value !== undefined) open.pcie.set(m[1] ?? '', value);
    }
    open.pciName ??= PCI_NAME.exec(text)?.[1];
    return open.pcie.size > known;
  }

  /** The sentence of an event in another language. */
  #translated(text: string, lineNumber: number): boolean {
    const source = SOURCE.exec(text);
    const open = this.#open;
    if (source !== null && (open?.severity === undefined || open.translated === true)) {
      this.#finish();
      const begun = (this.#open = this.#new(lineNumber));
      begun.translated = true;
      begun.severity = source[2] === 'Corrected Machine Check' ? 'corrected' : 'fatal';
      if (this.#before?.line === lineNumber - 1) begun.said.set('Component', this.#before.value);
      begun.said.set('Error Source', source[2] ?? '');
      return true;
    }
    const label = /[^:：]{2,48}[:：] ?([^:：<>"]{2,48})$/.exec(text.trimEnd())?.[1];
    this.#before = label === undefined ? undefined : { line: lineNumber, value: label };
    if (open?.translated !== true) return false;
    const [, kind, apicId] = TRANSLATED.exec(text) ?? [];
    const [name, value] = apicId === undefined ? ['Error Type', kind] : ['Processor APIC ID', apicId];
    if (value === undefined || open.said.has(name)) return false;
    open.said.set(name, value);
    return true;
  }

  #line(text: string, lineNumber: number): boolean {
    if (this.#translated(text, lineNumber)) return true;
    const head = HEAD.exec(text);
    let taken = head !== null;
    if (head !== null) {
      // The sentence stands before the fields of its event.
      if (this.#open !== undefined && (this.#open.severity !== undefined || this.#open.fields.size > 0)) this.#finish();
      (this.#open ??= this.#new(lineNumber)).severity = head[1];
    }
    const said = this.#open?.said;
    const raw = RAW.exec(text)?.[1];
    if (raw !== undefined && isWholeRecord(raw)) (this.#open ??= this.#new(lineNumber)).hasRecord = true;
    if (this.#open?.severity !== undefined && said !== undefined) {
      if (IN_DATA.test(text)) {
        this.#open.inData = true;
        said.set('Component', 'its record is in the data of the event');
      }
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
      if (this.#open?.fields.has(name) === true) this.#finish();
      const open = (this.#open ??= this.#new(lineNumber));
      open.fields.set(name, value);
      open.lastLine = lineNumber;
      taken = true;
    }
    return this.#beside(text, lineNumber) || taken;
  }

  #sentence(open: Open): void {
    const { severity, said, firstLine, lastLine } = open;
    const parts = [...said]
      .filter(([name]) => !name.startsWith('Processor'))
      .map(([name, value]) => (name.includes(':') || /Number|Level$/.test(name) ? `${name} ${value}` : value));
    const fields: KindFields<'whea-fatal'> = { message: parts.join(', ') };
    const apicId = parseU64(said.get('Processor APIC ID') ?? '');
    if (apicId !== undefined) fields.apicId = apicId;
    const name = severity === 'fatal' ? 'whea-fatal' : 'whea-corrected';
    this.#sink({ ...eventItem('windows', firstLine, { name, fields }), lastLine, ...stampOf(open) });
  }

  #new(lineNumber: number): Open {
    return {
      firstLine: lineNumber,
      lastLine: lineNumber,
      others: 0,
      fields: new Map(),
      pcie: new Map(),
      pciName: undefined,
      severity: undefined,
      said: new Map(),
      hasRecord: false,
      time: this.#date.taken(),
    };
  }
}
