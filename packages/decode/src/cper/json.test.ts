import { describe, expect, it } from 'vitest';
import { SECTION_MEMORY } from './guid.ts';
import { bodyFromJson, cperFromJson, cperToJson, regionFromJson } from './json.ts';
import { decodeGhesBlock } from './ghes.ts';
import { encodeCper, encodeCperRegion } from './region.ts';
import { encodeSection } from './sections.ts';
import { hexToBytes, writeLayout } from './layout.ts';
import { MEMORY_LAYOUT } from './memory.ts';
import { unmarked } from './testing/arbitrary.ts';

describe('JSON', () => {
  it('is plain data with exact values', () => {
    const record = {
      kind: 'cper' as const,
      severity: 'fatal' as const,
      blockStatus: 1,
      sections: [
        {
          type: SECTION_MEMORY,
          severity: 'fatal' as const,
          revision: 0x300,
          flags: 0,
          timestamp: 1n,
          body: { kind: 'memory' as const, physicalAddress: 0xfedcba9876543210n, node: 3 },
        },
      ],
      trailing: Uint8Array.of(0, 0xff),
    };
    const json = cperToJson(record);
    expect(json).toEqual({
      kind: 'cper',
      severity: 'fatal',
      blockStatus: 1,
      sections: [
        {
          type: SECTION_MEMORY,
          severity: 'fatal',
          revision: 0x300,
          flags: 0,
          timestamp: '0x0000000000000001',
          body: { kind: 'memory', physicalAddress: '0xfedcba9876543210', node: 3 },
        },
      ],
      trailing: '00ff',
    });
    expect(cperFromJson(JSON.parse(JSON.stringify(json)))).toEqual(record);
  });

  it('takes what a person writes: short values, numbers, what follows left out', () => {
    const record = cperFromJson({
      severity: 'recoverable',
      sections: [{ body: { kind: 'memory', physicalAddress: '0x1000', physicalAddressMask: 4096, errorType: 3 } }],
    });
    const { value, diagnostics } = decodeGhesBlock(encodeCper(record));
    expect(diagnostics).toEqual([]);
    expect(unmarked(value)).toEqual({
      kind: 'cper',
      severity: 'recoverable',
      blockStatus: 0x11,
      sections: [
        {
          type: SECTION_MEMORY,
          severity: 'recoverable',
          revision: 0x300,
          flags: 0,
          body: { kind: 'memory', physicalAddress: 0x1000n, physicalAddressMask: 0x1000n, errorType: 3 },
        },
      ],
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['a list', [], /not an object/],
    ['null', null, /not an object/],
    ['no severity', { sections: [] }, /severity: missing/],
    ['no sections', { severity: 'fatal' }, /sections: not a list/],
    ['a section that is none', { severity: 'fatal', sections: [1] }, /sections\[0\]: not an object/],
    ['no body', { severity: 'fatal', sections: [{}] }, /sections\[0\]\.body: not an object/],
    ['no kind', { severity: 'fatal', sections: [{ body: {} }] }, /body\.kind: missing/],
    ['raw without data', { severity: 'fatal', sections: [{ body: { kind: 'raw' } }] }, /body\.data: missing/],
    ['no errors', { severity: 'fatal', sections: [{ body: { kind: 'x86-processor' } }] }, /errors: not a list/],
    [
      'a context without data',
      { severity: 'fatal', sections: [{ body: { kind: 'arm-processor', errors: [], contexts: [{}] } }] },
      /contexts\[0\]\.data: missing/,
    ],
    ['a header that is none', { severity: 'fatal', header: 1, sections: [] }, /header: not an object/],
    [
      'a 64-bit value',
      { severity: 'fatal', sections: [{ body: { kind: 'memory', physicalAddress: 'here' } }] },
      /sections\[0\]\.body\.physicalAddress: not a 64-bit value/,
    ],
    [
      'a negative value',
      { severity: 'fatal', sections: [{ body: { kind: 'memory', physicalAddress: -1 } }] },
      /not a 64-bit value/,
    ],
    [
      'a rounded value',
      { severity: 'fatal', sections: [{ body: { kind: 'memory', physicalAddress: 2 ** 60 } }] },
      /not a 64-bit value/,
    ],
    ['bytes', { severity: 'fatal', sections: [{ body: { kind: 'raw', data: '0' } }] }, /data: not hex digits/],
  ])('refuses %s', (_name, json, message) => {
    expect(() => cperFromJson(json)).toThrow(message);
  });

  it('refuses deep nesting, and regions and bodies that are none', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 40; i++) deep = [deep];
    expect(() => cperFromJson({ severity: 'fatal', sections: [], x: deep })).toThrow(/nested too deep/);
    // Arithmetic with one would throw what nobody expects.
    for (const bank of [{ toString: 1 }, [{ toString: 1 }], []]) {
      expect(() => cperFromJson({ severity: 'fatal', sections: [{ body: { kind: 'memory2', bank } }] })).toThrow(
        /sections\[0\]\.body\.bank: a list or an object/,
      );
    }
    expect(() => regionFromJson({ records: [{ record: {} }], gaps: [] })).toThrow(
      /records\[0\]\.record\.severity: missing/,
    );
    expect(() => regionFromJson({ records: [] })).toThrow(/gaps: not a list/);
    expect(() => bodyFromJson({ kind: 'raw' })).toThrow(/data: missing/);
  });
});

