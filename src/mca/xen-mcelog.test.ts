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
