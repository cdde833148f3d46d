/**
 * @module What the kernel's trace events of hardware errors print behind their name → items. Sources: include/ras/ras_event.h,
 * include/trace/events/mce.h and drivers/cxl/core/trace.h of Linux; what the numbers mean: UEFI appendix N, CXL 8.2.10.2.1.
 */
import { ARM_CONTEXT_LAYOUT, ARM_ERROR_LAYOUT, decodeArm, encodeArm } from '../../cper/arm.ts';
import * as guid from '../../cper/guid.ts';
import type { CperMemoryError } from '../../cper/record.ts';
import { decodeSection } from '../../cper/sections.ts';
import { CPER_BY_RANK } from '../../cper/severity.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { placed } from '../../registers/field.ts';
import type { KindFields } from '../../events/catalog.ts';
import { eventItem } from '../item.ts';
import type { Place, TextItem, TextNote } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';
import { dropInvalid } from '../printed-registers.ts';
import { PRINTED_SEVERITIES, aerEventOf, mcEventOf, oneSection, setErrorType } from '../printed-reports.ts';
import { hexU64 } from '../transport/line.ts';
import { SectionLines } from './cper-section.ts';
import { VENDOR } from './mce-assembler.ts';
import { checkItem } from '../thermal.ts';

/** Reads what one event prints; undefined for text that it never prints, such as that of a tool with the same name in it. */
type EventText = (text: string, place: Place) => TextItem | undefined;

const NO_ADDRESS = 0xffff_ffff_ffff_ffffn;

/** `CPU: 0, MCGc/s: f000c15/0, MC13: 8c00…, …`: the names of all ages; before 6.10 some share a value's place. */
const MCE_HEAD =
  /^ ?CPU: (\d{1,6}), MCGc\/s: ([0-9a-f]{1,16})\/([0-9a-f]{1,16}), MC(\d{1,3}): ([0-9a-f]{16})(?:, (.*))?$/s;
const MCE_PAIR = /(?:^|, )([A-Za-z][A-Za-z/]{1,14}): {0,4}([0-9a-f<>:]{1,24}(?:\/[0-9a-f]{1,16}){0,2})(?=,|$)/g;
const MCE_NAMES: Readonly<Record<string, 'ipid' | 'addr' | 'misc' | 'synd' | 'tsc' | 'ppin' | 'microcode' | 'apicId'>> =
  {
    IPID: 'ipid',
    ADDR: 'addr',
    MISC: 'misc',
    SYND: 'synd',
    TSC: 'tsc',
    PPIN: 'ppin',
    microcode: 'microcode',
    APIC: 'apicId',
  };
/** Registers that are printed as 0 where there are none. */
const ZERO_IS_NONE: ReadonlySet<string> = new Set(['ipid', 'synd', 'ppin', 'microcode']);

function mceRecord(text: string, place: Place): TextItem | undefined {
  const m = MCE_HEAD.exec(text);
  if (m === null) return undefined;
  const record: X86McaRecord = {
    kind: 'x86-mca',
    cpu: Number(m[1]),
    bank: Number(m[4]),
    status: hexU64(m[5]) ?? 0n,
    mcgStatus: hexU64(m[3]) ?? 0n,
  };
  const cap = hexU64(m[2]) ?? 0n;
  if (cap !== 0n) record.mcgCap = cap;
  let whole = false;
  for (const [, names = '', values = ''] of (m[6] ?? '').slice(0, 1024).matchAll(MCE_PAIR)) {
    const list = values.split('/');
    names.split('/').forEach((name, i) => {
      const text = list[i];
      const value = hexU64(text);
      const member = Object.hasOwn(MCE_NAMES, name) ? MCE_NAMES[name] : undefined;
      if (member !== undefined && value !== undefined) {
        if (value !== 0n || !ZERO_IS_NONE.has(member)) record[member] = value;
      } else if (name === 'RIP') {
        const [cs, ip] = (text ?? '').split(':<');
        record.cs = hexU64(cs) ?? 0n;
        record.rip = hexU64(ip?.replace('>', '')) ?? 0n;
      } else if (name === 'PROCESSOR') {
        const [vendor, cpuid] = (text ?? '').split(':');
        vendorOf(record, vendor);
        const id = hexU64(cpuid);
        if (id !== undefined) record.cpuid = id;
      } else if (name === 'vendor') vendorOf(record, text);
      else if (name === 'CPUID' && value !== undefined) record.cpuid = value;
      else if (/^time$/i.test(name) && /^\d{1,15}$/.test(text ?? '')) record.time = BigInt(text ?? '0');
      else if (/^socket$/i.test(name) && /^\d{1,9}$/.test(text ?? '')) record.socket = Number(text);
    });
    whole ||= names === 'APIC';
  }
  dropInvalid(record);
  const notes: TextNote[] = whole
    ? []
    : [{ code: 'W_TEXT_INCOMPLETE', message: 'the line ends before its last register; what is there was taken' }];
  return checkItem({ type: 'mca', ...place, record, notes });
}

