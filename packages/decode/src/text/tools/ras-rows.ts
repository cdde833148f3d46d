/**
 * @module Rows of rasdaemon's database, as its tables and columns are named (ras-record.c, non-standard-*.c of rasdaemon 0.2 to 0.8.5).
 * A column that an older one has not, or that is empty, is left out. SQLite has signed integers of 64 bits.
 */
import { GUID_NULL, SECTION_MEMORY, guidFromBytes } from '../../cper/guid.ts';
import { MEMORY_LAYOUT, decodeMemoryError } from '../../cper/memory.ts';
import type { CperMemoryError } from '../../cper/record.ts';
import { CPER_SEVERITIES } from '../../cper/severity.ts';
import { decodeSection } from '../../cper/sections.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import type { KindFields } from '../../events/catalog.ts';
import { bytesToHex } from '../../cper/layout.ts';
import type { Place, TextItem, TextNote } from '../item.ts';
import { cxlItem } from '../linux/trace-events.ts';
import { VENDOR } from '../linux/mce-assembler.ts';
import { MAX_TEXT } from '../patterns.ts';
import { dropInvalid } from '../printed-registers.ts';
import { PRINTED_SEVERITIES, aerEventOf, mcEventOf, oneSection } from '../printed-reports.ts';
import { MCE_NAMES, memoryFailureFields, takeWords } from './rasdaemon-words.ts';
import { checkItem } from '../thermal.ts';

/** A value as SQLite has it; numbers are whole. */
export type RowValue = null | bigint | number | string | Uint8Array;
export type Row = Readonly<Record<string, RowValue>>;

type ReadRow = (row: Row, place: Place) => TextItem | undefined;

const text = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value.slice(0, MAX_TEXT).trim() : '';
};
const bytes = (row: Row, column: string): Uint8Array | undefined => {
  const value = row[column];
  return value instanceof Uint8Array && value.length > 0 && value.length <= MAX_BLOB ? value : undefined;
};
/** A number of so many bits; undefined where none is there. */
const number = (row: Row, column: string, bits = 64): bigint | undefined => {
  const value = row[column];
  if (typeof value === 'bigint') return BigInt.asUintN(bits, value);
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt.asUintN(bits, BigInt(value)) : undefined;
};
const signed = (row: Row, column: string): number | undefined => {
  const value = row[column];
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
};

const MAX_BLOB = 1 << 16;
/** Columns that rasdaemon binds as an int of 32 bits. */
const INTS: ReadonlySet<string> = new Set([
  'mcgcap',
  'mcgstatus',
  'cpu',
  'cpuid',
  'apicid',
  'socketid',
  'cs',
  'bank',
  'microcode',
]);
/** Members that are numbers, not registers. */
const SMALL: ReadonlySet<string> = new Set(['cpu', 'bank', 'socket']);
/** 0 where the kernel has none; no CPU has an MCG_CAP of 0 and banks. */
const ZERO_IS_NONE: ReadonlySet<string> = new Set(['mcgCap', 'tsc', 'time', 'ppin', 'rip', 'cs', 'microcode', 'cpuid']);
const NO_SYND = 'the database keeps no IPID and no SYND; rasdaemon itself said:';

function mce(row: Row, place: Place): TextItem | undefined {
  const status = number(row, 'status');
  if (status === undefined) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status };
  for (const [column, member] of Object.entries(MCE_NAMES)) {
    const value = number(row, column, INTS.has(column) ? 32 : 64);
    if (value === undefined || (value === 0n && ZERO_IS_NONE.has(member))) continue;
    Object.assign(record, { [member]: SMALL.has(member) ? Number(value) : value });
  }
  const vendor = VENDOR[Number(number(row, 'cpuvendor', 32) ?? -1n)];
  if (vendor !== undefined) record.vendor = vendor;
  dropInvalid(record);
  const notes: TextNote[] = [];
  const said = ['bank_name', 'error_msg', 'mcastatus_msg', 'mc_location'].map(c => text(row, c)).filter(t => t !== '');
  takeWords(record, said.join(', '));
  if (vendor === 'amd' && said.length > 0 && record.unit === undefined) {
    notes.push({ code: 'W_TEXT_ROW', message: `${NO_SYND} ${said.join(', ')}`.slice(0, MAX_TEXT) });
  }
  const bank = number(row, 'bank') === undefined ? { bankUnknown: true as const } : {};
  return checkItem({ type: 'mca', ...place, record, notes, ...bank });
}

/** In the words of ras-mc-ctl, so that the same error reads the same. */
function memoryController(row: Row, place: Place): TextItem {
  const [label, detail] = [text(row, 'label'), text(row, 'driver_detail')];
  const layers = ['mc', 'top_layer', 'middle_layer', 'lower_layer'].map(column => signed(row, column) ?? -1);
  const more = [
    `grain ${signed(row, 'grain') ?? 0}`,
    `syndrome ${signed(row, 'syndrome') ?? 0}${detail === '' ? '' : ` ${detail}`}`,
  ];
  const where = `${text(row, 'err_msg')} at ${label} location: ${layers.join(':')}`;
  const fields: KindFields<'edac-corrected'> = {
    count: signed(row, 'err_count') ?? 1,
    message: `${where}, ${more.join(', ')}`.slice(0, MAX_TEXT).trim(),
  };
  const addr = number(row, 'address');
  if (addr !== undefined && addr !== 0n) fields.addr = addr;
  const name = mcEventOf(text(row, 'err_type'));
  return name === undefined
    ? { type: 'event', ...place, name: 'mc-event', fields }
    : { type: 'event', ...place, name, fields };
}

