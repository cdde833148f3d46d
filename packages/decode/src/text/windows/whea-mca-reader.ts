/**
 * @module The machine check section of Windows as DecodeWheaRecord prints it, JSON over lines: the status bit by bit, other registers in
 * hex. Source: Microsoft WDK, ntddk.h WHEA_XPF_MCA_SECTION, MCI_STATUS and MCG_CAP; forms of ralish/DecodeWheaRecord#6, #7, #9.
 */
import { parseU64 } from '../../common/hex.ts';
import { SECTION_XPF_MCA } from '../../cper/guid.ts';
import type { CperRecord, CperTabled } from '../../cper/record.ts';
import { MCG_STATUS } from '../../mca/registers.ts';
import { placed } from '../../registers/field.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { TakenApart } from './taken-apart.ts';

export const WHEA_MCA_NEEDLES: readonly string[] = ['"VersionNumber"', '"CpuVendor"', '"Signature": "CPER"'];

const VERSION = /^\s{0,40}"VersionNumber" ?: ?([1-4]),?\s{0,4}$/;
const FIRST = /^(\s{0,40})"CpuVendor" ?: ?"(Intel|Amd|Other)",?\s{0,4}$/;
const MEMBER =
  /^\s{0,80}"(\w{1,40})" ?: ?(?:"(0x[0-9a-fA-F]{1,16})"|"([A-Za-z, ]{0,160})"|(\d{1,20})|(true|false)),?\s{0,4}$/;
const OPENS = /^\s{0,80}(?:"(\w{1,40})" ?: ?)?([{[]),?\s{0,4}$/;
const CLOSES = /^(\s{0,80})[}\]],?\s{0,4}$/;
const ELEMENT = /^\s{0,80}"?(0x[0-9a-fA-F]{1,16}|\d{1,20})"?,?\s{0,4}$/;
/** Lines of a section with its 32 further banks. */
const MAX_LINES = 1024;
const BANKS = 32;

/** As the section has them. */
const VENDORS: Readonly<Record<string, number>> = { Other: 0, Intel: 1, Amd: 2 };
const NUMBERS: Readonly<Record<string, string>> = {
  ProcessorNumber: 'logicalCpu',
  BankNumber: 'mcaBank',
  ExtendedRegisterCount: 'extendedCount',
  ApicId: 'initialApicId',
  ExBankCount: 'furtherBanks',
};
const WIDE: Readonly<Record<string, string>> = {
  Timestamp: 'fileTime',
  InstructionPointer: 'ip',
  Address: 'mciAddr',
  Misc: 'mciMisc',
  IPID: 'ipid',
  SYND: 'synd',
  CONFIG: 'mcaConfig',
  DESTAT: 'mcaDestat',
  DEADDR: 'mcaDeaddr',
  MISC1: 'mcaMisc1',
  MISC2: 'mcaMisc2',
  MISC3: 'mcaMisc3',
  MISC4: 'mcaMisc4',
  RasCap: 'rasCap',
};
/** Lists, of which each element is of one of the further banks. */
const LISTS: Readonly<Record<string, string>> = {
  BankNumberEx: 'bankNumber',
  AddressEx: 'bankAddr',
  MiscEx: 'bankMisc',
};
const STATUS = /^(?:Amd|Intel|Common)Bits$/;
const STATUSES = /^StatusEx(?:Amd|Intel|Common)$/;

/** Lowest bits of the members of a status: MCI_STATUS of the WDK, in the names of any vendor. */
const STATUS_BITS: Readonly<Record<string, number>> = {
  McaErrorCode: 0,
  ModelErrorCode: 16,
  OtherInfo: 32,
  Reserved: 32,
  ImplementationSpecific2: 32,
  FirmwareUpdateError: 37,
  CorrectedErrorCount: 38,
  Poison: 43,
  Deferred: 44,
  ImplementationSpecific1: 45,
  ThresholdErrorStatus: 53,
  ActionRequired: 55,
  Signalling: 56,
  ContextCorrupt: 57,
  AddressValid: 58,
  MiscValid: 59,
  ErrorEnabled: 60,
  UncorrectedError: 61,
  StatusOverFlow: 62,
  Valid: 63,
};
const CAP_BITS: Readonly<Record<string, number>> = {
  CountField: 0,
  ControlMsrPresent: 8,
  ExtendedMsrsPresent: 9,
  SignalingExtensionPresent: 10,
  ThresholdErrorStatusPresent: 11,
  Reserved: 12,
  ExtendedRegisterCount: 16,
  SoftwareErrorRecoverySupported: 24,
  EnhancedMachineCheckCapability: 25,
  ExtendedErrorLogging: 26,
  LocalMachineCheckException: 27,
  Reserved2: 28,
};
const { RIPV, EIPV, MCIP, LMCE } = MCG_STATUS.masks;
const GLOBAL: Readonly<Record<string, bigint>> = {
  RestartIpValid: RIPV,
  ErrorIpValid: EIPV,
  MachineCheckInProgress: MCIP,
  LocalMceValid: LMCE,
};
const RECOVERY: Readonly<Record<string, string>> = {
  ActionRequired: 'actionRequired',
  RecoverySucceeded: 'recovered',
  RecoveryKernel: 'inKernel',
};