function vendorOf(record: X86McaRecord, number: string | undefined): void {
  const vendor = /^\d{1,3}$/.test(number ?? '') ? VENDOR[Number(number)] : undefined;
  if (vendor !== undefined) record.vendor = vendor;
}

const MC =
  /^ ?(\d{1,9}) (Corrected|Uncorrected|Deferred|Fatal|Info) errors?: ?(.{0,256}? on .{0,400}?) \(mc: ?(\d{1,3}) location:(.{0,400})$/s;

function mcEvent(text: string, place: Place): TextItem | undefined {
  const m = MC.exec(text);
  if (m === null) return undefined;
  const addr = hexU64(/\baddress: ?(0x[0-9a-f]{1,16})/.exec(m[5] ?? '')?.[1]);
  const fields: KindFields<'edac-corrected'> = {
    controller: Number(m[4]),
    count: Number(m[1]),
    message: `${m[3] ?? ''} (location:${m[5] ?? ''}`.slice(0, MAX_TEXT).trim(),
  };
  if (addr !== undefined && addr !== 0n) fields.addr = addr;
  const name = mcEventOf(m[2] ?? '');
  if (name !== undefined) return { type: 'event', ...place, name, fields };
  const { controller: _, ...said } = fields;
  return { type: 'event', ...place, name: 'mc-event', fields: said };
}

const ARM =
  /^ ?(?:cpu: (-?\d{1,6}); error: (\d{1,3}); )?affinity level: (-?\d{1,3}); MPIDR: ([0-9a-f]{1,16}); MIDR: ([0-9a-f]{1,16}); running state: (-?\d{1,10}); PSCI state: (-?\d{1,10})(.*)$/s;
const ARM_DATA =
  /(Err Info|Err Context Info|Specific Err Info) data len: (\d{1,6}); [A-Z][\w ]{8,40} raw data: ((?:[0-9a-f]{2} ?){0,4096})/g;
function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], digits => Number.parseInt(digits, 16));
}

/** How many context structures lie behind one another. */
function contextsIn(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let count = 0;
  for (let at = 0; at + ARM_CONTEXT_LAYOUT.length <= bytes.length; count++)
    at += ARM_CONTEXT_LAYOUT.length + view.getUint32(at + 4, true);
  return count;
}

