/**
 * @module Machine checks that coreboot finds in the banks of AMD's processors at a start: the bank's name, then its registers, one a
 * line. Facts: what src/soc/amd and src/cpu/amd of coreboot print since 4.8; the registers are those of the PPR and the BKDGs.
 */
import type { X86McaRecord } from '../../mca/record.ts';
import { holdsError } from '../../mca/registers.ts';
import type { ItemSink } from '../item.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const COREBOOT_NEEDLES: readonly string[] = ['#MC Error: core '];

/** `#MC Error: core 0, bank 5 Execution unit` */
const HEAD = /(?:^|[\s\]])#MC Error: core (\d{1,5}), bank (\d{1,3}) /;
/** `   MC5_STATUS =   bea00000_00000108` */
const REGISTER = /(?:^|[\s\]])MC(\d{1,3})_([A-Z_]{3,8}0?) = {1,8}([0-9a-f]{8})_([0-9a-f]{8})\s*$/;
const MEMBERS: Readonly<Record<string, 'status' | 'addr' | 'misc' | 'config' | 'ipid' | 'synd' | 'destat' | 'deaddr'>> =
  {
    STATUS: 'status',
    ADDR: 'addr',
    MISC: 'misc',
    MISC0: 'misc',
    CONFIG: 'config',
    IPID: 'ipid',
    SYND: 'synd',
    DESTAT: 'destat',
    DEADDR: 'deaddr',
  };
/** Registers of a bank, and those of it that say nothing of the error. */
const MAX_LINES = 24;

export class CorebootReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: { record: X86McaRecord; firstLine: number; lastLine: number; lines: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const head = HEAD.exec(text);
    if (head !== null) {
      this.end();
      const place = { cpu: Number(head[1]), bank: Number(head[2]), within: 'start' } as const;
      const record: X86McaRecord = { kind: 'x86-mca', ...place, status: 0n, vendor: 'amd' };
      this.#open = { record, firstLine: lineNumber, lastLine: lineNumber, lines: 0 };
      return true;
    }
    const open = this.#open;
    if (open === undefined) return false;
    const m = REGISTER.exec(text);
    const taken = m !== null && Number(m[1]) === open.record.bank;
    if (taken) {
      const name = m[2] ?? '';
      const member = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
      if (member !== undefined) open.record[member] = hexU64(`${m[3] ?? ''}${m[4] ?? ''}`) ?? 0n;
      open.lastLine = lineNumber;
    }
    if (++open.lines > MAX_LINES) this.end();
    return taken;
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { record, firstLine, lastLine } = open;
    if (!holdsError(record.status | (record.destat ?? 0n))) return;
    dropInvalid(record);
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', form: 'firmware', firstLine, lastLine, record, notes: [], exception: false });
  }
}
