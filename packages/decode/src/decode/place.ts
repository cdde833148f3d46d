/** @module Where in the machine an error was, as fields: the part, and the cell in it, in the words of the record. */
import { rowOf } from '../cper/memory.ts';
import { cxlPlaces } from '../cper/cxl-event.ts';
import { pcieDeviceOf } from '../registers/pci-name.ts';
import type { CperRecord, CperTabled } from '../cper/record.ts';
import { isTabled } from '../cper/tables.ts';
import type { Register } from '../registers/register.ts';
import type { FieldValue } from '../events/row.ts';

/** What names a place, from the part down to the cell; a member is there only where the record says it. */
export interface DecodedPlace {
  /** What board, firmware or driver calls the DIMM: `CPU0_DIMM_G1`, `CPU_SrcID#1_MC#0_Chan#1_DIMM#0`. */
  label?: string;
  /** FRU text of a firmware record or of AMD's SYND1 and SYND2. */
  fru?: string;
  node?: number;
  /** As the board numbers it, from 1. */
  processor?: number;
  socket?: number;
  controller?: number;
  card?: number;
  channel?: number;
  slot?: number;
  /** In the layers of the EDAC controller, the outermost first, as rasdaemon prints it: `18`, `1:0`. Which they are its driver knows. */
  location?: string;
  module?: number;
  rank?: number;
  subRank?: number;
  chipSelect?: number;
  chipId?: number;
  device?: number;
  bankGroup?: number;
  /** The bank of the DRAM, not of the machine check. */
  bank?: number;
  row?: number;
  column?: number;
  bit?: number;
  /** Of SMBIOS (type 17), where its tables were given: the slot as the board names it, and the module in it. */
  locator?: string;
  bankLocator?: string;
  manufacturer?: string;
  partNumber?: string;
  serial?: string;
}

/** What SMBIOS says of a memory device. */
export type DimmFacts = Pick<DecodedPlace, PlaceText | 'label'>;
type PlaceText = 'locator' | 'bankLocator' | 'manufacturer' | 'partNumber' | 'serial';

type PlaceNumber = Exclude<keyof DecodedPlace, 'label' | 'fru' | 'location' | PlaceText>;

const OF_DIMM: readonly string[] = ['locator', 'bankLocator', 'manufacturer', 'partNumber', 'serial'];
const TEXTS: readonly string[] = ['label', 'fru', 'location', ...OF_DIMM];
/** Whether a member is what SMBIOS says of the module. */
export const isOfDimm = (member: keyof DecodedPlace): boolean => OF_DIMM.includes(member);
/** Whether a member of a place is a number. */
export const isPlaceNumber = (member: keyof DecodedPlace): member is PlaceNumber => !TEXTS.includes(member);

/** Names and order of the members, from the part down to the cell. */
export const PLACE_WORDS: readonly (readonly [keyof DecodedPlace, string])[] = [
  ['label', ''],
  ['fru', 'FRU'],
  ['node', 'node'],
  ['processor', 'processor'],
  ['socket', 'socket'],
  ['controller', 'controller'],
  ['card', 'card'],
  ['channel', 'channel'],
  ['slot', 'slot'],
  ['location', 'EDAC location'],
  ['module', 'module'],
  ['rank', 'rank'],
  ['subRank', 'sub-rank'],
  ['chipSelect', 'chip select'],
  ['chipId', 'chip'],
  ['device', 'device'],
  ['bankGroup', 'bank group'],
  ['bank', 'DRAM bank'],
  ['row', 'row'],
  ['column', 'column'],
  ['bit', 'bit'],
  ['locator', 'SMBIOS slot'],
  ['bankLocator', 'SMBIOS bank'],
  ['manufacturer', 'made by'],
  ['partNumber', 'part number'],
  ['serial', 'serial number'],
];
const IN_HEX: ReadonlySet<keyof DecodedPlace> = new Set(['row', 'column']);

/** `CPU0_DIMM_G1, rank 1, row 0x3b01`: the members of a place in words; `only` leaves out the others. */
export function placeText(place: DecodedPlace, only?: (member: keyof DecodedPlace) => boolean): string {
  const parts: string[] = [];
  for (const [member, word] of PLACE_WORDS) {
    const value = place[member];
    if (value === undefined || only?.(member) === false) continue;
    const shown = typeof value === 'number' && IN_HEX.has(member) ? `0x${value.toString(16)}` : `${value}`;
    parts.push(word === '' ? shown : `${word} ${shown}`);
  }
  return parts.join(', ');
}

