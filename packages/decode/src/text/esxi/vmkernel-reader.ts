/**
 * @module ESXi's machine checks in vmkernel.log, on its purple screen and in its dumps. Sources: VMware (Broadcom) knowledge base
 * 367928 (one line for each bank: MCG_STATUS, bank, MCi_STATUS, ADDR, MISC), 372284, 1005184, 1030527.
 */
import { decodeMcacod, errorCodeOf } from '../../mca/mcacod.ts';
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { MCI_STATUS_INTEL } from '../../mca/registers.ts';
import { eventItem } from '../item.ts';
import type { ItemSink, McaItem } from '../item.ts';
import { matchPattern } from '../patterns.ts';
import type { Pattern } from '../patterns.ts';
import { dropInvalid } from '../printed-registers.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const ESXI_NEEDLES: readonly string[] = [
  ')MCA: ',
  ' Excp G',
  ' Poll G',
  ' Intr G',
  'MC:PCPU',
  'MC: PCPU',
  'MCE on cpu',
  'MCA error detected by cpu',
  'Global status on cpu',
  'MCA error detected via',
  ': status=0x',
  'Machine Check Exception',
  ' MCE on PCPU',
  'did not generate an exception',
  ' seen since boot',
  'memory error in world ',
  '@BlueScreen: ',
  'recoverable machine check error',
  'esx.problem.pageretire',
  ' uCode=0x',
];
/** Further programs that syslog names for it; before ESXi 8 there was `vmkernel` only. */
export const ESXI_PROGRAMS: readonly string[] = ['vmkwarning', 'vmkalert', 'vobd'];

const HEX = '(?:0x)?([0-9a-fA-F]{1,16})';
/** `cpu42:2101234)` before each message: the CPU that wrote it. */
const WRITER = /\bcpu(\d{1,5}):\d{1,12}\)/;

/** How a bank is printed: which group of `re` is what. */
interface BankForm {
  readonly re: RegExp;
  readonly groups: readonly ('label' | 'cause' | 'cpu' | 'bank' | 'status' | 'addr' | 'misc' | 'mcgStatus')[];
}

const BANKS: readonly BankForm[] = [
  // A screen that a machine read has 8 for B, and B for 8.
  // 6.5 and later: `MCA: 200: UC Excp G5 B1 Sbf80000000000114 Aaf9e74900 M86 Paf9e74900/4 Memory Controller …`
  {
    re: /(?:^|[ )])([A-Z]{2,8}) (Excp|Poll|Intr|[A-Z][a-z]{2,9}) G([0-9a-f]{1,16}) [B8](\d{1,3}) S([0-9a-f]{1,16}) A([0-9a-f]{1,16}|B) M([0-9a-f]{1,16})(?= |$)/,
    groups: ['label', 'cause', 'mcgStatus', 'bank', 'status', 'addr', 'misc'],
  },
  // Before: `MC:PCPU42 B:4 S:0x… M:0x… A:0x… 5`, the last is MCG_STATUS.
  {
    re: new RegExp(`\\bMC: ?PCPU(\\d{1,5}) B:(\\d{1,3}) S:${HEX} M:${HEX} A:${HEX}(?: ${HEX})?\\s*$`),
    groups: ['cpu', 'bank', 'status', 'misc', 'addr', 'mcgStatus'],
  },
  // 4.x: `MCE: 1282: MCE on cpu12 bank4: Status:0x… Misc:0x0 Addr:0x…: ECC error.Valid.…`
  {
    re: new RegExp(`\\bMCE on cpu ?(\\d{1,5}) bank ?(\\d{1,3}): Status: ?${HEX} Misc: ?${HEX} Addr: ?${HEX}\\b`),
    groups: ['cpu', 'bank', 'status', 'misc', 'addr'],
  },
  // 5.x: `MCE: 190: cpu24: bank9: status=0x…: (VAL=1, …), ECC=no, Addr:0x0 (invalid), Misc:0x0 (invalid)`
  {
    re: new RegExp(
      `\\bcpu(\\d{1,5}): bank(\\d{1,3}): status=${HEX}: \\(VAL=.{0,128}?\\bAddr:${HEX} \\(\\w{2,8}\\), Misc:${HEX}\\b`,
    ),
    groups: ['cpu', 'bank', 'status', 'addr', 'misc'],
  },
  // 3.x: `MCE: 171: Machine Check Exception: Bank 5, Status f2000010…`
  { re: new RegExp(`\\bMachine Check Exception: Bank (\\d{1,3}), Status ${HEX}\\b`), groups: ['bank', 'status'] },
];
/** `MCE: 210: Machine Check Global status on cpu12: 0x7 (cputype:4 16 9 1 AMD Opteron …`: of the banks that follow. */
const GLOBAL = /\bMachine Check Global status on cpu(\d{1,5}): (0x[0-9a-f]{1,16})(.{0,64})/;
/** Within it: a number for the maker, then family, model and stepping in decimal, and the name of the processor. */
const CPUTYPE = /\bcputype:\d{1,3} (\d{1,3}) (\d{1,3}) (\d{1,2}) (AMD|Intel)\b/;
/** 5.x: `MCE: 1012: cpu20: MCA error detected via CMCI (Gbl status=0x0): Restart IP: invalid, …`: of the banks that follow. */
const DETECTED = /\bcpu(\d{1,5}): MCA error detected via (\w{3,16}) \(Gbl status=(0x[0-9a-f]{1,16})\)/;
/** Classes that only Intel's architecture has (SDM vol. 3B, UCR Error Classification). */
const INTEL_LABELS: ReadonlySet<string> = new Set(['SRAR', 'SRAO', 'UCNA']);

