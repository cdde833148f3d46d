import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  ARM_BUS_ERROR,
  ARM_CACHE_ERROR,
  ARM_TLB_ERROR,
  armErrorInfoTable,
  armErrorTypeDoubt,
  armErrorTypeNames,
} from './arm.ts';
import { CPER_DIAGNOSTICS } from './error.ts';
import { CPER_LINT_CODES, sectionsOfLint } from './lint-codes.ts';
import { SECTION_FIRMWARE, SECTION_MEMORY, SECTION_MEMORY2 } from './guid.ts';
import {
  X86_BUS_CHECK,
  X86_CACHE_CHECK,
  X86_CHECK_CACHE,
  X86_MS_CHECK,
  X86_TLB_CHECK,
  decodeX86,
  encodeX86,
} from './x86.ts';
import { armContextRegisters } from './context-registers.ts';
import { describeSection } from './describe.ts';
import { describeCper } from './registers.ts';
import { bodyCorrected, classifyCper } from './classify.ts';
import { decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { decodeTimestamp, encodeTimestamp } from './timestamp.ts';
import { explainCper } from './explain.ts';
import { lintCper } from './lint.ts';
import { makeCperRecord } from './uefi-record.ts';
import { maskLsb, pagesOfBody, pagesOfCper } from './page.ts';
import { mcaBanksOf } from './x86-mca.ts';
import type { CperBody, CperRecord, CperSection, CperX86Processor } from './record.ts';
import type { GhesSectionInput } from './ghes.ts';
import { errorRecord, section, u64 } from './testing/arbitrary.ts';

const memory = (more: object = {}): CperBody => ({
  kind: 'memory',
  physicalAddress: 0x12345678n,
  errorType: 3,
  ...more,
});
const block = (
  bodies: readonly (CperBody | GhesSectionInput)[],
  severity: CperRecord['severity'] = 'recoverable',
): CperRecord => {
  const sections = bodies.map(b => ('kind' in b ? { body: b as CperBody } : (b as GhesSectionInput)));
  const { value } = decodeGhesBlock(encodeGhesBlock({ severity, sections }));
  if (value === undefined) throw new Error('no record');
  return value;
};
const codes = (record: CperRecord): string[] => lintCper(record).map(f => f.code);

describe('timestamp', () => {
  it('is BCD, both ways', () => {
    const raw = 0x2026_0714_01_23_59_58n;
    expect(decodeTimestamp(raw)).toEqual({ text: '2026-07-14 23:59:58', precise: true });
    expect(encodeTimestamp('2026-07-14 23:59:58', true)).toBe(raw);
    expect(encodeTimestamp('2026-07-14T23:59:58')).toBe(raw & ~(1n << 24n));
    expect(decodeTimestamp(0n)).toBeUndefined();
    for (const bad of [0x5an, 0x60n, 0x6000n, 0x240000n]) {
      expect(decodeTimestamp((raw & ~0xffffffn) | bad)).toBeUndefined();
    }
    expect(decodeTimestamp((raw & ~(0xffn << 32n)) | (0x32n << 32n))).toBeUndefined();
    expect(decodeTimestamp((raw & ~(0xffn << 40n)) | (0x13n << 40n))).toBeUndefined();
    expect(() => encodeTimestamp('2026-02-40 00:00:00')).toThrow(/not a time/);
    expect(() => encodeTimestamp('yesterday')).toThrow(/not a time/);
  });
});

describe('pages', () => {
  it('follows the address mask', () => {
    expect(maskLsb(0xfffffffffffff000n)).toBe(12);
    expect(maskLsb(0x000ffffffff00000n)).toBe(20);
    expect(maskLsb((1n << 64n) - 1n)).toBe(0);
    expect(maskLsb(0n)).toBeUndefined();
    expect(maskLsb(0xfffff0000000f000n)).toBeUndefined();
    expect(pagesOfBody(memory())).toEqual([{ address: 0x12345000n, pfn: 0x12345n, lsb: 12, pages: 1n, section: 0 }]);
    expect(pagesOfBody(memory({ physicalAddressMask: 0xffffffffffe00000n }))).toEqual([
      { address: 0x12200000n, pfn: 0x12200n, lsb: 21, pages: 512n, section: 0 },
    ]);
    expect(pagesOfBody(memory({ physicalAddressMask: 0xffffffffffffffc0n }))).toEqual([
      { address: 0x12345640n, pfn: 0x12345n, lsb: 6, pages: 1n, section: 0 },
    ]);
    expect(pagesOfBody(memory({ physicalAddressMask: 0n }))[0]?.lsb).toBe(12);
    expect(pagesOfBody({ kind: 'memory' })).toEqual([]);
  });

  it('takes cache errors of ARM processors and nothing else', () => {
    const arm = (type: number, physicalAddress = 0x5000n): CperBody => ({
      kind: 'arm-processor',
      errors: [{ version: 0, type, physicalAddress }, { type }],
      contexts: [],
    });
    expect(pagesOfCper(block([memory({ physicalAddress: 0x1000n }), arm(2)])).map(p => [p.pfn, p.section])).toEqual([
      [1n, 0],
      [5n, 1],
    ]);
    expect(pagesOfBody(arm(4))).toEqual([]);
    expect(pagesOfBody({ kind: 'firmware' })).toEqual([]);
  });
});

describe('ARM error type', () => {
  it('is a bit mask from bit 1 in UEFI 2.10, from bit 0 with version 1', () => {
    expect([2, 4, 8, 16].map(t => armErrorTypeNames(t))).toEqual([
      ['cache error'],
      ['TLB error'],
      ['bus error'],
      ['micro-architectural error'],
    ]);
    expect(armErrorTypeNames(6)).toEqual(['cache error', 'TLB error']);
    expect([0, 1, 3, 32].map(t => armErrorTypeNames(t))).toEqual([[], [], [], []]);
    expect([1, 2, 4, 8].map(t => armErrorTypeNames(t, 1)[0])).toEqual([
      'cache error',
      'TLB error',
      'bus error',
      'micro-architectural error',
    ]);
    expect([2, 4, 8, 16, 6].map(t => armErrorInfoTable(t)?.name)).toEqual([
      'ARM cache error',
      'ARM TLB error',
      'ARM bus error',
      undefined,
      undefined,
    ]);
    expect(armErrorInfoTable(1, 1)).toBe(ARM_CACHE_ERROR);
    expect(armErrorTypeDoubt(2)).toBe('before UEFI 2.9A bus error, in UEFI 2.11 TLB error');
    expect(armErrorTypeDoubt(0)).toBe('before UEFI 2.9A cache error');
    expect(armErrorTypeDoubt(6)).toBe('in UEFI 2.11 TLB error and bus error');
    expect(armErrorTypeDoubt(16)).toBeUndefined();
    expect(armErrorTypeDoubt(2, 1)).toBeUndefined();
  });

  it.each([X86_CACHE_CHECK, X86_TLB_CHECK, X86_BUS_CHECK, X86_MS_CHECK, ARM_CACHE_ERROR, ARM_TLB_ERROR, ARM_BUS_ERROR])(
    '$name is lossless',
    register => {
      fc.assert(
        fc.property(u64, v => {
          expect(register.encode(register.decode(v) as never)).toBe(v);
        }),
      );
    },
  );

  it('reads error information', () => {
    // Valid: all seven; data access, data read, level 2, corrected, restartable.
    expect(ARM_CACHE_ERROR.decode(0x7fn | (1n << 16n) | (3n << 18n) | (2n << 22n) | (1n << 26n) | (1n << 28n))).toEqual(
      {
        RESTARTABLE: true,
        PRECISE_PC: false,
        CORRECTED: true,
        PCC: false,
        LEVEL: 2n,
        OPERATION: 3n,
        TRANSACTION: 1n,
        RESTARTABLE_V: true,
        PRECISE_PC_V: true,
        CORRECTED_V: true,
        PCC_V: true,
        LEVEL_V: true,
        OPERATION_V: true,
        TRANSACTION_V: true,
        reserved: 0n,
      },
    );
    expect(ARM_BUS_ERROR.decode((1n << 43n) | (0x1ffn << 34n) | (3n << 32n) | (1n << 31n) | (2n << 29n))).toMatchObject(
      {
        ACCESS_MODE: true,
        ATTRIBUTES: 0x1ffn,
        SPACE: 3n,
        TIMEOUT: true,
        PARTICIPATION: 2n,
        RESTARTABLE: false,
      },
    );
    expect(X86_BUS_CHECK.decode((2n << 33n) | (1n << 32n) | (1n << 30n) | (1n << 26n))).toMatchObject({
      SPACE: 2n,
      TIMEOUT: true,
      PARTICIPATION: 1n,
      UC: true,
      OVERFLOW: false,
    });
    expect(X86_MS_CHECK.decode((5n << 16n) | (1n << 20n) | (1n << 19n) | (1n << 23n))).toMatchObject({
      TYPE: 5n,
      UC: true,
      PCC: true,
      OVERFLOW: true,
    });
  });
});

const u64s = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);
const x86 = (more: Partial<CperX86Processor>): CperX86Processor => ({
  kind: 'x86-processor',
  errors: [],
  contexts: [],
  ...more,
});
const cpuid = (eax: number): Uint8Array => {
  const bytes = new Uint8Array(48);
  new DataView(bytes.buffer).setUint32(0, eax, true);
  return bytes;
};

