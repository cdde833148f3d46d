/** @module rasdaemon's text: one trace event a line, `… mce_record: TIME bank=…, status= …, cpu= …`; since 0.8.0 without the colon. */
import { addressOf } from '../../registers/address.ts';
import { GUID_NULL, SECTION_AMPERE, SECTION_MEMORY } from '../../cper/guid.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink, Place, TextNote } from '../item.ts';
import { PRINTED_SEVERITIES, aerEventOf, mcEventOf, oneSection } from '../printed-reports.ts';
import type { Reader } from '../reader.ts';
import { cxlItem } from '../linux/trace-events.ts';
import { hexU64 } from '../transport/line.ts';
import { memoryFailureFields, memorySection, rasdaemonMce } from './rasdaemon-words.ts';

/** Events whose text is of one line each; those of CXL have a word of their own. */
const EVENTS = [
  'mce_record',
  'memory_failure_event',
  'mc_event',
  'arm_event',
  'extlog_mem_event',
  'non_standard_event',
  'aer_event',
];
export const RASDAEMON_NEEDLES: readonly string[] = [
  // Without the colon follows the time, or the level.
  ...EVENTS.flatMap(name => [`${name}: `, `${name} 2`, `${name} [`]),
  ' memdev:',
  ' exceed threshold',
  'of offlining page',
  'of offlining row',
];

/** Where the name of an event has no colon, its text begins with the level (0.8.5) or with the time. */
const EVENT =
  /\b(mce_record|memory_failure_event|mc_event|arm_event|extlog_mem_event|non_standard_event|aer_event|cxl_[a-z_]{3,40})(?:: | (?=(?:\[[A-Z]{3,9}\] )?\d{4}-\d\d-\d\d \d\d:\d\d:))(.*)$/s;
/** More of the text of an event is not kept. */
const MAX_MESSAGE = 512;
/** ras-mc-handler.c: `1 Corrected error: … on … (mc: 0 location: 0:0:0 address: 0x… grain: 12 …)`. */
const MC_EVENT = /\b(\d{1,9}) (Corrected|Uncorrected|Deferred|Fatal|Info) errors?:/;
type McFields = KindFields<'mc-event'>;
/** ras-extlog-handler.c. */
const EXTLOG =
  /\b\d{1,9} ([a-z]{4,13}) error: (.{1,48}?) physical addr: (0x[0-9a-f]{1,16}) mask: (0x[0-9a-f]{1,16})(?: \(([^)]{0,256})\))? (.{0,32}?) ?([0-9a-f]{8}-[0-9a-f-]{27})\s*$/s;
/** ras-non-standard-handler.c: the head; its bytes follow in rows of their own. */
const NON_STANDARD =
  /\b(Informational|Corrected|Recoverable|Fatal) section type: ([0-9a-f]{8}-[0-9a-f-]{27}|[\w ]{1,48}?) fru text: (.{0,32}?) ?fru id: ([0-9a-f]{8}-[0-9a-f-]{27})/s;
/** ras-aer-handler.c. */
const AER =
  /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]) (?:\((.{1,96}? - vendor_id: .{1,48}?)\) )?(.{0,400}?) ?\b(Corrected|Uncorrected \((?:Non-)?Fatal\))\s*$/s;
/** ras-arm-handler.c: the first line; error structures follow in lines of their own. */
const ARM = /\baffinity: (-?\d{1,3}) MPIDR: (0x[0-9a-f]{1,16}) MIDR: (0x[0-9a-f]{1,16})(.{0,512})$/s;

/** ras-page-isolation.c. */
const THRESHOLD = /(?:^|rasdaemon: )(Corrected Errors at (?:page )?(0x[0-9a-f]{1,16})\b.{0,64} exceed threshold)\s*$/;
const OFFLINED =
  /(?:^|rasdaemon: )Result of offlining (page|row) at (0x[0-9a-f]{1,16}): (offlined|offline-failed|online|failed)\s*$/;
/** A machine check is told in two lines, and a mail breaks each: until the last of its registers they are put together. */
const BEGUN = /\bmce_record(?:: | (?=\d{4}-\d\d-\d\d \d\d:))/;
const REGISTERS = /\bstatus= ?[0-9a-f]/;
const LAST = /\bmcgstatus= ?\S|\bmcgcap= ?\S|\bapicid= ?\S|\bmci=.*\bcpu_type=.*\bmcgstatus=/s;
/** rasdaemon 0.8.0 broke an event of an Arm processor, too: each member in a line, up to the state of PSCI. */
const ARM_BEGUN = /\barm_event: {1,24}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?\s*$/;
const ARM_LAST = /\bpsci_state: ?\d/;
const MAX_PIECES = 12;
const MARGIN = /^[>|\s]{0,16}/;

/** Whether the last of its members is there. */
const isWhole = (text: string): boolean =>
  BEGUN.test(text) ? REGISTERS.test(text) && LAST.test(text) : ARM_LAST.test(text);

