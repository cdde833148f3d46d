/** Registers by the names of their architectures, from bytes laid out by hand. */
import { describe, expect, it } from 'vitest';
import { explainBody } from './explain.ts';
import { SECTION_ARM_RAS, SECTION_LINUX_MCE, SECTION_PCIE, SECTION_XPF_MCA } from './guid.ts';
import { armContextRegisters, msrName, x86ContextRegisters } from './context-registers.ts';
import { linuxMcesIn, LINUX_MCE_LENGTHS, mcaOfStructMce } from './linux-mce.ts';
import type { CperBody, CperRecord, CperTabled } from './record.ts';
import { registersOfCper, sectionRegisters } from './section-registers.ts';
import { banksOfSection } from './section-banks.ts';
import { decodeSection, encodeSection, sectionType } from './sections.ts';
import { addressesOf, isTabled, TABLED } from './tables.ts';
import { linuxMce, xpfMca } from './testing/saved.ts';

/** 16-bit, 32-bit and 64-bit numbers at byte offsets. */
function lay(length: number, ...puts: readonly (readonly [at: number, size: 2 | 4 | 8, value: bigint])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(length));
  for (const [at, size, value] of puts) {
    if (size === 8) view.setBigUint64(at, value, true);
    else if (size === 4) view.setUint32(at, Number(value), true);
    else view.setUint16(at, Number(value), true);
  }
  return new Uint8Array(view.buffer);
}
const valuesOf = (registers: readonly { name: string; value: bigint }[]): Record<string, bigint> =>
  Object.fromEntries(registers.filter(r => r.value !== 0n).map(r => [r.name, r.value]));

describe('a context of x86', () => {
  // UEFI 2.10 N.2.4.2, X64 register state: 244 bytes.
  it('of 64-bit mode', () => {
    const data = lay(
      244,
      [0, 8, 1n],
      [56, 8, 2n],
      [120, 8, 3n],
      [128, 2, 0x33n],
      [144, 8, 4n],
      [152, 8, 5n],
      [176, 8, 6n],
      [200, 8, 7n],
      [208, 8, 8n],
      [240, 2, 9n],
      [242, 2, 10n],
    );
    expect(x86ContextRegisters({ type: 3, data })).toHaveLength(16 + 6 + 8 + 4 + 2);
    expect(valuesOf(x86ContextRegisters({ type: 3, data }))).toEqual({
      RAX: 1n,
      RSP: 2n,
      R15: 3n,
      CS: 0x33n,
      RFLAGS: 4n,
      RIP: 5n,
      CR2: 6n,
      CR8: 7n,
      'GDTR[63:0]': 8n,
      LDTR: 9n,
      TR: 10n,
    });
  });

  // The same, IA32 register state: 92 bytes.
  it('of 32-bit mode', () => {
    const data = lay(
      92,
      [0, 4, 1n],
      [28, 4, 2n],
      [42, 2, 3n],
      [44, 4, 4n],
      [48, 4, 5n],
      [68, 4, 6n],
      [72, 8, 7n],
      [90, 2, 8n],
    );
    expect(valuesOf(x86ContextRegisters({ type: 2, data }))).toEqual({
      EAX: 1n,
      ESP: 2n,
      GS: 3n,
      EFLAGS: 4n,
      EIP: 5n,
      CR4: 6n,
      GDTR: 7n,
      TR: 8n,
    });
  });

  it('of MSRs, by their names', () => {
    expect([0x179, 0x17a, 0x281, 0x401, 0x41d, 0xc0002095, 0xc0002091, 0x1234].map(msrName)).toEqual([
      'IA32_MCG_CAP',
      'IA32_MCG_STATUS',
      'IA32_MC1_CTL2',
      'IA32_MC0_STATUS',
      'IA32_MC7_STATUS',
      'MCA_IPID[9]',
      'MCA_STATUS[9]',
      'MSR_0x1234',
    ]);
    expect(x86ContextRegisters({ type: 7, mmAddress: 0x1000n, data: lay(16, [8, 8, 5n]) })).toEqual([
      { name: 'MMIO_0x1000', value: 0n },
      { name: 'MMIO_0x1008', value: 5n },
    ]);
    expect(x86ContextRegisters({ type: 6, data: new Uint8Array(48) })).toEqual([]);
  });
});

