/**
 * @module The monitor command `mce -b CPU BANK STATUS MCGSTATUS ADDR MISC`. The room text reads it.
 * Source: QEMU 11.1 hmp-commands.hx, monitor/hmp-cmds-target.c.
 */
import { UsageError } from '../common/errors.ts';
import type { Mce } from './injection.ts';

const U64_MAX = (1n << 64n) - 1n;
const I32_MAX = 0x7fff_ffff;

/** Whether a monitor command line is a `mce`. */
export function isMce(commandLine: string): boolean {
  return /^\s*mce\b/.test(commandLine);
}

/**
 * The command line of a machine check.
 * @throws UsageError E_MCE_ARGUMENT where a value does not fit its field
 * @example
 * mceCommandLine({ cpu: 0, bank: 9, status: 0xbd000000000000c0n, mcgStatus: 5n, addr: 0x1000n, misc: 0x8cn, broadcast: true })
 * // 'mce -b 0 9 0xbd000000000000c0 0x5 0x1000 0x8c'
 */
export function mceCommandLine(mce: Mce): string {
  const numbers = [index('cpu', mce.cpu), index('bank', mce.bank)];
  const registers = [
    register('status', mce.status),
    register('mcgStatus', mce.mcgStatus),
    register('addr', mce.addr),
    register('misc', mce.misc),
  ];
  return ['mce', ...(mce.broadcast ? ['-b'] : []), ...numbers, ...registers].join(' ');
}

function index(name: string, value: number): string {
  if (Number.isInteger(value) && value >= 0 && value <= I32_MAX) return String(value);
  throw new UsageError('E_MCE_ARGUMENT', `mce: ${name} is ${value}, not a number from 0 to ${I32_MAX}`);
}

function register(name: string, value: bigint): string {
  if (value >= 0n && value <= U64_MAX) return `0x${value.toString(16)}`;
  throw new UsageError('E_MCE_ARGUMENT', `mce: ${name} is ${value}, which does not fit in 64 bits`);
}
