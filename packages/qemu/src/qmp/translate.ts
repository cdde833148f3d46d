/**
 * Address translation by the human monitor (monitor/hmp-cmds.c of QEMU 11.1). Guest virtual → guest physical → the
 * QEMU process's virtual → the host's physical address.
 */
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import type { HmpOptions, QmpClient } from './client.ts';
import { HmpError } from './errors.ts';
import { hmpErrorOf } from './hmp.ts';

/** A place in guest RAM as the host sees it. */
type HostAddress = {
  /** Of the host: physical, or of QEMU's process. */
  address: bigint;
  /** QEMU's name of the memory region, e.g. `pc.ram`, `mach-virt.ram`. */
  region: string;
};

/**
 * Where the pagemap hides frame numbers QEMU reads frame 0 and answers with the offset in the page alone. No user page
 * is in the first 64 KiB of a machine, and no page we meet is larger in this sense.
 */
const HIDDEN_BELOW = 0x1_0000n;

/**
 * Guest physical → physical address of the host. Linux hosts only. Throws HmpError: no memory there, not RAM,
 * E_HMP_PAGE_NOT_PRESENT, E_HMP_PAGEMAP, or E_HMP_PFN_HIDDEN where QEMU lacks CAP_SYS_ADMIN.
 */
export async function gpa2hpa(client: QmpClient, gpa: bigint, options: HmpOptions = {}): Promise<HostAddress> {
  const host = await askHost(client, 'gpa2hpa', gpa, options);
  if (host.address >= HIDDEN_BELOW) return host;
  throw new HmpError(
    'E_HMP_PFN_HIDDEN',
    'the host hides its frame numbers from QEMU',
    `gpa2hpa ${hex(gpa)}`,
    hex64(host.address),
    {
      hint: 'Run QEMU with CAP_SYS_ADMIN: without it /proc/self/pagemap shows every frame as 0.',
    },
  );
}

/** Guest physical → address in QEMU's process. Throws HmpError: no memory there, or not RAM. */
export async function gpa2hva(client: QmpClient, gpa: bigint, options: HmpOptions = {}): Promise<HostAddress> {
  return askHost(client, 'gpa2hva', gpa, options);
}

/**
 * Guest virtual → guest physical, through the page tables one CPU uses now (`cpuIndex`, default the monitor's CPU).
 * Throws HmpError E_HMP_UNMAPPED.
 */
export async function gva2gpa(client: QmpClient, gva: bigint, options: HmpOptions = {}): Promise<bigint> {
  const commandLine = `gva2gpa ${hex(gva)}`;
  const text = await client.hmp(commandLine, options);
  const gpa = parseU64(/^gpa: (0x[0-9a-f]{1,16}|0)\s*$/.exec(text)?.[1] ?? '');
  if (gpa === undefined) throw hmpErrorOf(commandLine, text);
  return gpa;
}

const ANSWERS = { gpa2hpa: 'Host physical address', gpa2hva: 'Host virtual address' } as const;

async function askHost(
  client: QmpClient,
  command: 'gpa2hpa' | 'gpa2hva',
  gpa: bigint,
  options: HmpOptions,
): Promise<HostAddress> {
  const commandLine = `${command} ${hex(gpa)}`;
  const text = await client.hmp(commandLine, options);
  const match = /^(.+) for 0x[0-9a-f]{1,16} \(([^\r\n]{0,256})\) is (0x[0-9a-f]{1,16})\s*$/.exec(text);
  const address = match?.[1] === ANSWERS[command] ? parseU64(match[3]!) : undefined;
  if (address === undefined) throw hmpErrorOf(commandLine, text);
  return { address, region: match![2]! };
}

/** Unsigned by force: HMP reads a leading '-' as an option. */
function hex(address: bigint): string {
  return `0x${BigInt.asUintN(64, address).toString(16)}`;
}