describe('machine check banks', () => {
  it('are found in scalable numbering, from any first register', () => {
    const data = u64s(0xdc2040000000011bn, 0x1234n, 0xd01a000001000000n, 0x1ffn, 0x9600050f00n, 0x5bn);
    const record = x86({
      apicId: 7n,
      cpuid: cpuid(0x00a20f10),
      contexts: [{ type: 1, msrAddress: 0xc0002001 + 16 * 17, mmAddress: 0n, data }],
    });
    expect(mcaBanksOf(record)).toEqual([
      {
        kind: 'x86-mca',
        vendor: 'amd',
        bank: 17,
        status: 0xdc2040000000011bn,
        addr: 0x1234n,
        misc: 0xd01a000001000000n,
        config: 0x1ffn,
        ipid: 0x9600050f00n,
        synd: 0x5bn,
        cpuid: 0x00a20f10n,
        apicId: 7n,
      },
    ]);
    const full = u64s(...Array.from({ length: 16 }, (_, i) => BigInt(i + 1)));
    expect(mcaBanksOf(x86({ contexts: [{ type: 1, msrAddress: 0xc0002000, data: full }] }))).toEqual([
      {
        kind: 'x86-mca',
        vendor: 'amd',
        bank: 0,
        status: 2n,
        addr: 3n,
        misc: 4n,
        config: 5n,
        ipid: 6n,
        synd: 7n,
        destat: 9n,
        deaddr: 10n,
        synd1: 15n,
        synd2: 16n,
      },
    ]);
  });

  it('are those with a deferred error in MCA_DESTAT too, after the way through bytes', () => {
    const data = u64s(0n, 0n, 0n, 0x127n, 0x9600050f00n, 0n, 0n, 0x842010000000011bn, 0x12345678n);
    const section = (bytes: Uint8Array) =>
      x86({ contexts: [{ type: 1, msrAddress: 0xc0002111, mmAddress: 0n, data: bytes }] });
    const read = decodeX86(encodeX86(section(data))).value;
    expect(read === undefined ? [] : mcaBanksOf(read)).toEqual([
      {
        kind: 'x86-mca',
        vendor: 'amd',
        bank: 17,
        status: 0n,
        addr: 0n,
        misc: 0n,
        config: 0x127n,
        ipid: 0x9600050f00n,
        synd: 0n,
        destat: 0x842010000000011bn,
        deaddr: 0x12345678n,
      },
    ]);
    expect(read === undefined ? true : bodyCorrected(read)).toBeUndefined();
    expect(mcaBanksOf(section(u64s(0n, 0n, 0n, 0x127n, 0x9600050f00n, 0n, 0n, 0x042010000000011bn)))).toEqual([]);
  });

  it('are found in the old numbering, with the global registers', () => {
    const record = x86({
      cpuid: cpuid(0x00050654),
      contexts: [
        { type: 1, msrAddress: 0x179, data: u64s(0x0f000c14n, 5n) },
        { type: 1, msrAddress: 0x400, data: u64s(0n, 0n, 0n, 0n, 0xffn, 0xbd80000000100134n, 0x5678n, 0x86n, 9n) },
        { type: 3, msrAddress: 0x400, data: u64s(1n, 2n) },
        { type: 1, msrAddress: 0x480, data: u64s(1n, 2n) },
      ],
    });
    expect(mcaBanksOf(record)).toEqual([
      {
        kind: 'x86-mca',
        vendor: 'intel',
        bank: 1,
        status: 0xbd80000000100134n,
        addr: 0x5678n,
        misc: 0x86n,
        mcgCap: 0x0f000c14n,
        mcgStatus: 5n,
        cpuid: 0x00050654n,
      },
    ]);
    const vendor = (eax: number) =>
      mcaBanksOf(x86({ cpuid: cpuid(eax), contexts: [{ type: 1, msrAddress: 0x401, data: u64s(1n) }] }))[0]?.vendor;
    // Families 06h, 10h, 15h, 17h, 11h, 13h; 0Fh and 12h are used by both.
    const SIGNATURES = [0x00050654, 0x00100f42, 0x00600f12, 0x00800f11, 0x00200f31, 0x00400f00, 0x00000f00, 0x00300f10];
    expect(SIGNATURES.map(vendor)).toEqual(['intel', 'amd', 'amd', 'amd', 'amd', 'intel', undefined, undefined]);
    expect(mcaBanksOf(x86({ contexts: [{ type: 1, msrAddress: 0x401, data: u64s(1n) }] }))).toEqual([
      { kind: 'x86-mca', bank: 0, status: 1n },
    ]);
  });
});