export class RasdaemonReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #held: { text: string; firstLine: number; lastLine: number; pieces: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  /** True while the rest of a machine check may follow. */
  get wanted(): boolean {
    return this.#held !== undefined;
  }

  get since(): number {
    return this.#held?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const held = this.#held;
    if (held !== undefined) {
      if (EVENT.test(text) || held.lastLine !== lineNumber - 1) this.end();
      else {
        const joined = `${held.text.trimEnd()} ${text.replace(MARGIN, '').trimEnd()}`.slice(0, 4096);
        const whole = isWhole(joined);
        if (whole || held.pieces < MAX_PIECES) {
          this.#held = { ...held, text: joined, lastLine: lineNumber, pieces: held.pieces + 1 };
          if (whole) this.end();
          return true;
        }
        this.end();
      }
    }
    if ((BEGUN.test(text) && !isWhole(text)) || ARM_BEGUN.test(text)) {
      this.#held = { text, firstLine: lineNumber, lastLine: lineNumber, pieces: 1 };
      return true;
    }
    return this.#event(text, lineNumber, lineNumber);
  }

  skipped(): void {
    this.end();
  }

  end(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#event(held.text, held.firstLine, held.lastLine);
  }

  #page(text: string, lineNumber: number): boolean {
    const over = THRESHOLD.exec(text);
    const done = OFFLINED.exec(text);
    const address = over?.[2] ?? done?.[2];
    if (address === undefined) return false;
    const place = { form: 'rasdaemon', firstLine: lineNumber, lastLine: lineNumber } as const;
    const message = over?.[1] ?? `${done?.[1] ?? ''} at ${address}: ${done?.[3] ?? ''}`;
    this.#sink({ type: 'event', ...place, name: 'page-isolated', fields: { message, addr: hexU64(address) ?? 0n } });
    return true;
  }

  #event(text: string, firstLine: number, lastLine: number): boolean {
    const event = EVENT.exec(text);
    if (event === null) return this.#page(text, lastLine);
    const body = (event[2] ?? '').slice(0, 4096);
    const place = { form: 'rasdaemon', firstLine, lastLine } as const;
    if (event[1] === 'memory_failure_event') return this.#memoryFailure(body, place);
    if (event[1] === 'mc_event') {
      const m = MC_EVENT.exec(body);
      // Without them it is a name only.
      if (m === null) return false;
      // The count is said of the event already.
      const message = body
        .slice(m.index + m[0].length)
        .replace(/^: {0,4}/, '')
        .slice(0, MAX_MESSAGE)
        .trim();
      const fields: McFields = { count: Number(m[1]), message };
      const page = /\bpage: 0x([0-9a-f]{1,13}) offset: 0x([0-9a-f]{1,8})/.exec(body);
      const addr =
        page === null
          ? hexU64(/\baddress: ?(0x[0-9a-f]{1,16})/.exec(body)?.[1])
          : addressOf(BigInt(`0x${page[1] ?? '0'}`)) | BigInt(`0x${page[2] ?? '0'}`);
      if (addr !== undefined) fields.addr = addr;
      this.#memoryController(m[2], fields, place);
      return true;
    }
    if (event[1] === 'extlog_mem_event') return this.#extlog(body, place);
    if (event[1] === 'non_standard_event') return this.#nonStandard(body, place);
    if (event[1] === 'arm_event') return this.#arm(body, place);
    if (event[1] === 'aer_event') return this.#aer(body, place);
    const item =
      event[1] === 'mce_record' ? rasdaemonMce(body, place, this.#source) : cxlItem(event[1] ?? '', body, place);
    if (item !== undefined) this.#sink(item);
    return item !== undefined;
  }

  /** @param severity in rasdaemon's word, where it says one */
  #memoryController(severity: string | undefined, fields: McFields, place: Place): void {
    const name = mcEventOf(severity ?? '');
    const { count } = fields;
    if (name === undefined || count === undefined) this.#sink({ type: 'event', ...place, name: 'mc-event', fields });
    else this.#sink({ type: 'event', ...place, name, fields: { ...fields, count } });
  }

  #memoryFailure(body: string, place: Place): boolean {
    const fields = memoryFailureFields(body);
    if (fields === undefined) return false;
    this.#sink({ type: 'event', ...place, name: 'memory-failure', fields });
    return true;
  }

  #aer(body: string, place: Place): boolean {
    const m = AER.exec(body);
    if (m === null) return false;
    const name = aerEventOf(m[4] ?? '');
    const message = `${m[3] ?? ''}${m[2] === undefined ? '' : ` (${m[2]})`}`.slice(0, MAX_MESSAGE).trim();
    this.#sink({ type: 'event', ...place, name, fields: { device: m[1] ?? '', message } });
    return true;
  }

  /** Firmware's memory error as Intel's extended log gives it: a record with one memory section. */
  #extlog(body: string, place: Place): boolean {
    const m = EXTLOG.exec(body);
    const severity = PRINTED_SEVERITIES[m?.[1] ?? ''];
    if (m === null || severity === undefined) return false;
    const [addr, mask] = [hexU64(m[3]), hexU64(m[4])];
    // All ones says that the granularity is not known, and then 0 is no address.
    const known = mask !== undefined && mask !== 0xffff_ffff_ffff_ffffn;
    const memory = memorySection({
      ...(addr !== undefined && (known || addr !== 0n) ? { addr } : {}),
      ...(known ? { mask } : {}),
      type: m[2] ?? '',
      place: m[5] ?? '',
    });
    const section = { type: SECTION_MEMORY, body: memory };
    this.#sink({ ...oneSection(severity, section, place, [], { text: m[6], id: m[7] }), extlog: true });
    return true;
  }

  #nonStandard(body: string, place: Place): boolean {
    const m = NON_STANDARD.exec(body);
    const severity = PRINTED_SEVERITIES[(m?.[1] ?? '').toLowerCase()];
    if (m === null || severity === undefined) return false;
    const type = /^[0-9a-f]{8}-/.test(m[2] ?? '')
      ? (m[2] ?? '')
      : m[2] === 'Ampere Specific Error'
        ? SECTION_AMPERE
        : GUID_NULL;
    const message = 'rasdaemon prints the bytes of the section in lines of their own; they are not read';
    const raw = { kind: 'raw', data: new Uint8Array(0) } as const;
    const notes: TextNote[] = [{ code: 'W_TEXT_SECTION', message }];
    this.#sink(oneSection(severity, { type, body: raw }, place, notes, { text: m[3], id: m[4] }));
    return true;
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
}
