import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARM_LINT_CODES } from './lint-codes.ts';
import { EC, EXCEPTION_CLASSES, exceptionClass, exceptionClassByName } from './exception-class.ts';
import {
  ESR,
  HPFAR,
  ISS2_DATA_ABORT,
  ISS_DATA_ABORT,
  ISS_DATA_ABORT_ISV,
  ISS_INSTRUCTION_ABORT,
  ISS_SERROR,
  ISS_SERROR_IDS,
  PFAR,
  describeEsr,
  hpfarOf,
  ipaOf,
} from './esr.ts';
import { FAULT_STATUS, faultStatus, isMemoryError } from './fault-status.ts';
import { KVM_ARM_SEA_ESR_MASK, armSeaAddresses, decodeArmSea, encodeArmSea, guestEsr, kvmExitOf } from './kvm.ts';
import { NAMED_ESR, encodeEsr, namedEsr } from './encode.ts';
import { armPageOf, classifyArm } from './classify.ts';
import { explainArm } from './explain.ts';
import { lintArm } from './lint.ts';
import type { ArmSeaRecord } from './record.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const rec = (esr: bigint, more: Partial<ArmSeaRecord> = {}): ArmSeaRecord => ({ kind: 'arm-sea', esr, ...more });
const codes = (esr: bigint, more: Partial<ArmSeaRecord> = {}): string[] => lintArm(rec(esr, more)).map(f => f.code);
const dabt = (iss: Record<string, bigint | boolean>, ec = 'DABT_LOW'): bigint => encodeEsr({ ec, iss });

const TABLES = [
  ESR,
  ISS_DATA_ABORT,
  ISS_DATA_ABORT_ISV,
  ISS_INSTRUCTION_ABORT,
  ISS_SERROR,
  ISS_SERROR_IDS,
  ISS2_DATA_ABORT,
  HPFAR,
  PFAR,
];