function armEvent(text: string, place: Place): TextItem | undefined {
  const m = ARM.exec(text);
  if (m === null) return undefined;
  const [mpidr, midr] = [hexU64(m[4]) ?? 0n, hexU64(m[5]) ?? 0n];
  const data = new Map<string, Uint8Array>();
  let lost = false;
  for (const [, what = '', length = '', hex = ''] of (m[8] ?? '').matchAll(ARM_DATA)) {
    const bytes = bytesOf(hex);
    lost ||= bytes.length !== Number(length);
    data.set(what, bytes);
  }
  const errors = data.get('Err Info');
  if (errors === undefined || errors.length === 0 || lost) {
    const message = `running state ${m[6] ?? ''}, PSCI state ${m[7] ?? ''}`;
    return { type: 'event', ...place, name: 'arm-event', fields: { affinity: Number(m[3]), mpidr, midr, message } };
  }
  const contexts = data.get('Err Context Info') ?? new Uint8Array(0);
  const vendor = data.get('Specific Err Info') ?? new Uint8Array(0);
  // As numbers of 8 and 32 bits that are all ones where firmware did not say them.
  const [affinity, running, psci] = [Number(m[3]), Number(m[6]), Number(m[7])];
  const section = encodeArm({
    kind: 'arm-processor',
    ...(affinity >= 0 && affinity < 0xff ? { affinityLevel: affinity } : {}),
    ...(mpidr === 0n ? {} : { mpidr }),
    midr,
    ...(running === 0 || running === 1 ? { runningState: running } : {}),
    ...(running === 0 && psci > 0 ? { psciState: psci } : {}),
    errors: [],
    contexts: [],
    errorCount: Math.floor(errors.length / ARM_ERROR_LAYOUT.length),
    contextCount: contextsIn(contexts),
    vendorInfo: Uint8Array.from([...errors, ...contexts, ...vendor]),
  });
  const { value, diagnostics } = decodeArm(section);
  if (value === undefined) return undefined;
  if (value.vendorInfo?.length === 0) delete value.vendorInfo;
  const severity = CPER_BY_RANK[Number(m[2] ?? 2)] ?? 'none';
  const notes = diagnostics.map(d => ({ code: 'W_TEXT_INCOMPLETE', message: d.message }) as const);
  return oneSection(severity, { type: guid.SECTION_PROC_ARM, body: value }, place, notes);
}

const EXTLOG =
  /^ ?\{\d{1,10}\} ([a-z]{4,13}) error: (.{1,48}?) physical addr: ([0-9a-f]{16}) \(mask lsb: ([0-9a-f]{1,2})\) (.{0,400}?)FRU: ([0-9a-f]{8}-[0-9a-f-]{27}) ?(.{0,32})$/s;
function extlogEvent(text: string, place: Place): TextItem | undefined {
  const m = EXTLOG.exec(text);
  const severity = PRINTED_SEVERITIES[m?.[1] ?? ''];
  if (m === null || severity === undefined) return undefined;
  const lines = new SectionLines(guid.SECTION_MEMORY);
  lines.take((m[5] ?? '').trim());
  const memory = lines.body as CperMemoryError;
  const addr = hexU64(m[3]) ?? NO_ADDRESS;
  if (addr !== NO_ADDRESS) memory.physicalAddress = addr;
  const lsb = Number.parseInt(m[4] ?? 'ff', 16);
  if (lsb < 64) memory.physicalAddressMask = BigInt.asUintN(64, placed(NO_ADDRESS, lsb));
  setErrorType(memory, m[2] ?? '');
  const section = { type: guid.SECTION_MEMORY, body: memory };
  return { ...oneSection(severity, section, place, [], { id: m[6], text: m[7] }), extlog: true };
}

const NON_STANDARD =
  /^ ?severity: (\d{1,3}); sec type:([0-9a-f]{8}-[0-9a-f-]{27}); FRU: ([0-9a-f]{8}-[0-9a-f-]{27}) (.{0,64}?); data len:(\d{1,6}); raw data:((?:[0-9a-f]{2} ?){0,4096})/s;

function nonStandardEvent(text: string, place: Place): TextItem | undefined {
  const m = NON_STANDARD.exec(text);
  if (m === null) return undefined;
  const bytes = bytesOf(m[6] ?? '');
  const type = m[2] ?? guid.GUID_NULL;
  const notes: TextNote[] = [];
  if (bytes.length !== Number(m[5])) {
    const message = `the section has ${m[5] ?? ''} bytes, ${bytes.length} of them are there`;
    notes.push({ code: 'W_TEXT_INCOMPLETE', message });
  }
  const { value, diagnostics } = decodeSection(type, bytes);
  for (const { message } of diagnostics.slice(0, 8)) notes.push({ code: 'W_TEXT_SECTION', message });
  return oneSection(CPER_BY_RANK[Number(m[1])] ?? 'none', { type, body: value }, place, notes, {
    id: m[3],
    text: m[4],
  });
}

const AER =
  /^ ?(\S{1,32}) (?:PCIe|CXL) Bus Error: severity=([A-Za-z ,()-]{5,32}?), (.{0,400}?)(?:, TLP Header=(.{0,200}))?$/s;