describe('classifyCper', () => {
  it('takes the worst section', () => {
    expect(classifyCper(block([]))).toEqual({ class: 'empty', severity: 'recoverable', simulated: false });
    expect(classifyCper(block([memory(), { body: { kind: 'pcie' }, severity: 'fatal' }]))).toEqual({
      class: 'pcie',
      severity: 'recoverable',
      worst: 'fatal',
      simulated: false,
    });
    const simulated = makeCperRecord('corrected', [{ body: x86({}) }], { flags: 4 });
    expect(classifyCper(simulated)).toEqual({
      class: 'processor',
      severity: 'corrected',
      worst: 'corrected',
      simulated: true,
    });
  });

  it('reads whether the body says corrected', () => {
    expect(bodyCorrected(memory())).toBeUndefined();
    expect(bodyCorrected(memory({ errorType: 13 }))).toBe(true);
    expect(bodyCorrected(memory({ errorType: 14 }))).toBe(false);
    expect(bodyCorrected({ kind: 'memory2', status: 1 })).toBe(false);
    expect(bodyCorrected({ kind: 'memory2', status: 2 })).toBe(true);
    expect(bodyCorrected({ kind: 'memory2' })).toBeUndefined();
    expect(bodyCorrected({ kind: 'processor', flags: 8 })).toBe(true);
    expect(bodyCorrected({ kind: 'processor', flags: 7 })).toBe(false);
    expect(bodyCorrected(x86({}))).toBeUndefined();
    const bank = (status: bigint) => x86({ contexts: [{ type: 1, msrAddress: 0x401, data: u64s(status) }] });
    expect(bodyCorrected(bank(0x8000000000000000n))).toBe(true);
    expect(bodyCorrected(bank(0xa000000000000000n))).toBe(false);
  });
});

