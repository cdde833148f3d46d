/**
 * @module What NetApp's ONTAP says of memory when a controller stops: `PANIC: … Machine Check Error at CPU14`, the DIMM with its cell, and
 * each bank by the name of its unit with STATUS, MISC and ADDR; all of it may stand in one line. The service processor's table of faults
 * names the DIMM again. Sources: NetApp knowledge base, "PANIC: ECC error at DIMM-XX, Uncorrectable Machine Check Error Resolution guide"
 * and "Node perform takeover giveback automatically due to DIMM UECC error".
 */
import type { KindFields } from '../../events/catalog.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const ONTAP_NEEDLES: readonly string[] = [
  'ECC error at DIMM-',
  'Machine Check Error at CPU',
  ' Error: STATUS<0x',
  'uncorrectable memory error at address',
  'rable DRAM ECC',
  'table DRAM ECC',
];

const PANIC = /\bPANIC ?: (.{0,512}?(Uncorrectable Machine Check Error at CPU(\d{1,5})))/;
const CPU = /\bMachine Check Error at CPU(\d{1,5})/;
/** The serial number of the module as its SPD has it: maker, place, week, number. */
const DIMM =
  /\bECC error at (DIMM-\d{1,3})(?:: ([0-9A-F]{2}-[0-9A-F]{2}-\d{4}-[0-9A-F]{8}))?,? ?(?:ADDR (0x[0-9a-f]{1,16}))?/;