describe('a context of Arm', () => {
  it('of AArch32', () => {
    const data = Uint8Array.from({ length: 96 }, (_, i) => (i % 4 === 0 ? 1 + i / 4 : 0));
    const names = (type: number): [string, bigint][] => armContextRegisters({ type, data }).map(r => [r.name, r.value]);
    expect(names(0).slice(-3)).toEqual([
      ['SP', 14n],
      ['LR', 15n],
      ['PC', 16n],
    ]);
    expect(names(1)[23]).toEqual(['DACR', 24n]);
    expect(names(2)).toHaveLength(16);
    expect([names(2)[0], names(2)[8], names(2)[15]]).toEqual([
      ['ELR_hyp', 1n],
      ['HSR', 9n],
      ['DACR32_EL2', 16n],
    ]);
    expect(names(3)).toEqual([
      ['SCTLR_S', 1n],
      ['SPSR_mon', 2n],
    ]);
  });

  it('of one system register, by its encoding', () => {
    const data = new Uint8Array(10);
    // ERXSTATUS_EL1 is S3_0_C5_C4_2.
    new DataView(data.buffer).setUint16(0, 0b01_000_0101_0100_010, true);
    data[2] = 7;
    expect(armContextRegisters({ type: 8, data })).toEqual([{ name: 'S3_0_C5_C4_2', value: 7n }]);
  });

  it('stands in JSON by name, numbered where it comes again', () => {
    const data = lay(24, [8, 8, 0x9600_0410n]);
    const body: CperBody = {
      kind: 'arm-processor',
      midr: 0x410f_d0c1n,
      errors: [],
      contexts: [
        { type: 5, data },
        { type: 5, data },
      ],
    };
    const record: CperRecord = {
      kind: 'cper',
      severity: 'fatal',
      sections: [{ type: '', severity: 'fatal', revision: 0x300, flags: 0, body }],
    };
    expect(registersOfCper(record)).toEqual({
      MIDR_EL1: 0x410f_d0c1n,
      ELR_EL1: 0n,
      ESR_EL1: 0x9600_0410n,
      FAR_EL1: 0n,
      'ELR_EL1#2': 0n,
      'ESR_EL1#2': 0x9600_0410n,
      'FAR_EL1#2': 0n,
    });
  });
});

describe('a PCIe section', () => {
  it('has the registers of AER and of the capability by name', () => {
    const bytes = new Uint8Array(208);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, 0xe0n, true);
    view.setUint16(48, 0x2000, true);
    view.setUint16(52 + 0x0a, 0x4, true);
    view.setUint32(112 + 4, 0x4000, true);
    view.setUint32(112 + 0x10, 0x1, true);
    const { value } = decodeSection(SECTION_PCIE, bytes);
    expect(valuesOf(sectionRegisters(value))).toEqual({
      SECONDARY_STATUS: 0x2000n,
      DEVICE_STATUS: 4n,
      UNCORRECTABLE_ERROR_STATUS: 0x4000n,
      CORRECTABLE_ERROR_STATUS: 1n,
    });
    const said = explainBody(value).join(' ');
    expect(said).toContain('Uncorrectable errors: completion timeout. Corrected errors: receiver error.');
    expect(said).toContain('Behind the bridge: unsupported request received (master abort).');
  });
});

describe('Arm RAS registers', () => {
  it('give an address only where the record says that it is one', () => {
    const node = (status: bigint, addr: bigint): Uint8Array =>
      lay(152, [0, 4, 1n], [4, 4, 1n], [8, 4, 1n], [12, 2, 80n], [80, 4, 2n], [104, 8, status], [112, 8, addr]);
    const address = (status: bigint, addr: bigint): bigint | undefined =>
      addressesOf(decodeSection(SECTION_ARM_RAS, node(status, addr)).value)[0];
    // V, AV, UE.
    expect(address(0xe000_0002n, 0x8000_0000_1234_5000n)).toBe(0x1234_5000n);
    // The address is incomplete (AI), virtual (VA), not there (AV clear), the record not valid (V clear).
    expect(address(0xe000_0002n, 0x2000_0000_1234_5000n)).toBeUndefined();
    expect(address(0xe000_0002n, 0x1000_0000_1234_5000n)).toBeUndefined();
    expect(address(0x6000_0002n, 0x1234_5000n)).toBeUndefined();
    expect(address(0xa000_0002n, 0x1234_5000n)).toBeUndefined();
    const { value } = decodeSection(SECTION_ARM_RAS, node(0xe000_0002n, 0x1234_5000n));
    expect(valuesOf(sectionRegisters(value))['ERR2STATUS']).toBe(0xe000_0002n);
    expect(explainBody(value).join(' ')).toContain(
      'Error record 2: uncorrected (uncontainable), data of an internal memory',
    );
  });
});