describe('explainCper', () => {
  it('says what an engineer would say', () => {
    expect(explainCper(block([memory({ node: 1, card: 2, rowLow: 5, rowExtended: 1, bitPosition: 3 })]))).toBe(
      'Firmware reports an uncorrected error that software can recover from. Memory error, multi-bit ECC, at physical ' +
        'address 0x0000000012345678 (page frame 0x12345). It was in node 1, card 2, row 65541, bit 3.',
    );
    expect(explainCper(block([], 'fatal'))).toBe(
      'Firmware reports a fatal error. It has no section, so nothing more is known.',
    );
    const record = makeCperRecord(
      'corrected',
      [
        { body: { kind: 'memory2', errorType: 2 }, fruText: 'DIMM A1', flags: 8 },
        {
          body: { kind: 'raw', data: new Uint8Array(5) },
          type: '11111111-2222-3333-4444-555555555555',
          severity: 'fatal',
        },
      ],
      {
        notificationType: 'e8f56ffe-919c-4cc5-ba88-65abe14913bb',
        flags: 2,
        timestamp: encodeTimestamp('2026-07-14 01:02:03', true),
      },
    );
    expect(explainCper(record)).toBe(
      'Firmware reports a corrected error, notified as machine check exception (MCE). Section 1: Memory error, single-bit ' +
        'ECC, without a physical address, so that no page can be taken out of use. Marked threshold exceeded. Part: DIMM A1. ' +
        'Section 2: Section of unknown type 11111111-2222-3333-4444-555555555555: 5 bytes that are not taken apart. Its own ' +
        'severity is fatal. The worst of the sections is fatal; an operating system acts on the severity of the record. The ' +
        'record is marked from before the last boot. Time: 2026-07-14 01:02:03 (precise).',
    );
  });

  it('knows every kind of section', () => {
    const say = (body: CperBody): string =>
      explainCper(block([body])).replace('Firmware reports an uncorrected error that software can recover from. ', '');
    expect(say({ kind: 'processor', errorType: 5, processorId: 3n, targetAddress: 0x1000n })).toBe(
      'Processor error: cache error, bus error of processor 0x3, target address 0x0000000000001000.',
    );
    expect(say({ kind: 'processor' })).toBe('Processor error: error of unknown type.');
    expect(
      say(
        x86({
          apicId: 2n,
          errors: [{ type: X86_CHECK_CACHE }, { type: '00000000-0000-0000-0000-000000000000' }],
          contexts: [{ type: 1, msrAddress: 0x401, mmAddress: 0n, data: u64s(0xbd80000000100134n) }],
        }),
      ),
    ).toBe(
      'Processor error of the processor with APIC id 0x2: cache error, unknown check. It carries machine check registers, ' +
        'bank 0: MCi_STATUS 0xbd80000000100134.',
    );
    expect(
      say({
        kind: 'arm-processor',
        midr: 0x410fd0c1n,
        mpidr: 0x80000000n,
        runningState: 0,
        psciState: 1,
        errors: [
          { type: 2, multipleError: 1, flags: 5, errorInfo: (1n << 26n) | 16n, physicalAddress: 0x5000n },
          { type: 1, multipleError: 4 },
        ],
        contexts: [],
      }),
    ).toBe(
      'Processor error of the processor with MPIDR 0x80000000: cache error (corrected) at physical address ' +
        '0x0000000000005000, several times (first error captured, propagated); error of reserved type 0x1, 4 times. UEFI ' +
        '2.10 has no such type; the value is before UEFI 2.9A TLB error, in UEFI 2.11 cache error. The processor was not ' +
        'running (PSCI state 0x1).',
    );
    expect(
      say({
        kind: 'pcie',
        portType: 4,
        vendorId: 0x8086,
        deviceId: 0x2030,
        classCode: 0,
        segment: 0,
        bus: 0x3a,
        device: 2,
        function: 1,
        secondaryBus: 0,
        slot: 0,
      }),
    ).toBe('PCIe error of 0000:3a:02.1 (8086:2030), root port.');
    expect(say({ kind: 'firmware', recordType: 1, revision: 0, recordId: 1n, recordGuid: SECTION_FIRMWARE })).toBe(
      'A reference to record 0x1 (SOC firmware record, type 1, GUID 81212a96-09ed-4996-9471-8d729c8e69ed) in the firmware; what happened stands there.',
    );
  });
});

