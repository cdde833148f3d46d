/** @module Words that rasdaemon and its ras-mc-ctl share: of severities, of places, of a machine check. */
import type { CperMemoryError } from '../../cper/record.ts';
import type { McaSaid, X86McaRecord } from '../../mca/record.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { Place, TextItem } from '../item.ts';
import { unitNamed } from '../../mca/smca-banks.ts';
import { setErrorType } from '../printed-reports.ts';
import { hexU64 } from '../transport/line.ts';
import { checkItem } from '../thermal.ts';

const PAIR = /\b([a-z]{2,16}\d?)= {0,4}(?:0x)?([0-9a-f]{1,16})\b/g;

/**
 * Names of an mce_record line (rasdaemon, report_mce_event()); all values are hex but those of `DECIMAL`, and `mcgstatus=15` with
 * no blank: that is a message of parse_intel_event() or parse_amd_smca_event(), with its number in decimal.
 */
export const MCE_NAMES: Readonly<Record<string, keyof X86McaRecord>> = {
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
const DECIMAL: ReadonlySet<string> = new Set(['cpu', 'socketid']);
const SMALL: ReadonlySet<string> = new Set(['bank', 'cpu', 'socket']);
const MEMORY_FAILURE = /\bpfn=(0x[0-9a-f]{1,16}),? page_type=(.{1,64}?),? action_result=(\w{1,16})/s;

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
/** The fields of a memory failure, of a log line or a row. */
export function memoryFailureFields(text: string): KindFields<'memory-failure'> | undefined {
  const m = MEMORY_FAILURE.exec(text);
  return m === null ? undefined : { pfn: hexU64(m[1]) ?? 0n, page: m[2] ?? '', result: m[3] ?? '' };
}

/** A memory section by what rasdaemon says of it: the name of the error type, and `node: 1 card: 0 …`. */
export function memorySection(said: { addr?: bigint; mask?: bigint; type: string; place: string }): CperMemoryError {
  const memory: CperMemoryError = { kind: 'memory' };
  if (said.addr !== undefined) memory.physicalAddress = said.addr;
  if (said.mask !== undefined) memory.physicalAddressMask = said.mask;
  setErrorType(memory, said.type);
  for (const pair of said.place.slice(0, 512).matchAll(/\b([a-z_]{3,16}): (\d{1,5})(?= |$)/g)) {
    const member = Object.hasOwn(PLACE, pair[1] ?? '') ? PLACE[pair[1] ?? ''] : undefined;
    if (member !== undefined && Number(pair[2]) <= 0xffff) Object.assign(memory, { [member]: Number(pair[2]) });
  }
  return memory;
}

/** Words of mc_location and of error_msg: mce-intel-*.c and mce-amd-smca.c, as of rasdaemon 0.8.5. */
const SAID: readonly (readonly [RegExp, keyof McaSaid])[] = [
  [/\bn_errors=([1-9]\d{0,8})\b/, 'count'],
  [/\bmemory_die_id=(\d{1,3})\b/, 'node'],
  [/\bmemory_channel=(\d{1,3})\b/, 'channel'],
  [/\bcsrow=(\d{1,3})\b/, 'chipSelect'],
  [/\brank(?:=(\d{1,3})|: 0x([0-9a-f]{1,2}))\b/, 'rank'],
  [/\bsubrank: 0x([0-9a-f]{1,2})\b/, 'subRank'],
  [/\bfailed device: 0x([0-9a-f]{1,2})\b/, 'device'],
  [/\bbankgroup: 0x([0-9a-f]{1,2})\b/, 'bankGroup'],
  [/\bbank: 0x([0-9a-f]{1,2})\b/, 'bank'],
  [/\brow: 0x([0-9a-f]{1,8})\b/, 'row'],
  [/\bcolumn: 0x([0-9a-f]{1,8})\b/, 'column'],
];

/** Name and number of the bank. */
const NAME = /(?:^|\bbank |\bbank=)([A-Z][\w ,.]{2,48}?) \(bank=\d{1,4}\)/;

/** What a row says of the place in words, and how often it happened; undefined where it says nothing. */
function saidIn(text: string): McaSaid | undefined {
  const said: McaSaid = {};
  for (const [re, member] of SAID) {
    const m = re.exec(text);
    if (m === null) continue;
    const value = Number.parseInt(m[1] ?? m[2] ?? '', m[0].includes('0x') ? 16 : 10);
    if (Number.isSafeInteger(value)) said[member] = value;
  }
  return Object.keys(said).length === 0 ? undefined : said;
}

/** Takes what a row says in words of the place, of how often it happened, and of the bank. */
export function takeWords(record: X86McaRecord, words: string): void {
  const said = saidIn(words);
  if (said !== undefined) record.said = said;
  const name = NAME.exec(words)?.[1];
  const unit = name === undefined || record.ipid !== undefined ? undefined : unitNamed(name, said?.channel);
  if (unit !== undefined) record.unit = unit;
}

/**
 * @param row of ras-mc-ctl, whose values are all hex and which leaves out what is 0
 * @param words the whole row, where `body` is only what has the registers
 */
export function rasdaemonMce(
  body: string,
  place: Place,
  source: string,
  row = false,
  words = body,
): TextItem | undefined {
  const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status: 0n };
  let hasStatus = false;
  let hasBank = row;
  for (const m of body.matchAll(PAIR)) {
    const name = m[1] ?? '';
    const member = Object.hasOwn(MCE_NAMES, name) ? MCE_NAMES[name] : undefined;
    if (member === undefined) continue;
    const decimal = !row && (DECIMAL.has(name) || /^mcgstatus=\d{1,9}$/.test(m[0]));
    if (decimal && !/^\d{1,9}$/.test(m[2] ?? '')) continue;
    const value = decimal ? BigInt(m[2] ?? '0') : hexU64(m[2]);
    if (value === undefined || (SMALL.has(member) && value > 0xffff_ffffn)) continue;
    hasStatus ||= member === 'status';
    hasBank ||= member === 'bank';
    Object.assign(record, { [member]: SMALL.has(member) ? Number(value) : value });
  }
  if (!hasStatus) return undefined;
  if (row) record.cpu ??= 0;
  // A bank without a name is printed in hex, one with a name in decimal behind it.
  const named = /\(bank=(\d{1,4})\)/.exec(body);
  if (named !== null) record.bank = Number(named[1]);
  if (/\bcpu_type= ?[^,]{0,64}\b(?:AMD|Hygon)/i.test(body) || record.ipid !== undefined) record.vendor = 'amd';
  else if (
    /\bcpu_type= ?[^,]{0,64}\b(?:Intel|Xeon|Knights|Tremont|Haswell|Broadwell|Skylake|Icelake|Sandy|Ivy|\w{5,8}(?:rapids|forest)\b)/i.test(
      body,
    )
  ) {
    record.vendor = 'intel';
  }
  // Printed wherever bit 53 of the status is set, which on Intel belongs to the threshold status.
  if (record.vendor === 'intel' && record.synd === 0n) delete record.synd;
  takeWords(record, words);
  record.origin = { source: source, firstLine: place.firstLine, lastLine: place.lastLine };
  return checkItem({ type: 'mca', ...place, record, notes: [], ...(hasBank ? {} : ({ bankUnknown: true } as const)) });
}
