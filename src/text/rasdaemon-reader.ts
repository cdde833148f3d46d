/** @module rasdaemon's text: one trace event a line, `… mce_record: TIME bank=…, status= …, cpu= …`. */
import type { X86McaRecord } from '../mca/record.ts';
import type { ItemSink } from './item.ts';
import { hexU64 } from './line.ts';

const EVENT = /\b(mce_record|memory_failure_event|mc_event): (.*)$/;
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
};
const DECIMAL: ReadonlySet<string> = new Set(['cpu', 'socketid']);
const SMALL: ReadonlySet<string> = new Set(['bank', 'cpu', 'socket']);
const MEMORY_FAILURE = /\bpfn=(0x[0-9a-f]{1,16}) page_type=(.{1,64}?) action_result=(\w{1,16})/;

/** Reads single lines; nothing is kept between them. */
export class RasdaemonReader {
  readonly #sink: ItemSink;
  readonly #source: string;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  message(text: string, lineNumber: number): boolean {
    const event = EVENT.exec(text);
    if (event === null) return false;
    const body = (event[2] ?? '').slice(0, 4096);
    const place = { form: 'rasdaemon', firstLine: lineNumber, lastLine: lineNumber } as const;
    if (event[1] === 'memory_failure_event') {
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
    if (event[1] === 'mc_event') {
      const message = body.replace(/^[\d:+ -]{8,40} /, '').slice(0, 512);
      this.#sink({ type: 'event', ...place, name: 'mc-event', fields: { message } });
      return true;
    }
    return this.#mce(body, place);
  }

  #mce(body: string, place: { form: 'rasdaemon'; firstLine: number; lastLine: number }): boolean {
    const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status: 0n };
    let hasStatus = false;
    let hasBank = false;
    for (const m of body.matchAll(PAIR)) {
      const name = m[1] ?? '';
      const member = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
      if (member === undefined) continue;
      const decimal = DECIMAL.has(name);
      if (decimal && !/^\d{1,9}$/.test(m[2] ?? '')) continue;
      const value = decimal ? BigInt(m[2] ?? '0') : hexU64(m[2]);
      if (value === undefined || (SMALL.has(member) && value > 0xffff_ffffn)) continue;
      hasStatus ||= member === 'status';
      hasBank ||= member === 'bank';
      Object.assign(record, { [member]: SMALL.has(member) ? Number(value) : value });
    }
    if (!hasStatus) return false;
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