const NVRAM =
  /\b(NVRAM in slot (\d{1,3})): uncorrectable memory error at address (0x[0-9a-f]{1,16})(?: (DIMM\(.{0,160}))?/;
/** `SKL_IMC0 Error: STATUS<0x…>(VALID,…)MISC<0x…>(…)ADDR<0x…>(…)`: what stands in parentheses says the same in words. */
const BANK =
  /\b([A-Z]{3,5})_([A-Z][A-Z0-9_]{1,15}) Error: ?STATUS<(0x[0-9a-f]{1,16})>(?:\((?:[^()]|\([^()]{0,64}\)){0,512}\))?,? ?(?:MISC<(0x[0-9a-f]{1,16}(?: [0-9a-f]{1,4})?)>(?:\((?:[^()]|\([^()]{0,64}\)){0,512}\))?)?,? ?(?:ADDR<(0x[0-9a-f]{1,16})>)?/g;
/** The names that Intel's generations have there: Sandy Bridge to Granite Rapids. */
const INTEL: ReadonlySet<string> = new Set(
  'JKT SNB IVB IVBR IVT HSW HSWL HSX BDW BDWL BDX SKL SKX CLX CPX ICX ICL SPR EMR GNR NHM WSM'.split(' '),
);
/** `Node(1)`, `Row(0x15e0f)`: of the controllers of memory, and of the cell. */
const PLACES = /\b(Node|Memory controller|CH|DIMM|Rank|Bank Group|Bank|Row|Col)\((0x[0-9a-f]{1,8}|\d{1,6})\)/g;
const MEMBERS: Readonly<Record<string, Cell>> = {
  Node: 'node',
  'Memory controller': 'controller',
  CH: 'channel',
  DIMM: 'slot',
  Rank: 'rank',
  'Bank Group': 'bankGroup',
  Bank: 'bank',
  Row: 'row',
  Col: 'column',
};
type Cell = 'node' | 'controller' | 'channel' | 'slot' | 'rank' | 'bankGroup' | 'bank' | 'row' | 'column';
/** `hsamcmd --fault-show-all` of the service processor: tag, origin, part, reason, count. */
const FAULT =
  /^\s{0,8}\d{1,6}\s{1,8}0x[0-9a-f]{1,8}\s{1,8}(\/chassis-\S{1,96}?\/dimm-\S{1,16})\s{1,32}((Uncorrectable|Correctable) DRAM ECC)\s{1,32}(\d{1,9})\b/;

/** The cell that a text names. */
function cellOf(text: string): Partial<Record<Cell, number>> {
  const cell: Partial<Record<Cell, number>> = {};
  for (const [, name = '', digits = ''] of text.matchAll(PLACES)) {
    const member = MEMBERS[name];
    if (member !== undefined) cell[member] ??= Number(digits);
  }
  return cell;
}

/** Reads single lines; a mail or a page may have broken one, then what stands in each is read. */
export class OntapReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  push(text: string, lineNumber: number): boolean {
    const fault = FAULT.exec(text);
    if (fault !== null) {
      const [, label = '', message = '', kind, count] = fault;
      const name = kind === 'Correctable' ? 'dimm-corrected' : 'dimm-uncorrected';
      this.#event(name, { message, label, count: Number(count) }, lineNumber);
      return true;
    }
    const dimm = DIMM.exec(text);
    let taken = this.#stopped(text, lineNumber);
    taken = this.#banks(text, hexU64(dimm?.[3]), lineNumber) || taken;
    if (dimm !== null) this.#dimm(text, dimm, lineNumber);
    return this.#nvram(text, lineNumber) || taken || dimm !== null;
  }

  end(): void {
    // Nothing is kept between lines.
  }

  #stopped(text: string, lineNumber: number): boolean {
    const [, , message, cpu] = PANIC.exec(text) ?? [];
    if (message === undefined) return false;
    const fields = { message: `PANIC: ${message}`, cpu: Number(cpu) };
    this.#sink(eventItem('ontap', lineNumber, { name: 'system-halted', fields }));
    return true;
  }

  #dimm(text: string, dimm: RegExpExecArray, lineNumber: number): void {
    const [all, label = '', serial, digits] = dimm;
    const addr = hexU64(digits);
    // The words of a bank behind it name the cell once more.
    const rest = text.slice(dimm.index + all.length).split(' Error: STATUS<', 1)[0] ?? '';
    const message = `ECC error at ${label}${serial === undefined ? '' : `, serial number: ${serial}`}`;
    const fields = { message, label, ...(addr === undefined ? {} : { addr }), ...cellOf(rest) };
    this.#event('dimm-uncorrected', fields, lineNumber);
  }

  #nvram(text: string, lineNumber: number): boolean {
    const [, message, slot = '', at = '', cell = ''] = NVRAM.exec(text) ?? [];
    if (message === undefined) return false;
    const said = `${message}: address ${at} of it`;
    this.#event('dimm-uncorrected', { message: said, label: `NVRAM slot ${slot}`, ...cellOf(cell) }, lineNumber);
    return true;
  }

  /** @param known the address that stands with the module: that of the bank, where there is one alone and it is without */
  #banks(text: string, known: bigint | undefined, lineNumber: number): boolean {
    const banks = [...text.matchAll(BANK)];
    for (const [, generation = '', , status, misc, addr] of banks) {
      const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status: hexU64(status) ?? 0n };
      if (INTEL.has(generation)) record.vendor = 'intel';
      const cpu = CPU.exec(text)?.[1];
      if (cpu !== undefined) record.cpu = Number(cpu);
      const [miscValue, addrValue] = [
        hexU64(misc?.replace(' ', '')),
        hexU64(addr) ?? (banks.length === 1 ? known : undefined),
      ];
      if (miscValue !== undefined) record.misc = miscValue;
      if (addrValue !== undefined) record.addr = addrValue;
      dropInvalid(record);
      record.origin = { source: this.#source, firstLine: lineNumber, lastLine: lineNumber };
      const place = { form: 'ontap', firstLine: lineNumber, lastLine: lineNumber } as const;
      this.#sink({ type: 'mca', ...place, record, notes: [], exception: true, bankUnknown: true });
    }
    return banks.length > 0;
  }

  #event(
    name: 'dimm-corrected' | 'dimm-uncorrected',
    fields: KindFields<'dimm-uncorrected'>,
    lineNumber: number,
  ): void {
    this.#sink(eventItem('ontap', lineNumber, { name, fields }));
  }
}