const cper = (body: CperBody, more: Partial<CperSection> = {}): CperRecord => ({
  kind: 'cper',
  severity: 'fatal',
  sections: [{ type: SECTION_MEMORY, severity: 'fatal', revision: 0x300, flags: 0, body, ...more }],
});
/** By the member that holds the bits: the fields that are not zero. */
const rowsOf = (record: CperRecord): Record<string, unknown> =>
  Object.fromEntries(
    describeCper(record).map(({ member, rows }) => [
      member,
      rows.filter(row => row.value !== 0n).map(row => [row.name, row.value, row.meaning]),
    ]),
  );
const bitsOf = (body: CperBody): Record<string, unknown> => rowsOf(cper(body));

describe('describeSection', () => {
  it('names members and their bits', () => {
    expect(describeSection(memory({ errorStatus: 0x40400n }))).toEqual([
      { name: 'errorStatus', value: '0x0000000000040400' },
      { name: 'physicalAddress', value: '0x0000000012345678' },
      { name: 'errorType', value: '0x03', meaning: 'multi-bit ECC' },
    ]);
    expect(describeSection({ kind: 'memory', errorType: 99 })).toEqual([
      { name: 'errorType', value: '0x63', meaning: 'reserved' },
    ]);
    expect(describeSection({ kind: 'raw', data: Uint8Array.of(1, 0xab) })).toEqual([
      { name: 'data', value: '01ab', meaning: '2 bytes' },
    ]);
    expect(describeSection(x86({ errors: [{ type: X86_CHECK_CACHE, checkInfo: (1n << 26n) | 0x10n }] }))).toEqual([
      { name: 'errors[0].type', value: X86_CHECK_CACHE, meaning: 'cache error' },
      { name: 'errors[0].checkInfo', value: '0x0000000004000010' },
    ]);
  });

  it('leaves the bits to a view of each bit field', () => {
    expect(bitsOf(memory({ errorStatus: 0x40400n }))).toEqual({
      'sections[0].body.errorStatus': [
        ['DATA', 1n, 'on the data signals'],
        ['TYPE', 4n, 'storage error in memory (DRAM)'],
      ],
    });
    const check = (checkInfo: bigint): unknown => bitsOf(x86({ errors: [{ type: X86_CHECK_CACHE, checkInfo }] }));
    expect(check((1n << 26n) | 0x10n)).toEqual({
      'sections[0].body.errors[0].checkInfo': [
        ['UC', 1n, 'uncorrected'],
        ['UC_V', 1n, undefined],
      ],
    });
    expect(check(0x06030000n)).toEqual({
      'sections[0].body.errors[0].checkInfo': [
        ['UC', 1n, 'not valid: UC_V is clear'],
        ['PCC', 1n, 'not valid: PCC_V is clear'],
        ['TRANSACTION', 3n, 'not valid: TRANSACTION_V is clear'],
      ],
    });
    expect(bitsOf({ kind: 'memory2', status: 1 })).toEqual({
      'sections[0].body.status': [['UNCORRECTED', 1n, 'not corrected']],
    });
    expect(bitsOf({ kind: 'processor', flags: 9 })).toEqual({
      'sections[0].body.flags': [
        ['CORRECTED', 1n, 'corrected'],
        ['RESTARTABLE', 1n, 'restartable'],
      ],
    });
  });

  it('has a view of the flags of a header and of a section where one is set', () => {
    const record = cper(memory({}), { flags: 0x81 });
    expect(rowsOf({ ...record, header: { ...makeCperRecord('fatal', []).header!, flags: 6 } })).toEqual({
      'header.flags': [
        ['SIMULATED', 1n, 'simulated'],
        ['PREVERR', 1n, 'from before the last boot'],
      ],
      'sections[0].flags': [
        ['OVERFLOW', 1n, 'overflow'],
        ['PRIMARY', 1n, 'primary'],
      ],
    });
  });

  it('names the registers of an AArch64 context', () => {
    const data = u64s(1n, 0x96000410n, 3n);
    expect(armContextRegisters({ type: 5, data })).toEqual([
      { name: 'ELR_EL1', value: 1n },
      { name: 'ESR_EL1', value: 0x96000410n },
      { name: 'FAR_EL1', value: 3n },
    ]);
    expect(armContextRegisters({ type: 0, data }).map(r => r.name)).toEqual(['R0', 'R1', 'R2', 'R3', 'R4', 'R5']);
    expect(armContextRegisters({ type: 9, data })).toEqual([]);
    const body: CperBody = {
      kind: 'arm-processor',
      errors: [{ type: 2, flags: 9, errorInfo: 1n << 26n }],
      contexts: [{ version: 0, type: 5, data }],
    };
    const rows = new Map(describeSection(body).map(r => [r.name, r]));
    expect(rows.get('errors[0].type')?.meaning).toBe('cache error');
    expect(rows.get('errors[0].flags')?.meaning).toBe('first error captured, overflow');
    expect(bitsOf(body)).toEqual({
      'sections[0].body.errors[0].flags': [
        ['OVERFLOW', 1n, 'overflow'],
        ['FIRST', 1n, 'first error captured'],
      ],
      'sections[0].body.errors[0].errorInfo': [['CORRECTED', 1n, 'corrected']],
    });
    expect(rows.get('contexts[0].ESR_EL1')?.value).toBe('0x0000000096000410');
    expect(rows.get('contexts[0].type')?.meaning).toBe('AArch64 EL1 context');
  });
});

