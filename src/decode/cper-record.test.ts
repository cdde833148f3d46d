import { expect, it } from 'vitest';
import { encodeGhesBlock } from '../cper/index.ts';
import { bytesToHex } from '../cper/layout.ts';
import { decode } from './index.ts';

it('a row of 18 bits is named whole', () => {
  const block = encodeGhesBlock({
    severity: 'corrected',
    sections: [{ body: { kind: 'memory', card: 1, rowLow: 0xbeef, rowExtended: 2 } }],
  });
  const [record] = decode(bytesToHex(block)).records;
  expect(record?.component?.name).toBe(`memory: card 1, row ${0x2beef}`);
});
