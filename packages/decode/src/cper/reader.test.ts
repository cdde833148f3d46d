/** Records behind one whose length is wrong, or that lost bytes, are found. */
import { describe, expect, it } from 'vitest';
import { decodeCper, encodeCper } from './region.ts';
import { encodeGhesBlock } from './ghes.ts';
import { makeCperRecord } from './uefi-record.ts';
import type { CperBody, CperRecord } from './record.ts';

const body = (i: number): CperBody => ({ kind: 'memory', physicalAddress: BigInt(i) });
const record = (i: number): Buffer => Buffer.from(encodeCper(makeCperRecord('corrected', [{ body: body(i) }])));
const block = (i: number): Buffer =>
  Buffer.from(encodeGhesBlock({ severity: 'corrected', sections: [{ body: body(i) }, { body: body(100 + i) }] }));
const all = (of: (i: number) => Buffer): Buffer => Buffer.concat([1, 2, 3, 4, 5, 6].map(of));
const firstAddress = ({ sections }: CperRecord): unknown =>
  sections[0]?.body.kind === 'memory' ? Number(sections[0].body.physicalAddress) : undefined;

function read(bytes: Uint8Array): { found: unknown[]; gaps: number; codes: string[] } {
  const { value, diagnostics } = decodeCper(new Uint8Array(bytes));
  return {
    found: value.records.map(r => firstAddress(r.record)),
    gaps: value.gaps.length,
    codes: diagnostics.map(d => d.code),
  };
}

describe.each([
  ['error record', record, 20],
  ['status block', block, 12],
] as const)('%s', (_, of, lengthAt) => {
  it.each([100_000, 700])('whose length is %i leaves those behind it', length => {
    const bytes = all(of);
    bytes.writeUInt32LE(length, lengthAt);
    const { found, gaps, codes } = read(bytes);
    expect([found, gaps]).toEqual([[1, 2, 3, 4, 5, 6], 0]);
    expect(codes).toContain('E_CPER_LENGTH');
  });

  it('that lost bytes leaves those behind it', () => {
    const [one, bytes] = [of(1), all(of)];
    for (const lost of [1, 7, 50]) {
      const cut = Buffer.concat([bytes.subarray(0, one.length - lost), bytes.subarray(one.length)]);
      // A section that is too short is kept as bytes.
      expect(read(cut).found).toHaveLength(6);
      expect(read(cut).found.slice(1)).toEqual([2, 3, 4, 5, 6]);
      expect(read(cut).codes).toContain('E_CPER_LENGTH');
      const head = read(bytes.subarray(lost));
      expect(head.found.slice(-5)).toEqual([2, 3, 4, 5, 6]);
      expect(head.codes).not.toEqual([]);
    }
  });
});

describe('a length', () => {
  it('less than its header leaves what stands behind', () => {
    const bytes = all(record);
    bytes.writeUInt32LE(3, 20);
    expect(read(bytes)).toMatchObject({ found: [1, 2, 3, 4, 5, 6], gaps: 0 });
  });
});

describe('a section of an unknown type', () => {
  const raw = (bytes: Uint8Array): { type: string; body: CperBody } => ({
    type: '01234567-89ab-cdef-0123-456789abcdef',
    body: { kind: 'raw', data: bytes },
  });
  it('may hold a record', () => {
    const inner = new Uint8Array(record(1));
    const outer = encodeCper(makeCperRecord('corrected', [raw(inner), { body: body(2) }]));
    expect(read(outer)).toMatchObject({ found: [undefined], codes: [] });
    const within = encodeGhesBlock({ severity: 'corrected', sections: [raw(inner), { body: body(2) }] });
    expect(read(within)).toMatchObject({ found: [undefined], codes: [] });
  });
});
