import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from '../cper/layout.ts';
import { decodeBert, encodeBert } from './bert.ts';
import {
  decodeEinj,
  decodeEinjRequest,
  EINJ_ACTION,
  EINJ_INSTRUCTION,
  EINJ_REQUEST_LENGTH,
  emptyTriggerTable,
  encodeEinj,
} from './einj.ts';
import { decodeHest, encodeHest, polledSource } from './hest.ts';
import { headerOf, memoryRegister, signatureOf } from './table.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.stringMatching(/^[ -~]*$/, { maxLength }).map(s => s.slice(0, maxLength));
const header = (signature: string): fc.Arbitrary<ReturnType<typeof headerOf>> =>
  fc.record({
    signature: fc.constant(signature),
    revision: u8,
    oemId: text(6),
    oemTableId: text(8),
    oemRevision: u32,
    creatorId: text(4),
    creatorRevision: u32,
  });
const address = fc.record({ space: u8, bitWidth: u8, bitOffset: u8, accessSize: u8, address: u64 });
const acknowledgement = fc.record({ register: address, preserve: u64, write: u64 });
const source = fc
  .record({
    sourceId: u16,
    relatedSourceId: u16,
    flags: u8,
    enabled: u8,
    recordsToPreallocate: u32,
    maxSectionsPerRecord: u32,
    maxRawDataLength: u32,
    errorStatusAddress: address,
    notification: fc.record({
      type: u8,
      configurationWriteEnable: u16,
      pollInterval: u32,
      vector: u32,
      switchToPollingThreshold: u32,
      switchToPollingWindow: u32,
      errorThreshold: u32,
      errorThresholdWindow: u32,
    }),
    statusBlockLength: u32,
  })
  .chain(plain =>
    fc.option(acknowledgement, { nil: undefined }).map(a => (a ? { ...plain, acknowledgement: a } : plain)),
  );
const entry = fc.record({ action: u8, instruction: u8, flags: u8, register: address, value: u64, mask: u64 });
const bert = fc.record({ header: header('BERT'), region: fc.record({ length: u32, address: u64 }) });
const hest = fc.record({ header: header('HEST'), sources: fc.array(source, { maxLength: 6 }) });
const einj = fc.record({ header: header('EINJ'), flags: u8, entries: fc.array(entry, { maxLength: 12 }) });

const TABLES = [
  { name: 'BERT', values: bert, encode: encodeBert, decode: decodeBert },
  { name: 'HEST', values: hest, encode: encodeHest, decode: decodeHest },
  { name: 'EINJ', values: einj, encode: encodeEinj, decode: decodeEinj },
] as const;

describe.each(TABLES)('$name', ({ name, values, encode, decode }) => {
  const bytesOf = encode as (value: unknown) => Uint8Array;

  it('that is written is read as it was', () => {
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, value => {
        const table = bytesOf(value);
        expect(decode(table)).toEqual({ value, diagnostics: [] });
        expect(bytesOf(decode(table).value)).toEqual(table);
        expect(signatureOf(table)).toBe(name);
        expect(table.reduce((sum, byte) => (sum + byte) & 0xff, 0)).toBe(0);
      }),
    );
  });

  it('of any bytes is read without an exception, and what is wrong is said', () => {
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, fc.nat(), u8, (value, where, byte) => {
        const table = bytesOf(value);
        const at = where % table.length;
        const changed = table.with(at, byte);
        const cut = table.subarray(0, at);
        expect(decode(cut).diagnostics.map(d => d.code)).toContain('E_ACPI_TRUNCATED');
        if (byte !== table[at]) expect(decode(changed).diagnostics).not.toEqual([]);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void decode(bytes)));
  });

  it('is not read from another table', () => {
    const other = encodeBert({ header: headerOf('XXXX'), region: { length: 1, address: 2n } });
    expect(decode(other)).toEqual({
      value: undefined,
      diagnostics: [{ code: 'E_ACPI_SIGNATURE', message: `the table does not begin with ${name}`, offset: 0 }],
    });
  });
});

describe('the bytes of tables', () => {
  const body = (table: Uint8Array): string => bytesToHex(table.subarray(36));
  const BASE = 0x1f00_0000n;

  // Tables with these bytes were taken by Linux 7.3.4 under QEMU 11.1.3.
  it('are those that Linux takes', () => {
    expect(body(encodeBert({ region: { length: 0x1000, address: BASE } }))).toBe('001000000000001f00000000');
    const plain = polledSource(0, memoryRegister(BASE + 0x2000n), { pollInterval: 500, blockLength: 0x1000 });
    const generic =
      'ffff0001010000000100000000100000004000040020001f00000000001c0000f401000000000000000000000000000000000000000000000010' +
      '0000';
    expect(body(encodeHest({ sources: [plain] }))).toBe(`0100000009000000${generic}`);
    const acknowledged = { register: memoryRegister(BASE + 0x2008n), preserve: 0xffff_ffff_ffff_fffen, write: 1n };
    expect(body(encodeHest({ sources: [{ ...plain, acknowledgement: acknowledged }] }))).toBe(
      `010000000a000000${generic}004000040820001f00000000feffffffffffffff0100000000000000`,
    );
    const entries = [
      {
        action: EINJ_ACTION.begin,
        instruction: EINJ_INSTRUCTION.writeValue,
        flags: 0,
        register: memoryRegister(BASE + 0x3030n),
        value: 1n,
        mask: 0xffff_ffff_ffff_ffffn,
      },
    ];
    expect(body(encodeEinj({ flags: 0, entries }))).toBe(
      '0c000000000000000100000000030000004000043030001f000000000100000000000000ffffffffffffffff',
    );
    expect(bytesToHex(emptyTriggerTable())).toBe('10000000000000001000000000000000');
  });

  it('of a source that is not generic end what is read', () => {
    const [one] = [polledSource(0, memoryRegister(BASE), { pollInterval: 1, blockLength: 64 })];
    const table = encodeHest({ sources: [one, one] });
    table[40 + 64] = 6;
    const { value, diagnostics } = decodeHest(table);
    expect(value?.sources).toEqual([one]);
    expect(diagnostics.map(d => d.code)).toEqual(['W_ACPI_CHECKSUM', 'E_ACPI_SOURCE', 'W_ACPI_COUNT']);
  });

  it('of a request name what its flags name', () => {
    const bytes = new Uint8Array(EINJ_REQUEST_LENGTH);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x10, true);
    view.setUint32(8, 2, true);
    view.setBigUint64(16, 0x1234_5000n, true);
    view.setBigUint64(24, 0xffff_ffff_ffff_f000n, true);
    expect(decodeEinjRequest(bytes)).toEqual({
      errorType: 0x10,
      address: 0x1234_5000n,
      mask: 0xffff_ffff_ffff_f000n,
    });
    view.setUint32(8, 5, true);
    view.setUint32(12, 3, true);
    view.setUint32(32, 0x1_0800, true);
    expect(decodeEinjRequest(bytes)).toEqual({ errorType: 0x10, apicId: 3, sbdf: 0x1_0800 });
    expect(decodeEinjRequest(bytes.subarray(1))).toBeUndefined();
  });
});
