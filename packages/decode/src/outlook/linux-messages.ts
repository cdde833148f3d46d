/**
 * @module The lines Linux prints for a machine check record, with the values the record has. What cannot be known is
 * written as `<name>`. Source: Linux arch/x86/kernel/cpu/mce/core.c, log format of 5.10 to 7.2.
 */
import { MCG_STATUS, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { dropBelow, pfnOf } from '../registers/address.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { valuesOf } from './case.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';

const PREFIX = 'mce: [Hardware Error]: ';

/** Printed once a record was queued for logging, at most a few times in a while. */
export const EVENTS_LOGGED = `${PREFIX}Machine check events logged`;

/** `0x` and hex digits without leading zeros, as the kernel's `%#lx`. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** An address to be printed: which one it is decides nothing, so that rules get its text only. */
export class PrintedAddress {
  readonly #address: bigint;

  constructor(address: bigint) {
    this.#address = address;
  }
  /** `0x1234000`. */
  get text(): string {
    return hex(this.#address);
  }
  /** `1234000`. */
  get digits(): string {
    return this.#address.toString(16);
  }
  /** Page frame number, `0x1234`. */
  get page(): string {
    return hex(pfnOf(this.#address));
  }
}

/** MCi_ADDR as logged: where the S and AR bits count, the bits below MISC.LSB are cut off. */
export function loggedAddress(record: McaCase, facts: Facts): PrintedAddress | undefined {
  const status = MCI_STATUS_INTEL.read(record.status);
  const { addr } = valuesOf(record);
  if (!status.ADDRV || addr === undefined) return undefined;
  if (!status.MISCV || record.misc === undefined || !facts.get('ser')) return new PrintedAddress(addr);
  const { LSB } = record.misc;
  return new PrintedAddress(dropBelow(addr, LSB));
}

/** Code segments of x86-64 Linux: __USER_CS and __KERNEL_CS. */
const CS = { user: 0x33n, kernel: 0x10n };

/** Where the CPU was: only from an exception, and only where MCG_STATUS says that the saved address means something. */
function ripLine({ rip: at, cs: segment }: X86McaRecord, mcgStatus: bigint, facts: Facts): string[] {
  const { RIPV, EIPV } = MCG_STATUS.read(mcgStatus);
  if (at === 0n || (!RIPV && !EIPV)) return [];
  const user = facts.peek('running') === 'user';
  const cs = segment ?? (user ? CS.user : CS.kernel);
  const rip = at === undefined ? '<address>' : at.toString(16).padStart(16, '0');
  const symbol = cs === CS.kernel ? '{<symbol>}' : '';
  return [`${PREFIX}RIP${EIPV ? '' : ' !INEXACT!'} ${cs.toString(16).padStart(2, '0')}:<${rip}> ${symbol}`];
}

/** Registers at the end of the TSC line, in the kernel's order; only what is not 0. */
function moreRegisters({ ppin, synd, synd1, synd2, ipid }: X86McaRecord): string {
  const shown = { PPIN: ppin, SYND: synd, SYND1: synd1, SYND2: synd2, IPID: ipid };
  return Object.entries(shown)
    .map(([name, value]) => (value === undefined || value === 0n ? '' : `${name} ${value.toString(16)} `))
    .join('');
}

/** PROCESSOR numbers a vendor: 0 Intel, 2 AMD (Hygon is 9). Source: Linux arch/x86/include/asm/processor.h. */
function processorLine(record: X86McaRecord, facts: Facts): string {
  const number = facts.vendor() === 'amd' ? 2 : 0;
  const { cpuid, time, socket, apicId, microcode } = record;
  const cpu = cpuid?.toString(16) ?? '<cpuid>';
  return (
    `${PREFIX}PROCESSOR ${number}:${cpu} TIME ${time ?? '<time>'} SOCKET ${socket ?? '<n>'} ` +
    `APIC ${apicId?.toString(16) ?? '<apic>'} microcode ${microcode?.toString(16) ?? '<rev>'}`
  );
}

/** The block of one record; `mcgStatus` is 0 for a record that was polled, `polled` for one the timer found. */
export function recordLines(seen: McaCase, mcgStatus: bigint, facts: Facts, polled = false): string[] {
  const record = valuesOf(seen);
  const status = MCI_STATUS_INTEL.read(record.status);
  const exception = MCG_STATUS.read(mcgStatus).MCIP ? ' Exception' : '';
  const address = loggedAddress(seen, facts);
  const misc = status.MISCV ? record.misc : undefined;
  const digits = record.status.toString(16).padStart(16, '0');
  const cpu = record.cpu ?? '<cpu>';
  const bank = record.bank === -1 ? 255 : record.bank;
  return [
    `${PREFIX}CPU ${cpu}: Machine Check${exception}: ${mcgStatus.toString(16)} Bank ${bank}: ${digits}`,
    ...ripLine(record, mcgStatus, facts),
    // The timer takes no time stamp.
    `${PREFIX}TSC ${record.tsc?.toString(16) ?? (polled ? '0' : '<tsc>')} ` +
      (address === undefined ? '' : `ADDR ${address.digits} `) +
      (misc === undefined ? '' : `MISC ${misc.toString(16)} `) +
      moreRegisters(record),
    processorLine(record, facts),
  ];
}

/** What a panic prints. `severity` is the grade's text, which stands on a line of its own. */
export function panicLines(panic: string, record: McaCase | undefined, severity: string, facts: Facts): string[] {
  const lines: string[] = [];
  if (record !== undefined) {
    lines.push(...recordLines(record, facts.get('mcgStatus'), facts));
    if (facts.vendor() !== 'amd') lines.push(`${PREFIX}Run the above through 'mcelog --ascii'`);
  }
  if (severity !== '') lines.push(`${PREFIX}Machine check: ${severity}`);
  lines.push(`Kernel panic - not syncing: ${panic}`);
  return lines;
}
