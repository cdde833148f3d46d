import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { CPER_SEVERITIES, decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { cperFromJson, cperToJson, regionFromJson } from './json.ts';
import { decodeCper, encodeCper, encodeCperRegion } from './region.ts';
import { decodeCperRecord, encodeCperRecord } from './uefi-record.ts';
import type { CperRecord } from './record.ts';
import { errorRecord, fuzzRuns, near, section, unmarked } from './testing/arbitrary.ts';

const severity = fc.constantFrom(...CPER_SEVERITIES);
const block = fc
  .tuple(severity, fc.array(section('block'), { maxLength: 4 }))
  .map(([s, sections]) => ({ severity: s, sections }));
const viaJson = (record: CperRecord): CperRecord => cperFromJson(JSON.parse(stringify(cperToJson(record))));

describe('generic error status block', () => {
  it('goes to bytes, to JSON text and back', () => {
    fc.assert(
      fc.property(block, input => {
        const bytes = encodeGhesBlock(input);
        const { value, diagnostics, length } = decodeGhesBlock(bytes);
        expect(diagnostics).toEqual([]);
        expect(length).toBe(bytes.length);
        expect(unmarked(value)).toEqual({ kind: 'cper', blockStatus: value?.blockStatus, ...input });
        if (value === undefined) return;
        expect(viaJson(value)).toEqual(value);
        expect(encodeCper(viaJson(value))).toEqual(bytes);
      }),
    );
  });

  it('keeps every byte of whatever it is given, and never throws', () => {
    const bytes = fc.oneof(near(block.map(encodeGhesBlock)), fc.uint8Array({ maxLength: 300, size: 'max' }));
    fc.assert(
      fc.property(bytes, input => {
        const { value, length } = decodeGhesBlock(input);
        expect(value === undefined).toBe(input.length < 20);
        expect(length).toBeLessThanOrEqual(input.length);
        expect(value && encodeCper(viaJson(value))).toEqual(value && input.subarray(0, length));
      }),
      { numRuns: fuzzRuns(600) },
    );
  });
});

describe('error record', () => {
  it('goes to bytes, to JSON text and back', () => {
    fc.assert(
      fc.property(errorRecord, record => {
        const bytes = encodeCperRecord(record);
        const { value, diagnostics, length } = decodeCperRecord(bytes);
        expect(diagnostics).toEqual([]);
        expect(length).toBe(bytes.length);
        expect(unmarked(value)).toEqual(record);
        expect(encodeCper(viaJson(record))).toEqual(bytes);
      }),
    );
  });

  it('keeps every byte of whatever it is given, and never throws', () => {
    const hostile = fc.uint8Array({ minLength: 124, maxLength: 400, size: 'max' }).map(b => {
      b.set([0x43, 0x50, 0x45, 0x52]);
      return b;
    });
    const bytes = fc.oneof(near(errorRecord.map(encodeCperRecord)), hostile, fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(bytes, input => {
        const { value, diagnostics, length } = decodeCperRecord(input);
        expect(length).toBeLessThanOrEqual(input.length);
        expect(value !== undefined || diagnostics.length > 0).toBe(true);
        expect(value && encodeCper(viaJson(value))).toEqual(value && input.subarray(0, length));
      }),
      { numRuns: fuzzRuns(600) },
    );
  });
});

describe('region', () => {
  const part = fc.oneof(
    errorRecord.map(encodeCperRecord),
    block.filter(b => b.sections.length > 0).map(encodeGhesBlock),
  );
  const padded = fc.tuple(part, fc.constantFrom(0, 4, 64)).map(([bytes, zeros]) => {
    const out = new Uint8Array(bytes.length + zeros);
    out.set(bytes);
    return out;
  });
  const region = fc.array(padded, { maxLength: 4 }).map(parts => Buffer.concat(parts));

  it('finds every record, with zeros between them', () => {
    fc.assert(
      fc.property(fc.array(padded, { minLength: 1, maxLength: 4 }), parts => {
        const bytes = new Uint8Array(Buffer.concat(parts));
        const { value } = decodeCper(bytes);
        expect(value.records).toHaveLength(parts.length);
        expect(value.gaps).toEqual([]);
        expect(encodeCperRegion(value)).toEqual(bytes);
      }),
    );
  });

  it('keeps every byte of whatever it is given, and never throws', () => {
    const bytes = fc.oneof(near(region.map(b => new Uint8Array(b))), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(bytes, input => {
        const { value } = decodeCper(input);
        expect(encodeCperRegion(value)).toEqual(input);
        expect(encodeCperRegion(regionFromJson(JSON.parse(stringify(cperToJson(value)))))).toEqual(input);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });
});
