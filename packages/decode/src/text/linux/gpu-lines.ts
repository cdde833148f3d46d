/**
 * @module What drivers of accelerators print of errors of their memory: `NVRM: Xid` of NVIDIA's, and amdgpu's counts and banks (ACA, whose
 * registers are those of scalable machine checks). Sources: NVIDIA GPU Memory Error Management (User Visible Statistics, XID log
 * examples), Dynamic Page Retirement 3.1, XID Errors; drivers/gpu/drm/amd/amdgpu: amdgpu_ras.c, amdgpu_aca.c, amdgpu_mca.c, soc15_int.h.
 */
import type { GPU } from '../../events/gpu.ts';
import { MCI_STATUS_AMD } from '../../mca/registers.ts';
import { smcaBank } from '../../mca/smca-banks.ts';
import type { ItemSink } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';
import { hexU64 } from '../transport/line.ts';
import type { KernelPart } from './kernel-part.ts';

export const GPU_NEEDLES: readonly string[] = [
  'NVRM: Xid (',
  'correctable hardware errors detected',
  'deferred hardware errors detected',
  'poison consumption detected',
  'ectable hardware error(',
  'Accelerator Check Arch',
];

type Kind = keyof typeof GPU;

/** Codes that say something of memory, and 79; the others are of programs, drivers and links. */
const XIDS: Readonly<Record<string, readonly [kind: Kind, words: string]>> = {
  48: ['gpu-uncorrected', 'an uncorrectable ECC error (double bit)'],
  63: ['gpu-remapped', 'a row to be remapped, or a page to be retired, was recorded'],
  64: ['gpu-not-remapped', 'a row could not be remapped, or a page not be retired'],
  79: ['gpu-lost', 'the GPU has fallen off the bus'],
  92: ['gpu-corrected', 'a high rate of single-bit ECC errors'],
  94: ['gpu-contained', 'a contained ECC error'],
  95: ['gpu-uncorrected', 'an uncontained ECC error'],
  140: ['gpu-uncorrected', 'an unrecovered ECC error'],
  160: ['gpu-remapped', 'memory was marked for repair'],
  171: ['gpu-uncorrected', 'an uncorrectable ECC error of DRAM'],
  172: ['gpu-uncorrected', 'an uncorrectable ECC error of SRAM'],
};
/** Before R450 without `PCI:`; with MIG the instance stands behind the address. */
const XID =
  /^NVRM: Xid \((?:PCI:)?([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})(?:\.\d)?(?: GPU-I:\d{1,3})?\): (\d{1,3})\b,? ?(.*)$/s;
const DEVICE = String.raw`^amdgpu ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d): (?:amdgpu: )?(?:\{\d{1,20}\} ?)?`;
/** Since 6.8 the new ones, then the sum; before the sum alone. Since 6.7 with the package and the die. */
const COUNT = new RegExp(
  `${DEVICE}(?:socket: (\\d{1,3}),? die: (\\d{1,3}),? )?(\\d{1,15}) (new )?(uncorrectable hardware errors|correctable hardware errors|deferred hardware errors|poison consumption) detected in (total in )?(\\w{2,24}) block`,
);
const KINDS: Readonly<Record<string, Kind>> = {
  'uncorrectable hardware errors': 'gpu-uncorrected',
  'correctable hardware errors': 'gpu-corrected',
  'deferred hardware errors': 'gpu-deferred',
  'poison consumption': 'gpu-uncorrected',
};
const INTERRUPT = new RegExp(`${DEVICE}(uncorrectable hardware error ?\\(\\w{4,48}\\) detected)`);
/** In 6.7 and 6.8 `[Hardware error]`; without a colon then. */
const BANK = new RegExp(`${DEVICE}\\[Hardware [Ee]rror\\]:? `);
const LOGGED = /^Accelerator Check Architecture events logged/;
const REGISTER =
  /^(?:aca entry\[\d{2,3}\]|ACA\[\d{2,3}\/\d{2,3}\])\.(STATUS|ADDR|MISC0?|IPID|SYND|CONTROL|CONFIG|DESTAT|DEADDR|CONTROL_MASK)=(0x[0-9a-f]{1,16})\s*$/;
/** Members that a record shows. */
const MEMBERS: Readonly<Record<string, 'status' | 'deviceAddr' | 'misc0' | 'ipid' | 'synd'>> = {
  STATUS: 'status',
  ADDR: 'deviceAddr',
  MISC: 'misc0',
  MISC0: 'misc0',
  IPID: 'ipid',
  SYND: 'synd',
};
/** Counters of 16 bits that read as all ones. */
const ONES = 0xffff;
/** Lines of other devices between those of a bank. */
const MAX_LINES = 32;

interface Bank {
  registers: Partial<Record<(typeof MEMBERS)[string], bigint>>;
  firstLine: number;
  lastLine: number;
  others: number;
}

