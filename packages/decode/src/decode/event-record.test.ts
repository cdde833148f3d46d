import { describe, expect, it } from 'vitest';
import { decode } from './decoder.ts';
import type { DecodedRecord } from './record.ts';

function only(input: string): DecodedRecord {
  const { records } = decode(input);
  expect(records).toHaveLength(1);
  return records[0] as DecodedRecord;
}

function memoryFailure(data: object): DecodedRecord {
  return only(JSON.stringify({ event: 'MEMORY_FAILURE', data, timestamp: { seconds: 1, microseconds: 2 } }));
}

describe("QEMU's MEMORY_FAILURE", () => {
  const flags = (required: boolean, recursive = false): object => ({ 'action-required': required, recursive });
  it.each([
    ['inject', 'guest', flags(false), 'unknown'],
    ['inject', 'guest', flags(true), 'uncorrected-recoverable'],
    ['ignore', 'guest', flags(false, true), 'unknown'],
    ['ignore', 'hypervisor', flags(false), 'uncorrected'],
    ['reset', 'guest', flags(false), 'fatal'],
    ['fatal', 'hypervisor', flags(true), 'fatal'],
  ] as const)('%s for the %s, %j: %s', (action, recipient, given, severity) => {
    expect(memoryFailure({ action, recipient, flags: given }).severity).toBe(severity);
  });

  it('says what its flags say', () => {
    expect(memoryFailure({ action: 'inject', recipient: 'guest', flags: flags(false) }).headline).toMatch(
      /recipient guest, no action required$/,
    );
    expect(memoryFailure({ action: 'reset', recipient: 'guest', flags: flags(true, true) }).headline).toMatch(
      /action required, recursive$/,
    );
  });
});

describe('addresses', () => {
  it('of a SIGBUS that QEMU got are named by their spaces', () => {
    const line =
      'qemu-system-x86_64: warning: Guest MCE Memory Error at QEMU addr 0x7f0000001000 and GUEST addr 0x12345000 of type BUS_MCEERR_AR injected';
    expect(only(line).headline).toMatch(
      /guest physical address 0x0000000012345000, address in QEMU 0x00007f0000001000$/,
    );
  });

  it('of a page frame say what size they assume', () => {
    const line = 'Memory failure: 0x1234: recovery action for dirty LRU page: Recovered';
    expect(only(line).explanation).toMatch(/pages of 4 KiB; an arm64 kernel may count 16 or 64 KiB/);
    const [arm] = decode(`Linux version 6.1.0-arm64\n${line}`).records;
    expect(arm?.address).toBeUndefined();
    expect(arm?.explanation).toMatch(/the log does not say which/);
    const [x86] = decode(`Linux version 6.1.0-amd64\n${line}`).records;
    expect([x86?.address?.value, x86?.explanation]).toEqual([0x1234000n, expect.not.stringMatching(/16 or 64/)]);
  });
});

it('the SIGBUS that QEMU could not hand on may be for guest memory on arm', () => {
  const record = only('qemu-system-aarch64: Hardware memory error!');
  expect(record.explanation).toMatch(/ras=on/);
  expect(record.raw).toMatchObject({ fields: { target: 'aarch64' } });
});
