/** Bytes laid out by hand from the tables of the specification, independent of the field tables of this room. */
import { describe, expect, it } from 'vitest';
import {
  SECTION_FIRMWARE,
  SECTION_MEMORY,
  SECTION_MEMORY2,
  SECTION_PCIE,
  SECTION_PROC_ARM,
  SECTION_PROC_GENERIC,
  SECTION_PROC_X86,
  guidToBytes,
} from './guid.ts';
import { X86_CHECK_TLB } from './x86.ts';
import { decodeCper, encodeCper, encodeCperRegion } from './region.ts';
import { decodeCperRecord, isCperRecord, makeCperRecord } from './uefi-record.ts';
import { decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { decodeSection, encodeSection, sectionName } from './sections.ts';
import { looksLikeGhesBlock } from './reader.ts';
import type { CperBody, CperRecord } from './record.ts';
import { unmarked } from './testing/arbitrary.ts';

type Put = readonly [offset: number, size: number, value: number | bigint | Uint8Array | string];

/** Little endian integers, byte runs and ASCII at offsets. */
function lay(length: number, ...puts: readonly Put[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, size, value] of puts) {
    if (value instanceof Uint8Array) bytes.set(value, offset);
    else if (typeof value === 'string') bytes.set(Buffer.from(value, 'latin1'), offset);
    else for (let i = 0; i < size; i++) bytes[offset + i] = Number((BigInt(value) >> BigInt(8 * i)) & 0xffn);
  }
  return bytes;
}

const seq = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (from + i) & 0xff);

