import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeBert } from '@syndrome/decode/acpi/bert.ts';
import { decodeEinj, EINJ_ACTION } from '@syndrome/decode/acpi/einj.ts';
import { decodeHest } from '@syndrome/decode/acpi/hest.ts';
import { decodeGhesBlock } from '@syndrome/decode/cper/ghes.ts';
import { ghesBlock, ghesInjection } from '@syndrome/decode/inject/ghes.ts';
import { Firmware } from './firmware.ts';
import { firmwareTables, tableFaults, windowWords } from './tables.ts';
import { watchFirmware } from './watch.ts';

const MEMORY = 256;
const TABLES = firmwareTables(MEMORY);
const [BERT, HEST, EINJ] = TABLES as [Uint8Array, Uint8Array, Uint8Array];

let dir: string;
let firmware: Firmware;
/** What a guest has of it: the same file. */
let guest: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'syndrome-test-'));
  firmware = new Firmware(join(dir, 'memory'), MEMORY, TABLES);
  guest = openSync(join(dir, 'memory'), 'r+');
});
afterEach(() => {
  firmware.close();
  closeSync(guest);
  rmSync(dir, { recursive: true });
});

const read = (address: bigint, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  readSync(guest, bytes, 0, length, Number(address));
  return bytes;
};
const word = (address: bigint): bigint => read(address, 8).readBigUInt64LE();
const write = (address: bigint, value: bigint): void => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  writeSync(guest, bytes, 0, 8, Number(address));
};
const register = (action: number): bigint => {
  const entry = decodeEinj(EINJ).value?.entries.find(e => e.action === action);
  if (entry === undefined) throw new Error(`no action ${action}`);
  return entry.register.address;
};
/** Where a guest finds the error block: behind the pointer that its HEST names. */
const block = (): bigint => word(decodeHest(HEST).value?.sources[0]?.errorStatusAddress.address ?? 0n);

/** Asks as Linux does: the request, then EXECUTE. */
function ask(errorType: bigint, address: bigint): void {
  const request = register(EINJ_ACTION.setErrorTypeWithAddress);
  write(request, errorType);
  write(request + 8n, 2n);
  write(request + 16n, address);
  write(request + 24n, 0xffff_ffff_ffff_f000n);
  write(register(EINJ_ACTION.execute), 1n);
}

test('a window that the kernel is kept off holds all that the tables name', () => {
  const [, kib = '', base = ''] = /^memmap=(\d+)K\$(0x[0-9a-f]+)$/.exec(windowWords(MEMORY)) ?? [];
  const inside = (address: bigint, bytes: number): boolean =>
    address >= BigInt(base) && address + BigInt(bytes) <= BigInt(base) + BigInt(kib) * 1024n;
  const region = decodeBert(BERT).value?.region;
  expect(region && inside(region.address, region.length)).toBe(true);
  expect(inside(block(), 0x1000)).toBe(true);
  const registers = decodeEinj(EINJ).value?.entries.map(e => e.register.address) ?? [];
  expect(registers).toHaveLength(9);
  expect(registers.every(address => inside(address, 8))).toBe(true);
  expect(inside(word(register(EINJ_ACTION.getTriggerTable)), 16)).toBe(true);
  expect(statSync(join(dir, 'memory')).size).toBe(MEMORY * 1024 * 1024);
});

test('a record is handed over once, and the next one when the guest has taken it', () => {
  const record = ghesBlock(ghesInjection('recoverable', 0x1234_5000n));
  firmware.report(record);
  expect(decodeGhesBlock(read(block(), record.length)).value).toEqual(decodeGhesBlock(record).value);
  expect(firmware.acknowledged).toBe(false);
  expect(() => firmware.report(record)).toThrow('has not taken the last record');
  write(block(), 0n);
  expect(firmware.acknowledged).toBe(true);
  firmware.report(record);
  expect(() => firmware.report(new Uint8Array(0x1001))).toThrow('a record of 4097 bytes');
});

test('a record for the next boot stands where BERT says', () => {
  const record = ghesBlock(ghesInjection('fatal', 0x7654_0000n));
  firmware.leaveForBoot(record);
  const { address = 0n } = decodeBert(BERT).value?.region ?? {};
  expect(decodeGhesBlock(read(address, record.length)).value?.severity).toBe('fatal');
});

test('what the guest asks for is done, and it waits so long', async () => {
  expect(word(register(EINJ_ACTION.getErrorType))).toBe(0x38n);
  expect(firmware.request()).toBeUndefined();
  const notes: [string, object][] = [];
  const end = watchFirmware(firmware, (name, fields) => notes.push([name, fields]));
  const settled = async (): Promise<void> => {
    while (word(register(EINJ_ACTION.execute)) !== 0n) await new Promise(resolve => setTimeout(resolve, 1));
  };
  try {
    ask(0x10n, 0xabc_d000n);
    await settled();
    expect(notes).toEqual([
      [
        'lab.firmware-asked',
        { type: 0x10, error: 'memory uncorrectable non-fatal', addr: 0xabc_d000n, status: 'success' },
      ],
    ]);
    expect(word(register(EINJ_ACTION.getStatus))).toBe(0n);
    const [section] = decodeGhesBlock(read(block(), 0x1000)).value?.sections ?? [];
    expect(section).toMatchObject({ severity: 'recoverable', body: { kind: 'memory', physicalAddress: 0xabc_d000n } });
    // Of a second one nothing is done before the first is taken.
    ask(0x8n, 0xabc_d000n);
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(word(register(EINJ_ACTION.execute))).toBe(1n);
    write(block(), 0n);
    await settled();
    expect(notes.slice(1).map(([name]) => name)).toEqual(['lab.firmware-acknowledged', 'lab.firmware-asked']);
    // What this firmware does not have, and an address that is none of its memory.
    for (const [type, address] of [
      [0x40n, 0x1000n],
      [0x10n, 0x1_0000_0000n],
    ] as const) {
      write(block(), 0n);
      ask(type, address);
      await settled();
      expect(word(register(EINJ_ACTION.getStatus))).toBe(4n);
    }
  } finally {
    end();
  }
});

test('what does not fit together in a machine is said', () => {
  expect(tableFaults({ apei: true })).toEqual([]);
  expect(tableFaults({ apei: true, arch: 'aarch64' }).map(f => f.key)).toEqual(['apei']);
  expect(tableFaults({ apei: true, memory: 64 }).map(f => f.key)).toEqual(['memory']);
  expect(tableFaults({ memory: 64, arch: 'aarch64' })).toEqual([]);
  expect(() => new Firmware(join(dir, 'other'), MEMORY, [BERT])).toThrow('name no place');
});