/** In ESXi's words of a bank: what only Intel's codes say (SDM vol. 3B, Compound Error Code Encoding). */
const INTEL_WORDS = /\bMemory Controller .{1,48} on Channel \d|\bI\/O error reported by PCI\b/;
/** Its codes of memory controllers are none of AMD's, and ESXi runs on no third vendor's processors. APM vol. 2, Error Codes. */
const isMemoryController = (status: bigint): boolean =>
  decodeMcacod(errorCodeOf(status), 'intel').class === 'memory-controller';
/** Of the purple screen, below the bank: `FMS=06/55/7 uCode=0x5803901`, family, model and stepping in hexadecimal. */
const FMS = /^FMS=([0-9a-f]{2,3})\/([0-9a-f]{1,2})\/([0-9a-f]) uCode=0x([0-9a-f]{1,8})\b/;

const EVENTS: readonly Pattern<
  'page-retired' | 'system-halted' | 'page-retire-asked' | 'error-unsignalled' | 'errors-counted'
>[] = [
  {
    re: /\bForce retiring MPN (?:0x)?([0-9a-f]{1,13}) to recover from MCA error detected by cpu(\d{1,5}) in bank ?(\d{1,3})/,
    event: 'page-retired',
    captures: [
      ['pfn', 'hex'],
      ['cpu', 'dec'],
      ['bank', 'dec'],
    ],
    source: 'Force retiring MPN %lx to recover from MCA error detected by cpu%d in bank%d (knowledge base 372284)',
  },
  {
    re: /^(Machine Check Exception on PCPU ?(\d{1,5}) in world \d{1,12}:?.{0,64})$/,
    event: 'system-halted',
    captures: [
      ['message', 'text'],
      ['cpu', 'dec'],
    ],
    source: 'Machine Check Exception on PCPU%d in world %d:%s (purple screen, knowledge base 372284)',
  },
  {
    re: /\b(Machine Check Exception: Fatal \(unrecoverable\) MCE on PCPU ?(\d{1,5}) in world \d{1,12}:?.{0,64})$/,
    event: 'system-halted',
    captures: [
      ['message', 'text'],
      ['cpu', 'dec'],
    ],
    source:
      'Machine Check Exception: Fatal (unrecoverable) MCE on PCPU%d in world %d:%s (purple screen, knowledge base 1005184)',
  },
  {
    re: /^(?:[^\n]{0,64}\)[^\n]{0,24})?(Uncorrectable\/recoverable memory error in world \d{1,12}; unable to recover in kernel context)/,
    event: 'system-halted',
    captures: [['message', 'text']],
    source:
      'Uncorrectable/recoverable memory error in world %d; unable to recover in kernel context (purple screen, knowledge base 372284)',
  },
  {
    re: /@BlueScreen: ((?:Hardware \(Machine\) Error|Machine Check Exception)\b(?:.{0,160}?\bPCPU ?(\d{1,5}))?.{0,64})/,
    event: 'system-halted',
    captures: [
      ['message', 'text'],
      ['cpu', 'dec'],
    ],
    source:
      '@BlueScreen: Hardware (Machine) Error: … PCPU%d in world %d:%s (purple screen in a log, knowledge base 1005184)',
  },
  {
    re: /\bMCE: \d{1,5}: (MCE not recoverable but did not generate an exception)/,
    event: 'error-unsignalled',
    captures: [['message', 'text']],
    source: 'MCE: %d: MCE not recoverable but did not generate an exception (knowledge base 1005184)',
  },
  {
    re: /\b((?:P?CPU)[: ]{0,2}(\d{1,5})?[: ]{0,2}.{0,64}?\berrors? seen since boot\b.{0,64})$/,
    event: 'errors-counted',
    captures: [
      ['message', 'text'],
      ['cpu', 'dec'],
    ],
    source: 'PCPU: … errors seen since boot',
  },
  {
    re: /\)IDT: \d{1,5}: (Uncorrectable\/unrecoverable machine check error)/,
    event: 'system-halted',
    captures: [['message', 'text']],
    source: 'IDT: %d: Uncorrectable/unrecoverable machine check error (knowledge base 372284)',
  },
  {
    re: /\[esx\.problem\.pageretire\.[a-z.]{1,64}\] (.{8,256})$/,
    event: 'page-retire-asked',
    captures: [['message', 'text']],
    source:
      '[esx.problem.pageretire.…] (vobd.log: Memory page retirement requested by platform firmware, and thresholds of it)',
  },
];

