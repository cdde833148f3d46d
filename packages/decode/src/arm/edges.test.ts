/** The edges of the Arm room: values wider than a field, codes next to those that matter, members that are missing. */
import { describe, expect, it } from 'vitest';
import { armPageOf, classifyArm } from './classify.ts';
import { armSeaAddresses, encodeArmSea, guestEsr, kvmExitOf } from './kvm.ts';
import { describeEsr, hpfarOf, syndromeTables } from './esr.ts';
import { encodeEsr } from './encode.ts';
import { exceptionClass } from './exception-class.ts';
import { explainArm } from './explain.ts';
import { lintArm } from './lint.ts';
import type { ArmSeaRecord } from './record.ts';

const rec = (esr: bigint, more: Partial<ArmSeaRecord> = {}): ArmSeaRecord => ({ kind: 'arm-sea', esr, ...more });

describe('classifyArm', () => {
  it('is certain of nothing where class or code are reserved', () => {
    const nothing = { class: 'reserved', state: 'unknown', stateCertain: false, severity: 'unknown' };
    expect(classifyArm({ esr: 2n << 26n })).toStrictEqual(nothing);
    expect(classifyArm({ esr: 0x9200003fn })).toStrictEqual({ ...nothing, access: 'read', from: 'lower' });
    expect(classifyArm({ esr: 0x82000011n })).toStrictEqual({ ...nothing, access: 'instruction', from: 'lower' });
  });

  it('leaves out the origin of a class that has none', () => {
    expect(exceptionClass(0)).toStrictEqual({ value: 0, name: 'UNKNOWN', text: 'unknown reason', iss: 'other' });
    expect(Object.keys(classifyArm({ esr: 0x56000000n }))).not.toContain('from');
  });
});

describe('armPageOf', () => {
  it('takes bits 55:12 of PFAR', () => {
    const page = { address: 0xff_ffff_ffff_f000n, pfn: 0xfff_ffff_ffffn, space: 'system', from: 'pfar' };
    expect(armPageOf(rec(0x92004010n, { pfar: (1n << 64n) - 1n }))).toEqual(page);
    expect(armPageOf(rec(0x92004010n, { pfar: 1n << 55n }))?.address).toBe(1n << 55n);
    expect(armPageOf(rec(0x92004010n, { pfar: 1n << 56n }))?.address).toBe(0n);
  });

  it('believes PFAR for external aborts only, not for the code beside them or for other classes', () => {
    for (const esr of [0x92004011n, 0x56004010n, 0x08004010n]) {
      expect(armPageOf(rec(esr, { pfar: 0x5000n }))).toBeUndefined();
    }
  });

  it('makes HPFAR of bits 55:12', () => {
    expect(hpfarOf((1n << 64n) - 1n)).toBe(0xffff_ffff_fff0n);
  });
});

describe('encodeEsr', () => {
  it('takes a class alone, and an SError in the format of its maker', () => {
    expect(encodeEsr({ ec: 'DABT_LOW' })).toBe(0x92000000n);
    expect(encodeEsr({ ec: 'SERROR', iss: { IDS: true, IMPDEF: 5n } })).toBe(0xbf000005n);
  });
});

describe('describeEsr', () => {
  it('shows the 25 bits of a class without a table', () => {
    expect(describeEsr(0x57ff_fff1n)).toStrictEqual([
      { name: 'EC', hi: 31, lo: 26, value: 0x15n, meaning: 'SVC64: SVC in AArch64 state' },
      { name: 'IL', hi: 25, lo: 25, value: 1n, meaning: '32-bit instruction, or a class without one' },
      { name: 'ISS', hi: 24, lo: 0, value: 0x1ff_fff1n, meaning: 'syndrome' },
    ]);
    expect(syndromeTables(0x56000000n).iss).toMatchObject({ name: 'ISS', width: 25, source: '' });
  });

  it('ends a row of stray bits where the syndrome ends', () => {
    const row = describeEsr(0x83000010n).find(r => r.name === 'reserved');
    expect(row).toMatchObject({ hi: 24, lo: 15, value: 1n << 9n });
  });

  it('tells 0x35, which has LST, from 0x34, which has not', () => {
    const names = (esr: bigint): string[] => describeEsr(esr).map(r => r.name);
    expect(names(0x92001835n)).toContain('LST');
    expect(names(0x92001834n)).toContain('SET');
  });
});

describe('KVM_EXIT_ARM_SEA', () => {
  it('has zeros for members that are missing', () => {
    const bytes = new Uint8Array(32);
    bytes[8] = 0x10;
    expect(encodeArmSea({ esr: 0x10n })).toEqual(bytes);
    expect(kvmExitOf({ esr: 0x92000011n })).toStrictEqual({
      kind: 'arm-sea',
      el: 2,
      flags: 0n,
      esr: 0x92000011n,
      gva: 0n,
      gpa: 0n,
    });
  });

  it('names no guest physical address without flags', () => {
    expect(armSeaAddresses(rec(0x92000010n, { gpa: 0x1000n }))).toStrictEqual({});
  });

  it('passes other classes on in 64 bits', () => {
    expect(guestEsr((3n << 63n) | 0x56000000n, 'el0')).toBe((1n << 63n) | 0x56000000n);
  });
});