function aerEvent(text: string, place: Place): TextItem | undefined {
  const m = AER.exec(text);
  if (m === null) return undefined;
  const name = aerEventOf(m[2] ?? '');
  const fields: KindFields<'pcie-corrected'> = { device: m[1] ?? '', message: (m[3] ?? '').trim() };
  if (m[4] !== undefined && /\{|0x/.test(m[4])) fields.header = m[4].trim();
  return { type: 'event', ...place, name, fields };
}

const MEMORY_FAILURE = /^ {0,8}pfn (0x[0-9a-f]{1,16}|0): recovery action for (.{1,64}): (\w{1,16})$/s;

/** The fields of a memory failure as every kernel prints it; the words in it are looked up by whoever printed it. */
export function printedMemoryFailure(text: string): Record<string, string> | undefined {
  const [, pfn, type, result] = MEMORY_FAILURE.exec(text) ?? [];
  return pfn === undefined || type === undefined || result === undefined ? undefined : { pfn, type, result };
}

/** Names and values stand apart by `=`, or by a colon where rasdaemon prints them. */
const CXL_DEVICE = /\bmemdev[=:] ?([^\s,]{1,32})/;
/** Of a port, which is no memory device (cxl_port_aer_…, since 6.14; the same names for both later). */
const CXL_PORT = /^device=([^\s,]{1,32}) (?:\([^)]{1,32}\) )?(?:host|parent)=[^\s,]{1,32} (?:\([^)]{1,32}\) )?/;
const CXL_HOST = /\bhost[=:] ?([^\s,]{1,32})/;
const CXL_LOG = /\blog(?: type)?[=:] ?(\w{1,16})/;
const CXL_DPA = /\bdpa[=:] ?((?:0x)?[0-9a-f]{1,16})\b/;
const CXL_HPA = /\bhpa[=:] ?((?:0x)?[0-9a-f]{1,16})\b/;
/** What stands before what the event itself says. */
const CXL_COMMON =
  /^.{0,128}?\bserial[=:] ?(?:0x[0-9a-f]{1,16}|-?\d{1,20}),?(?: log(?: type)?[=:]\w{1,16})?(?: : time=\d{1,20} uuid=\S{36} len=\d{1,6} .{0,200}? : )?[ :]{0,3}/s;
/** Behind it stand flags and identifiers that nobody reads. */
const CXL_REST = / (?:validity_flags|cor_mask|comp_id|pldm_entity_id|sub_channel)[=:].{0,4096}$/s;
const CXL_NUMBERS = {
  channel: 10,
  rank: 10,
  device: 16,
  bank_group: 10,
  bank: 10,
  row: 10,
  column: 10,
} as const;
const CXL_MEMBERS: Readonly<
  Record<keyof typeof CXL_NUMBERS, 'channel' | 'rank' | 'device' | 'bankGroup' | 'bankAddress' | 'row' | 'column'>
> = {
  channel: 'channel',
  rank: 'rank',
  device: 'device',
  bank_group: 'bankGroup',
  bank: 'bankAddress',
  row: 'row',
  column: 'column',
};

/** How bad it is: by the descriptor of an event (bit 0: uncorrectable, CXL Table 8-56), by the log it stands in, or by its kind. */
function cxlName(event: string, log: string, body: string): 'cxl-uncorrected' | 'cxl-corrected' | 'cxl-info' {
  if (/^cxl_(?:(?:port_)?aer_uncorrectable_error|poison)$/.test(event)) return 'cxl-uncorrected';
  if (/^cxl_(?:port_)?aer_correctable_error$/.test(event)) return 'cxl-corrected';
  // Its health, its temperature: no place in it.
  if (event === 'cxl_memory_module' || event === 'cxl_overflow') return 'cxl-info';
  // Empty where an error was corrected, and nothing more is to be said of it.
  const descriptor = /\bdescriptor(?:_flags)?[=:](?:''| ?'?([^' ]{1,96}))/
    .exec(body)
    ?.slice(1)
    .map(d => d ?? '')[0];
  const bits = hexU64(descriptor?.startsWith('0x') === true ? descriptor : undefined);
  if (descriptor?.includes('UNCORRECTABLE') === true || (bits ?? 0n) % 2n === 1n) return 'cxl-uncorrected';
  if (log === 'Fatal' || log === 'Failure') return 'cxl-uncorrected';
  return descriptor === undefined ? 'cxl-info' : 'cxl-corrected';
}

