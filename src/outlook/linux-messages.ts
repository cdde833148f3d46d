/**
 * @module The lines Linux prints for a machine check record, with the values the record has. What cannot be known is
 * written as `<name>`. Source: Linux arch/x86/kernel/cpu/mce/core.c, log format of 5.10 to 7.2.
 */
import { MCG_STATUS, MCI_MISC, MCI_STATUS_INTEL } from '../mca/index.ts';
import type { X86McaRecord } from '../mca/index.ts';
import type { Facts } from './facts.ts';

const PREFIX = 'mce: [Hardware Error]: ';

/** Printed once a record was queued for logging, at most a few times in a while. */
export const EVENTS_LOGGED = `${PREFIX}Machine check events logged`;

/** `0x` and hex digits without leading zeros, as the kernel's `%#lx`. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** MCi_ADDR as logged: where the S and AR bits count, the bits below MISC.LSB are cut off. */
export function loggedAddress(record: X86McaRecord, facts: Facts): bigint | undefined {
  const status = MCI_STATUS_INTEL.decode(record.status);
  if (!status.ADDRV || record.addr === undefined) return undefined;
  if (!status.MISCV || record.misc === undefined || !facts.get('ser')) return record.addr;
  const lsb = MCI_MISC.decode(record.misc).LSB;
  return (record.addr >> lsb) << lsb;
}

/** The block of one record; `mcgStatus` is 0 for a record that was polled. */
export function recordLines(record: X86McaRecord, mcgStatus: bigint, facts: Facts): string[] {
  const status = MCI_STATUS_INTEL.decode(record.status);
  const exception = MCG_STATUS.decode(mcgStatus).MCIP ? ' Exception' : '';
  const address = loggedAddress(record, facts);
  const misc = status.MISCV ? record.misc : undefined;
  const digits = record.status.toString(16).padStart(16, '0');
  const cpu = record.cpu ?? '<cpu>';
  return [
    `${PREFIX}CPU ${cpu}: Machine Check${exception}: ${mcgStatus.toString(16)} Bank ${record.bank}: ${digits}`,
    `${PREFIX}TSC ${record.tsc?.toString(16) ?? '<tsc>'} ` +
      (address === undefined ? '' : `ADDR ${address.toString(16)} `) +
      (misc === undefined ? '' : `MISC ${misc.toString(16)} `),
  ];
}

/** What a panic prints. `severity` is the grade's text, which stands on a line of its own. */
export function panicLines(panic: string, record: X86McaRecord | undefined, severity: string, facts: Facts): string[] {
  const lines: string[] = [];
  if (record !== undefined) {
    lines.push(...recordLines(record, facts.get('mcgStatus'), facts));
    if (facts.vendor() !== 'amd') lines.push(`${PREFIX}Run the above through 'mcelog --ascii'`);
  }
  if (severity !== '') lines.push(`${PREFIX}Machine check: ${severity}`);
  lines.push(`Kernel panic - not syncing: ${panic}`);
  return lines;
}