describe('lintArm', () => {
  it('looks at 64 bits', () => {
    expect(lintArm(rec((1n << 64n) | 0x92000010n))).toEqual(lintArm(rec(0x92000010n)));
    for (const bit of [56n, 63n]) {
      expect(lintArm(rec((1n << bit) | 0x92000010n))).toMatchObject([
        { code: 'L_ARM_RESERVED_BITS', bits: [{ register: 'ESR', hi: 63, lo: 56 }] },
      ]);
      expect(lintArm(rec((1n << bit) | 0x92000010n))[0]?.message).toMatch(/: bits 63:56$/);
    }
    // Bit 55 belongs to ISS2 of the data abort, where nothing is defined so far up.
    expect(lintArm(rec((1n << 55n) | 0x92000010n))[0]?.message).toMatch(/: 0x0080000000000000$/);
  });

  it('names the bit that makes an SError syndrome the maker’s, and those that it takes over', () => {
    const found = lintArm(rec(0xbf000400n)).filter(f => f.code === 'L_ARM_AET_IDS');
    expect(found).toMatchObject([
      {
        bits: [
          { hi: 24, lo: 24 },
          { hi: 12, lo: 10 },
        ],
      },
    ]);
  });

  it('tells the fault code of a KVM exit from its neighbours', () => {
    const fault = (code: bigint) =>
      lintArm(rec(0x92000000n | code, { flags: 0n })).find(f => f.code === 'L_ARM_KVM_FAULT')?.message;
    expect(fault(0x10n)).toBeUndefined();
    expect(fault(0x11n)).toMatch(/: 0x11$/);
    expect(fault(0x05n)).toMatch(/: 0x05$/);
  });
});

describe('explainArm', () => {
  const NO_PAGE = 'No physical address came with it; a firmware record (GHES) of the same moment may have one.';

  it.each([
    [0n, 'The error is uncontainable (UC): it may have spread, the system has to stop.'],
    [1n, 'The error is unrecoverable (UEU): what ran on this CPU is lost.'],
    [2n, 'The state is restartable (UEO): nothing was corrupted, the program may go on.'],
    [3n, 'The state is recoverable (UER): the program cannot go on without repair, the rest of the system can.'],
    [6n, 'The error was corrected (CE).'],
    [4n, 'The syndrome does not say what state the CPU is in.'],
  ])('says what state AET %s is', (aet, text) => {
    expect(explainArm(rec(0xbe000011n | (aet << 10n)))).toBe(
      `SError: an error that arrived after the access that caused it. ${text} ${NO_PAGE}`,
    );
  });

  it('names the instruction, the code and the walk', () => {
    expect(explainArm(rec(0x92000110n, { ras: true }))).toContain(
      ' by a cache maintenance or address translation instruction from a lower exception level',
    );
    expect(explainArm(rec(0x82000021n))).toContain('Reserved fault status 0x21 by an instruction fetch');
    expect(explainArm(rec(0x9200001cn))).toBe(
      'Synchronous parity or ECC error on a translation table walk, level 0 by a load from a lower exception level (DABT_LOW). ' +
        'The syndrome does not say what state the CPU is in. Bad memory was met in a page table, not in the data. ' +
        `The virtual address is not known. ${NO_PAGE}`,
    );
  });

  it('knows the stage 2 walk of an instruction fetch too', () => {
    expect(explainArm(rec(0x82000097n))).toContain('It was on the stage 2 translation of a stage 1 walk (S1PTW).');
  });
});

describe('an address that the VMM found in the tables of its guest', () => {
  const access = { kind: 'arm-sea', el: 2, flags: 0n, gva: 0x5008n, walkedGpa: 0x4000_1008n } as const;

  it('is that of the error when the access itself was aborted', () => {
    const record = { ...access, esr: 0x92000010n };
    expect(armPageOf(record)).toMatchObject({ address: 0x4000_1000n, space: 'guest', from: 'walkedGpa' });
    expect(explainArm(record)).toContain('guest physical address 0x0000000040001000 (page frame 0x40001)');
  });

  it('is only said when a table walk was', () => {
    const record = { ...access, esr: 0x92000017n };
    expect(armPageOf(record)).toBeUndefined();
    expect(explainArm(record)).toMatch(/lead to guest physical address 0x0000000040001000; .* need not lie there/);
  });

  it('gives way to what KVM says', () => {
    const record = { ...access, esr: 0x92000010n, flags: 1n, gpa: 0x7000_0000n };
    expect(armPageOf(record)).toMatchObject({ address: 0x7000_0000n, from: 'gpa' });
  });
});

describe('an SError in a format of the implementation', () => {
  it('is said to be that, and nothing more', () => {
    const said = explainArm(rec(0xbf000000n | 0x1234n));
    expect(said).toContain('in a format only the CPU maker documents (IDS is set)');
    expect(explainArm(rec(0xbe000000n))).toContain('SError without a category');
  });
});
