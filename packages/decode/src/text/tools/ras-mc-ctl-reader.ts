/**
 * @module What ras-mc-ctl of rasdaemon prints: rows of its database (--errors), sums of it (--summary), and the counts of EDAC
 * (--error-count). A row is one long line, which windows and mails break. Facts: util/ras-mc-ctl.in, as of rasdaemon 0.8.5.
 */
import { SECTION_MEMORY } from '../../cper/guid.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink, Place } from '../item.ts';
import type { Reader } from '../reader.ts';
import { MAX_TEXT } from '../patterns.ts';
import { PRINTED_SEVERITIES, aerEventOf, mcEventOf, oneSection } from '../printed-reports.ts';
import { cxlItem } from '../linux/trace-events.ts';
import { hexU64 } from '../transport/line.ts';
import { memoryFailureFields, memorySection, rasdaemonMce } from './rasdaemon-words.ts';

export const RAS_MC_CTL_NEEDLES: readonly string[] = [
  'rror(s): ',
  // Behind the zone of a row, or what stands for its time.
  '0 error: ',
  '5 error: ',
  '. error: ',
  ', mcgcap=0x',
  ', status=0x',
  'ge_type=',
  ' events:',
  ' events summary:',
  ' records summary:',
  ' on DIMM Label',
  'Label  ',
  'Label\t',
];

/** A title, and what stands below it; of other titles nothing is read. */
const TITLE =
  /^(?:(Memory controller|PCIe AER|ARM processor|Extlog|Memory failure|MCE|CXL [\w ]{3,32}?|NVIDIA(?: Vera)?) )(?:events|records)( summary)?:\s*$/;
const COUNT_TITLE = /^Label\s+CE\s+UE\s*$/;
const COUNT_ROW = /^(\S.{0,127}?)\s+(\d{1,12})\s+(\d{1,12})\s*$/;
/** Number and time of a row; whoever shows it to others may have taken the time out. */
const ROW =
  /^\s{0,8}\d{1,10} (?:\S{1,32} ){0,3}?(?=(?:\d{1,9} \w{4,11} error\(s\): |\S{4,16} (?:Corrected|Uncorrected)[\w() -]{0,16} error: |error: ))/;
/** The address is decimal, and 0 where there is none. */
const MC =
  /^(\d{1,9}) (Corrected|Uncorrected|Deferred|Fatal|Info) error\(s\): (.{0,400}?) location: (-?\d{1,4}(?::-?\d{1,4}){3}), addr (-?\d{1,20}|0x[0-9a-f]{1,16}), (grain .*)$/s;
const AER = /^(\S{4,16}) ((?:Corrected|Uncorrected)[\w() -]{0,16}) error: (.*)$/s;
const ARM = /^error: (?:error_count=(\d{1,6}), )?affinity_level=(-?\d{1,4}), mpidr=(0x[0-9a-f]{1,16}), (.{0,128})$/s;
const EXTLOG =
  /^error: type=(.{1,48}?), severity=(\w{4,13}), address=(0x[0-9a-f]{1,16}), fru_id=([0-9a-f-]{36}), fru_text='(.{0,32}?)', ?(.*)$/s;
const MCE = /^error: .*?, status=0x[0-9a-f]{1,16}(?=,|\s|$)/s;
const SUMMARY_MC =
  /^\s{0,16}(Corrected|Uncorrected|Deferred|Fatal|Info) on DIMM Label\(s\): '(.{0,128}?)' location: (-?\d{1,4}(?::-?\d{1,4}){3}) errors: (\d{1,12})\s*$/;