/** A bank as a machine read it off a screen, with a letter where a digit is. */
const MISREAD =
  /(?:^|[ )])(?:CE|UC|UE|SRAR|SRAO|UCNA) (?:Excp|Poll|Intr) G[0-9a-zA-Z]{1,16} [B8][0-9A-Za-z]{1,3} S[0-9A-Za-z]{14,17} /;
const MISREAD_BANK =
  'the line is a bank of ESXi in which a letter stands for a digit, as a machine reads a picture of a screen; no record was made of it';

/** CPUID leaf 1 EAX of a family, model and stepping. SDM vol. 2A, CPUID; APM vol. 3, CPUID Fn0000_0001. */
function signatureOf(family: number, model: string, stepping: string): bigint {
  const base = Math.min(family, 15);
  const [high = '0', low = '0'] = model.padStart(2, '0');
  const extended = (family - base).toString(16).padStart(2, '0');
  return BigInt(`0x${extended}${high}0${base.toString(16)}${low}${stepping}`);
}

interface Processor {
  vendor?: McaVendor;
  cpuid?: bigint;
}

function processorOf(text: string): Processor {
  const m = CPUTYPE.exec(text);
  if (m === null) return /\bAMD\b/.test(text) ? { vendor: 'amd' } : {};
  const [family, model, stepping] = m.slice(1, 4).map(Number);
  return {
    vendor: m[4] === 'AMD' ? 'amd' : 'intel',
    cpuid: signatureOf(family ?? 0, (model ?? 0).toString(16), (stepping ?? 0).toString(16)),
  };
}

/** Other lines after which a bank is not one of those that MCG_STATUS was printed for. */
const MAX_LINES = 16;