/** `CPU 3`, or `APIC ID 0x40` where only that is said; undefined where neither is. */
export function cpuText({ cpu, apicId }: { cpu?: number; apicId?: bigint }): string | undefined {
  if (cpu !== undefined) return `CPU ${cpu}`;
  return apicId === undefined ? undefined : `APIC ID 0x${apicId.toString(16)}`;
}

/** Nothing at all is no place. */
export function placeOrNone(place: DecodedPlace): DecodedPlace | undefined {
  for (const _ in place) return place;
  return undefined;
}

/** Fields of MCi_MISC of the memory controllers that name the cell, or the module at least: SDM vol. 3B, Interpreting Machine-Check Error Codes (mca/intel-misc.ts). */
const MISC: readonly (readonly [field: string, member: PlaceNumber])[] = [
  ['CHANNEL', 'channel'],
  ['DIMM', 'slot'],
  ['RANK', 'rank'],
  ['SUBRANK', 'subRank'],
  ['CHIPSELECT', 'chipSelect'],
  ['DEVICE', 'device'],
  ['BANK', 'bank'],
  ['ROW', 'row'],
];

/** Whether a layout of MCi_MISC names the cell or the module: that of a memory controller. */
export function namesCell(register: Register): boolean {
  const names = new Set(register.fields.map(f => f.name));
  return (names.has('ROW') && names.has('COLUMN')) || names.has('DIMM');
}

/**
 * The cell, or the module, that MCi_MISC of an Intel memory controller names.
 * @param register a layout of which {@link namesCell} holds
 * @param corrected the failed device is said only of a corrected error that came back when it was read again
 */
export function placeOfMisc(register: Register, misc: bigint, corrected: boolean): DecodedPlace {
  const values = register.read(misc) as Readonly<Record<string, bigint | boolean>>;
  const place: DecodedPlace = {};
  const hasDevice = corrected && values['TRANSIENT'] !== true;
  for (const [field, member] of MISC) {
    const value = values[field];
    if (value !== undefined && (member !== 'device' || hasDevice)) place[member] = Number(value);
  }
  if (values['COLUMN'] === undefined) return place;
  const low = Number(values['BANKGROUP'] ?? 0);
  place.bankGroup = values['BANKGROUP2'] === true ? low | 4 : low;
  // The field has bits 11:2 of the column.
  place.column = Number(values['COLUMN']) * 4;
  return place;
}

/** Members that have the same name in a place. */
const SAME = [
  'socket',
  'controller',
  'channel',
  'slot',
  'rank',
  'bankGroup',
  'bank',
  'row',
  'column',
  'chipSelect',
  'chipId',
  'node',
] as const;

/** The place that a section names which is read by a table: the events of CXL, and Windows' memory sections. */
function placeOfTabled(body: CperTabled): DecodedPlace {
  if (body.kind !== 'whea-intel-memory') {
    return Object.fromEntries(
      cxlPlaces(body).map(([member, value]) => [
        member === 'mediaDevice' ? 'device' : member === 'subChannel' ? 'subRank' : member,
        value,
      ]),
    );
  }
  return Object.fromEntries(SAME.flatMap(name => (typeof body[name] === 'number' ? [[name, body[name]]] : [])));
}

/** The place that the first memory section of a firmware record names. UEFI 2.10 N.2.5 and N.2.6. */
export function placeOfCper({ sections }: CperRecord): DecodedPlace | undefined {
  const place: DecodedPlace = {};
  const fru = sections.find(s => s.fruText !== undefined)?.fruText?.trim();
  if (fru !== undefined && fru !== '') place.fru = fru;
  for (const { body } of sections) {
    const device = body.kind === 'pcie' ? pcieDeviceOf(body) : undefined;
    if (device !== undefined) place.label ??= `PCIe ${device}`;
    if (isTabled(body)) Object.assign(place, placeOfTabled(body));
    if (body.kind !== 'memory' && body.kind !== 'memory2') continue;
    if (body.kind === 'memory' && body.dimmLocation !== undefined) place.label = body.dimmLocation;
    const group = body.bankGroup ?? (body.bank === undefined || body.bank <= 0xff ? undefined : body.bank >> 8);
    const bank = body.bankAddress ?? (body.bank === undefined ? undefined : body.bank & 0xff);
    const cell: Partial<Record<PlaceNumber, number | undefined>> = {
      node: body.node,
      card: body.card,
      module: body.module,
      rank: body.rank,
      chipId: body.chipId,
      device: body.device,
      bankGroup: group,
      bank,
      row: rowOf(body),
      column: body.column,
      bit: body.bitPosition,
    };
    for (const [member, value] of Object.entries(cell)) if (value !== undefined) place[member as PlaceNumber] = value;
    break;
  }
  return placeOrNone(place);
}