function aer(row: Row, place: Place): TextItem {
  const fields = { device: text(row, 'dev_name'), message: text(row, 'err_msg') };
  return { type: 'event', ...place, name: aerEventOf(text(row, 'err_type')), fields };
}

function memoryFailure(row: Row, place: Place): TextItem | undefined {
  const page = text(row, 'page_type').replaceAll(',', ' ');
  const fields = memoryFailureFields(
    `pfn=${text(row, 'pfn')}, page_type=${page}, action_result=${text(row, 'action_result')}`,
  );
  return fields === undefined ? undefined : { type: 'event', ...place, name: 'memory-failure', fields };
}

function arm(row: Row, place: Place): TextItem {
  const count = signed(row, 'error_count') ?? 0;
  const said = [
    count > 0 ? `${count} errors` : '',
    text(row, 'error_type'),
    text(row, 'error_flags'),
    `running state ${signed(row, 'running_state') ?? 0}`,
    `PSCI state ${signed(row, 'psci_state') ?? 0}`,
  ];
  const fields: KindFields<'arm-event'> = {
    mpidr: number(row, 'mpidr') ?? 0n,
    message: said
      .filter(t => t !== '')
      .join(', ')
      .slice(0, MAX_TEXT),
  };
  const affinity = signed(row, 'affinity');
  if (affinity !== undefined) fields.affinity = affinity;
  const addr = number(row, 'phy_fault_addr');
  if (addr !== undefined && addr !== 0n) fields.addr = addr;
  return { type: 'event', ...place, name: 'arm-event', fields };
}

const COMPACT = 55;
/** What the kernel keeps of a memory section (struct cper_mem_err_compact of linux/cper.h), at its place in the whole: UEFI N.2.5. */
const COMPACT_PARTS: readonly (readonly [from: number, end: number, to: number])[] = [
  [0, 8, 0],
  [8, 48, 32],
  [48, 50, 74],
  [50, 54, 76],
  [54, 55, 73],
];
function fruOf(row: Row): { id?: string; text: string } {
  const id = bytes(row, 'fru_id');
  return { ...(id?.length === 16 ? { id: guidFromBytes(id, 0) } : {}), text: text(row, 'fru_text') };
}

function extlog(row: Row, place: Place): TextItem {
  const compact = bytes(row, 'cper_data');
  const section = new Uint8Array(MEMORY_LAYOUT.length);
  if (compact !== undefined && compact.length >= COMPACT - 1) {
    for (const [from, end, to] of COMPACT_PARTS) section.set(compact.subarray(from, end), to);
  }
  const memory = { ...decodeMemoryError(section).value, kind: 'memory' } as CperMemoryError;
  // Of these the kernel keeps the validation bits alone: they stand in columns, or nowhere.
  for (const member of ['errorStatus', 'physicalAddress', 'physicalAddressMask', 'errorType'] as const)
    delete memory[member];
  const [addr, type] = [number(row, 'address') ?? 0n, number(row, 'etype', 8)];
  if (addr !== 0n) memory.physicalAddress = addr;
  if (type !== undefined) memory.errorType = Number(type);
  const severity = CPER_SEVERITIES[signed(row, 'severity') ?? -1] ?? 'none';
  return { ...oneSection(severity, { type: SECTION_MEMORY, body: memory }, place, [], fruOf(row)), extlog: true };
}

const NO_TYPE = 'the database does not hold the type of the section, as many versions of rasdaemon wrote it';

function nonStandard(row: Row, place: Place): TextItem {
  const id = bytes(row, 'sec_type');
  const type = id?.length === 16 ? guidFromBytes(id, 0) : GUID_NULL;
  const data = bytes(row, 'error') ?? new Uint8Array(0);
  const notes: TextNote[] = type === GUID_NULL ? [{ code: 'W_TEXT_SECTION', message: NO_TYPE }] : [];
  const { value, diagnostics } = decodeSection(type, data);
  for (const { message } of diagnostics.slice(0, 8)) notes.push({ code: 'W_TEXT_SECTION', message });
  const severity = PRINTED_SEVERITIES[text(row, 'severity').toLowerCase()] ?? 'none';
  return oneSection(severity, { type, body: value }, place, notes, fruOf(row));
}