/** Reads single lines; kept between them is only MCG_STATUS of the CPU whose banks follow. */
export class VmkernelReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #global: (Processor & { cpu: number; mcgStatus: bigint; others: number; interrupt?: true }) | undefined;
  /** Banks of a purple screen, and of its log before ESXi 5, until the line that names the processor. */
  #screen: { items: McaItem[]; others: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#screen !== undefined;
  }

  get since(): number {
    return this.#screen?.items[0]?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const fms = FMS.exec(text);
    if (fms !== null && this.#screen !== undefined) {
      const [, digits = '', model = '', stepping = '', microcode = ''] = fms;
      const family = Number.parseInt(digits, 16);
      for (const { record, exception } of this.#screen.items) {
        // Releases whose screen has this line print banks in the new form, with the cause.
        if (exception === undefined) continue;
        record.cpuid = signatureOf(family, model, stepping);
        record.vendor ??= family === 6 ? 'intel' : 'amd';
        if (record.vendor === 'intel') record.microcode = hexU64(microcode) ?? 0n;
      }
      this.#showScreen();
      return true;
    }
    for (const form of BANKS) {
      const m = form.re.exec(text);
      if (m === null) continue;
      if (this.#again(form, m, lineNumber)) return true;
      this.#bank(text, form, m, lineNumber);
      return true;
    }
    const global = GLOBAL.exec(text);
    if (global !== null) {
      const mcgStatus = hexU64(global[2]) ?? 0n;
      this.#global = { cpu: Number(global[1]), mcgStatus, others: 0, ...processorOf(global[3] ?? '') };
      return true;
    }
    const detected = DETECTED.exec(text);
    if (detected !== null) {
      const mcgStatus = hexU64(detected[3]) ?? 0n;
      this.#global = { cpu: Number(detected[1]), mcgStatus, others: 0 };
      if (detected[2] === 'CMCI') this.#global.interrupt = true;
      return true;
    }
    const event = matchPattern(EVENTS, text);
    if (event === undefined) {
      this.skipped(1);
      if (!MISREAD.test(text)) return false;
      const place = { form: 'esxi', firstLine: lineNumber, lastLine: lineNumber } as const;
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_VALUE', message: MISREAD_BANK } });
      return true;
    }
    this.#sink(eventItem('esxi', lineNumber, event));
    return true;
  }

  skipped(lines: number): void {
    if (this.#screen !== undefined && (this.#screen.others += lines) > MAX_LINES) this.#showScreen();
    if (this.#global !== undefined && (this.#global.others += lines) > MAX_LINES) this.#global = undefined;
  }

  end(): void {
    this.#showScreen();
    this.#global = undefined;
  }

  #showScreen(): void {
    const screen = this.#screen;
    this.#screen = undefined;
    for (const item of screen?.items ?? []) this.#sink(item);
  }

  /** Whether a bank that stopped the machine stands here once more: it is the one record. */
  #again({ groups }: BankForm, m: RegExpExecArray, lineNumber: number): boolean {
    const said = Object.fromEntries(groups.map((name, i) => [name, m[i + 1]]));
    const same = this.#screen?.items.find(
      ({ record }) =>
        record.cpu === Number(said['cpu']) &&
        record.bank === Number(said['bank']) &&
        record.status === hexU64(said['status']),
    );
    if (same === undefined) return false;
    const { record } = same;
    const global = this.#global;
    if (global !== undefined && global.cpu === record.cpu) {
      global.others = 0;
      const { mcgStatus, vendor, cpuid } = global;
      record.mcgStatus ??= mcgStatus;
      if (vendor !== undefined) record.vendor ??= vendor;
      if (cpuid !== undefined) record.cpuid ??= cpuid;
    }
    same.lastLine = lineNumber;
    if (record.origin !== undefined) record.origin.lastLine = lineNumber;
    return true;
  }

  #bank(text: string, { groups }: BankForm, m: RegExpExecArray, lineNumber: number): void {
    const said = Object.fromEntries(groups.map((name, i) => [name, m[i + 1]]));
    const status = hexU64(said['status']) ?? 0n;
    const record: X86McaRecord = { kind: 'x86-mca', bank: Number(said['bank']), status };
    const cpu = said['cpu'] ?? WRITER.exec(text)?.[1];
    if (cpu !== undefined) record.cpu = Number(cpu);
    const global = this.#global?.cpu === record.cpu ? this.#global : undefined;
    if (global !== undefined) global.others = 0;
    const mcgStatus = hexU64(said['mcgStatus']) ?? global?.mcgStatus;
    if (mcgStatus !== undefined) record.mcgStatus = mcgStatus;
    for (const name of ['addr', 'misc'] as const) {
      const value = hexU64(said['cause'] !== undefined && said[name] === 'B' ? '8' : said[name]);
      if (value !== undefined) record[name] = value;
    }
    dropInvalid(record);
    const isIntel = INTEL_LABELS.has(said['label'] ?? '') || INTEL_WORDS.test(text) || isMemoryController(status);
    const vendor = isIntel ? 'intel' : global?.vendor;
    if (vendor !== undefined) record.vendor = vendor;
    if (vendor === global?.vendor && global?.cpuid !== undefined) record.cpuid = global.cpuid;
    record.origin = { source: this.#source, firstLine: lineNumber, lastLine: lineNumber };
    const cause = said['cause'];
    const exception =
      cause !== undefined ? { exception: cause === 'Excp' } : global?.interrupt === true ? { exception: false } : {};
    const place = { form: 'esxi', firstLine: lineNumber, lastLine: lineNumber } as const;
    const item: McaItem = { type: 'mca', ...place, record, notes: [], ...exception };
    // What stops the machine stands in the log in two forms, and again on the screen.
    const isRepeated = groups[0] === 'cpu' && MCI_STATUS_INTEL.read(status).PCC;
    if (!isRepeated && (WRITER.test(text) || cause !== 'Excp')) this.#sink(item);
    else (this.#screen ??= { items: [], others: 0 }).items.push(item);
  }
}
