/**
 * @module rasdaemon's text: one trace event a line, `… mce_record: TIME bank=…, status= …, cpu= …`, and what its
 * ras-mc-ctl --errors lists from the database.
 */
import { addressOf } from '../../registers/address.ts';
import { SECTION_MEMORY } from '../../cper/guid.ts';
import { MEMORY_ERROR_TYPES } from '../../cper/memory.ts';
import type { CperMemoryError, CperRecord, CperSeverity } from '../../cper/record.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink, TextNote } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

/** The last two are those of ras-mc-ctl. */
export const RASDAEMON_NEEDLES: readonly string[] = [
  'mce_record: ',
  'memory_failure_event: ',
  'mc_event: ',
  'arm_event: ',
  'extlog_mem_event: ',
  'non_standard_event: ',
  'rror(s): ',
  ', mcgcap=0x',
  'ge_type=',
];

const EVENT = /\b(mce_record|memory_failure_event|mc_event|arm_event|extlog_mem_event|non_standard_event): (.*)$/s;
const PAIR = /\b([a-z]{2,16}\d?)= {0,4}(?:0x)?([0-9a-f]{1,16})\b/g;

/** Names of an mce_record line (rasdaemon, report_mce_event()); all values are hex but those of `DECIMAL`. */
const NAMES: Readonly<Record<string, keyof X86McaRecord>> = {
  bank: 'bank',
  status: 'status',
  misc: 'misc',
  addr: 'addr',
  mcgstatus: 'mcgStatus',
  mcgcap: 'mcgCap',
  apicid: 'apicId',
  cpu: 'cpu',
  socketid: 'socket',
  ip: 'rip',
  cs: 'cs',
  tsc: 'tsc',
  synd: 'synd',
  synd1: 'synd1',
  synd2: 'synd2',
  ipid: 'ipid',
  ppin: 'ppin',
  microcode: 'microcode',
  cpuid: 'cpuid',
  walltime: 'time',
};
/** More of the text of an event is not kept. */
const MAX_MESSAGE = 512;
const DECIMAL: ReadonlySet<string> = new Set(['cpu', 'socketid']);
const SMALL: ReadonlySet<string> = new Set(['bank', 'cpu', 'socket']);
const MEMORY_FAILURE = /\bpfn=(0x[0-9a-f]{1,16}),? page_type=(.{1,64}?),? action_result=(\w{1,16})/s;

/** The stamp that rasdaemon puts before each event, and its level. */
const STAMP = /^ {0,16}(?:\[?\w{1,12}\]? )?(?:[\d:+ -]{8,40} )?(?:<?\w{3,6}>? (?=\d))?/;
/** ras-mc-handler.c: `1 Corrected error: … on … (mc: 0 location: 0:0:0 address: 0x… grain: 12 …)`. */
const MC_EVENT = /\b(\d{1,9}) (Corrected|Uncorrected|Deferred|Fatal|Info) errors?:/;
type McFields = KindFields<'mc-event'>;
const MC_NAMES: Readonly<Record<string, 'edac-corrected' | 'edac-uncorrected' | 'edac-deferred' | 'edac-fatal'>> = {
  Corrected: 'edac-corrected',
  Uncorrected: 'edac-uncorrected',
  Deferred: 'edac-deferred',
  Fatal: 'edac-fatal',
};
/** ras-extlog-handler.c. */
const EXTLOG =
  /\b\d{1,9} ([a-z]{4,13}) error: (.{1,48}?) physical addr: (0x[0-9a-f]{1,16}) mask: (0x[0-9a-f]{1,16})(?: \(([^)]{0,256})\))? (.{0,32}?) ?([0-9a-f]{8}-[0-9a-f-]{27})\s*$/s;
const PLACE: Readonly<Record<string, keyof CperMemoryError>> = {
  node: 'node',
  card: 'card',
  module: 'module',
  bank: 'bank',
  device: 'device',
  row: 'row',
  column: 'column',
  bit_pos: 'bitPosition',
  rank: 'rank',
  card_handle: 'cardHandle',
  module_handle: 'moduleHandle',
};
/** ras-non-standard-handler.c: the head; its bytes follow in rows of their own. */
const NON_STANDARD =
  /\b(Informational|Corrected|Recoverable|Fatal) section type: ([0-9a-f]{8}-[0-9a-f-]{27}|[\w ]{1,48}?) fru text: (.{0,32}?) ?fru id: ([0-9a-f]{8}-[0-9a-f-]{27})/s;
const SEVERITIES: Readonly<Record<string, CperSeverity>> = {
  informational: 'none',
  corrected: 'corrected',
  recoverable: 'recoverable',
  fatal: 'fatal',
};
const AMPERE = 'e8ed898d-df16-43cc-8ecc-54f060ef157f';
const NO_ID = '00000000-0000-0000-0000-000000000000';
/** ras-arm-handler.c: the first line; error structures follow in lines of their own. */
const ARM = /\baffinity: (-?\d{1,3}) MPIDR: (0x[0-9a-f]{1,16}) MIDR: (0x[0-9a-f]{1,16})(.{0,512})$/s;