const SECTIONS: readonly (readonly [name: string, type: string, bytes: Uint8Array, body: CperBody])[] = [
  [
    'memory',
    SECTION_MEMORY,
    lay(
      80,
      [0, 8, 0x23ffff],
      [8, 8, 0x0000000000400400n],
      [16, 8, 0x1122334455667788n],
      [24, 8, 0xfffffffffffff000n],
      [32, 2, 0x3231],
      [34, 2, 0x3433],
      [36, 2, 0x3635],
      [38, 2, 0x3837],
      [40, 2, 0x4039],
      [42, 2, 0x4241],
      [44, 2, 0x4443],
      [46, 2, 0x4645],
      [48, 8, 0x48n],
      [56, 8, 0x56n],
      [64, 8, 0x64n],
      [72, 1, 13],
      [73, 1, 0xa2],
      [74, 2, 0x7574],
      [76, 2, 0x7776],
      [78, 2, 0x7978],
    ),
    {
      kind: 'memory',
      errorStatus: 0x400400n,
      physicalAddress: 0x1122334455667788n,
      physicalAddressMask: 0xfffffffffffff000n,
      node: 0x3231,
      card: 0x3433,
      module: 0x3635,
      bank: 0x3837,
      device: 0x4039,
      row: 0x4241,
      column: 0x4443,
      bitPosition: 0x4645,
      requestorId: 0x48n,
      responderId: 0x56n,
      targetId: 0x64n,
      errorType: 13,
      rank: 0x7574,
      cardHandle: 0x7776,
      moduleHandle: 0x7978,
      chipId: 5,
      // Row bits 17:16 are there and not marked valid (bit 18 is clear).
      kept: { bytes: [{ at: 73, hex: '02' }] },
    },
  ],
  [
    'memory with bank group, address and extended row',
    SECTION_MEMORY,
    lay(80, [0, 8, 0x1c0000], [38, 1, 0x21], [39, 1, 0x43], [42, 2, 0x1234], [73, 1, 3]),
    { kind: 'memory', bankAddress: 0x21, bankGroup: 0x43, rowLow: 0x1234, rowExtended: 3 },
  ],
  [
    'memory 2',
    SECTION_MEMORY2,
    lay(
      96,
      [0, 8, 0x0fffff],
      [8, 8, 8],
      [16, 8, 16],
      [24, 8, 24],
      [32, 2, 0x3332],
      [34, 2, 0x3534],
      [36, 2, 0x3736],
      [38, 2, 0x3938],
      [40, 4, 0x43424140],
      [44, 4, 0x47464544],
      [48, 4, 0x51504948],
      [52, 4, 0x55545352],
      [56, 4, 0xf9585756],
      [60, 1, 60],
      [61, 1, 3],
      [62, 1, 1],
      [64, 8, 64],
      [72, 8, 72],
      [80, 8, 80],
      [88, 4, 0x91908988],
      [92, 4, 0x95949392],
    ),
    {
      kind: 'memory2',
      errorStatus: 8n,
      physicalAddress: 16n,
      physicalAddressMask: 24n,
      node: 0x3332,
      card: 0x3534,
      module: 0x3736,
      bank: 0x3938,
      device: 0x43424140,
      row: 0x47464544,
      column: 0x51504948,
      rank: 0x55545352,
      bitPosition: 0xf9585756,
      chipId: 60,
      errorType: 3,
      status: 1,
      requestorId: 64n,
      responderId: 72n,
      targetId: 80n,
      cardHandle: 0x91908988,
      moduleHandle: 0x95949392,
    },
  ],
  [
    'memory 2 with bank group and address',
    SECTION_MEMORY2,
    lay(96, [0, 8, 0x300000], [38, 1, 7], [39, 1, 9]),
    { kind: 'memory2', bankAddress: 7, bankGroup: 9 },
  ],
  [
    'generic processor',
    SECTION_PROC_GENERIC,
    lay(
      192,
      [0, 8, 0x1fff],
      [8, 1, 2],
      [9, 1, 4],
      [10, 1, 8],
      [11, 1, 3],
      [12, 1, 5],
      [13, 1, 6],
      [16, 8, 16],
      [24, 0, 'Some CPU'],
      [152, 8, 152],
      [160, 8, 160],
      [168, 8, 168],
      [176, 8, 176],
      [184, 8, 184],
    ),
    {
      kind: 'processor',
      processorType: 2,
      isa: 4,
      errorType: 8,
      operation: 3,
      flags: 5,
      level: 6,
      cpuVersion: 16n,
      brand: 'Some CPU',
      processorId: 152n,
      targetAddress: 160n,
      requestorId: 168n,
      responderId: 176n,
      instructionPointer: 184n,
    },
  ],
  [
    'IA32/X64 processor',
    SECTION_PROC_X86,
    // Validation: APIC id and CPUID valid, one error structure (bits 7:2), two contexts (bits 13:8).
    lay(
      64 + 64 + (16 + 8) + (16 + 4),
      [0, 8, 3 | (1 << 2) | (2 << 8)],
      [8, 8, 9],
      [16, 48, seq(1, 48)],
      [64, 16, guidToBytes(X86_CHECK_TLB)],
      [80, 8, 0x1f],
      [88, 8, 88],
      [96, 8, 96],
      [104, 8, 104],
      [112, 8, 112],
      [120, 8, 120],
      [128, 2, 1],
      [130, 2, 8],
      [132, 4, 0xc0002001],
      [136, 8, 136],
      [144, 8, 144],
      [152, 2, 7],
      [154, 2, 4],
      [156, 4, 0],
      [160, 8, 0xfee00000],
      [168, 4, 0x01020304],
    ),
    {
      kind: 'x86-processor',
      apicId: 9n,
      cpuid: seq(1, 48),
      errors: [
        {
          type: X86_CHECK_TLB,
          checkInfo: 88n,
          targetId: 96n,
          requestorId: 104n,
          responderId: 112n,
          instructionPointer: 120n,
        },
      ],
      contexts: [
        { type: 1, msrAddress: 0xc0002001, mmAddress: 136n, data: lay(8, [0, 8, 144]) },
        { type: 7, msrAddress: 0, mmAddress: 0xfee00000n, data: Uint8Array.of(4, 3, 2, 1) },
      ],
    },
  ],
  [
    'ARM processor',
    SECTION_PROC_ARM,
    lay(
      40 + 32 + (8 + 16) + 3,
      [0, 4, 0xf],
      [4, 2, 1],
      [6, 2, 1],
      [8, 4, 99],
      [12, 1, 2],
      [16, 8, 0x80000100],
      [24, 8, 0x413fd0c1],
      [32, 4, 1],
      [36, 4, 36],
      [40, 1, 0],
      [41, 1, 32],
      [42, 2, 0x1f],
      [44, 1, 2],
      [45, 2, 0x4645],
      [47, 1, 9],
      [48, 8, 48],
      [56, 8, 56],
      [64, 8, 64],
      [72, 2, 1],
      [74, 2, 5],
      [76, 4, 16],
      [80, 16, seq(80, 16)],
      [96, 3, seq(96, 3)],
    ),
    {
      kind: 'arm-processor',
      affinityLevel: 2,
      mpidr: 0x80000100n,
      midr: 0x413fd0c1n,
      runningState: 1,
      psciState: 36,
      errors: [
        {
          version: 0,
          length: 32,
          type: 2,
          multipleError: 0x4645,
          flags: 9,
          errorInfo: 48n,
          virtualAddress: 56n,
          physicalAddress: 64n,
        },
      ],
      contexts: [{ version: 1, type: 5, data: seq(80, 16) }],
      vendorInfo: seq(96, 3),
    },
  ],
  [
    'PCIe',
    SECTION_PCIE,
    lay(
      208,
      [0, 8, 0xff],
      [8, 4, 4],
      [12, 4, 0x0101],
      [16, 2, 0x1716],
      [18, 2, 0x1918],
      [24, 2, 0x8086],
      [26, 2, 0x2030],
      [28, 3, 0x060400],
      [31, 1, 1],
      [32, 1, 2],
      [33, 2, 0x3433],
      [35, 1, 0x3a],
      [36, 1, 0x3b],
      [37, 2, 5 << 3],
      [40, 8, 40],
      [48, 2, 0x4948],
      [50, 2, 0x5150],
      [52, 60, seq(52, 60)],
      [112, 96, seq(112, 96)],
    ),
    {
      kind: 'pcie',
      portType: 4,
      version: 0x0101,
      command: 0x1716,
      status: 0x1918,
      vendorId: 0x8086,
      deviceId: 0x2030,
      classCode: 0x060400,
      function: 1,
      device: 2,
      segment: 0x3433,
      bus: 0x3a,
      secondaryBus: 0x3b,
      slot: 5,
      serialNumber: 40n,
      bridgeSecondaryStatus: 0x4948,
      bridgeControl: 0x5150,
      capability: seq(52, 60),
      aer: seq(112, 96),
    },
  ],
  [
    'firmware',
    SECTION_FIRMWARE,
    lay(32, [0, 1, 2], [1, 1, 1], [8, 8, 8], [16, 16, guidToBytes(SECTION_MEMORY)]),
    { kind: 'firmware', recordType: 2, revision: 1, recordId: 8n, recordGuid: SECTION_MEMORY },
  ],
];

