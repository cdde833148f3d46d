import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPER_SEVERITIES, decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import type { GhesSectionInput } from './ghes.ts';
import { SECTION_MEMORY, SECTION_NAMES, guidFromBytes, guidToBytes } from './guid.ts';
import { decodeMemoryError, encodeMemoryError } from './memory.ts';
import type { CperMemoryError, CperSection } from './record.ts';

/**
 * A recoverable multi-bit ECC error at 0x12345000 as QEMU 11.1 took it and Linux 7.2 acted on it: validation bits
 * 1, 2 and 14, error type 3, one section.
 */
const PROVEN =
  'EQAAAAAAAAAAAAAAmAAAAAAAAAAUEbylZG/eTrhjPoPtfIOxAAAAAAADAABQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
  'AAAAAAAAAAAGQAAAAAAAAAAAAAAAAAAAAFA0EgAAAAAA8P///////wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAAAA' +
  'AAAAAA==';
const proven: CperMemoryError = {
  kind: 'memory',
  physicalAddress: 0x12345000n,
  physicalAddressMask: 0xfffffffffffff000n,
  errorType: 3,
};

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u16 = fc.integer({ min: 0, max: 0xffff });
const memoryError: fc.Arbitrary<CperMemoryError> = fc
  .record(
    {
      errorStatus: u64,
      physicalAddress: u64,
      physicalAddressMask: u64,
      node: u16,
      card: u16,
      module: u16,
      bank: u16,
      device: u16,
      row: u16,
      column: u16,
      bitPosition: u16,
      requestorId: u64,
      responderId: u64,
      targetId: u64,
      errorType: fc.integer({ min: 0, max: 255 }),
      rank: u16,
      cardHandle: u16,
      moduleHandle: u16,
      chipId: fc.integer({ min: 0, max: 7 }),
    },
    { requiredKeys: [] },
  )
  .map(fields => ({ kind: 'memory', ...fields }));
const guid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(b => guidFromBytes(b, 0));
const section: fc.Arbitrary<CperSection> = fc
  .record({
    body: fc.oneof(
      memoryError,
      fc.uint8Array({ maxLength: 200 }).map(data => ({ kind: 'raw' as const, data })),
    ),
    severity: fc.constantFrom(...CPER_SEVERITIES),
    flags: fc.integer({ min: 0, max: 255 }),
    rawType: guid.filter(g => g !== SECTION_MEMORY),
    more: fc.record({ fruId: guid, fruText: fc.stringMatching(/^[ -~]{0,20}$/), timestamp: u64 }, { requiredKeys: [] }),
  })
  .map(({ rawType, more, ...s }) => ({
    ...s,
    ...more,
    type: s.body.kind === 'memory' ? SECTION_MEMORY : rawType,
    revision: 0x300,
  }));

describe('GUID', () => {
  it('goes to bytes and back', () => {
    fc.assert(
      fc.property(guid, g => {
        expect(guidFromBytes(guidToBytes(g), 0)).toBe(g);
      }),
    );
    expect(guidToBytes(SECTION_MEMORY).slice(0, 4)).toEqual(Uint8Array.of(0x14, 0x11, 0xbc, 0xa5));
    expect(SECTION_NAMES[SECTION_MEMORY]).toBe('memory error');
    expect(() => guidToBytes('no')).toThrow(/not a GUID/);
  });
});