describe('encoding', () => {
  it('says which member does not fit, and what would', () => {
    const encode = (body: object) => () => encodeSection({ kind: 'memory', ...body } as never);
    expect(encode({ node: -1 })).toThrow('memory section: node does not fit its field: an integer from 0 to 65535');
    expect(encode({ node: 1n })).toThrow(/node does not fit/);
    expect(encode({ physicalAddress: 1 })).toThrow(/physicalAddress does not fit/);
    expect(encode({ physicalAddress: 1n << 64n })).toThrow(/physicalAddress does not fit/);
    expect(encode({ rowExtended: 4 })).toThrow('rowExtended does not fit its field: an integer from 0 to 3');
    expect(encode({ kept: { length: -1 } })).toThrow(/kept.length does not fit/);
    expect(encode({ kept: { length: 1e9 } })).toThrow(/kept.length does not fit/);
    expect(encode({ kept: { bytes: [{ at: 79, hex: '0000' }] } })).toThrow(/a run of kept.bytes does not fit/);
    expect(encode({ kept: { bytes: [{ at: 0, hex: 'zz' }] } })).toThrow(/a run of kept.bytes does not fit/);
    expect(encode({ kept: { bytes: [{ at: -1, hex: '00' }] } })).toThrow(/a run of kept.bytes does not fit/);
    expect(encode({ kept: { length: 73 }, rank: 1 })).toThrow(
      /rank does not fit its field: the structure has 73 bytes/,
    );
    expect(() => encodeSection({ kind: 'nothing' } as never)).toThrow(/no section of kind nothing/);
    const noWord = JSON.parse('{"toString":1}') as never;
    expect(() => encodeSection({ kind: noWord })).toThrow(/no section of kind of type object/);
    expect(() => encodeSection({ kind: 'firmware', recordGuid: noWord })).toThrow(/recordGuid is not a GUID/);
    expect(() => encodeCper({ kind: 'cper', severity: noWord, sections: [] })).toThrow(/no severity of type object/);
    for (const offset of [undefined, 'x', 0.5, -1, 4]) {
      expect(() =>
        encodeCperRegion({ length: 4, records: [], gaps: [{ offset: offset as never, data: new Uint8Array(1) }] }),
      ).toThrow(/does not fit 4 bytes/);
    }
    expect(() => encodeCperRegion({ length: 4, records: [], gaps: [{ offset: 0 } as never] })).toThrow(
      /what is at 0 does not fit/,
    );
    expect(() => encodeSection({ kind: 'firmware', recordGuid: 'x' })).toThrow(/not a GUID/);
    expect(() => encodeSection({ kind: 'pcie', aer: new Uint8Array(95) })).toThrow(/aer needs 96 bytes/);
    expect(() => encodeSection({ kind: 'processor', brand: 'x'.repeat(129) })).toThrow(/brand does not fit/);
    expect(() =>
      encodeSection({ kind: 'x86-processor', errors: Array.from({ length: 64 }, () => ({})), contexts: [] }),
    ).toThrow(/at most 63 structures/);
    expect(() => encodeSection({ kind: 'x86-processor', errors: [], contexts: [], errorCount: 64 })).toThrow(
      /errorCount does not fit/,
    );
    expect(() =>
      encodeSection({ kind: 'arm-processor', errors: Array.from({ length: 65536 }, () => ({})), contexts: [] }),
    ).toThrow(/at most 65535 structures/);
    expect(() => encodeSection({ kind: 'arm-processor', errors: [{ length: 256 }], contexts: [] })).toThrow(
      /length does not fit/,
    );
  });

  it('names the members it knows', () => {
    expect(() => writeLayout(MEMORY_LAYOUT, { nod: 1 })).toThrow('memory section has no member nod');
    expect(hexToBytes('0aFf')).toEqual(Uint8Array.of(10, 255));
    expect(hexToBytes('0')).toBeUndefined();
    expect(hexToBytes('0x')).toBeUndefined();
  });
});