describe('sections', () => {
  it.each(SECTIONS)('%s', (_name, type, bytes, body) => {
    expect(unmarked(decodeSection(type, bytes))).toEqual({ value: body, diagnostics: [] });
    expect(encodeSection(body)).toEqual(bytes);
  });

  it('names types', () => {
    expect(sectionName(SECTION_PCIE.toUpperCase())).toBe('PCIe error');
    expect(sectionName('11111111-2222-3333-4444-555555555555')).toBe('unknown section');
  });

  it('writes what is edited, and keeps the rest', () => {
    const unmarked = lay(80, [16, 8, 0xdead0000n], [73, 1, 0x1c]);
    const { value } = decodeSection(SECTION_MEMORY, unmarked);
    expect(value).toEqual({
      kind: 'memory',
      validationBits: 0n,
      kept: {
        bytes: [
          { at: 18, hex: 'adde' },
          { at: 73, hex: '1c' },
        ],
      },
    });
    const edited = encodeSection({ ...value, physicalAddress: 0x1000n, rowExtended: 1 } as CperBody);
    expect(edited).toEqual(lay(80, [0, 8, 0x40002], [16, 8, 0x1000n], [73, 1, 0x1d]));
  });

  it('reads revision 0 of a firmware reference, which has no GUID', () => {
    const bytes = lay(16, [0, 1, 1], [8, 8, 7]);
    const { value, diagnostics } = decodeSection(SECTION_FIRMWARE, bytes);
    expect(value).toEqual({ kind: 'firmware', recordType: 1, revision: 0, recordId: 7n, kept: { length: 16 } });
    expect(diagnostics.map(d => d.code)).toEqual(['W_CPER_LENGTH', 'E_CPER_TRUNCATED']);
    expect(encodeSection(value)).toEqual(bytes);
  });

  it('keeps a section that is too short as it is', () => {
    for (const [, type, bytes] of SECTIONS) {
      const least: Record<string, number> = {
        [SECTION_MEMORY]: 73,
        [SECTION_FIRMWARE]: 16,
        [SECTION_PROC_X86]: 64,
        [SECTION_PROC_ARM]: 40,
      };
      const cut = bytes.subarray(0, (least[type] ?? bytes.length) - 1);
      const { value, diagnostics } = decodeSection(type, cut, 1000);
      expect(value).toEqual({ kind: 'raw', data: cut });
      expect(diagnostics).toEqual([expect.objectContaining({ code: 'E_CPER_TRUNCATED', offset: 1000 })]);
    }
  });

  it('stops at structures that are cut off, and says how many are missing', () => {
    const x86 = SECTIONS.find(s => s[1] === SECTION_PROC_X86)?.[2] ?? new Uint8Array();
    const cut = decodeSection(SECTION_PROC_X86, x86.subarray(0, x86.length - 1));
    expect(cut.value).toMatchObject({ contextCount: 2, trailing: x86.subarray(152, 171) });
    expect(cut.diagnostics.map(d => [d.code, d.offset])).toEqual([
      ['E_CPER_TRUNCATED', 0],
      ['W_CPER_TRAILING', 152],
    ]);
    const arm = SECTIONS.find(s => s[1] === SECTION_PROC_ARM)?.[2] ?? new Uint8Array();
    const many = arm.slice();
    many[4] = 200;
    const read = decodeSection(SECTION_PROC_ARM, many, 10);
    expect(read.value).toMatchObject({ errorCount: 200, contextCount: 1, contexts: [] });
    expect(read.diagnostics.map(d => [d.code, d.offset])).toEqual([
      ['E_CPER_TRUNCATED', 14],
      ['E_CPER_TRUNCATED', 16],
    ]);
    expect(encodeSection(read.value)).toEqual(many);
  });
});