describe('tables', () => {
  it.each(TABLES)('$name is lossless', register => {
    fc.assert(
      fc.property(u64, v => {
        expect(register.encode(register.decode(v) as never)).toBe(v);
      }),
    );
  });

  it('has every architected class once', () => {
    expect(EXCEPTION_CLASSES.map(c => c.value)).toEqual([
      0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x0e, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
      0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2c, 0x2d,
      0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x38, 0x3a, 0x3c, 0x3d,
    ]);
    for (const c of EXCEPTION_CLASSES) {
      expect(exceptionClass(c.value)).toBe(c);
      expect(exceptionClassByName(c.name)).toBe(c);
    }
    expect(exceptionClass(0x02)).toBeUndefined();
  });

  it('has every fault code once, with its level', () => {
    expect(new Set(FAULT_STATUS.map(f => f.code)).size).toBe(FAULT_STATUS.length);
    const walk = [0x12, 0x13, 0x14, 0x15, 0x16, 0x17].map(c => faultStatus(c));
    expect(walk.map(f => f?.level)).toEqual([-2, -1, 0, 1, 2, 3]);
    expect(walk.map(f => f?.kind)).toEqual(Array.from({ length: 6 }, () => 'external-abort-walk'));
    expect(walk.map(f => f?.needs)).toEqual(['FEAT_D128', 'FEAT_LPA2', undefined, undefined, undefined, undefined]);
    expect([0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map(c => faultStatus(c)?.level)).toEqual([-1, 0, 1, 2, 3]);
    expect(faultStatus(0x10)?.text).toBe('synchronous external abort, not on a translation table walk');
    expect(faultStatus(0x13)?.text).toBe('synchronous external abort on a translation table walk, level -1');
    expect(faultStatus(0x2b)).toMatchObject({ kind: 'translation', level: -1, needs: 'FEAT_LPA2' });
    const reserved = Array.from({ length: 64 }, (_, c) => c).filter(c => faultStatus(c) === undefined);
    expect(reserved).toEqual([
      0x19, 0x1a, 0x20, 0x2d, 0x2e, 0x2f, 0x32, 0x33, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    ]);
    const dataOnly = [0x11, 0x21, 0x34, 0x35];
    for (const c of dataOnly) expect(faultStatus(c, 'instruction')).toBeUndefined();
    expect(FAULT_STATUS.filter(f => isMemoryError(f.kind)).map(f => f.code)).toEqual([
      0x10, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
    ]);
  });
});

describe('describeEsr', () => {
  it('takes a data abort apart, positions as in the register', () => {
    const rows = describeEsr(0x92000410n).filter(r => r.value !== 0n);
    expect(rows).toEqual([
      { name: 'EC', hi: 31, lo: 26, value: 0x24n, meaning: 'DABT_LOW: data abort from a lower level' },
      { name: 'IL', hi: 25, lo: 25, value: 1n, meaning: '32-bit instruction, or a class without one' },
      { name: 'FnV', hi: 10, lo: 10, value: 1n, meaning: 'FAR does not hold the address' },
      {
        name: 'DFSC',
        hi: 5,
        lo: 0,
        value: 0x10n,
        meaning: 'synchronous external abort, not on a translation table walk',
      },
    ]);
  });

  it('describes every bit exactly once', () => {
    fc.assert(
      fc.property(u64, v => {
        const rows = describeEsr(v);
        expect(rows.reduce((sum, r) => sum | (r.value << BigInt(r.lo)), 0n)).toBe(v);
        const positions = rows.flatMap(r => [r.hi, r.lo]);
        expect(positions).toEqual([...positions].sort((a, b) => b - a));
      }),
    );
  });

  it('calls bits 12:11 LST where they are', () => {
    const names = (esr: bigint): string[] => describeEsr(esr).map(r => r.name);
    expect(names(dabt({ DFSC: 0x05n }))).toContain('LST');
    expect(names(dabt({ DFSC: 0x10n }))).toContain('SET');
    expect(names(encodeEsr({ ec: 'IABT_LOW', iss: { IFSC: 0x05n } }))).toContain('SET');
    expect(names(encodeEsr({ ec: 'DABT_LOW', iss: { ISV: true, SRT: 3n }, iss2: { Xs: 5n } }))).toEqual([
      'HDBSSF',
      'TnD',
      'TagAccess',
      'GCS',
      'AssuredOnly',
      'Overlay',
      'DirtyBit',
      'Xs',
      'EC',
      'IL',
      'ISV',
      'SAS',
      'SSE',
      'SRT',
      'SF',
      'AR',
      'VNCR',
      'SET',
      'FnV',
      'EA',
      'CM',
      'S1PTW',
      'WnR',
      'DFSC',
    ]);
    expect(names(encodeEsr({ ec: 'SERROR', iss: { IDS: true } }))).toEqual(['EC', 'IL', 'IDS', 'IMPDEF']);
    expect(names(0x56000000n)).toEqual(['EC', 'IL', 'ISS']);
  });
});

describe('encodeEsr', () => {
  it('makes the syndromes that KVM, QEMU and TCG are known to produce', () => {
    const known: Record<string, bigint> = {
      'kvm-data-el0': 0x92000010n,
      'kvm-data-el1': 0x96000010n,
      'qemu-sea-el0': 0x92000410n,
      'qemu-sea-el1': 0x96000410n,
      'guest-ifetch-el0': 0x82000010n,
      'guest-ifetch-el1': 0x86000010n,
      'host-data-uer': 0x92000010n,
      'host-data-ueo': 0x92001810n,
      'host-data-uc': 0x92001010n,
      'host-stage2-walk': 0x92000017n,
      'serror-uc': 0xbe000011n,
      'serror-ueu': 0xbe000411n,
      'serror-ueo': 0xbe000811n,
      'serror-uer': 0xbe000c11n,
      'serror-ce': 0xbe001811n,
    };
    expect(Object.fromEntries(NAMED_ESR.map(n => [n.name, n.esr]))).toEqual(known);
    for (const n of NAMED_ESR) expect(lintArm(rec(n.esr, { el: n.el, ras: true }))).toEqual([]);
    expect(namedEsr('serror-ce')?.esr).toBe(0xbe001811n);
    expect(namedEsr('nothing')).toBeUndefined();
    expect(dabt({ WnR: true, DFSC: 0x10n })).toBe(0x92000050n);
  });

  it('takes numbers, raw syndromes and a clear IL, and refuses what does not fit', () => {
    expect(encodeEsr({ ec: 0x25, il: false, iss: 0x10n, iss2: 1n })).toBe(0x194000010n);
    expect(encodeEsr({ ec: 'DABT_LOW', iss: { ISV: true, SAS: 3n, SRT: 31n, DFSC: 7n } })).toBe(0x93df0007n);
    expect(() => encodeEsr({ ec: 'NOPE' })).toThrow(/no exception class NOPE/);
    expect(() => encodeEsr({ ec: 64 })).toThrow(/does not fit/);
    expect(() => dabt({ SAS: 3n })).toThrow(/no field SAS/);
    expect(() => dabt({ DFSC: 64n })).toThrow(/does not fit/);
  });
});

describe('classifyArm', () => {
  const cls = (esr: bigint, ras?: boolean) => classifyArm(ras === undefined ? { esr } : { esr, ras });

  it('tells classes, states, access and origin', () => {
    expect(cls(0x92000010n, true)).toEqual({
      class: 'sea',
      state: 'UER',
      stateCertain: true,
      severity: 'recoverable',
      access: 'read',
      from: 'lower',
    });
    expect(cls(0x96000050n)).toEqual({
      class: 'sea',
      state: 'UER',
      stateCertain: false,
      severity: 'recoverable',
      access: 'write',
      from: 'same',
    });
    expect(cls(0x92000010n, false)).toMatchObject({ state: 'unknown', stateCertain: false, severity: 'unknown' });
    expect(cls(0x92001010n)).toMatchObject({ state: 'UC', stateCertain: true, severity: 'fatal' });
    expect(cls(0x92001810n)).toMatchObject({ state: 'UEO', stateCertain: true, severity: 'restartable' });
    expect(cls(0x92000810n)).toMatchObject({ state: 'unknown', severity: 'unknown' });
    expect(cls(0x92000017n)).toEqual({
      class: 'sea-walk',
      state: 'unknown',
      stateCertain: false,
      severity: 'unknown',
      access: 'read',
      walkLevel: 3,
      from: 'lower',
    });
    expect(cls(0x92000013n)).toMatchObject({ class: 'sea-walk', walkLevel: -1 });
    expect(cls(0x82000010n)).toMatchObject({ class: 'sea', access: 'instruction', from: 'lower' });
    expect(cls(0x92000118n)).toMatchObject({ class: 'parity', access: 'maintenance', state: 'unknown' });
    expect(cls(0x9200001bn)).toMatchObject({ class: 'parity-walk', walkLevel: -1 });
    expect(cls(0x96000045n)).toEqual({
      class: 'mmu-fault',
      state: 'unknown',
      stateCertain: false,
      severity: 'none',
      access: 'write',
      walkLevel: 1,
      from: 'same',
    });
    expect(cls(0x9200003fn)).toMatchObject({ class: 'reserved', severity: 'unknown', access: 'read' });
    expect(cls(0x82000021n)).toMatchObject({ class: 'reserved' });
    expect(cls(0x0a000000n)).toMatchObject({ class: 'reserved' });
    expect(cls(0x56000000n)).toEqual({ class: 'other', state: 'unknown', stateCertain: false, severity: 'none' });
  });

  it('reads the state of an SError only where it has one', () => {
    const states = ['serror-uc', 'serror-ueu', 'serror-ueo', 'serror-uer', 'serror-ce'].map(n =>
      cls(namedEsr(n)?.esr ?? 0n),
    );
    expect(states.map(s => s.state)).toEqual(['UC', 'UEU', 'UEO', 'UER', 'CE']);
    expect(states.map(s => s.severity)).toEqual(['fatal', 'fatal', 'restartable', 'recoverable', 'corrected']);
    expect(states.every(s => s.class === 'serror' && s.stateCertain)).toBe(true);
    expect(cls(0xbf000011n)).toMatchObject({ class: 'serror', state: 'unknown', stateCertain: false });
    expect(cls(0xbe000000n)).toMatchObject({ class: 'serror', state: 'unknown' });
    expect(cls(0xbe001011n)).toMatchObject({ class: 'serror', state: 'unknown' });
  });
});

describe('KVM_EXIT_ARM_SEA', () => {
  it('is 32 bytes, both ways', () => {
    const bytes = encodeArmSea({ flags: 1n, esr: 0x92000010n, gva: 0xffff_0000_1234_5678n, gpa: 0x4000_1000n });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '0100000000000000' + '1000009200000000' + '785634120000ffff' + '0010004000000000',
    );
    expect(decodeArmSea(bytes)).toEqual({
      kind: 'arm-sea',
      el: 2,
      flags: 1n,
      esr: 0x92000010n,
      gva: 0xffff_0000_1234_5678n,
      gpa: 0x4000_1000n,
    });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean(), (raw, little) => {
        const record = decodeArmSea(raw, little);
        expect(record && encodeArmSea(record, little)).toEqual(raw);
      }),
    );
    expect(decodeArmSea(new Uint8Array(31))).toBeUndefined();
    expect(() => encodeArmSea({ esr: -1n })).toThrow(/does not fit/);
    expect(() => encodeArmSea({ esr: 1n << 64n })).toThrow(/does not fit/);
  });

  it('believes gva without FnV and gpa with its flag', () => {
    expect(armSeaAddresses(rec(0x92000010n, { flags: 1n, gva: 1n, gpa: 2n }))).toEqual({ gva: 1n, gpa: 2n });
    expect(armSeaAddresses(rec(0x92000410n, { flags: 0n, gva: 1n, gpa: 2n }))).toEqual({});
  });

  it('is what KVM makes of an abort', () => {
    expect(KVM_ARM_SEA_ESR_MASK).toBe(0xfe001f7fn);
    expect(kvmExitOf({ esr: 0x1_93c01890n, far: 0x1234n, ipa: 0x5000n })).toEqual({
      kind: 'arm-sea',
      el: 2,
      flags: 1n,
      esr: 0x92001810n,
      gva: 0x1234n,
      gpa: 0x5000n,
    });
    expect(kvmExitOf({ esr: 0x92001c10n, far: 0x1234n, vmHasRas: false })).toEqual({
      kind: 'arm-sea',
      el: 2,
      flags: 0n,
      esr: 0x92000410n,
      gva: 0n,
      gpa: 0n,
    });
  });

  it('shows the guest its own level', () => {
    expect(guestEsr(0x92000010n, 'el1')).toBe(0x96000010n);
    expect(guestEsr(0x92000090n, 'el0')).toBe(0x92000010n);
    expect(guestEsr(0x82000010n, 'el1')).toBe(0x86000010n);
    expect(guestEsr(0x86000010n, 'el0')).toBe(0x82000010n);
    expect(guestEsr(0xbe000011n, 'el0')).toBe(0xbe000011n);
    expect(EC).toEqual({ IABT_LOW: 0x20, IABT_CUR: 0x21, DABT_LOW: 0x24, DABT_CUR: 0x25, SERROR: 0x2f });
  });
});

