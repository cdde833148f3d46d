import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { SECTIONS, decodeSection, encodeSection, sectionOfKind, sectionType } from './sections.ts';
import { bodyFromJson, cperToJson } from './json.ts';
import { bodyOf, fuzzRuns, near, unmarked } from './testing/arbitrary.ts';

describe.each(SECTIONS.map(s => [s.name, s] as const))('%s', (_name, type) => {
  const arbitrary = bodyOf(type.kind);

  it('goes to bytes, to JSON text and back', () => {
    fc.assert(
      fc.property(arbitrary, body => {
        const bytes = encodeSection(body);
        const read = decodeSection(type.type, bytes);
        expect(read.diagnostics).toEqual([]);
        expect(unmarked(read.value)).toEqual(body);
        const json: unknown = JSON.parse(stringify(cperToJson(read.value)));
        const again = bodyFromJson(json);
        expect(again).toEqual(read.value);
        expect(encodeSection(again)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps every byte of whatever it is given, and never throws', () => {
    const bytes = fc.oneof(
      near(arbitrary.map(encodeSection)),
      fc.uint8Array({ maxLength: 400 }),
      fc.uint8Array({ minLength: 40, maxLength: 400, size: 'max' }),
    );
    fc.assert(
      fc.property(bytes, fc.nat(1000), (input, base) => {
        const { value, diagnostics } = decodeSection(type.type, input, base);
        expect(encodeSection(value)).toEqual(input);
        expect(encodeSection(bodyFromJson(JSON.parse(stringify(cperToJson(value)))))).toEqual(input);
        for (const d of diagnostics) {
          expect(d.code).toMatch(/^[EW]_CPER_[A-Z]+$/);
          expect(d.offset).toBeGreaterThanOrEqual(base);
          expect(d.offset).toBeLessThanOrEqual(base + input.length + 208);
        }
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  it('is found by GUID and by kind', () => {
    expect(sectionType(type.type.toUpperCase())).toBe(type);
    expect(sectionOfKind(type.kind)).toBe(type);
    expect(type.source).toMatch(
      /^(?:UEFI 2\.1[01] N\.2\.\d|CXL 3\.1 8\.|Arm DEN0085, |Microsoft WDK, |Linux |rasdaemon |libcper |amdgpu )/,
    );
  });
});