describe('lintCper', () => {
  const edit = (record: CperRecord, more: Partial<CperRecord>): CperRecord => ({ ...record, ...more });
  const first = (record: CperRecord, more: Partial<CperSection>): CperRecord => ({
    ...record,
    sections: record.sections.map((s, i) => (i === 0 ? { ...s, ...more } : s)),
  });
  const good = block([memory()]);
  const uefi = makeCperRecord('recoverable', [{ body: memory() }]);
  const armBody = (error: object): CperBody => ({ kind: 'arm-processor', errors: [error], contexts: [] });
  const keptAt = (at: number, hex: string) => memory({ kept: { bytes: [{ at, hex }] } });

  it.each<[string, CperRecord, string[]]>([
    ['a sound block', good, []],
    ['a sound record', uefi, []],
    [
      'severity 9',
      edit(good, { severityNumber: 9, severity: 'none' }),
      ['L_CPER_SEVERITY_RANGE', 'L_CPER_SEVERITY_MISMATCH'],
    ],
    ['section severity 9', first(block([memory()], 'none'), { severityNumber: 9 }), ['L_CPER_SEVERITY_RANGE']],
    ['milder than its section', edit(good, { severity: 'corrected' }), ['L_CPER_SEVERITY_MISMATCH']],
    ['status bits', edit(good, { blockStatus: 0x12 }), ['L_CPER_STATUS_BITS']],
    ['status count', edit(good, { blockStatus: 0x21 }), ['L_CPER_STATUS_COUNT']],
    ['status reserved', edit(good, { blockStatus: 0x4011 }), ['L_CPER_RESERVED']],
    ['no section', block([]), ['L_CPER_NO_SECTION']],
    ['no section in a record', makeCperRecord('fatal', []), ['L_CPER_NO_SECTION']],
    ['entry revision', first(good, { revision: 0x100 }), ['L_CPER_REVISION']],
    ['record revision', edit(uefi, { header: { ...uefi.header!, revision: 0x200 } }), ['L_CPER_REVISION']],
    ['old record revision', edit(uefi, { header: { ...uefi.header!, revision: 0x100 } }), []],
    ['both revisions', block([memory(), { body: memory(), revision: 0x201 }]), ['L_CPER_REVISION_MIXED']],
    ['revision 2', block([{ body: memory(), revision: 0x201 }]), []],
    ['data length', edit(good, { dataLength: 1 }), ['L_CPER_LENGTH']],
    ['raw data', edit(good, { rawDataLength: 1 }), ['L_CPER_LENGTH']],
    ['raw data that is there', edit(good, { rawDataLength: 1, rawData: new Uint8Array(1) }), []],
    ['section length', first(good, { length: 1 }), ['L_CPER_LENGTH']],
    ['record length', edit(uefi, { header: { ...uefi.header!, recordLength: 1 } }), ['L_CPER_LENGTH']],
    ['section count', edit(uefi, { header: { ...uefi.header!, sectionCount: 2 } }), ['L_CPER_COUNT']],
    ['signature end', edit(uefi, { header: { ...uefi.header!, signatureEnd: 0 } }), ['L_CPER_SIGNATURE']],
    ['simulated', edit(uefi, { header: { ...uefi.header!, flags: 4 } }), ['L_CPER_SIMULATED']],
    [
      'header bytes',
      edit(uefi, { header: { ...uefi.header!, kept: { bytes: [{ at: 120, hex: '01' }] } } }),
      ['L_CPER_RESERVED'],
    ],
    ['record time', edit(uefi, { header: { ...uefi.header!, timestamp: 1n } }), ['L_CPER_TIMESTAMP']],
    ['record bytes', edit(uefi, { kept: { length: 300, bytes: [{ at: 290, hex: '01' }] } }), ['L_CPER_TRAILING']],
    ['offset', first(uefi, { offset: 512 }), ['L_CPER_OVERLAP']],
    ['trailing', edit(good, { trailing: new Uint8Array(3) }), ['L_CPER_TRAILING']],
    ['section time', first(good, { timestamp: 0xffn }), ['L_CPER_TIMESTAMP']],
    ['section time that is one', first(good, { timestamp: encodeTimestamp('2026-01-01 00:00:00') }), []],
    ['FRU bytes', first(good, { fruText: '?', fruTextBytes: Uint8Array.of(200) }), ['L_CPER_FRU_TEXT']],
    ['FRU text without end', first(good, { fruText: 'x'.repeat(20) }), ['L_CPER_FRU_UNTERMINATED']],
    ['FRU text', first(good, { fruText: 'x'.repeat(19) }), []],
    ['entry bytes', first(good, { kept: { bytes: [{ at: 30, hex: '01' }] } }), ['L_CPER_RESERVED']],
    ['corrected and recoverable', block([memory({ errorType: 13 })]), ['L_CPER_BODY_SEVERITY']],
    ['corrected', block([memory({ errorType: 13 })], 'corrected'), []],
    [
      'unknown section',
      block([{ body: { kind: 'raw', data: new Uint8Array(1) }, type: '11111111-2222-3333-4444-555555555555' }]),
      ['L_CPER_SECTION_UNKNOWN'],
    ],
    [
      'broken section',
      block([{ body: { kind: 'raw', data: new Uint8Array(1) }, type: SECTION_MEMORY }]),
      ['L_CPER_SECTION_BROKEN'],
    ],
    [
      'broken section 2',
      block([{ body: { kind: 'raw', data: new Uint8Array(95) }, type: SECTION_MEMORY2 }]),
      ['L_CPER_SECTION_BROKEN'],
    ],
    ['no address', block([{ kind: 'memory', errorType: 3 }]), ['L_CPER_NO_ADDRESS']],
    ['mask', block([memory({ physicalAddressMask: 0n })]), ['L_CPER_MASK']],
    ['memory type', block([memory({ errorType: 16 })]), ['L_CPER_MEMORY_TYPE']],
    ['bank', block([memory({ bank: 0x102, bankGroup: 1, bankAddress: 2 })]), ['L_CPER_BANK_TWICE']],
    ['size', block([memory({ kept: { length: 84 } })]), ['L_CPER_SECTION_SIZE']],
    [
      'size and bytes',
      block([memory({ kept: { length: 84, bytes: [{ at: 83, hex: '01' }] } })]),
      ['L_CPER_SECTION_SIZE', 'L_CPER_TRAILING'],
    ],
    ['reserved validation', block([keptAt(7, '80')]), ['L_CPER_VALID_EMPTY']],
    ['unmarked value', block([keptAt(32, '01')]), ['L_CPER_VALUE_UNMARKED']],
    [
      'reserved byte',
      block([{ kind: 'memory2', physicalAddress: 0n, kept: { bytes: [{ at: 63, hex: '01' }] } }]),
      ['L_CPER_RESERVED'],
    ],
    ['ARM cache', block([armBody({ type: 2 })]), ['L_CPER_ARM_TYPE_DOUBT']],
    ['ARM version 1', block([armBody({ type: 2, version: 1 })]), []],
    ['ARM type 0', block([armBody({ type: 0 })]), ['L_CPER_ARM_TYPE']],
    ['ARM type 32', block([armBody({ type: 32 })]), ['L_CPER_ARM_TYPE']],
    ['ARM without errors', block([{ kind: 'arm-processor', errors: [], contexts: [] }]), ['L_CPER_ARM_EMPTY']],
    ['ARM error length', block([armBody({ type: 16, length: 40 })]), ['L_CPER_LENGTH']],
    [
      'ARM length',
      block([{ kind: 'arm-processor', errors: [{ type: 16 }], contexts: [], sectionLength: 1 }]),
      ['L_CPER_LENGTH'],
    ],
    [
      'ARM unmarked address',
      block([armBody({ type: 16, kept: { bytes: [{ at: 25, hex: '10' }] } })]),
      ['L_CPER_VALUE_UNMARKED'],
    ],
    ['x86 count', block([x86({ errorCount: 1 })]), ['L_CPER_COUNT']],
    ['x86 contexts', block([x86({ contextCount: 1 })]), ['L_CPER_COUNT']],
    ['x86 trailing', block([x86({ trailing: new Uint8Array(9) })]), ['L_CPER_TRAILING']],
    ['x86 check', block([x86({ errors: [{ type: SECTION_MEMORY }] })]), ['L_CPER_X86_CHECK']],
    ['brand', block([{ kind: 'processor', brand: '?', brandBytes: Uint8Array.of(1) }]), ['L_CPER_FRU_TEXT']],
    ['QEMU', edit(block([memory({ errorType: 0 })]), { blockStatus: 1 }), ['L_CPER_STATUS_COUNT', 'L_CPER_QEMU']],
    ['not QEMU', edit(block([memory({ errorType: 0, node: 1 })]), { blockStatus: 1 }), ['L_CPER_STATUS_COUNT']],
  ])('%s', (_name, record, expected) => {
    expect(codes(record)).toEqual(expected);
  });

  it('gives findings with values, section and bits', () => {
    expect(lintCper(edit(good, { blockStatus: 0x12 }))).toEqual([
      {
        code: 'L_CPER_STATUS_BITS',
        severity: 'warning',
        message: 'the block status disagrees with the severities of the sections: 0x2, 0x1 expected',
        section: 'ACPI 6.5 18.3.2.7.1, Generic Error Status Block and Data Entry',
        members: ['blockStatus'],
        bits: [{ member: 'blockStatus', register: 'BlockStatus', hi: 3, lo: 0 }],
      },
    ]);
    expect(lintCper(block([memory(), keptAt(32, '01')]))[0]?.message).toBe(
      'a value whose validation bit is clear: section 2, node',
    );
  });

  it.each<[string, CperRecord]>([
    ['L_CPER_REVISION', edit(uefi, { header: { ...uefi.header, revision: 0 } as NonNullable<CperRecord['header']> })],
    ['L_CPER_SEVERITY_MISMATCH', edit(uefi, { severity: 'corrected' })],
    ['L_CPER_LENGTH', edit(uefi, { header: { ...uefi.header, recordLength: 1 } as NonNullable<CperRecord['header']> })],
    ['L_CPER_NO_SECTION', edit(uefi, { sections: [] })],
  ])('%s of a record with a header stands in UEFI, not in ACPI', (code, record) => {
    expect(lintCper(record).find(f => f.code === code)?.section).toBe('UEFI 2.10 N.2.1, record header');
    expect(sectionsOfLint(code)).toMatch(/^ACPI 6\.5 .*; UEFI 2\.10 N\.2\.1, record header/);
  });

  it('explains every code and every diagnostic', () => {
    for (const [code, text] of Object.entries(CPER_LINT_CODES)) {
      expect(code).toMatch(/^L_CPER_[A-Z0-9_]+$/);
      expect(text.explanation).toMatch(/\.$/);
      expect(text.title).toMatch(/[^.]$/);
    }
    for (const text of Object.values(CPER_DIAGNOSTICS)) expect(text).toMatch(/\.$/);
  });

  it('takes any record, and so do explanation and pages', () => {
    const any = fc.oneof(
      errorRecord,
      fc.array(section('block'), { maxLength: 4 }).map(sections => block(sections, 'fatal')),
    );
    fc.assert(
      fc.property(any, record => {
        for (const f of lintCper(record))
          expect(CPER_LINT_CODES[f.code].title).toBe(f.message.slice(0, CPER_LINT_CODES[f.code].title.length));
        expect(explainCper(record)).toMatch(/^Firmware reports [ -~]*\.$/);
        for (const page of pagesOfCper(record)) expect(page.pages).toBeGreaterThanOrEqual(1n);
        for (const s of record.sections) expect(describeSection(s.body)).toBeInstanceOf(Array);
      }),
    );
  });
});