describe('addresses', () => {
  it('HPFAR holds bits 55:12 of the IPA', () => {
    expect(ipaOf(0x8000000000abcde0n)).toBe(0xabcde000n);
    expect(hpfarOf(0xabcdef01n)).toBe(0xabcde0n);
    expect(ipaOf(hpfarOf(0xff_ffff_ffff_ffffn))).toBe(0xff_ffff_ffff_f000n);
  });

  it('names the page only where it is valid', () => {
    expect(armPageOf(rec(0x92000010n, { flags: 1n, gpa: 0x12345678n }))).toEqual({
      address: 0x12345000n,
      pfn: 0x12345n,
      space: 'guest',
      from: 'gpa',
    });
    expect(armPageOf(rec(0x92000010n, { flags: 0n, gpa: 0x12345678n }))).toBeUndefined();
    const ipa = { address: 0x12345000n, pfn: 0x12345n, space: 'guest', from: 'hpfar' };
    const stage2 = (code: bigint, S1PTW = false): bigint => dabt({ DFSC: code, S1PTW });
    for (const esr of [
      stage2(7n),
      stage2(0x0bn),
      stage2(3n),
      stage2(0x0fn, true),
      stage2(0x28n),
      stage2(0x27n),
      0x82000007n,
    ]) {
      expect(armPageOf(rec(esr, { hpfar: 0x123450n }))).toEqual(ipa);
      expect(lintArm(rec(esr, { hpfar: 0x123450n })).map(f => f.code)).not.toContain('L_ARM_HPFAR_UNKNOWN');
    }
    for (const esr of [stage2(0x10n), stage2(0x17n, true), stage2(0x0fn), stage2(0x21n), 0xbe000011n, 0x82000021n]) {
      expect(armPageOf(rec(esr, { hpfar: 0x123450n }))).toBeUndefined();
      expect(lintArm(rec(esr, { hpfar: 0x123450n })).map(f => f.code)).toContain('L_ARM_HPFAR_UNKNOWN');
    }
    expect(armPageOf(rec(stage2(7n), { hpfar: 0x123450n, el: 1 }))).toBeUndefined();
    const pfar = 0x8000_0000_1234_5678n;
    const page = { address: 0x12345000n, pfn: 0x12345n, space: 'system', from: 'pfar' };
    expect(armPageOf(rec(0x92004010n, { pfar }))).toEqual(page);
    expect(armPageOf(rec(0x92004014n, { pfar }))).toEqual(page);
    expect(armPageOf(rec(0xbe004011n, { pfar }))).toEqual(page);
    for (const esr of [0x92000010n, 0x93004010n, 0x92004005n, 0x9200403fn, 0xbf004011n, 0xbe000011n, 0x56004000n]) {
      expect(armPageOf(rec(esr, { pfar }))).toBeUndefined();
    }
  });
});