/**
 * An event of a CXL memory device, as the kernel, rasdaemon and ras-mc-ctl print it.
 * @param event its name in the kernel: `cxl_general_media`
 */
export function cxlItem(event: string, text: string, place: Place): TextItem | undefined {
  const body = text.slice(0, 4096);
  const memdev = CXL_DEVICE.exec(body)?.[1] ?? CXL_PORT.exec(body)?.[1];
  if (memdev === undefined) return undefined;
  const message = body.replace(CXL_COMMON, '').replace(CXL_PORT, '').replace(CXL_REST, '');
  const fields: KindFields<'cxl-corrected'> = {
    event: event.replace(/^cxl_/, '').replaceAll('_', ' '),
    memdev,
    message: message.slice(0, MAX_TEXT).trim(),
  };
  const [host, log] = [CXL_HOST.exec(body)?.[1], CXL_LOG.exec(body)?.[1]];
  if (host !== undefined) fields.host = host;
  if (log !== undefined) fields.log = log;
  const [dpa, hpa] = [hexU64(CXL_DPA.exec(body)?.[1]), hexU64(CXL_HPA.exec(body)?.[1])];
  if (dpa !== undefined) fields.dpa = dpa;
  if (hpa !== undefined && hpa !== NO_ADDRESS) fields.addr = hpa;
  if (dpa !== undefined) {
    for (const [, name = '', digits = ''] of message
      .slice(0, 1024)
      .matchAll(/\b([a-z_]{3,10})[=:] ?(?:0x)?([0-9a-f]{1,8})\b/g)) {
      if (!Object.hasOwn(CXL_NUMBERS, name)) continue;
      const key = name as keyof typeof CXL_NUMBERS;
      const value = Number.parseInt(digits, CXL_NUMBERS[key]);
      if (Number.isSafeInteger(value)) fields[CXL_MEMBERS[key]] = value;
    }
  }
  return { type: 'event', ...place, name: cxlName(event, log ?? '', body), fields };
}

const EVENTS: Readonly<Record<string, EventText>> = {
  mce_record: mceRecord,
  mc_event: mcEvent,
  arm_event: armEvent,
  aer_event: aerEvent,
  extlog_mem_event: extlogEvent,
  non_standard_event: nonStandardEvent,
};

/** Words of which every line of a trace event holds one. */
export const TRACE_NEEDLES: readonly string[] = [
  'aer_event:',
  ': memdev=',
  '_aer_uncorrectable_error:',
  '_aer_correctable_error:',
  ...Object.keys(EVENTS).map(n => `${n}:`),
];

const NAME =
  /(?:^|[\s:])(mce_record|mc_event|arm_event|aer_event|extlog_mem_event|non_standard_event|cxl_[a-z_]{3,40}): (.*)$/s;

/** The item of a line of a trace event; undefined where the line is none, or of a tool that writes another text behind the name. */
export function traceItem(text: string, lineNumber: number, input = ''): TextItem | undefined {
  const [, name = '', body = ''] = NAME.exec(text) ?? [];
  if (name === '') return undefined;
  const place: Place = { form: 'tracefs', firstLine: lineNumber, lastLine: lineNumber };
  const said = body.trimEnd();
  const item = readEvent(name, said, place);
  if (item?.type === 'mca') item.record.origin = { source: input, firstLine: lineNumber, lastLine: lineNumber };
  return item;
}

function readEvent(name: string, said: string, place: Place): TextItem | undefined {
  // A tool's text has its own level and time before the device.
  if (name.startsWith('cxl_')) return /^(?:memdev|device)=/.test(said) ? cxlItem(name, said, place) : undefined;
  return EVENTS[name]?.(said, place);
}

/** Of what a memory failure says, by the names of its fields. */
export function memoryFailureItem(said: Readonly<Record<string, string>>, lineNumber: number): TextItem | undefined {
  const pfn = hexU64(said['pfn']);
  if (pfn === undefined) return undefined;
  const fields = { pfn, page: said['type'] ?? '', result: said['result'] ?? '' };
  return eventItem('tracefs', lineNumber, { name: 'memory-failure', fields });
}