const memory: CperBody = { kind: 'memory', physicalAddress: 0x12345000n, errorType: 3 };
const memoryBytes = lay(80, [0, 8, 0x4002], [16, 8, 0x12345000], [72, 1, 3]);

describe('generic error status block', () => {
  const v2 = lay(
    20 + 64 + 80,
    [0, 4, 0x11],
    [12, 4, 144],
    [16, 4, 1],
    [20, 16, guidToBytes(SECTION_MEMORY)],
    [36, 4, 1],
    [40, 2, 0x201],
    [42, 1, 3],
    [43, 1, 8],
    [44, 4, 80],
    [48, 16, guidToBytes(SECTION_PCIE)],
    [64, 0, 'DIMM A1'],
    [84, 80, memoryBytes],
  );

  it('reads and writes revision 2: 64 bytes before the section, no time stamp', () => {
    const { value, diagnostics, length } = decodeGhesBlock(v2);
    expect(diagnostics).toEqual([]);
    expect(length).toBe(164);
    expect(unmarked(value)).toEqual({
      kind: 'cper',
      severity: 'fatal',
      blockStatus: 0x11,
      sections: [
        {
          type: SECTION_MEMORY,
          severity: 'fatal',
          revision: 0x201,
          flags: 8,
          fruId: SECTION_PCIE,
          fruText: 'DIMM A1',
          body: memory,
        },
      ],
    });
    expect(value && encodeCper(value)).toEqual(v2);
  });

  it('reads and writes revision 3, with a time stamp, and raw data', () => {
    const bytes = lay(
      20 + 72 + 80 + 4 + 6,
      [0, 4, 0x12],
      [4, 4, 176],
      [8, 4, 6],
      [12, 4, 152],
      [16, 4, 2],
      [20, 16, guidToBytes(SECTION_MEMORY)],
      [36, 4, 2],
      [40, 2, 0x300],
      [42, 1, 4],
      [44, 4, 80],
      [84, 8, 0x2026071401235958n],
      [92, 80, memoryBytes],
      [176, 6, seq(1, 6)],
    );
    const { value, diagnostics, length } = decodeGhesBlock(bytes);
    expect(diagnostics).toEqual([]);
    expect(length).toBe(182);
    expect(value).toMatchObject({ rawDataOffset: 176, rawDataLength: 6, severity: 'corrected' });
    expect(value?.sections[0]?.timestamp).toBe(0x2026071401235958n);
    expect(value && encodeCper(value)).toEqual(bytes);
    const lies = bytes.slice();
    lies[8] = 0xff;
    expect(decodeGhesBlock(lies, 100)).toMatchObject({
      length: 172,
      diagnostics: [{ code: 'E_CPER_TRUNCATED', offset: 104 }],
    });
    lies[8] = 6;
    lies[4] = 30;
    expect(decodeGhesBlock(lies)).toMatchObject({ length: 172, diagnostics: [{ code: 'E_CPER_OVERLAP', offset: 4 }] });
  });

  it('keeps a severity that does not exist and text that is not ASCII', () => {
    const odd = v2.slice();
    odd[16] = 7;
    odd[36] = 200;
    odd[64] = 0xe4;
    const { value, diagnostics } = decodeGhesBlock(odd);
    expect(diagnostics.map(d => [d.code, d.offset])).toEqual([
      ['E_CPER_SEVERITY', 16],
      ['W_CPER_TEXT', 64],
      ['E_CPER_SEVERITY', 36],
    ]);
    expect(value).toMatchObject({ severity: 'none', severityNumber: 7 });
    expect(value?.sections[0]).toMatchObject({
      severity: 'none',
      severityNumber: 200,
      fruText: '?IMM A1',
      fruTextBytes: Uint8Array.from([0xe4, ...Buffer.from('IMM A1')]),
    });
    expect(value && encodeCper(value)).toEqual(odd);
    // A text that was changed since is written as it is now.
    const section = value?.sections[0];
    const changed = encodeGhesBlock({
      severity: 'fatal',
      sections: section === undefined ? [] : [{ ...section, fruText: 'B2' }],
    });
    expect(Buffer.from(changed.subarray(64, 72)).toString('latin1')).toBe('B2\0\0\0\0\0\0');
    expect(() => encodeGhesBlock({ severity: 'bad' as never, sections: [] })).toThrow(/no severity bad/);
  });
});

