/**
 * @module Error reports of illumos and Solaris on x86 as `fmdump -eV` prints them: a name-value list, one member a line; and what the stop
 * of the system says. What the fault manager makes of them is read beside it (fault-lines.ts). Sources: fmdump(8), and what public error
 * logs hold of the classes ereport.cpu.generic-x86, ereport.cpu.intel and ereport.cpu.amd.
 */
import type { X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';
import { FAULT_NEEDLES, FaultLines } from './fault-lines.ts';

export const ILLUMOS_NEEDLES: readonly string[] = [
  'class = ereport.cpu.',
  'Unrecoverable Machine-Check Exception',
  ...FAULT_NEEDLES,
];

const CLASS = /^\s{0,24}class = (ereport\.cpu\.[a-z0-9_.-]{1,96})\s*$/;
const MEMBER = /^\s{0,24}([A-Za-z_][A-Za-z0-9_-]{0,47}) = (0x[0-9a-fA-F]{1,16}|\d{1,20})\s*$/;
/** The place of the processor: `hc-name = chip` and, in the next line, `hc-id = 1`. */
const HC = /^\s{0,64}hc-(name|id) = (\S{1,32})\s*$/;
/** Names of newer kernels, and of those for AMD's processors before them. */
const REGISTERS: Readonly<Record<string, 'status' | 'addr' | 'misc' | 'mcgStatus' | 'bank'>> = {
  IA32_MCi_STATUS: 'status',
  IA32_MCi_ADDR: 'addr',
  IA32_MCi_MISC: 'misc',
  IA32_MCG_STATUS: 'mcgStatus',
  bank_number: 'bank',
  'bank-status': 'status',
  'bank-number': 'bank',
  'bank-misc': 'misc',
  addr: 'addr',
};
const PANIC = /(?:^|\bpanic\[cpu\d{1,5}\]\/thread=[0-9a-f]{1,16}: )(Unrecoverable Machine-Check Exception)\s*$/;
/** Members of one list. */
const MAX_LINES = 160;
const ENDS = /^\s*__tod = (0x[0-9a-f]{1,16}) /;

interface Open {
  firstLine: number;
  lines: number;
  name: string;
  values: Map<string, bigint>;
  hc: string | undefined;
  chip: number | undefined;
}

/** Reads one report after another; the time of day ends each. */
export class EreportReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  readonly #faults: FaultLines;
  #open: Open | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#faults = new FaultLines(sink);
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#faults.wanted;
  }

  get since(): number {
    return Math.min(this.#open?.firstLine ?? Number.POSITIVE_INFINITY, this.#faults.since);
  }

  push(text: string, lineNumber: number): boolean {
    const begin = CLASS.exec(text);
    if (begin !== null) {
      this.#finish(lineNumber - 1);
      this.#open = {
        firstLine: lineNumber,
        lines: 0,
        name: begin[1] ?? '',
        values: new Map(),
        hc: undefined,
        chip: undefined,
      };
      return true;
    }
    const panic = PANIC.exec(text);
    if (panic !== null) {
      const fields = { message: panic[1] ?? '' };
      this.#sink(eventItem('illumos', lineNumber, { name: 'system-halted', fields }));
      return true;
    }
    if (this.#faults.push(text, lineNumber)) return true;
    const open = this.#open;
    if (open === undefined) return false;
    const tod = hexU64(ENDS.exec(text)?.[1]);
    if (tod !== undefined) open.values.set('time', tod);
    const taken = tod !== undefined || this.#member(open, text);
    if (tod !== undefined || ++open.lines > MAX_LINES) this.#finish(lineNumber);
    return taken;
  }

  skipped(lines: number): void {
    this.#faults.skipped(lines);
  }

  end(): void {
    this.#faults.end();
    this.#finish(this.#open === undefined ? 0 : this.#open.firstLine + this.#open.lines);
  }

  #member(open: Open, text: string): boolean {
    const hc = HC.exec(text);
    if (hc !== null) {
      if (hc[1] === 'name') open.hc = hc[2];
      else if (open.hc === 'chip') open.chip = Number(hc[2]);
      return true;
    }
    const [, name = '', digits = ''] = MEMBER.exec(text) ?? [];
    const member = Object.hasOwn(REGISTERS, name) ? REGISTERS[name] : undefined;
    if (member === undefined) return false;
    open.values.set(member, BigInt(digits));
    return true;
  }

  #finish(lastLine: number): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { values, name, firstLine } = open;
    const status = values.get('status');
    if (status === undefined) return;
    const bank = values.get('bank');
    const known = bank !== undefined && bank < 256n;
    const record: X86McaRecord = { kind: 'x86-mca', bank: known ? Number(bank) : 0, status };
    for (const member of ['addr', 'misc', 'mcgStatus', 'time'] as const) {
      const value = values.get(member);
      if (value !== undefined) record[member] = value;
    }
    dropInvalid(record);
    if (open.chip !== undefined && open.chip < 256) record.socket = open.chip;
    if (name.startsWith('ereport.cpu.intel')) record.vendor = 'intel';
    else if (name.startsWith('ereport.cpu.amd')) record.vendor = 'amd';
    record.origin = { source: this.#source, firstLine, lastLine };
    const unknown = known ? {} : ({ bankUnknown: true } as const);
    this.#sink({ type: 'mca', form: 'illumos', firstLine, lastLine, record, notes: [], ...unknown });
  }
}