describe('lintArm', () => {
  it.each<[string, bigint, Partial<ArmSeaRecord>, string[]]>([
    ['a clean SEA', 0x92000010n, { far: 0x1234n, el: 2, ras: true }, []],
    ['a reserved class', 0x0a000000n, {}, ['L_ARM_RESERVED_CLASS']],
    ['bits 63:56', 0x01000000_92000010n, {}, ['L_ARM_RESERVED_BITS']],
    ['ISS bits', 0x92040010n, {}, ['L_ARM_RESERVED_BITS']],
    ['ISS2 bits', 0x00100000_92000010n, {}, ['L_ARM_RESERVED_BITS']],
    ['instruction abort bits', 0x82000050n, {}, ['L_ARM_RESERVED_BITS']],
    ['IL', 0x90000010n, {}, ['L_ARM_IL_CLEAR']],
    ['IL of an instruction abort', 0x80000010n, {}, ['L_ARM_IL_CLEAR']],
    ['IL of an SError', 0xbc000011n, {}, ['L_ARM_IL_CLEAR']],
    ['IL with ISV', 0x91000007n, {}, []],
    ['IL of another class', 0x54000000n, {}, []],
    ['a reserved fault', 0x9200003fn, {}, ['L_ARM_RESERVED_FAULT']],
    ['a tag check on a fetch', 0x82000011n, {}, ['L_ARM_RESERVED_FAULT']],
    ['level -1', 0x92000013n, {}, ['L_ARM_FAULT_FEATURE']],
    ['parity with RAS', 0x92000018n, { ras: true }, ['L_ARM_PARITY_WITH_RAS']],
    ['parity', 0x92000018n, {}, []],
    ['SET 1', 0x92000810n, {}, ['L_ARM_SET_RESERVED']],
    ['SET without RAS', 0x92001010n, { ras: false }, ['L_ARM_SET_WITHOUT_RAS']],
    ['SET on a walk', 0x92001017n, {}, ['L_ARM_SET_MISPLACED']],
    ['LST', 0x92001005n, {}, []],
    ['SET of a fetch fault', 0x82001005n, {}, ['L_ARM_SET_MISPLACED']],
    ['FnV on a walk', 0x92000417n, {}, ['L_ARM_FNV_MISPLACED']],
    ['FnV with FAR', 0x92000410n, { far: 1n }, ['L_ARM_FNV_WITH_FAR']],
    ['FnV with FAR 0', 0x92000410n, { far: 0n }, []],
    ['FnV with gva', 0x92000410n, { flags: 0n, gva: 1n }, ['L_ARM_FNV_WITH_FAR']],
    ['EA', 0x92000205n, {}, ['L_ARM_EA_MISPLACED']],
    ['EA of an abort', 0x92000210n, {}, []],
    ['EA of a parity error', 0x92000218n, {}, []],
    ['S1PTW', 0x92000090n, { el: 2 }, ['L_ARM_S1PTW_ABORT']],
    ['S1PTW at EL1', 0x92000097n, { el: 1 }, ['L_ARM_S1PTW_EL1']],
    ['S1PTW at EL2', 0x92000097n, { el: 2 }, []],
    ['ISV', 0x93000010n, {}, ['L_ARM_ISV_EXTERNAL']],
    ['ISV of a parity error', 0x93000018n, {}, ['L_ARM_ISV_EXTERNAL']],
    ['ISV at EL1', 0x93000007n, { el: 1 }, ['L_ARM_ISV_EL1']],
    ['VNCR at EL1', 0x92002010n, { el: 1 }, ['L_ARM_VNCR_EL1']],
    ['VNCR at EL2', 0x92002010n, { el: 2 }, []],
    ['IDS with AET', 0xbf000411n, {}, ['L_ARM_AET_IDS']],
    ['IDS', 0xbf000011n, {}, []],
    ['SError DFSC', 0xbe000010n, {}, ['L_ARM_SERROR_FAULT']],
    ['AET of nothing', 0xbe000400n, {}, ['L_ARM_AET_UNCATEGORIZED']],
    ['EA of nothing', 0xbe000200n, {}, ['L_ARM_AET_UNCATEGORIZED']],
    ['AET 4', 0xbe001011n, {}, ['L_ARM_AET_RESERVED']],
    ['AET 5', 0xbe001411n, {}, ['L_ARM_AET_RESERVED']],
    ['AET 7', 0xbe001c11n, {}, ['L_ARM_AET_RESERVED']],
    ['HPFAR', 0x92000007n, { hpfar: 1n }, ['L_ARM_HPFAR_RESERVED']],
    ['HPFAR of an abort', 0x92000010n, { hpfar: 0x10n }, ['L_ARM_HPFAR_UNKNOWN']],
    ['no HPFAR of an abort', 0x92000010n, { hpfar: 0n }, []],
    ['KVM class', 0x96000010n, { flags: 0n }, ['L_ARM_KVM_CLASS']],
    ['KVM fault', 0x92000005n, { flags: 0n }, ['L_ARM_KVM_FAULT']],
    ['KVM reserved fault', 0x9200003fn, { flags: 0n }, ['L_ARM_RESERVED_FAULT', 'L_ARM_KVM_FAULT']],
    ['KVM mask', 0x92000097n, { flags: 0n }, ['L_ARM_KVM_MASKED']],
    ['KVM flags', 0x92000010n, { flags: 2n }, ['L_ARM_KVM_FLAGS']],
    ['KVM gpa', 0x92000010n, { flags: 0n, gpa: 0x1000n }, ['L_ARM_KVM_GPA']],
    ['the exit that was seen', 0x92000017n, { flags: 0n, gva: 0x10000n, gpa: 0n }, []],
    ['a KVM exit of a fetch', 0x82000010n, { flags: 1n, gpa: 0x1000n }, []],
  ])('%s', (_name, esr, more, expected) => {
    expect(codes(esr, more)).toEqual(expected);
  });

  it('gives findings with section and bits', () => {
    expect(lintArm(rec(0x92001010n, { ras: false }))).toEqual([
      {
        code: 'L_ARM_SET_WITHOUT_RAS',
        severity: 'error',
        message: 'SET is not 0 on a CPU without FEAT_RAS: 2',
        section: 'DDI 0487 D24.2.40, ISS encodings for a Data Abort and an Instruction Abort',
        members: ['esr', 'ras'],
        bits: [{ member: 'esr', register: 'ESR', hi: 12, lo: 11 }],
      },
    ]);
    expect(lintArm(rec(0x92000410n, { far: 0x12n }))[0]).toMatchObject({
      message: 'an address is given although FnV says there is none: 0x0000000000000012',
      members: ['esr', 'far'],
      bits: [{ member: 'esr', register: 'ESR', hi: 10, lo: 10 }],
    });
  });

  it('puts errors first and explains every code', () => {
    expect(lintArm(rec(0x01000000_90000813n, { el: 1 })).map(f => f.severity)).toEqual([
      'error',
      'warning',
      'warning',
      'info',
    ]);
    for (const [code, text] of Object.entries(ARM_LINT_CODES)) {
      expect(code).toMatch(/^L_ARM_[A-Z0-9_]+$/);
      expect(text.explanation).toMatch(/\.$/);
      expect(text.title).toMatch(/[^.]$/);
    }
  });
});

