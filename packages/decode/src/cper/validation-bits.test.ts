/** The validation bits of a record: kept as they were read, drawn, and named by findings. */
import { describe, expect, it } from 'vitest';
import { decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { SECTION_MEMORY, SECTION_PCIE } from './guid.ts';
import { bodyFromJson, cperToJson } from './json.ts';
import { lintCper } from './lint.ts';
import { encodeCper } from './region.ts';
import type { CperBody, CperMemoryError, CperRecord } from './record.ts';
import { describeCper } from './registers.ts';
import { decodeSection, encodeSection } from './sections.ts';
import { decodeCperRecord, encodeCperRecord, makeCperRecord } from './uefi-record.ts';

/** A memory section whose validation bits and address are given, whether they agree or not. */
function memory(validation: bigint, address: bigint): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, validation, true);
  view.setBigUint64(16, address, true);
  return bytes;
}
const read = (type: string, bytes: Uint8Array): CperBody => decodeSection(type, bytes).value;
const recordOf = (body: CperBody): CperRecord => ({
  kind: 'cper',
  severity: 'recoverable',
  sections: [{ type: SECTION_MEMORY, severity: 'recoverable', revision: 0x300, flags: 0, body }],
});
const found = (body: CperBody, code: string) => lintCper(recordOf(body)).find(f => f.code === code);
const setRows = (record: CperRecord) =>
  describeCper(record)
    .filter(v => v.name === 'ValidationBits')
    .map(v => [v.member, v.value, v.rows.filter(r => r.value !== 0n).map(r => `${r.hi}:${r.lo} ${r.name}`)]);

describe('a record that was read', () => {
  it('has the validation bits of each structure, in JSON as 64-bit values', () => {
    const { value } = decodeGhesBlock(
      encodeGhesBlock({
        severity: 'fatal',
        sections: [
          { fruText: 'DIMM A1', body: { kind: 'memory', physicalAddress: 0x1000n, errorType: 3 } },
          { body: { kind: 'arm-processor', mpidr: 1n, errors: [{ type: 2, errorInfo: 1n }], contexts: [] } },
        ],
      }),
    );
    expect(value && cperToJson(value)).toMatchObject({
      sections: [
        { validationBits: '0x0000000000000002', body: { validationBits: '0x0000000000004002' } },
        {
          validationBits: '0x0000000000000000',
          body: { validationBits: '0x0000000000000001', errors: [{ validationBits: '0x0000000000000004' }] },
        },
      ],
    });
  });

  it('can be changed and written: of a bit with a member the member decides', () => {
    const body = read(SECTION_MEMORY, memory(0x80_0000_0002n, 0x1000n)) as CperMemoryError;
    const { physicalAddress: _, ...without } = body;
    expect(encodeSection({ ...without, rank: 1 })).toEqual(encodeSection({ ...without, rank: 1, validationBits: 2n }));
    expect(encodeSection({ kind: 'memory', rank: 1, validationBits: 0x80_0000_0002n }).subarray(0, 8)).toEqual(
      Uint8Array.of(0, 0x80, 0, 0, 0x80, 0, 0, 0),
    );
  });

  it('is written without bits that its structure has no place for', () => {
    expect(() => encodeSection({ kind: 'memory', validationBits: 1n << 64n })).toThrow(/validationBits does not fit/);
    expect(() => encodeSection({ kind: 'memory', validationBits: 2 as never })).toThrow(/validationBits does not fit/);
    expect(() => encodeSection({ kind: 'firmware', validationBits: 0n } as never)).toThrow(/no member validationBits/);
    expect(() => bodyFromJson({ kind: 'memory', validationBits: {} })).toThrow(/validationBits: a list or an object/);
  });
});

describe('validation bits', () => {
  it('are drawn with the name of what they mark, also where several members share one', () => {
    expect(setRows(recordOf(read(SECTION_PCIE, encodeSection({ kind: 'pcie', status: 1, bus: 2 }))))).toEqual([
      ['sections[0].body.validationBits', 0xcn, ['3:3 deviceId', '2:2 commandStatus']],
    ]);
  });

  it('are those of headers, of structures in a section, and the counts between them', () => {
    const record = makeCperRecord(
      'recoverable',
      [
        {
          fruText: 'CPU 1',
          body: { kind: 'x86-processor', apicId: 7n, errors: [{ checkInfo: 1n }, { targetId: 2n }], contexts: [] },
        },
      ],
      { timestamp: 1n },
    );
    expect(setRows(record)).toEqual([]);
    const { value } = decodeCperRecord(encodeCperRecord(record));
    expect(value && setRows(value)).toEqual([
      ['header.validationBits', 2n, ['1:1 timestamp']],
      ['sections[0].validationBits', 2n, ['1:1 fruText']],
      ['sections[0].body.validationBits', 9n, ['7:2 errorCount', '0:0 apicId']],
      ['sections[0].body.errors[0].validationBits', 1n, ['0:0 checkInfo']],
      ['sections[0].body.errors[1].validationBits', 2n, ['1:1 targetId']],
    ]);
  });
});

describe('a finding about validation bits names them and the member', () => {
  const at = (hi: number, lo = hi) => ({
    member: 'sections[0].body.validationBits',
    register: 'ValidationBits',
    hi,
    lo,
  });

  it('a value whose bit is clear', () => {
    expect(found(read(SECTION_MEMORY, memory(0x4000n, 0x1000n)), 'L_CPER_VALUE_UNMARKED')).toMatchObject({
      members: ['sections[0].body.physicalAddress', 'sections[0].body.validationBits'],
      bits: [at(1)],
    });
  });

  it('a bit whose member lies behind the end, and bits that mark none', () => {
    const body = read(SECTION_MEMORY, memory(0x300_0001_8002n, 0x1000n).subarray(0, 73));
    expect(found(body, 'L_CPER_VALID_EMPTY')).toMatchObject({
      members: [
        'sections[0].body.kept',
        'sections[0].body.rank',
        'sections[0].body.cardHandle',
        'sections[0].body.validationBits',
      ],
      bits: [at(41, 40), at(16, 15)],
    });
  });

  it('an address that is not there, and a bank that is there twice', () => {
    const body = read(SECTION_MEMORY, encodeSection({ kind: 'memory', bank: 0x102, bankGroup: 1, bankAddress: 2 }));
    expect(found(body, 'L_CPER_NO_ADDRESS')).toMatchObject({ bits: [at(1)] });
    expect(found(body, 'L_CPER_BANK_TWICE')).toMatchObject({ bits: [at(20, 19), at(6)] });
    expect(found({ kind: 'memory' }, 'L_CPER_NO_ADDRESS')).not.toHaveProperty('bits');
  });

  it('bits of a header that mark nothing', () => {
    const bytes = encodeCperRecord(makeCperRecord('recoverable', [{ body: { kind: 'memory', physicalAddress: 1n } }]));
    bytes[16] = 0x10;
    bytes[128 + 10] = 0x80;
    const { value } = decodeCperRecord(bytes);
    if (value === undefined) throw new Error('no record');
    expect(lintCper(value).flatMap(f => (f.code === 'L_CPER_RESERVED' ? (f.bits ?? []) : []))).toEqual([
      { member: 'header.validationBits', register: 'ValidationBits', hi: 4, lo: 4 },
      { member: 'sections[0].validationBits', register: 'ValidationBits', hi: 7, lo: 7 },
    ]);
    expect(encodeCper(value)).toEqual(bytes);
  });
});