describe('a machine check that Linux saved', () => {
  it('is a record of its bank, whatever the version of the structure', () => {
    for (const length of LINUX_MCE_LENGTHS) {
      const bytes = linuxMce().subarray(0, length);
      expect(linuxMcesIn(bytes)).toEqual([bytes]);
      const { value, diagnostics } = decodeSection(SECTION_LINUX_MCE, bytes);
      expect(diagnostics).toEqual([]);
      expect(encodeSection(value)).toEqual(bytes);
      expect(banksOfSection(value)[0]).toMatchObject({
        kind: 'x86-mca',
        vendor: 'intel',
        cpu: 5,
        bank: 7,
        status: 0xbe00_0000_0101_0091n,
        addr: 0x3_a5a2_ef00n,
        misc: 0x2020_0000_7886n,
        mcgStatus: 4n,
        cpuid: 0x5_0657n,
        time: 1_767_225_600n,
        apicId: 10n,
      });
    }
    expect(mcaOfStructMce(linuxMce()).ppin).toBe(0x1234n);
    expect(mcaOfStructMce(linuxMce().subarray(0, 88)).ppin).toBeUndefined();
  });

  it('is told from other bytes', () => {
    const spoil = (at: number, value: number): Uint8Array => linuxMce().with(at, value);
    expect(linuxMcesIn(linuxMce().subarray(0, 100))).toBeUndefined();
    // VAL clear, an unknown vendor, bytes in the padding, a time of long ago, a bank that nobody has.
    for (const bytes of [
      spoil(7, 0x3e),
      spoil(56, 77),
      spoil(59, 1),
      spoil(51, 0),
      spoil(65, 80),
      new Uint8Array(128),
    ]) {
      expect(linuxMcesIn(bytes)).toBeUndefined();
    }
  });
});

describe("Windows' machine check section", () => {
  it('gives its bank, and those of version 4', () => {
    for (const [length, version] of [
      [264, 1],
      [272, 2],
      [292, 3],
      [1192, 4],
    ] as const) {
      const { value, diagnostics } = decodeSection(SECTION_XPF_MCA, xpfMca(version).subarray(0, length));
      expect(diagnostics).toEqual([]);
      const banks = banksOfSection(value);
      expect(banks[0]).toMatchObject({
        vendor: 'amd',
        cpu: 3,
        bank: 17,
        status: 0x9c20_4000_0000_011bn,
        ipid: 0x9600_0502_00n,
      });
      expect(banks.map(b => b.bank)).toEqual(version === 4 ? [17, 18] : [17]);
    }
  });
});

describe('every table', () => {
  it('is found by kind, has words for an empty body, and says its names once', () => {
    expect(new Set(TABLED.map(t => t.kind)).size).toBe(TABLED.length);
    for (const table of TABLED) {
      const body: CperTabled = { kind: table.kind };
      expect(isTabled(body)).toBe(true);
      expect(table.say(body).every(s => /^[ -~]+\.$/.test(s))).toBe(true);
      expect(table.registers?.(body).map(r => r.name) ?? []).toBeInstanceOf(Array);
      expect(sectionType(table.type)?.kind).toBe(table.kind);
    }
  });

  it('calls no member of 64 bits as another one of fewer', () => {
    const wide = new Map<string, boolean>();
    for (const { layout, rows } of TABLED) {
      for (const f of [...layout.fields, ...(rows?.layout.fields ?? [])]) {
        const isWide = f.kind === 'integer' && f.hi - f.lo >= 32;
        expect([f.name, wide.get(f.name) ?? isWide]).toEqual([f.name, isWide]);
        wide.set(f.name, isWide);
      }
    }
  });
});