interface Open {
  firstLine: number;
  lastLine: number;
  lines: number;
  indent: number;
  /** The objects and lists that are open within it, by name; empty of an element of a list. */
  within: string[];
  /** Of a list, how many elements it had. */
  element: number;
  body: CperTabled;
}

/** Puts the lines of a section together. */
export class WheaMcaReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  readonly #header = new TakenApart();
  /** Of the section that begins: it stands before the vendor. */
  #version = 0;
  #open: Open | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#header.wanted;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    this.#header.take(text);
    const version = VERSION.exec(text)?.[1];
    if (version !== undefined) this.#version = Number(version);
    const [, indent, vendor = ''] = FIRST.exec(text) ?? [];
    if (indent !== undefined) {
      this.end();
      const body: CperTabled = { kind: 'xpf-mca', version: this.#version, cpuVendor: VENDORS[vendor] ?? 0 };
      const place = { firstLine: lineNumber, lastLine: lineNumber, lines: 0, indent: indent.length };
      this.#open = { ...place, within: [], element: 0, body };
      return true;
    }
    const open = this.#open;
    if (open === undefined) return false;
    const closes = CLOSES.exec(text);
    if (closes !== null && (closes[1]?.length ?? 0) < open.indent) {
      this.end();
      return false;
    }
    open.lastLine = lineNumber;
    if (++open.lines > MAX_LINES) this.end();
    else if (closes !== null) open.within.pop();
    else if (!this.#opens(open, text)) this.#member(open, text);
    return true;
  }

  /** Its lines follow each other. */
  skipped(): void {
    this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || open.body['mciStatus'] === undefined) return;
    const { firstLine, lastLine, body } = open;
    const severity = this.#header.severity ?? 'none';
    const record: CperRecord = {
      kind: 'cper',
      severity,
      sections: [{ type: SECTION_XPF_MCA, severity, revision: 0x300, flags: 0, body }],
      origin: { source: this.#source, firstLine, lastLine },
    };
    this.#sink({ type: 'cper', form: 'windows', firstLine, lastLine, record, notes: [] });
  }

  #opens(open: Open, text: string): boolean {
    const found = OPENS.exec(text);
    if (found === null) return false;
    const [, name = '', bracket] = found;
    // The elements of a list are counted before they are read, from -1 on.
    if (bracket === '[') open.element = -1;
    else if (name === '') open.element++;
    open.within.push(name);
    return true;
  }

  #member(open: Open, text: string): void {
    const { within, body } = open;
    const place = within.at(-1);
    const list = LISTS[place ?? ''];
    const value = list === undefined ? undefined : parseU64(ELEMENT.exec(text)?.[1] ?? '');
    if (list !== undefined && value !== undefined) {
      open.element++;
      if (open.element < BANKS) body[`${list}${open.element}`] = list === 'bankNumber' ? Number(value) : value;
      return;
    }
    const [, name = '', hex, words, decimal, flag] = MEMBER.exec(text) ?? [];
    const number = flag === undefined ? parseU64(hex ?? decimal ?? '') : flag === 'true' ? 1n : 0n;
    if (place === undefined && name === 'GlobalStatus') {
      const names = (words ?? '').split(', ');
      body['mcgStatus'] = names.reduce((sum, word) => sum | (GLOBAL[word] ?? 0n), 0n);
    } else if (number === undefined) return;
    else if (place !== undefined && STATUS.test(place)) this.#bit(body, 'mciStatus', STATUS_BITS[name], number);
    else if (place === '' && STATUSES.test(within.at(-2) ?? '') && open.element < BANKS)
      this.#bit(body, `bankStatus${open.element}`, STATUS_BITS[name], number);
    else if (place === 'GlobalCapability') this.#bit(body, 'mcgCap', CAP_BITS[name], number);
    else if (place === 'RecoveryInfo' && RECOVERY[name] !== undefined) body[RECOVERY[name]] = Number(number);
    else if (place === undefined && NUMBERS[name] !== undefined)
      body[NUMBERS[name]] = Number(BigInt.asUintN(32, number));
    else if ((place === undefined || place === 'AMDExtendedRegisters') && WIDE[name] !== undefined)
      body[WIDE[name]] = number;
  }

  #bit(body: CperTabled, register: string, lo: number | undefined, value: bigint): void {
    if (lo === undefined) return;
    const before = typeof body[register] === 'bigint' ? body[register] : 0n;
    body[register] = BigInt.asUintN(64, before | placed(value, lo));
  }
}
