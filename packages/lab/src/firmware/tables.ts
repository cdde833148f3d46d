/**
 * The tables of a PC whose firmware the lab is, and the window of guest memory that they speak of: BERT, HEST with one polled
 * source, EINJ. QEMU has none of them for x86. All registers are words in that window; whoever has the guest's memory plays
 * the firmware. Pure.
 */
import { encodeBert } from '@syndrome/decode/acpi/bert.ts';
import { EINJ_ACTION, EINJ_INSTRUCTION, EINJ_STATUS_MASK, encodeEinj } from '@syndrome/decode/acpi/einj.ts';
import type { EinjEntry } from '@syndrome/decode/acpi/einj.ts';
import { encodeHest, polledSource } from '@syndrome/decode/acpi/hest.ts';
import { memoryRegister } from '@syndrome/decode/acpi/table.ts';
import type { MachineFault } from '../machines/kind.ts';

/** Bytes of the window, and of each error block in it. */
const WINDOW_KIB = 64;
const BLOCK_BYTES = 0x1000;
/**
 * The window is so far below the top of memory that QEMU's initramfs and SeaBIOS's tables lie above it: that of a guest, and
 * that of a host layer, which has a VMM in it.
 */
const BELOW_TOP_MIB = { guest: 32, host: 512 } as const;
/** MiB that a host layer has with such tables, and no guest has that is none. */
export const HOST_MIB = 1024;
/** MiB with which a kernel has room below it. */
const LEAST_MIB = 192;
/** A kernel looks so often for a record. */
const POLL_MS = 200;

/** Offsets in the window. */
const AT = {
  boot: 0x0000,
  block: 0x1000,
  blockPointer: 0x2000,
  errorType: 0x3000,
  setErrorType: 0x3008,
  execute: 0x3010,
  status: 0x3018,
  triggerPointer: 0x3020,
  begin: 0x3028,
  end: 0x3030,
  request: 0x3100,
  trigger: 0x3200,
} as const;

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const LOW_HALF = 0xffff_ffffn;

/** @example bytesOfMib(1) // 0x10_0000n */
export function bytesOfMib(mib: number): bigint {
  return BigInt(mib) * 0x10_0000n;
}

/** Where the window of a machine with so much memory (MiB) is. */
function windowOf(memory: number): bigint {
  return bytesOfMib(memory - (memory < HOST_MIB ? BELOW_TOP_MIB.guest : BELOW_TOP_MIB.host));
}

/** Keeps the kernel of such a machine off the window. */
export function windowWords(memory: number): string {
  return `memmap=${WINDOW_KIB}K$0x${windowOf(memory).toString(16)}`;
}

/**
 * What does not fit together in a `machine:` that may have such tables.
 * @param least MiB of memory that it needs with them
 */
export function tableFaults(data: Readonly<Record<string, unknown>>, least = LEAST_MIB): MachineFault[] {
  if (data['apei'] !== true) return [];
  if (data['arch'] === 'aarch64')
    return [{ key: 'apei', message: 'apei: true needs arch: x86_64; aarch64 has ras: true' }];
  const { memory } = data;
  if (typeof memory !== 'number' || memory >= least) return [];
  return [{ key: 'memory', message: `apei: true needs memory: ${least} or more` }];
}

/**
 * The tables of a machine.
 *
 * EXECUTE sets the word that CHECK_BUSY reads: the guest waits until the firmware has done what it was asked for. Linux
 * before 5.16 waits for a millisecond and says that the firmware does not respond; since then it waits for a second.
 * @param memory of the machine, MiB
 * @example firmwareTables(256).length // 3
 */
export function firmwareTables(memory: number): Uint8Array[] {
  const base = windowOf(memory);
  const at = (offset: number): bigint => base + BigInt(offset);
  const entry = (
    action: keyof typeof EINJ_ACTION,
    instruction: keyof typeof EINJ_INSTRUCTION,
    offset: number,
    [value, mask]: readonly [bigint, bigint] = [0n, ALL_ONES],
  ): EinjEntry => ({
    action: EINJ_ACTION[action],
    instruction: EINJ_INSTRUCTION[instruction],
    flags: 0,
    register: memoryRegister(at(offset)),
    value,
    mask,
  });
  const set = [1n, ALL_ONES] as const;
  const source = polledSource(0, memoryRegister(at(AT.blockPointer)), {
    pollInterval: POLL_MS,
    blockLength: BLOCK_BYTES,
  });
  return [
    encodeBert({ region: { address: at(AT.boot), length: BLOCK_BYTES } }),
    encodeHest({ sources: [source] }),
    encodeEinj({
      flags: 0,
      entries: [
        entry('begin', 'writeValue', AT.begin, set),
        entry('getTriggerTable', 'read', AT.triggerPointer),
        entry('setErrorType', 'write', AT.setErrorType, [0n, LOW_HALF]),
        entry('getErrorType', 'read', AT.errorType, [0n, LOW_HALF]),
        entry('end', 'writeValue', AT.end, set),
        entry('execute', 'writeValue', AT.execute, set),
        entry('checkBusy', 'readValue', AT.execute, [1n, 1n]),
        entry('getStatus', 'read', AT.status, [0n, EINJ_STATUS_MASK]),
        entry('setErrorTypeWithAddress', 'write', AT.request),
      ],
    }),
  ];
}

/** Where the trigger table stands, and the register of the address of the error block: pointers that firmware fills. */
export function pointersOf(memory: number): { trigger: bigint; block: bigint } {
  return { trigger: windowOf(memory) + BigInt(AT.trigger), block: windowOf(memory) + BigInt(AT.block) };
}