/** Columns that the kernel prints in hexadecimal; all other numbers of a CXL event are decimal, and -1 is none. */
const CXL_HEX: ReadonlySet<string> = new Set([
  'serial',
  'hpa',
  'dpa',
  'dpa_length',
  'error_status',
  'first_error',
  'descriptor',
  'device',
]);
/** Columns whose name in the text is another. */
const CXL_AS: Readonly<Record<string, string>> = { log_type: 'log', descriptor: 'descriptor_flags' };
const CXL_FIRST: readonly string[] = ['memdev', 'host', 'serial', 'log_type'];

/** The row as ras-mc-ctl prints it, for the one reader of such events. */
function cxl(event: string): ReadRow {
  return (row, place) => {
    const columns = [
      ...CXL_FIRST,
      ...Object.keys(row).filter(c => !CXL_FIRST.includes(c) && !/^(?:id|timestamp|hdr_\w+)$/.test(c)),
    ];
    const parts = columns.flatMap(column => {
      const value = row[column];
      const name = CXL_AS[column] ?? column;
      if (typeof value === 'string' && value !== '') return [`${name}=${text(row, column)}`];
      if (typeof value !== 'number' && typeof value !== 'bigint') return [];
      const all = number(row, column) ?? 0n;
      return [`${name}=${CXL_HEX.has(column) ? `0x${all.toString(16)}` : `${value}`}`];
    });
    return cxlItem(event, parts.join(', '), place);
  };
}

/** siginfo of SIGBUS: BUS_MCEERR_AR and BUS_MCEERR_AO of include/uapi/asm-generic/siginfo.h. */
const SIGBUS = 7;
const SIGBUS_CODES: Readonly<Record<number, string>> = { 4: 'BUS_MCEERR_AR', 5: 'BUS_MCEERR_AO' };

function signal(row: Row, place: Place): TextItem | undefined {
  const [sig, code] = [signed(row, 'sig'), signed(row, 'code')];
  if (sig === undefined) return undefined;
  const word = sig === SIGBUS ? SIGBUS_CODES[code ?? -1] : undefined;
  const fields: KindFields<'ras-signal'> = {
    number: sig,
    code: word ?? `code ${code ?? 'unknown'}`,
    comm: text(row, 'comm'),
    pid: signed(row, 'pid') ?? 0,
  };
  return { type: 'event', ...place, name: word === undefined ? 'ras-signal' : 'ras-sigbus', fields };
}

/** A row of what is no memory, or of what one maker of chips alone knows: whole, in the words of its columns. */
function said(
  name: 'disk-error' | 'devlink-error' | 'ras-vendor',
): (table: string, row: Row, place: Place) => TextItem {
  return (table, row, place) => {
    const parts = Object.entries(row).flatMap(([column, value]) => {
      if (column === 'id' || column === 'timestamp' || value === null || value === '') return [];
      const shown = value instanceof Uint8Array ? bytesToHex(value.subarray(0, 32)) : `${value}`.slice(0, 128);
      return [`${column}=${shown}`];
    });
    const fields = { what: table, message: parts.join(', ').slice(0, MAX_TEXT) };
    return { type: 'event', ...place, name, fields };
  };
}

const disk = said('disk-error');
const devlink = said('devlink-error');
const vendor = said('ras-vendor');

/** Tables by name, in the order in which they are read. */
const TABLES: Readonly<Record<string, ReadRow>> = {
  mce_record: mce,
  mc_event: memoryController,
  extlog_event: extlog,
  non_standard_event: nonStandard,
  arm_event: arm,
  memory_failure_event: memoryFailure,
  signal_event: signal,
  cxl_aer_ue_event: cxl('cxl_aer_uncorrectable_error'),
  cxl_aer_ce_event: cxl('cxl_aer_correctable_error'),
  cxl_poison_event: cxl('cxl_poison'),
  cxl_overflow_event: cxl('cxl_overflow'),
  cxl_generic_event: cxl('cxl_generic_event'),
  cxl_general_media_event: cxl('cxl_general_media'),
  cxl_dram_event: cxl('cxl_dram'),
  cxl_memory_module_event: cxl('cxl_memory_module'),
  aer_event: aer,
  devlink_event: (row, place) => devlink('devlink', row, place),
  disk_errors: (row, place) => disk('disk', row, place),
};
/** Tables of chip makers: their columns are registers and words that only they know. */
const VENDOR_TABLE = /^(?:(?:amp|jm)_payload\d_event|(?:hip08|hisi|yitian|nvidia)_\w{1,40}|reri_event)$/;

/** Tables of rasdaemon among those of a database, in the order in which they are read. */
export function rasTables(names: readonly string[]): string[] {
  const known = Object.keys(TABLES).filter(name => names.includes(name));
  return [...known, ...names.filter(name => VENDOR_TABLE.test(name)).toSorted()];
}

/** What a row says; undefined for one that says nothing that can be read. */
export function rasRow(table: string, row: Row): TextItem | undefined {
  const place: Place = { form: 'rasdaemon', firstLine: 0, lastLine: 0 };
  const read = Object.hasOwn(TABLES, table) ? TABLES[table] : undefined;
  if (read !== undefined) return read(row, place);
  return VENDOR_TABLE.test(table) ? vendor(table, row, place) : undefined;
}