/** util/ras-mc-ctl.in, errors(): the number and the time of a row. */
const ROW = /^\d{1,10} \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} [+-]\d{4} (.*)$/s;
/** An mc_event of it; the address is decimal, and 0 where there is none. */
const ROW_MC =
  /^(\d{1,9}) (Corrected|Uncorrected|Deferred|Fatal|Info) error\(s\): (.{0,400}?) location: (-?\d{1,4}(?::-?\d{1,4}){3}), addr (-?\d{1,20}), (grain .*)$/s;
const ROW_PREFIX = 'error: ';
/** The registers of an mce_record of it; those that are 0 are left out, the bank and the CPU too. */
const ROW_MCE = /, status=0x[0-9a-f]{1,16}(?=,|$)/;

type Place = { form: 'rasdaemon'; firstLine: number; lastLine: number };

/** Reads single lines; nothing is kept between them. */
export class RasdaemonReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  push(text: string, lineNumber: number): boolean {
    const event = EVENT.exec(text);
    if (event === null) return this.#row(text, lineNumber);
    const body = (event[2] ?? '').slice(0, 4096);
    const place = { form: 'rasdaemon', firstLine: lineNumber, lastLine: lineNumber } as const;
    if (event[1] === 'memory_failure_event') return this.#memoryFailure(body, place);
    if (event[1] === 'mc_event') {
      const m = MC_EVENT.exec(body);
      // The count is said of the event already.
      const message = (m === null ? body.replace(STAMP, '') : body.slice(m.index + m[0].length).replace(/^: {0,4}/, ''))
        .slice(0, MAX_MESSAGE)
        .trim();
      const fields: McFields = m === null ? { message } : { count: Number(m[1]), message };
      const page = /\bpage: 0x([0-9a-f]{1,13}) offset: 0x([0-9a-f]{1,8})/.exec(body);
      const addr =
        page === null
          ? hexU64(/\baddress: ?(0x[0-9a-f]{1,16})/.exec(body)?.[1])
          : addressOf(BigInt(`0x${page[1] ?? '0'}`)) | BigInt(`0x${page[2] ?? '0'}`);
      if (addr !== undefined) fields.addr = addr;
      this.#memoryController(m?.[2], fields, place);
      return true;
    }
    if (event[1] === 'extlog_mem_event') return this.#extlog(body, place);
    if (event[1] === 'non_standard_event') return this.#nonStandard(body, place);
    if (event[1] === 'arm_event') return this.#arm(body, place);
    return this.#mce(body, place);
  }

  /** A row of ras-mc-ctl --errors. */
  #row(text: string, lineNumber: number): boolean {
    const row = ROW.exec(text)?.[1]?.slice(0, 4096);
    if (row === undefined) return false;
    const place = { form: 'rasdaemon', firstLine: lineNumber, lastLine: lineNumber } as const;
    const m = ROW_MC.exec(row);
    if (m !== null) {
      const message = `${m[3] ?? ''} location: ${m[4] ?? ''}, ${m[6] ?? ''}`.slice(0, MAX_MESSAGE).trim();
      const fields: McFields = { count: Number(m[1]), message };
      // SQLite has signed integers.
      const addr = BigInt.asUintN(64, BigInt(m[5] ?? '0'));
      if (addr !== 0n) fields.addr = addr;
      this.#memoryController(m[2], fields, place);
      return true;
    }
    if (!row.startsWith(ROW_PREFIX)) return false;
    if (!ROW_MCE.test(row)) return this.#memoryFailure(row, place);
    return this.#mce(row.slice(row.search(/, (?:mcgcap|mcgstatus|status)=0x/)), place, true);
  }

  end(): void {}

  /** @param severity in rasdaemon's word, where it says one */
  #memoryController(severity: string | undefined, fields: McFields, place: Place): void {
    const name = MC_NAMES[severity ?? ''];
    const { count } = fields;
    if (name === undefined || count === undefined) this.#sink({ type: 'event', ...place, name: 'mc-event', fields });
    else this.#sink({ type: 'event', ...place, name, fields: { ...fields, count } });
  }

  #memoryFailure(body: string, place: Place): boolean {
    const m = MEMORY_FAILURE.exec(body);
    if (m === null) return false;
    this.#sink({
      type: 'event',
      ...place,
      name: 'memory-failure',
      fields: { pfn: hexU64(m[1]) ?? 0n, page: m[2] ?? '', result: m[3] ?? '' },
    });
    return true;
  }

  /** Firmware's memory error as Intel's extended log gives it: a record with one memory section. */
  #extlog(body: string, place: Place): boolean {
    const m = EXTLOG.exec(body);
    const severity = SEVERITIES[m?.[1] ?? ''];
    if (m === null || severity === undefined) return false;
    const memory: CperMemoryError = { kind: 'memory' };
    const [addr, mask] = [hexU64(m[3]), hexU64(m[4])];
    // All ones says that the granularity is not known, and then 0 is no address.
    const known = mask !== undefined && mask !== 0xffff_ffff_ffff_ffffn;
    if (addr !== undefined && (known || addr !== 0n)) memory.physicalAddress = addr;
    if (known) memory.physicalAddressMask = mask;
    const type = Object.entries(MEMORY_ERROR_TYPES).find(([, name]) => name.toLowerCase() === m[2]?.toLowerCase());
    if (type !== undefined) memory.errorType = Number(type[0]);
    for (const pair of (m[5] ?? '').matchAll(/\b([a-z_]{3,16}): (\d{1,5})(?= |$)/g)) {
      const member = Object.hasOwn(PLACE, pair[1] ?? '') ? PLACE[pair[1] ?? ''] : undefined;
      if (member !== undefined && Number(pair[2]) <= 0xffff) Object.assign(memory, { [member]: Number(pair[2]) });
    }
    this.#cper(severity, SECTION_MEMORY, memory, m[6] ?? '', m[7] ?? '', place, [], true);
    return true;
  }

  #nonStandard(body: string, place: Place): boolean {
    const m = NON_STANDARD.exec(body);
    const severity = SEVERITIES[(m?.[1] ?? '').toLowerCase()];
    if (m === null || severity === undefined) return false;
    const type = /^[0-9a-f]{8}-/.test(m[2] ?? '') ? (m[2] ?? '') : m[2] === 'Ampere Specific Error' ? AMPERE : NO_ID;
    const message = 'rasdaemon prints the bytes of the section in lines of their own; they are not read';
    const raw = { kind: 'raw', data: new Uint8Array(0) } as const;
    this.#cper(severity, type, raw, m[3] ?? '', m[4] ?? '', place, [{ code: 'W_TEXT_SECTION', message }]);
    return true;
  }

  #cper(
    severity: CperSeverity,
    type: string,
    body: CperRecord['sections'][number]['body'],
    fruText: string,
    fruId: string,
    place: Place,
    notes: TextNote[],
    extlog = false,
  ): void {
    const section: CperRecord['sections'][number] = { type, severity, revision: 0x300, flags: 0, body };
    if (fruText.trim() !== '') section.fruText = fruText.trim().slice(0, 20);
    if (fruId !== NO_ID) section.fruId = fruId;
    const record: CperRecord = { kind: 'cper', severity, sections: [section] };
    this.#sink({ type: 'cper', ...place, record, notes, ...(extlog ? ({ extlog: true } as const) : {}) });
  }

  #arm(body: string, place: Place): boolean {
    const m = ARM.exec(body);
    if (m === null) return false;
    const fields: KindFields<'arm-event'> = {
      affinity: Number(m[1]),
      mpidr: hexU64(m[2]) ?? 0n,
      midr: hexU64(m[3]) ?? 0n,
      message: (m[4] ?? '').trim(),
    };
    const addr = hexU64(/physical fault address: (0x[0-9a-f]{1,16})/.exec(m[4] ?? '')?.[1]);
    if (addr !== undefined) fields.addr = addr;
    this.#sink({ type: 'event', ...place, name: 'arm-event', fields });
    return true;
  }

  /** `row`: of ras-mc-ctl, whose values are all hex and which leaves out what is 0. */
  #mce(body: string, place: Place, row = false): boolean {
    const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status: 0n };
    let hasStatus = false;
    let hasBank = row;
    for (const m of body.matchAll(PAIR)) {
      const name = m[1] ?? '';
      const member = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
      if (member === undefined) continue;
      const decimal = !row && DECIMAL.has(name);
      if (decimal && !/^\d{1,9}$/.test(m[2] ?? '')) continue;
      const value = decimal ? BigInt(m[2] ?? '0') : hexU64(m[2]);
      if (value === undefined || (SMALL.has(member) && value > 0xffff_ffffn)) continue;
      hasStatus ||= member === 'status';
      hasBank ||= member === 'bank';
      Object.assign(record, { [member]: SMALL.has(member) ? Number(value) : value });
    }
    if (!hasStatus) return false;
    if (row) record.cpu ??= 0;
    // A bank without a name is printed in hex, one with a name in decimal behind it.
    const named = /\(bank=(\d{1,4})\)/.exec(body);
    if (named !== null) record.bank = Number(named[1]);
    if (/\bcpu_type= ?[^,]{0,64}\b(?:AMD|Hygon)/i.test(body) || record.ipid !== undefined) record.vendor = 'amd';
    else if (
      /\bcpu_type= ?[^,]{0,64}\b(?:Intel|Xeon|Skylake|Icelake|Sapphire|Granite|Haswell|Broadwell|Sandy|Ivy)/i.test(body)
    ) {
      record.vendor = 'intel';
    }
    record.origin = { source: this.#source, firstLine: place.firstLine, lastLine: place.lastLine };
    this.#sink({ type: 'mca', ...place, record, notes: [], ...(hasBank ? {} : { bankUnknown: true }) });
    return true;
  }
}