describe('encodeGhesBlock', () => {
  it('makes the bytes that QEMU and Linux are known to take', () => {
    const bytes = encodeGhesBlock({ severity: 'recoverable', sections: [{ body: proven }] });
    expect(Buffer.from(bytes).toString('base64')).toBe(PROVEN);
  });

  it('decodes what it encoded, for every record', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CPER_SEVERITIES), fc.array(section, { maxLength: 5 }), (severity, sections) => {
        const bytes = encodeGhesBlock({ severity, sections });
        const { value, diagnostics } = decodeGhesBlock(bytes);
        expect(diagnostics).toEqual([]);
        expect(value).toMatchObject({ kind: 'cper', severity, sections });
        expect(encodeGhesBlock({ severity, sections: value?.sections as GhesSectionInput[] })).toEqual(bytes);
      }),
    );
  });

  it('sets the multiple-error bits from the sections', () => {
    const two = encodeGhesBlock({ severity: 'corrected', sections: [{ body: proven }, { body: proven }] });
    expect(two[0]).toBe(0b101010);
  });

  it('refuses values that do not fit', () => {
    const encode = (body: Partial<CperMemoryError>, more: Partial<GhesSectionInput> = {}) =>
      encodeGhesBlock({ severity: 'fatal', sections: [{ body: { kind: 'memory', ...body }, ...more }] });
    expect(() => encode({ row: 0x10000 })).toThrow(/row does not fit/);
    expect(() => encode({ physicalAddress: -1n })).toThrow(/physicalAddress/);
    expect(() => encode({ node: 1.5 })).toThrow(/node/);
    expect(() => encode({ bank: 0x102, bankGroup: 2 })).toThrow(/bank disagrees/);
    expect(() => encode({ bank: 0x102, bankAddress: 3 })).toThrow(/bank disagrees/);
    expect(() => encode({ nodes: 1 } as never)).toThrow(/no member nodes/);
    expect(() => encode({}, { fruText: 'x'.repeat(21) })).toThrow(/fruText does not fit/);
    expect(() => encode({}, { fruText: 'ä' })).toThrow(/fruText does not fit/);
    expect(() => encode({}, { revision: 0x10000 })).toThrow(/revision does not fit/);
    expect(() => encode({}, { revision: 0x201, timestamp: 1n })).toThrow(/needs revision 0x300/);
    expect(() => encode({}, { offset: 1 })).toThrow(/no offset/);
    expect(() => encode({}, { timestamp: 1n << 64n })).toThrow(/timestamp/);
  });
});

describe('decodeGhesBlock', () => {
  const good = Uint8Array.from(Buffer.from(PROVEN, 'base64'));

  it('reads 73 and 77 bytes of a memory section', () => {
    const full = encodeMemoryError({ ...proven, rank: 1, cardHandle: 2 });
    const old = decodeMemoryError(full.subarray(0, 73));
    // Rank and handle are marked valid and lie behind the end: their validation bits are kept.
    expect(old.value).toEqual({
      ...proven,
      validationBits: 0x1c006n,
      kept: { length: 73, bytes: [{ at: 1, hex: '8001' }] },
    });
    expect(encodeMemoryError(old.value as CperMemoryError)).toEqual(full.subarray(0, 73));
    expect(old.diagnostics.map(d => d.code)).toEqual(['E_CPER_TRUNCATED', 'E_CPER_TRUNCATED']);
    const odd = decodeMemoryError(full.subarray(0, 77));
    expect(odd.value).toEqual({
      ...proven,
      validationBits: 0x1c006n,
      rank: 1,
      kept: {
        length: 77,
        bytes: [
          { at: 2, hex: '01' },
          { at: 76, hex: '02' },
        ],
      },
    });
    expect(odd.diagnostics.map(d => d.code)).toEqual(['W_CPER_LENGTH', 'E_CPER_TRUNCATED']);
    expect(decodeMemoryError(full.subarray(0, 72)).value).toBeUndefined();
  });

  it('keeps the readable part of a cut block and says so', () => {
    const cut = decodeGhesBlock(good.subarray(0, good.length - 5));
    expect(cut.value?.sections[0]?.body).toEqual({ ...proven, validationBits: 0x4006n, kept: { length: 75 } });
    expect(cut.diagnostics.map(d => d.code)).toEqual(['E_CPER_TRUNCATED', 'E_CPER_TRUNCATED', 'W_CPER_LENGTH']);
    expect(decodeGhesBlock(good.subarray(0, 19)).value).toBeUndefined();
  });

  it('names a severity and a count that cannot be', () => {
    const bytes = good.slice();
    bytes[16] = 9;
    bytes[0] = 0x51;
    expect(decodeGhesBlock(bytes).diagnostics.map(d => d.code)).toEqual(['E_CPER_SEVERITY', 'W_CPER_COUNT']);
  });

  it('never throws and stays bounded, whatever the bytes', () => {
    const near = fc
      .tuple(fc.nat(good.length), fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 }))
      .map(([length, edits]) => {
        const b = good.slice();
        for (const [at, byte] of edits) b[at] = byte;
        return b.subarray(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 400 })), bytes => {
        const { value, diagnostics } = decodeGhesBlock(bytes);
        expect(value === undefined).toBe(bytes.length < 20);
        expect(diagnostics.length).toBeLessThan(200);
        for (const d of diagnostics) expect(d.offset).toBeLessThanOrEqual(bytes.length + 80);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not loop over a large block of zeros', () => {
    const bytes = new Uint8Array(1 << 20);
    new DataView(bytes.buffer).setUint32(12, bytes.length - 20, true);
    const { value, diagnostics } = decodeGhesBlock(bytes);
    expect(value?.sections).toHaveLength(1023);
    expect(diagnostics.at(-1)?.code).toBe('E_CPER_TOO_MANY');
  });
});
