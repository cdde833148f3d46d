import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classify } from './classify.ts';
import { decodeXenMcelog, XEN_MCE_BYTES } from './xen-mcelog.ts';

/** What dom0 (Linux 7.2.12 on Xen 4.20) handed out after `mce 0 1 0x8000000000000000 0 0 0`. */
const SEEN =
  '0000000000000080' +
  '00'.repeat(48) +
  '0000000000000000' +
  '0001000100000000' +
  '0000000000000000' +
  '0a01000100000000' +
  '00'.repeat(24);

test('the record of the Xen note, as dom0 hands it out', () => {
  const records = decodeXenMcelog(Buffer.from(SEEN, 'hex'));
  expect(records).toEqual([
    {
      kind: 'x86-mca',
      vendor: 'intel',
      cpu: 0,
      bank: 1,
      status: 0x8000_0000_0000_0000n,
      mcgStatus: 0n,
      mcgCap: 0x0100_010an,
      cpuid: 0n,
    },
  ]);
  expect(records.map(classify)).toEqual(['CE']);
});

test('never throws, and reads no more records than there are bytes for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 * XEN_MCE_BYTES }), bytes => {
      expect(decodeXenMcelog(bytes).length).toBeLessThanOrEqual(Math.floor(bytes.length / XEN_MCE_BYTES));
    }),
  );
});

/** `struct xen_mce` with another value in each field that is read. */
function made(change: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(XEN_MCE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 0x8c00_0000_0000_0134n, true);
  view.setBigUint64(8, 0x8cn, true);
  view.setBigUint64(16, 0x1234_5678_9000n, true);
  view.setBigUint64(24, 5n, true);
  view.setBigUint64(40, 0x7777_0000_0001n, true);
  view.setUint8(56, 0);
  view.setUint32(60, 0x0005_0657, true);
  view.setUint8(65, 9);
  view.setUint8(67, 1);
  view.setUint32(68, 0x0102, true);
  view.setBigUint64(80, 0x0f00_0c14n, true);
  view.setBigUint64(88, 0x5001n, true);
  view.setBigUint64(96, 0x9600_0000_0000n, true);
  change(view);
  return bytes;
}
const WHOLE = {
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 0x102,
  bank: 9,
  status: 0x8c00_0000_0000_0134n,
  mcgStatus: 5n,
  mcgCap: 0x0f00_0c14n,
  addr: 0x1234_5678_9000n,
  misc: 0x8cn,
  tsc: 0x7777_0000_0001n,
  synd: 0x5001n,
  ipid: 0x9600_0000_0000n,
  cpuid: 0x50657n,
};

test('every field from its place', () => {
  expect(decodeXenMcelog(made())).toStrictEqual([WHOLE]);
  expect(decodeXenMcelog(made(v => v.setUint8(56, 2)))[0]?.vendor).toBe('amd');
  expect(decodeXenMcelog(made(v => v.setUint8(56, 3)))[0]).not.toHaveProperty('vendor');
});

test('address and MCi_MISC only with their valid bits', () => {
  const { addr: _, ...noAddr } = WHOLE;
  const { misc: __, ...noMisc } = WHOLE;
  const status = (value: bigint) => decodeXenMcelog(made(v => v.setBigUint64(0, value, true)));
  expect(status(0x8800_0000_0000_0134n)).toStrictEqual([{ ...noAddr, status: 0x8800_0000_0000_0134n }]);
  expect(status(0x8400_0000_0000_0134n)).toStrictEqual([{ ...noMisc, status: 0x8400_0000_0000_0134n }]);
});

test('unfinished records and a rest are left out, the others stay', () => {
  const unfinished = made(v => v.setUint8(67, 0));
  const three = Buffer.concat([made(), unfinished, made(), new Uint8Array(XEN_MCE_BYTES - 1)]);
  expect(decodeXenMcelog(three)).toStrictEqual([WHOLE, WHOLE]);
  // The records may begin anywhere in a larger buffer.
  expect(decodeXenMcelog(Buffer.concat([new Uint8Array(3), made()]).subarray(3))).toStrictEqual([WHOLE]);
});
