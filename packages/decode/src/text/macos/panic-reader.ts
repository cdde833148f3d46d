/**
 * @module Machine checks in the panic reports of macOS on x86: the registers of all processors, one a line; and before them those that the
 * firmware of the machine found at the start (`*** MCA Error Report ***`). Sources: what public panic reports of 10.6 to 12 hold; the names are those of SDM vol. 3B (IA32_MCG_STATUS, IA32_MCi_STATUS with its MSR number).
 */
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const MACOS_NEEDLES: readonly string[] = [
  'Machine-check capabilities',
  'Machine-check status 0x',
  ': IA32_MCG_STATUS: 0x',
  'IA32_MC',
  'Machine Check at 0x',
  'CPU Machine Check Architecture Error Dump',
];

const HEX = '(0x[0-9a-fA-F]{1,16})';
/** `Machine-check capabilities: 0x…`; before 10.7 with the CPU and a colon behind. */
const CAPABILITIES = new RegExp(`^\\s{0,4}"?Machine-check capabilities(?: \\(cpu (\\d{1,4})\\))?:? ${HEX}`);
const SIGNATURE = new RegExp(`^\\s{0,4}signature: ${HEX}\\s*$`);
const BRAND = /^\s{0,4}(Intel\(R\)|AMD) /;
const PROCESSOR = new RegExp(`\\bProcessor (\\d{1,4}): IA32_MCG_STATUS: ${HEX}`);
const OLD_STATUS = new RegExp(`^\\s{0,4}Machine-check status ${HEX}`);
const BANK = new RegExp(
  `^\\s{0,4}IA32_MC(\\d{1,3})_(STATUS|ADDR|MISC)\\(0x[0-9a-f]{1,4}\\): {1,6}${HEX}( invalid| valid)?\\s*$`,
);
/** Of the firmware: the CPU once, then for each bank the core and its registers. */
const DUMP = /^\s{0,4}CPU Machine Check Architecture Error Dump \(CPU: ([^,]{1,64}), CPUID: (0x[0-9a-fA-F]{1,8})\)/;
const CORE = /^\s{0,4}Core: (\d{1,4})\s*$/;
const PAIR = new RegExp(`^\\s{0,4}IA32_MC(\\d{1,3})_(STATUS|CTL|ADDR|MISC)=${HEX}\\s*$`);
const PANIC = /\bpanic ?\(cpu (\d{1,4}) caller [^)]{1,40}\): \\?"?(Machine Check at 0x[0-9a-f]{1,16})\b/;
/** Lines of a report that name no register: between the capabilities and the first bank, and in the words of an old one. */
const MAX_LINES = 24;

/** What stands at the beginning of a report, or of the registers of a processor. */
interface Report {
  mcgCap?: bigint;
  cpuid?: bigint;
  vendor?: McaVendor;
  cpu?: number;
  mcgStatus?: bigint;
}

/** Reads a report: what stands at its beginning is of all its banks. */
export class MacosPanicReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #report: Report | undefined;
  #others = 0;
  /** The banks as firmware found them at the start: no exception came with them. */
  #isOfFirmware = false;
  #bank: { record: X86McaRecord; firstLine: number; lastLine: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#report !== undefined;
  }

  get since(): number {
    return this.#bank?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const begin = CAPABILITIES.exec(text);
    if (begin !== null) {
      this.end();
      this.#report = { mcgCap: hexU64(begin[2]) ?? 0n };
      if (begin[1] !== undefined) this.#report.cpu = Number(begin[1]);
      return true;
    }
    const dump = DUMP.exec(text);
    if (dump !== null) {
      this.end();
      const brand = BRAND.exec(dump[1] ?? '')?.[1];
      this.#report = {
        cpuid: hexU64(dump[2]) ?? 0n,
        ...(brand === undefined ? {} : { vendor: brand === 'AMD' ? 'amd' : 'intel' }),
      };
      this.#isOfFirmware = true;
      return true;
    }
    const panic = PANIC.exec(text);
    if (panic !== null) {
      this.end();
      const fields = { message: panic[2] ?? '', cpu: Number(panic[1]) };
      this.#sink(eventItem('macos', lineNumber, { name: 'system-halted', fields }));
      return true;
    }
    const report = this.#report;
    if (report === undefined) return false;
    if (this.#line(report, text, lineNumber)) {
      this.#others = 0;
      return true;
    }
    this.skipped(1);
    return false;
  }

  skipped(lines: number): void {
    if (this.#report !== undefined && (this.#others += lines) > MAX_LINES) this.end();
  }

  end(): void {
    this.#finish();
    this.#report = undefined;
    this.#isOfFirmware = false;
    this.#others = 0;
  }

  #line(report: Report, text: string, lineNumber: number): boolean {
    const bank = BANK.exec(text);
    if (bank !== null) {
      // Old reports print all banks, also those that hold nothing.
      if (bank[4] !== ' invalid') this.#register(Number(bank[1]), bank[2] ?? '', hexU64(bank[3]) ?? 0n, lineNumber);
      return true;
    }
    const pair = this.#isOfFirmware ? PAIR.exec(text) : null;
    const core = this.#isOfFirmware ? CORE.exec(text)?.[1] : undefined;
    if (core !== undefined) report.cpu = Number(core);
    if (pair !== null && pair[2] !== 'CTL')
      this.#register(Number(pair[1]), pair[2] ?? '', hexU64(pair[3]) ?? 0n, lineNumber);
    if (pair !== null || core !== undefined) return true;
    const processor = PROCESSOR.exec(text);
    const old = OLD_STATUS.exec(text);
    if (processor !== null || old !== null) {
      this.#finish();
      if (processor !== null) report.cpu = Number(processor[1]);
      report.mcgStatus = hexU64(processor?.[2] ?? old?.[1]) ?? 0n;
      return true;
    }
    const signature = SIGNATURE.exec(text);
    const brand = BRAND.exec(text);
    if (signature !== null) report.cpuid = hexU64(signature[1]) ?? 0n;
    else if (brand !== null) report.vendor = brand[1] === 'AMD' ? 'amd' : 'intel';
    return signature !== null || brand !== null;
  }

  #register(bank: number, name: string, value: bigint, lineNumber: number): void {
    if (name === 'STATUS') {
      this.#finish();
      const record: X86McaRecord = { kind: 'x86-mca', bank, status: value, ...this.#report };
      this.#bank = { record, firstLine: lineNumber, lastLine: lineNumber };
      return;
    }
    if (this.#bank?.record.bank !== bank) return;
    this.#bank.record[name === 'ADDR' ? 'addr' : 'misc'] = value;
    this.#bank.lastLine = lineNumber;
  }

  #finish(): void {
    const bank = this.#bank;
    this.#bank = undefined;
    if (bank === undefined) return;
    const { record, firstLine, lastLine } = bank;
    record.origin = { source: this.#source, firstLine, lastLine };
    const place = { form: 'macos', firstLine, lastLine } as const;
    const isException = this.#isOfFirmware ? {} : { exception: true };
    this.#sink({ type: 'mca', ...place, record, notes: [], ...isException });
  }
}