/** How bad a bank is. APM vol. 2, Machine-Check Status Registers: the registers of an accelerator have the same bits. */
function kindOf(status: bigint): Kind {
  const { UC, PCC, DEFERRED, POISON } = MCI_STATUS_AMD.read(status);
  if (UC || PCC) return 'gpu-uncorrected';
  return DEFERRED || POISON ? 'gpu-deferred' : 'gpu-corrected';
}

/** The unit that MCA_IPID names. What its extended code means in an accelerator no public document says. */
function wordsOf(status: bigint, ipid: bigint | undefined): string {
  const { XEC } = MCI_STATUS_AMD.read(status);
  const unit = (ipid === undefined ? undefined : smcaBank(ipid)?.name) ?? 'a unit that is not known';
  return `${unit}, extended code 0x${XEC.toString(16)}`;
}

/** Takes single lines, and puts the registers of a bank together by its device. */
export class GpuLines implements KernelPart {
  readonly #sink: ItemSink;
  /** By the address of the device. */
  readonly #banks = new Map<string, Bank>();

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** The first line of the oldest bank that is open; Infinity when none is. */
  get since(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#banks.values()].map(b => b.firstLine));
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    if (text.startsWith('NVRM: Xid (')) return this.#xid(text, firstLine, lineNumber);
    if (!text.startsWith('amdgpu ')) return false;
    const [begin, device] = BANK.exec(text) ?? [];
    if (begin !== undefined && device !== undefined) {
      if (this.#bank(device, text.slice(begin.length), firstLine, lineNumber)) return true;
    }
    return this.#count(text, firstLine, lineNumber) || this.#interrupt(text, firstLine, lineNumber);
  }

  skipped(lines: number): void {
    if (this.#banks.size === 0) return;
    for (const [device, bank] of this.#banks) if ((bank.others += lines) > MAX_LINES) this.#finish(device);
  }

  end(): void {
    for (const device of this.#banks.keys()) this.#finish(device);
  }

  #xid(text: string, firstLine: number, lastLine: number): boolean {
    const [, address = '', code = '', rest = ''] = XID.exec(text) ?? [];
    const known = Object.hasOwn(XIDS, code) ? XIDS[code] : undefined;
    if (known === undefined) return false;
    const [name, words] = known;
    const said = rest.slice(0, MAX_TEXT).trim();
    const message = `Xid ${code}: ${words}${said === '' ? '' : ` (${said})`}`;
    const fields = { label: `GPU ${address.toLowerCase()}`, instance: `Xid ${code}`, message };
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
    return true;
  }

  #count(text: string, firstLine: number, lastLine: number): boolean {
    const [, device, socket, die, digits, isNew, what = '', , block = ''] = COUNT.exec(text) ?? [];
    if (device === undefined) return false;
    const count = Number(digits);
    // A reader asked for the counts, and there are none.
    if (count === 0) return true;
    const place = socket === undefined ? '' : `, package ${socket}, die ${die ?? ''}`;
    const isUnread = count % ONES === 0;
    const name = isUnread ? 'gpu-count-unread' : (KINDS[what] ?? 'gpu-uncorrected');
    const fields = {
      label: `GPU ${device}`,
      instance: block,
      message: `${what} in block ${block}${place}${isNew === undefined ? ', summed up' : ''}`,
      ...(isUnread ? {} : { count }),
      ...(isNew === undefined && !isUnread ? { total: 'since the driver was loaded' } : {}),
    };
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
    return true;
  }

  #interrupt(text: string, firstLine: number, lastLine: number): boolean {
    const [, device, message = ''] = INTERRUPT.exec(text) ?? [];
    if (device === undefined) return false;
    const fields = { label: `GPU ${device}`, instance: 'interrupt', message };
    this.#sink({ type: 'event', form: 'linux', name: 'gpu-uncorrected', fields, firstLine, lastLine });
    return true;
  }

  #bank(device: string, text: string, firstLine: number, lineNumber: number): boolean {
    if (LOGGED.test(text)) {
      this.#finish(device);
      this.#banks.set(device, { registers: {}, firstLine, lastLine: lineNumber, others: 0 });
      return true;
    }
    const [, register = '', digits] = REGISTER.exec(text) ?? [];
    const value = hexU64(digits);
    if (value === undefined) return false;
    const member = MEMBERS[register];
    // Its first lines may be missing.
    if (member === 'status' && this.#banks.get(device)?.registers.status !== undefined) this.#finish(device);
    const bank = this.#banks.get(device) ?? { registers: {}, firstLine, lastLine: lineNumber, others: 0 };
    this.#banks.set(device, bank);
    if (member !== undefined) bank.registers[member] = value;
    [bank.lastLine, bank.others] = [lineNumber, 0];
    return true;
  }

  #finish(device: string): void {
    const bank = this.#banks.get(device);
    this.#banks.delete(device);
    const status = bank?.registers.status;
    if (bank === undefined || status === undefined) return;
    const { registers, firstLine, lastLine } = bank;
    const message = wordsOf(status, registers.ipid);
    const fields = { label: `GPU ${device}`, instance: 'ACA', message, ...registers };
    this.#sink({ type: 'event', form: 'linux', name: kindOf(status), fields, firstLine, lastLine });
  }
}