/**
 * Names that memory controller drivers print before a number: drivers/edac (sb_edac, skx_common with ACPI's ADXL, amd64_edac,
 * ghes_edac and the layers of edac_mc), and rasdaemon after them.
 */
const EDAC: Readonly<Record<string, PlaceNumber>> = {
  socket: 'socket',
  ProcessorSocketId: 'socket',
  imc: 'controller',
  MemoryControllerId: 'controller',
  node: 'node',
  card: 'card',
  module: 'module',
  channel: 'channel',
  ChannelId: 'channel',
  slot: 'slot',
  DimmSlotId: 'slot',
  rank: 'rank',
  PhysicalRankId: 'rank',
  csrow: 'chipSelect',
  ChipSelect: 'chipSelect',
  ChipId: 'chipId',
  chipid: 'chipId',
  device: 'device',
  bg: 'bankGroup',
  bank_group: 'bankGroup',
  BankGroup: 'bankGroup',
  ba: 'bank',
  bank: 'bank',
  bank_address: 'bank',
  Bank: 'bank',
  row: 'row',
  Row: 'row',
  col: 'column',
  column: 'column',
  Column: 'column',
  bit_pos: 'bit',
  bit_position: 'bit',
  // Before 3.6, and of FB-DIMMs (i5000_edac, i5400_edac, i7300_edac): RAS is the row, CAS the column.
  Socket: 'socket',
  Channel: 'channel',
  dimm: 'slot',
  Rank: 'rank',
  'DRAM-Bank': 'bank',
  RAS: 'row',
  CAS: 'column',
};
const EDAC_PAIR = /(?<![\w-])([A-Za-z][A-Za-z_-]{1,23})(?::|=) ?(0x[0-9a-fA-F]{1,8}|\d{1,9})(?=[\s,()]|$)/g;
/** rasdaemon: the controller and three layers, or the layers alone behind `mc:`; -1 is one that the driver does not have. */
const LOCATION = /(?:\bmc: ?(\d{1,4}) )?\blocation: ?(-?\d{1,4}(?::-?\d{1,4}){1,3})(?![\d:])/;
/** The first skx_edac (Linux 4.7 to 5.4) prints row and column hexadecimal without 0x; the others behind `err_code:` with four digits have none. */
const BARE_CELL = /\berr_code:[0-9a-f]{4}:[0-9a-f]{4}\b.{0,200}? row:([0-9a-f]{1,8}) col:([0-9a-f]{1,8})(?![\w])/s;
/** Linux before 3.6, drivers that know the page: `row` is the chip select row. */
const OLD_ROW = /^page 0x[0-9a-f]{1,13}, .{0,120}?\brow (\d{1,4}), (?:channel (\d{1,4}),? )?(?:labels? )?"/s;
const OLD_LABEL = /^(?:page 0x|row ).{0,160}?(?:\blabels?|channel \d{1,4}) "([^"]{0,120})"/s;
/** octeon_edac-lmc and armada_xp_edac. */
const DIMM_WORDS = /^DIMM (\d{1,4}) rank (\d{1,4}) bank (\d{1,4}) row (\d{1,9}) col (\d{1,9}) on /;
/** synopsys_edac, versal_edac. */
const DDR_WORDS = /\bDDR ECC error type ?:[ \w]{2,4} (.{0,200})$/s;
const DDR_WORD = /\b(Row|Col|Bank|BankGroup Number|Rank) (\d{1,9})\b/g;
const DDR: Readonly<Record<string, PlaceNumber>> = {
  Row: 'row',
  Col: 'column',
  Bank: 'bank',
  'BankGroup Number': 'bankGroup',
  Rank: 'rank',
};
/** `… on LABEL (channel:…`, `… at LABEL location: …`. */
const EDAC_LABEL = /(?:^| )(?:on|at) (\S.{0,159}?) (?:\(|location: )/;
/**
 * ghes_edac: its one controller is all memory that firmware watches, and names no place; the bank has the group in its upper byte
 * (UEFI 2.10 N.2.5).
 */
const OF_FIRMWARE = / - APEI location: /;
/** What drivers print that have no label: `any memory`, `unknown memory`, `unknown label`. */
const NO_LABEL = /^(?:any|unknown) (?:memory|label)/i;

/** What some drivers say in other words. */
function wordsOf(text: string, place: DecodedPlace): void {
  const [, row, channel] = OLD_ROW.exec(text) ?? [];
  if (row !== undefined) place.chipSelect = Number(row);
  if (channel !== undefined) place.channel = Number(channel);
  const dimm = DIMM_WORDS.exec(text);
  if (dimm !== null) {
    const [slot = 0, rank = 0, bank = 0, cellRow = 0, column = 0] = dimm.slice(1).map(Number);
    Object.assign(place, { slot, rank, bank, row: cellRow, column });
  }
  for (const [, name = '', digits = ''] of (DDR_WORDS.exec(text)?.[1] ?? '').matchAll(DDR_WORD)) {
    const member = DDR[name];
    if (member !== undefined) place[member] = Number(digits);
  }
}

/** The place in the layers of EDAC, and its controller. */
function locationOf(text: string, place: DecodedPlace): void {
  const [, named, all] = LOCATION.exec(text) ?? [];
  if (all === undefined) return;
  const numbers = all.split(':').map(Number);
  const controller = numbers.length === 4 ? numbers.shift() : named === undefined ? undefined : Number(named);
  const none = numbers.findIndex(n => n < 0);
  const layers = none < 0 ? numbers : numbers.slice(0, none);
  if (controller !== undefined && controller >= 0) place.controller ??= controller;
  if (layers.length > 0) place.location = layers.join(':');
}

/** What a memory controller driver, or rasdaemon after it, says of the place. What a reader took apart already is left as it is. */
export function placeOfEdac(fields: Readonly<Record<string, FieldValue>>): DecodedPlace | undefined {
  const { message, controller, label } = fields;
  const place: DecodedPlace = {};
  const text = typeof message === 'string' ? message : '';
  const named = typeof label === 'string' ? label : (OLD_LABEL.exec(text) ?? EDAC_LABEL.exec(text))?.[1];
  if (named !== undefined && /\w/.test(named) && !NO_LABEL.test(named)) place.label = named;
  wordsOf(text, place);
  const cell = BARE_CELL.exec(text);
  if (cell !== null) [place.row, place.column] = [Number(`0x${cell[1]}`), Number(`0x${cell[2]}`)];
  for (const [, name = '', digits = ''] of text.matchAll(EDAC_PAIR)) {
    const member = Object.hasOwn(EDAC, name) ? EDAC[name] : undefined;
    if (member !== undefined) place[member] ??= Number(digits);
  }
  for (const [member] of PLACE_WORDS) {
    const value = fields[member];
    if (isPlaceNumber(member) && member !== 'controller' && typeof value === 'number') {
      place[member] = value;
    }
  }
  if (OF_FIRMWARE.test(text)) {
    if (place.bank !== undefined && place.bank > 0xff) {
      place.bankGroup ??= place.bank >> 8;
      place.bank &= 0xff;
    }
  } else if (typeof controller === 'number') place.controller ??= controller;
  locationOf(text, place);
  return placeOrNone(place);
}

/** Fields of an event of a CXL device, and what they are of a place. CXL 3.1, 8.2.9.2.1.1 and 8.2.9.2.1.2. */
const CXL: readonly (readonly [field: string, member: PlaceNumber])[] = [
  ['channel', 'channel'],
  ['rank', 'rank'],
  ['device', 'device'],
  ['bankGroup', 'bankGroup'],
  ['bankAddress', 'bank'],
  ['row', 'row'],
  ['column', 'column'],
];

/** The place that a device says of itself: of CXL memory also the cell in it; nothing of other events. */
export function placeOfDevice(fields: Readonly<Record<string, FieldValue>>): DecodedPlace | undefined {
  const { memdev, device } = fields;
  // Of CXL memory `device` is a chip on it, of PCIe the address of the function.
  if (typeof memdev !== 'string') return typeof device === 'string' ? { label: `PCIe ${device}` } : undefined;
  const place: DecodedPlace = { label: `CXL ${memdev}` };
  for (const [field, member] of CXL) {
    const value = fields[field];
    if (typeof value === 'number') place[member] = value;
  }
  return place;
}