/** The other sums: the number first, or last, or in the middle. */
const SUMMARY: readonly RegExp[] = [
  /^\s{1,16}(?<count>\d{1,12}) (?<message>\S.{0,200}?) errors(?:: (?<more>.{0,200}))?\s*$/s,
  /^\s{1,16}(?<message>\S.{0,200}?) errors: (?<count>\d{1,12})\s*$/s,
  /^\s{1,16}(?<message>\S.{0,200}?) has (?<count>\d{1,12}) errors\s*$/s,
];
/** What a piece of a row holds: a name with its value, or the rest of words. */
const PIECE = /[\w#'")][=:,]|^\s{0,8}[\w(][\w .()-]{0,96},?\s*$/;
/** What begins something else. */
const OTHER = /^(?:\S{1,64}[@:]\S{0,128}[#$%] |No [\w ]{3,40} errors\.)/;
const END = /^\S.{2,64}(?:summary:|records:|events:|errors:|errors\.)\s*$/;
const MAX_PIECES = 16;
const MAX_ROW = 4096;
/** Lines under a title that are none of it. */
const MAX_FOREIGN = 8;

type McFields = KindFields<'edac-corrected'>;

/** A row that may go on in the next line. */
interface Open {
  text: string;
  firstLine: number;
  lastLine: number;
  pieces: number;
}

export class RasMcCtlReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Open | undefined;
  /** What the title says of the lines below it. */
  #title: { what: string; summary: boolean; foreign: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#title !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const row = ROW.exec(text)?.[0];
    if (row !== undefined) {
      this.#finish();
      this.#open = { text: text.slice(row.length, MAX_ROW), firstLine: lineNumber, lastLine: lineNumber, pieces: 1 };
      if (this.#title !== undefined) this.#title.foreign = 0;
      return true;
    }
    if (this.#more(text, lineNumber)) return true;
    this.#finish();
    const title = TITLE.exec(text);
    if (title !== null || COUNT_TITLE.test(text)) {
      this.#title = { what: title?.[1] ?? 'Label', summary: title?.[2] !== undefined, foreign: 0 };
      return true;
    }
    // Of what stands below other titles nothing is read.
    if (END.test(text)) this.#title = undefined;
    const place: Place = { form: 'rasdaemon', firstLine: lineNumber, lastLine: lineNumber };
    if (this.#sum(text, place)) {
      if (this.#title !== undefined) this.#title.foreign = 0;
      return true;
    }
    this.skipped(1);
    return false;
  }

  skipped(lines: number): void {
    const open = this.#open;
    if (open !== undefined) this.#finish();
    if (this.#title === undefined) return;
    this.#title.foreign += lines;
    if (this.#title.foreign > MAX_FOREIGN) this.#title = undefined;
  }

  end(): void {
    this.#finish();
    this.#title = undefined;
  }

  /** Whether a line is the next piece of the row that is open. */
  #more(text: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open === undefined || open.lastLine !== lineNumber - 1 || open.pieces >= MAX_PIECES) return false;
    if (!PIECE.test(text) || OTHER.test(text) || TITLE.test(text) || SUMMARY_MC.test(text)) return false;
    if (open.text.length + text.length >= MAX_ROW) return false;
    open.text = `${open.text.trimEnd()} ${text.trim()}`;
    open.lastLine = lineNumber;
    open.pieces++;
    return true;
  }

  #finish(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const place: Place = { form: 'rasdaemon', firstLine: open.firstLine, lastLine: open.lastLine };
    this.#row(open.text.trimEnd(), place);
  }

  #row(row: string, place: Place): void {
    const m = MC.exec(row);
    if (m !== null) {
      const message = `${m[3] ?? ''} location: ${m[4] ?? ''}, ${m[6] ?? ''}`.slice(0, MAX_TEXT).trim();
      const fields: McFields = { count: Number(m[1]), message };
      // SQLite has signed integers.
      const addr = BigInt.asUintN(64, BigInt(m[5] ?? '0'));
      if (addr !== 0n) fields.addr = addr;
      this.#controller(m[2] ?? '', fields, place);
      return;
    }
    const aer = AER.exec(row);
    if (aer !== null && !row.startsWith('error: ')) {
      const name = aerEventOf(aer[2] ?? '');
      const fields = { device: aer[1] ?? '', message: (aer[3] ?? '').slice(0, MAX_TEXT).trim() };
      this.#sink({ type: 'event', ...place, name, fields });
      return;
    }
    if (!row.startsWith('error: ')) return;
    if (MCE.test(row)) {
      const registers = row.slice(row.search(/, (?:mcgcap|mcgstatus|status)=0x/));
      const item = rasdaemonMce(registers, place, this.#source, true, row);
      if (item !== undefined) this.#sink(item);
      return;
    }
    const failure = memoryFailureFields(row);
    if (failure !== undefined) this.#sink({ type: 'event', ...place, name: 'memory-failure', fields: failure });
    else if (row.includes('memdev=')) this.#cxl(row.slice('error: '.length), place);
    else if (!this.#arm(row, place)) this.#extlog(row, place);
  }

  #arm(row: string, place: Place): boolean {
    const m = ARM.exec(row);
    if (m === null) return false;
    const message = `${m[1] === undefined ? '' : `${m[1]} errors, `}${m[4] ?? ''}`.trim();
    const fields = { affinity: Number(m[2]), mpidr: hexU64(m[3]) ?? 0n, message };
    this.#sink({ type: 'event', ...place, name: 'arm-event', fields });
    return true;
  }

  #cxl(row: string, place: Place): void {
    const what = this.#title?.what ?? '';
    const kind = what.startsWith('CXL ')
      ? what.slice(4).trim()
      : /\bdpa_length=/.test(row)
        ? 'poison'
        : /\bevent_type: /.test(row)
          ? 'memory module'
          : 'event';
    const event = `cxl_${kind.toLowerCase().replaceAll(/\s{1,4}/g, '_')}`.replace(
      /(?<=_(?:un)?correctable)$/,
      '_error',
    );
    const item = cxlItem(event, row, place);
    if (item !== undefined) this.#sink(item);
  }

  #extlog(row: string, place: Place): void {
    const m = EXTLOG.exec(row);
    const severity = PRINTED_SEVERITIES[(m?.[2] ?? '').toLowerCase()];
    if (m === null || severity === undefined) return;
    const addr = hexU64(m[3]) ?? 0n;
    const memory = memorySection({ ...(addr === 0n ? {} : { addr }), type: m[1] ?? '', place: m[6] ?? '' });
    const section = { type: SECTION_MEMORY, body: memory };
    this.#sink({ ...oneSection(severity, section, place, [], { text: m[5] }), extlog: true });
  }

  /** A line below the title of a summary or of the counts. */
  #sum(text: string, place: Place): boolean {
    const m = SUMMARY_MC.exec(text);
    if (m !== null) {
      const label = m[2] ?? '';
      const message = `errors on ${label} (location:${m[3] ?? ''}), summed up`;
      this.#controller(m[1] ?? '', { count: Number(m[4]), message, label, total: 'database' }, place);
      return true;
    }
    const title = this.#title;
    if (title === undefined) return false;
    if (title.what === 'Label') return this.#counts(text, place);
    if (!title.summary) return false;
    const groups = SUMMARY.map(re => re.exec(text)?.groups).find(g => g !== undefined);
    if (groups === undefined) return false;
    const message = [groups['message'], groups['more']]
      .filter(t => t !== undefined)
      .join(': ')
      .trim();
    const fields = { what: title.what, count: Number(groups['count']), message };
    this.#sink({ type: 'event', ...place, name: 'ras-summary', fields });
    return true;
  }

  /** What EDAC counted of one DIMM since the machine booted; nothing is said of one without an error. */
  #counts(text: string, place: Place): boolean {
    const m = COUNT_ROW.exec(text);
    if (m === null) return false;
    const label = (m[1] ?? '').trim();
    for (const [severity, digits] of [
      ['Corrected', m[2]],
      ['Uncorrected', m[3]],
    ] as const) {
      const count = Number(digits);
      const message = `errors on ${label} since the boot`;
      if (count > 0) this.#controller(severity, { count, message, label, total: 'boot' }, place);
    }
    return true;
  }

  /** @param severity in rasdaemon's word */
  #controller(severity: string, fields: McFields, place: Place): void {
    const name = mcEventOf(severity);
    if (name === undefined) this.#sink({ type: 'event', ...place, name: 'mc-event', fields });
    else this.#sink({ type: 'event', ...place, name, fields });
  }
}