describe('explainArm', () => {
  it('says what an engineer would say', () => {
    expect(explainArm(rec(0x92000010n, { flags: 1n, gva: 0x8000n, gpa: 0x12345678n, ras: true }))).toBe(
      'Synchronous external abort, not on a translation table walk by a load from a lower exception level (DABT_LOW). ' +
        'The state is recoverable (UER): the program cannot go on without repair, the rest of the system can. ' +
        'Virtual address 0x0000000000008000. Page at guest physical address 0x0000000012345000 (page frame 0x12345).',
    );
    expect(explainArm(rec(0x96000410n, { far: 0x1n }))).toBe(
      'Synchronous external abort, not on a translation table walk by a load from the same exception level (DABT_CUR). ' +
        'The state is recoverable (UER): the program cannot go on without repair, the rest of the system can; or the CPU has ' +
        'no FEAT_RAS, and then this says nothing. The virtual address is not known. No physical address came with it; a ' +
        'firmware record (GHES) of the same moment may have one.',
    );
    expect(explainArm(rec(0x92000097n, { far: 0x10000n }))).toContain(
      'Bad memory was met in a page table, not in the data. It was on the stage 2 translation of a stage 1 walk (S1PTW).',
    );
    expect(explainArm(rec(0xbe000011n))).toBe(
      'SError: an error that arrived after the access that caused it. The error is uncontainable (UC): it may have spread, ' +
        'the system has to stop. No physical address came with it; a firmware record (GHES) of the same moment may have one.',
    );
    expect(explainArm(rec(0xbf000000n))).toMatch(
      /^SError, an asynchronous error, in a format only the CPU maker documents/,
    );
    expect(explainArm(rec(0xbe000000n))).toMatch(/^SError without a category/);
    expect(explainArm(rec(0x56000000n))).toBe('Not a memory error: SVC in AArch64 state (SVC64, class 0x15).');
    expect(explainArm(rec(0x0a000000n))).toBe('Exception class 0x02 is reserved: no CPU reports it.');
    expect(explainArm(rec(0x96000045n))).toBe(
      'Translation fault, level 1 by a store from the same exception level (DABT_CUR). It is a matter of translation or permission, not a memory error.',
    );
    expect(explainArm(rec(0x9200003fn))).toContain('Reserved fault status 0x3f by a load');
    expect(explainArm(rec(0x82000010n, { far: 2n }))).toContain('by an instruction fetch');
    expect(explainArm(rec(0x92004010n, { pfar: 0x5000n }))).toContain('Page at physical address 0x0000000000005000');
  });

  it('never throws, whatever the registers', () => {
    fc.assert(
      fc.property(
        fc.record(
          { esr: u64, far: u64, hpfar: u64, pfar: u64, flags: u64, gva: u64, gpa: u64, ras: fc.boolean() },
          { requiredKeys: ['esr'] },
        ),
        fields => {
          const record: ArmSeaRecord = { kind: 'arm-sea', ...fields };
          expect(explainArm(record).length).toBeLessThan(1000);
          for (const f of lintArm(record)) expect(Object.keys(ARM_LINT_CODES)).toContain(f.code);
          expect(classifyArm(record).class).toMatch(/^[a-z-]+$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