describe('error record', () => {
  const bytes = lay(
    128 + 2 * 72 + 80 + 5,
    [0, 0, 'CPER'],
    [4, 2, 0x0101],
    [6, 4, 0xffffffff],
    [10, 2, 2],
    [12, 4, 1],
    [16, 4, 7],
    [20, 4, 357],
    [24, 8, 0x2026071401235958n],
    [32, 16, guidToBytes(SECTION_PCIE)],
    [48, 16, guidToBytes(SECTION_MEMORY)],
    [64, 16, guidToBytes(SECTION_MEMORY2)],
    [80, 16, guidToBytes('e8f56ffe-919c-4cc5-ba88-65abe14913bb')],
    [96, 8, 0x1122334455667788n],
    [104, 4, 3],
    [108, 8, 0x99n],
    [128, 4, 272],
    [132, 4, 80],
    [136, 2, 0x0300],
    [138, 1, 2],
    [140, 4, 0x80000001],
    [144, 16, guidToBytes(SECTION_MEMORY)],
    [176, 4, 1],
    [180, 0, 'x'.repeat(20)],
    [200, 4, 352],
    [204, 4, 5],
    [208, 2, 0x0100],
    [210, 1, 1],
    [216, 16, guidToBytes('11111111-2222-3333-4444-555555555555')],
    [232, 16, guidToBytes(SECTION_PCIE)],
    [248, 4, 3],
    [272, 80, memoryBytes],
    [352, 5, seq(1, 5)],
  );
  const record: CperRecord = {
    kind: 'cper',
    severity: 'fatal',
    header: {
      revision: 0x0101,
      timestamp: 0x2026071401235958n,
      platformId: SECTION_PCIE,
      partitionId: SECTION_MEMORY,
      creatorId: SECTION_MEMORY2,
      notificationType: 'e8f56ffe-919c-4cc5-ba88-65abe14913bb',
      recordId: 0x1122334455667788n,
      flags: 3,
      persistenceInfo: 0x99n,
    },
    sections: [
      {
        type: SECTION_MEMORY,
        severity: 'fatal',
        revision: 0x0300,
        flags: 0x80000001,
        fruText: 'x'.repeat(20),
        body: memory,
      },
      {
        type: '11111111-2222-3333-4444-555555555555',
        severity: 'none',
        revision: 0x0100,
        flags: 0,
        fruId: SECTION_PCIE,
        body: { kind: 'raw', data: seq(1, 5) },
      },
    ],
  };

  it('goes both ways', () => {
    expect(unmarked(decodeCperRecord(bytes))).toEqual({ value: record, diagnostics: [], length: 357 });
    expect(encodeCper(record)).toEqual(bytes);
    expect(isCperRecord(bytes)).toBe(true);
    expect(isCperRecord(bytes.subarray(1))).toBe(false);
  });

  it('is made with defaults', () => {
    const made = makeCperRecord('corrected', [{ body: memory, fruText: 'A' }]);
    expect(made.sections[0]).toMatchObject({ severity: 'corrected', revision: 0x300, flags: 0, type: SECTION_MEMORY });
    expect(unmarked(decodeCperRecord(encodeCper(made)).value)).toEqual(made);
    expect(() => encodeCper({ ...made, sections: [{ ...made.sections[0]!, timestamp: 1n }] })).toThrow(/no timestamp/);
    expect(() => encodeCper({ ...made, sections: [{ ...made.sections[0]!, offset: 0x7fffffff }] })).toThrow(/too long/);
    expect(() => encodeCper({ ...made, kept: { length: 10 } })).toThrow(/does not fit kept.length/);
    expect(() => makeCperRecord('fatal', [{ body: { kind: 'raw', data: new Uint8Array() } }])).toThrow(/needs a type/);
  });

  it('says what cannot be: lengths, counts, offsets, signatures', () => {
    const change = (...puts: readonly Put[]): ReturnType<typeof decodeCperRecord> => {
      const b = bytes.slice();
      for (const [offset, size, value] of puts) b.set(lay(size, [0, size, value]), offset);
      const read = decodeCperRecord(b);
      expect(read.value && encodeCper(read.value)).toEqual(read.value && b.subarray(0, read.length));
      return read;
    };
    const codes = (...puts: readonly Put[]): unknown => change(...puts).diagnostics.map(d => [d.code, d.offset]);
    expect(codes([20, 4, 10])).toEqual([['E_CPER_LENGTH', 20]]);
    expect(codes([20, 4, 358])).toEqual([['E_CPER_TRUNCATED', 20]]);
    expect(codes([6, 4, 0])).toEqual([['E_CPER_SIGNATURE', 6]]);
    expect(codes([4, 2, 0x200])).toEqual([['W_CPER_REVISION', 4]]);
    expect(codes([4, 2, 0x100])).toEqual([]);
    expect(codes([12, 4, 4])).toEqual([['E_CPER_SEVERITY', 12]]);
    expect(codes([248, 4, 4])).toEqual([['E_CPER_SEVERITY', 248]]);
    expect(codes([204, 4, 6])).toEqual([['E_CPER_TRUNCATED', 200]]);
    expect(codes([200, 4, 0xffffffff])).toEqual([['E_CPER_TRUNCATED', 200]]);
    expect(codes([10, 2, 4])).toEqual([
      ['E_CPER_TRUNCATED', 10],
      ['E_CPER_TRUNCATED', 272],
    ]);
    expect(change([20, 4, 10]).value?.header?.recordLength).toBe(10);
    expect(change([204, 4, 6]).value?.sections[1]?.length).toBe(6);
    expect(change([200, 4, 0]).value?.sections[1]).toMatchObject({
      offset: 0,
      body: { kind: 'raw', data: bytes.subarray(0, 5) },
    });
    expect(decodeCperRecord(bytes.subarray(0, 127))).toMatchObject({ value: undefined, length: 127 });
    expect(decodeCperRecord(new Uint8Array(200))).toMatchObject({
      value: undefined,
      diagnostics: [{ code: 'E_CPER_SIGNATURE', offset: 0 }],
    });
  });

  it('does bounded work on sections that all claim everything', () => {
    const size = 128 + 1000 * 72;
    const hostile = lay(size, [0, 0, 'CPER'], [4, 2, 0x101], [6, 4, 0xffffffff], [10, 2, 65535], [20, 4, size]);
    for (let i = 0; i < 1000; i++) hostile.set(lay(8, [0, 4, 0], [4, 4, size]), 128 + i * 72);
    const { value, diagnostics } = decodeCperRecord(hostile);
    expect(value?.sections).toHaveLength(1000);
    const read = value?.sections.filter(s => s.body.kind === 'raw' && s.body.data.length > 0) ?? [];
    expect(read).toHaveLength(1);
    expect(diagnostics.filter(d => d.code === 'E_CPER_OVERLAP')).toHaveLength(999);
    expect(value?.header?.sectionCount).toBe(65535);
    expect(value && encodeCper(value)).toEqual(hostile);
  });
});

describe('region', () => {
  const record = encodeCper(makeCperRecord('fatal', [{ body: memory }]));
  const block = encodeGhesBlock({ severity: 'recoverable', sections: [{ body: memory }] });

  it('finds records and blocks, zeros between them, and keeps the rest', () => {
    const bytes = new Uint8Array(16 + record.length + 8 + block.length + 4 + 3);
    bytes.set(record, 16);
    bytes.set(block, 16 + record.length + 8);
    bytes.set([1, 2, 3], bytes.length - 3);
    const { value, diagnostics } = decodeCper(bytes);
    expect(value.records.map(r => [r.offset, r.record.header === undefined])).toEqual([
      [16, false],
      [16 + record.length + 8, true],
    ]);
    expect(value.gaps).toEqual([{ offset: bytes.length - 3, data: Uint8Array.of(1, 2, 3) }]);
    expect(diagnostics).toEqual([
      { code: 'E_CPER_UNKNOWN', message: expect.stringContaining('3 bytes') as string, offset: bytes.length - 3 },
    ]);
    expect(encodeCperRegion(value)).toEqual(bytes);
    expect(decodeCper(new Uint8Array(4096))).toEqual({
      value: { length: 4096, records: [], gaps: [] },
      diagnostics: [],
    });
    expect(() => encodeCperRegion({ length: 2, records: [], gaps: [{ offset: 1, data: new Uint8Array(2) }] })).toThrow(
      /does not fit/,
    );
    expect(() => encodeCperRegion({ length: -1, records: [], gaps: [] })).toThrow(/length does not fit/);
  });

  it('tells a block from other bytes', () => {
    expect(looksLikeGhesBlock(block)).toBe(true);
    expect(looksLikeGhesBlock(record)).toBe(false);
    expect(looksLikeGhesBlock(new Uint8Array(200))).toBe(false);
    expect(looksLikeGhesBlock(block.subarray(0, 83))).toBe(false);
    // Cut, but its section type is known.
    expect(looksLikeGhesBlock(block.subarray(0, 100))).toBe(true);
    const unknown = encodeGhesBlock({
      severity: 'fatal',
      sections: [{ type: '11111111-2222-3333-4444-555555555555', body: { kind: 'raw', data: seq(0, 8) } }],
    });
    expect(looksLikeGhesBlock(unknown)).toBe(true);
    expect(looksLikeGhesBlock(unknown.subarray(0, 90))).toBe(false);
    const bad = block.slice();
    bad[16] = 4;
    // A severity that does not exist is the firmware's mistake, where the section type is known.
    expect(looksLikeGhesBlock(bad)).toBe(true);
    const neither = unknown.slice();
    neither[16] = 4;
    expect(looksLikeGhesBlock(neither)).toBe(false);
    expect(looksLikeGhesBlock(new TextEncoder().encode('mce: [Hardware Error]: '.repeat(10)))).toBe(false);
  });
});
