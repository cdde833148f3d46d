import { describe, expect, it } from 'vitest';
import { amdAddressLsb } from './page.ts';
import { describeRecord, pageOf } from './of-record.ts';
import { component } from './testing/rules.ts';
import { cpuModel } from './cpu.ts';
import { decidingOf } from './deciding.ts';
import { decodeMcacod } from './mcacod.ts';
import { isLegacyAmd, legacyBank, legacyText } from './amd-legacy.ts';
import { MCA_IPID } from './amd-registers.ts';
import { smcaBank, SMCA_BANKS, umcPlace } from './smca-banks.ts';
import { statusRegister } from './describe.ts';
import type { CpuModel } from './cpu.ts';
import type { X86McaRecord } from './record.ts';
import { NOT_PUBLIC } from './smca-codes.ts';

const ipid = (hwid: number, mcaType: number, low = 0n, high = 0n): bigint =>
  MCA_IPID.encode({ HWID: BigInt(hwid), MCATYPE: BigInt(mcaType), INSTANCELO: low, INSTANCEHI: high });
const cpu = (family: number, model: number): CpuModel => ({ family, model, stepping: 0 });
const UMC = ipid(0x96, 0, 0x350f00n);
const at = (n: number): bigint => 1n << BigInt(n);

describe('smcaBank', () => {
  it('finds every bank type by hardware id and type, whatever the instance', () => {
    for (const bank of SMCA_BANKS) {
      expect(smcaBank(ipid(bank.hwid, bank.mcaType, 0xffff_ffffn, 0xfn))).toStrictEqual(bank);
      expect(smcaBank(ipid(bank.hwid, bank.mcaType), cpu(0x17, 1))).toStrictEqual(bank);
    }
  });

  it('does not guess an unknown one', () => {
    expect(smcaBank(0n)).toBeUndefined();
    expect(smcaBank(ipid(0xb0, 4))).toBeUndefined();
    expect(smcaBank(ipid(0x97, 0))).toBeUndefined();
  });

  it.each([
    [0x19, 0x0f, 'protocol error in the probe filter'],
    [0x19, 0x10, 'a read response unexpectedly asks to retry'],
    [0x19, 0x1f, 'a read response unexpectedly asks to retry'],
    [0x19, 0x20, 'protocol error in the probe filter'],
    [0x19, 0x5f, 'protocol error in the probe filter'],
    [0x19, 0x60, 'a read response unexpectedly asks to retry'],
    [0x19, 0x7b, 'a read response unexpectedly asks to retry'],
    [0x19, 0x7c, 'protocol error in the probe filter'],
    [0x19, 0xa0, 'a read response unexpectedly asks to retry'],
    [0x19, 0xaf, 'a read response unexpectedly asks to retry'],
    [0x19, 0xb0, 'protocol error in the probe filter'],
    [0x1a, 0x3f, 'protocol error in the probe filter'],
    [0x1a, 0x40, 'a read response unexpectedly asks to retry'],
    [0x1a, 0x4f, 'a read response unexpectedly asks to retry'],
    [0x1a, 0x10, 'protocol error in the probe filter'],
    [0x17, 0x10, 'protocol error in the probe filter'],
  ])('follows erratum 1384: family %i model %i', (family, model, text) => {
    expect(smcaBank(ipid(0x2e, 2), cpu(family, model))?.codes[9]).toBe(text);
  });

  it.each([
    [0x19, 0x8f, 'DRAM ECC error'],
    [0x19, 0x90, 'ECC error inside the DRAM (on-die ECC)'],
    [0x19, 0x9f, 'ECC error inside the DRAM (on-die ECC)'],
    [0x19, 0xa0, 'DRAM ECC error'],
    [0x1a, 0x90, 'DRAM ECC error'],
  ])('reads HBM controllers by family %i model %i', (family, model, text) => {
    expect(smcaBank(UMC, cpu(family, model))?.codes[0]).toBe(text);
  });

  it('knows the types of 2026 by name, and no code of them', () => {
    const named = SMCA_BANKS.filter(b => b.codes === NOT_PUBLIC).map(b => [b.id, b.hwid, b.mcaType]);
    expect(named).toStrictEqual([
      ['EDDR5CMN', 0x1e0, 0],
      ['MPART', 0xff, 2],
      ['MPASP', 0xfd, 0],
      ['MPASP_V2', 0xfd, 1],
      ['MPM', 0xf9, 0],
      ['MPRAS', 0x12, 0],
      ['MPDACC', 0xbe, 0],
      ['DACC_FE', 0x157, 0],
      ['DACC_BE', 0x164, 0],
      ['PCIE_PL', 0x1e1, 0],
      ['SSBDCI', 0x5c, 0],
    ]);
    const bank = smcaBank((0x5cn << 32n) | 7n);
    expect([bank?.id, bank?.name, bank?.area]).toStrictEqual(['SSBDCI', 'die to die interconnect', 'link']);
    const pairs = SMCA_BANKS.map(b => (b.hwid << 16) | b.mcaType);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it('has the numbers of the PPR at the ends of each list', () => {
    const ends = SMCA_BANKS.filter(b => b.codes !== NOT_PUBLIC).map(b => {
      const keys = Object.keys(b.codes).map(Number);
      return [b.id, Math.min(...keys), Math.max(...keys), keys.length];
    });
    expect(ends).toStrictEqual([
      ['LS', 0, 26, 27],
      ['LS_V2', 0, 23, 24],
      ['IF', 0, 18, 19],
      ['L2_CACHE', 0, 5, 6],
      ['DE', 0, 9, 10],
      ['EX', 0, 13, 14],
      ['FP', 0, 7, 8],
      ['L3_CACHE', 0, 9, 10],
      ['CS', 0, 8, 9],
      ['PIE', 0, 8, 9],
      ['CS_V2', 0, 20, 21],
      ['MA_LLC', 0, 6, 7],
      ['UMC', 0, 16, 13],
      ['UMC_V2', 0, 11, 10],
      ['PB', 0, 0, 1],
      ['PSP', 0, 0, 1],
      ['PSP_V2', 0, 23, 24],
      ['SMU', 0, 0, 1],
      ['SMU_V2', 0, 62, 15],
      ['MP5', 0, 10, 11],
      ['MPDMA', 0, 49, 50],
      ['NBIO', 0, 5, 6],
      ['PCIE', 0, 4, 5],
      ['PCIE_V2', 0, 0, 1],
      ['XGMI_PCS', 0, 28, 29],
      ['NBIF', 0, 3, 4],
      ['SHUB', 0, 3, 4],
      ['SATA', 0, 7, 8],
      ['USB', 0, 5, 6],
      ['USR_DP', 0, 31, 31],
      ['USR_CP', 0, 12, 13],
      ['GMI_PCS', 0, 31, 32],
      ['XGMI_PHY', 0, 3, 4],
      ['WAFL_PHY', 0, 3, 4],
      ['GMI_PHY', 0, 3, 4],
    ]);
  });
});

describe('umcPlace', () => {
  const status = at(63) | at(53);
  it('takes the channel from MCA_IPID and the chip select from a valid MCA_SYND', () => {
    expect(umcPlace({ ipid: UMC, status, synd: { chipSelect: 2n } })).toStrictEqual({ channel: 3, chipSelect: 2 });
    expect(umcPlace({ ipid: ipid(0x96, 0, 0xb50f00n), status, synd: { chipSelect: 7n } })).toStrictEqual({
      channel: 11,
      chipSelect: 7,
    });
    expect(umcPlace({ ipid: UMC, status: at(63), synd: { chipSelect: 2n } })).toStrictEqual({ channel: 3 });
    expect(umcPlace({ ipid: UMC, status })).toStrictEqual({ channel: 3 });
    expect(umcPlace({ ipid: UMC, status: status | at(16), synd: { chipSelect: 2n } })).toStrictEqual({ channel: 3 });
  });

  it('says nothing of other banks, nor of HBM', () => {
    expect(umcPlace({ ipid: ipid(0xb0, 0x10), status })).toBeUndefined();
    expect(umcPlace({ ipid: ipid(0x96, 1), status })).toBeUndefined();
    expect(umcPlace({ ipid: UMC, status }, cpu(0x19, 0x90))).toBeUndefined();
  });
});

describe('banks before scalable MCA', () => {
  it('are families 0Fh to 16h', () => {
    expect([0x06, 0x0e, 0x0f, 0x10, 0x15, 0x16, 0x17, 0x19].map(f => isLegacyAmd(cpu(f, 0)))).toStrictEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('are numbered by unit', () => {
    expect(legacyBank(0, cpu(0x10, 4))?.id).toBe('DC');
    expect(legacyBank(4, cpu(0x10, 4))?.id).toBe('NB');
    expect(legacyBank(5, cpu(0x10, 4))?.id).toBe('FR');
    expect(legacyBank(5, cpu(0x0f, 4))).toBeUndefined();
    expect(legacyBank(5, cpu(0x11, 4))).toBeUndefined();
    expect(legacyBank(3, cpu(0x12, 0))?.id).toBe('LS');
    expect(legacyBank(3, cpu(0x14, 0))).toBeUndefined();
    expect(legacyBank(3, cpu(0x15, 0))).toBeUndefined();
    expect(legacyBank(6, cpu(0x15, 0))?.id).toBe('FP');
    expect(legacyBank(6, cpu(0x10, 0))).toBeUndefined();
    expect(legacyBank(0, cpu(0x17, 1))).toBeUndefined();
  });

  it('read their extended codes beside the error code', () => {
    const cacheCode = decodeMcacod(0x0151, 'amd');
    const tlb = decodeMcacod(0x0015, 'amd');
    const bus = decodeMcacod(0x0a13, 'amd');
    const f15 = cpu(0x15, 2);
    const f10 = cpu(0x10, 4);
    expect(legacyText(1, 0x0d, cacheCode, f15)).toBe('parity error in a valid bit of the prefetch buffer');
    expect(legacyText(2, 0x10, cacheCode, f15)).toBe('ECC error in the L2 tags');
    expect(legacyText(2, 0x10, bus, f15)).toBeUndefined();
    expect(legacyText(5, 0x00, bus, f15)).toBe('the watchdog timer expired: no instruction retired');
    expect(legacyText(6, 0x04, bus, f15)).toBe('parity error in the scheduler');
    expect(legacyText(0, 0, tlb, f10)).toBe('parity error in the TLB');
    expect(legacyText(0, 1, tlb, f10)).toBe('several TLB entries hit at once');
    expect(legacyText(0, 2, tlb, f10)).toBe('miss of a locked TLB entry');
    expect(legacyText(1, 2, tlb, f10)).toBeUndefined();
    expect(legacyText(2, 0, tlb, f10)).toBeUndefined();
    expect(legacyText(4, 0x08, bus, f10)).toBe('DRAM ECC error');
    expect(legacyText(4, 0x1c, bus, f10)).toBe('ECC error in the L3 data');
    expect(legacyText(4, 0x1c, bus, cpu(0x0f, 4))).toBeUndefined();
    expect(legacyText(4, 0x0f, tlb, f10)).toBe('bad data in a walk of the graphics address table');
    expect(legacyText(4, 0x0f, bus, f10)).toBe('bad data in a walk of the DMA exclusion vector');
    expect(legacyText(4, 0x0f, cacheCode, f10)).toBeUndefined();
    expect(legacyText(4, 0x0f, tlb, cpu(0x0f, 4))).toBeUndefined();
    expect(legacyText(4, 0x19, bus, f15)).toBe('data error from a compute unit');
    expect(legacyText(4, 0x19, bus, f10)).toBeUndefined();
    expect(legacyText(2, 2, cacheCode, f10)).toBe('error in the L2 tags');
    expect(legacyText(5, 0, bus, f10)).toBe('the watchdog timer expired: no instruction retired');
    expect(legacyText(5, 1, bus, f10)).toBeUndefined();
    expect(legacyText(5, 0, bus, cpu(0x0f, 4))).toBeUndefined();
    expect(legacyText(0, 0, tlb, cpu(0x17, 1))).toBeUndefined();
  });
});

const LS: X86McaRecord = {
  kind: 'x86-mca',
  vendor: 'amd',
  cpu: 1,
  bank: 0,
  status: 0xbc00080000010135n,
  addr: 0x123456789abn,
  ipid: ipid(0xb0, 0x10),
};

describe('pageOf, AMD', () => {
  it('takes poison of a core for a system address, with the granularity of a cache line', () => {
    expect(pageOf(LS)).toStrictEqual({ address: 0x12345678980n, pfn: 0x12345678n, lsb: 6, pages: 1n, assumed: true });
  });

  it('takes bits 56:0 for the address where the granularity is in the status', () => {
    const addr = 0x01ff_ffff_af90_6a82n;
    const shown = (more: Partial<X86McaRecord>) =>
      describeRecord({ ...LS, addr, ...more })
        .find(v => v.member === 'addr')
        ?.rows.map(r => `${r.name} ${r.value.toString(16)}`);
    const wide = ['ADDRESS 1ffffffaf906a82'];
    const narrow = ['LSB 1', 'ADDRESS ffffffaf906a82'];
    expect(shown({ cpuid: 0xa20f12n })).toEqual(wide);
    expect(shown({ cpuid: 0x800f12n })).toEqual(narrow);
    expect(shown({ cpuid: 0x800f12n, status: LS.status | (1n << 24n) })).toEqual(wide);
    expect(shown({ cpuid: 0x800f12n, config: 0x101n })).toEqual(wide);
    expect(shown({ cpuid: 0xa20f12n, config: 1n })).toEqual(narrow);
    expect(amdAddressLsb(decidingOf({ ...LS, addr, cpuid: 0xa20f12n }))).toBe(6);
    expect(pageOf({ ...LS, cpuid: 0xa20f12n, addr: 0x0c00_1234_5678_9abcn })?.lsb).toBe(6);
    const destat = { destat: 0x8400_1000_0600_0000n, deaddr: addr };
    expect(describeRecord({ ...LS, ...destat }).find(v => v.member === 'deaddr')?.rows).toHaveLength(1);
  });

  it('takes the granularity from the status, else from the address of scalable banks', () => {
    const inStatus = { ...LS, status: LS.status | (12n << 24n) };
    const inAddr = { ...LS, addr: (21n << 56n) | 0x123456789abn };
    expect(pageOf(inStatus)).toStrictEqual({ address: 0x12345678000n, pfn: 0x12345678n, lsb: 12, pages: 1n });
    expect(pageOf(inAddr)).toStrictEqual({ address: 0x12345600000n, pfn: 0x12345600n, lsb: 21, pages: 512n });
    expect(amdAddressLsb(decidingOf({ ...inAddr, status: inStatus.status }))).toBe(12);
    const { ipid: _, ...old } = inAddr;
    expect(amdAddressLsb(decidingOf(old))).toBe(6);
    expect(amdAddressLsb({ status: 0n, ipid: 1n })).toBe(6);
  });

  it('does not take the address of a memory controller for a system address, unless the status says so', () => {
    const umc = { ...LS, ipid: UMC };
    expect(pageOf(umc)).toBeUndefined();
    expect(pageOf({ ...umc, ipid: ipid(0x96, 1) })).toBeUndefined();
    expect(pageOf({ ...umc, status: umc.status | at(54) })?.address).toBe(0x12345678980n);
  });

  it('wants VAL, ADDRV, an address, and POISON or PADDRV of a scalable bank', () => {
    const { addr: _a, ...noAddr } = LS;
    expect(pageOf(noAddr)).toBeUndefined();
    expect(pageOf({ ...LS, status: LS.status & ~at(58) })).toBeUndefined();
    expect(pageOf({ ...LS, status: LS.status & ~at(63) })).toBeUndefined();
    expect(pageOf({ ...LS, status: LS.status & ~at(43) })).toBeUndefined();
    expect(pageOf({ ...LS, status: (LS.status & ~at(43)) | at(54) })?.pfn).toBe(0x12345678n);
    const { ipid: _i, ...noIpid } = LS;
    expect(pageOf({ ...noIpid, status: (LS.status & ~at(43)) | at(54) })).toBeUndefined();
    expect(pageOf({ ...LS, ipid: 0n })?.pfn).toBe(0x12345678n);
  });
});

describe('component, AMD', () => {
  it('names the unit by MCA_IPID, never by the bank number', () => {
    expect(component(LS)).toStrictEqual({
      area: 'core',
      name: 'load-store unit',
      detail: 'ECC error or poison in the data cache, read by a load',
      basis: 'MCA_IPID',
    });
    expect(component({ ...LS, bank: 33 })).toStrictEqual(component(LS));
    expect(component({ ...LS, ipid: UMC, status: 0x9c20000000000000n, synd: 1n })).toStrictEqual({
      area: 'memory',
      name: 'UMC channel 3, chip select 1',
      detail: 'DRAM ECC error',
      basis: 'MCA_IPID and MCA_SYND',
      channel: 3,
      chipSelect: 1,
    });
    expect(component({ ...LS, ipid: UMC, status: 0x9c0000000005011bn })).toStrictEqual({
      area: 'memory',
      name: 'UMC channel 3',
      detail: 'write data CRC error',
      basis: 'MCA_IPID',
      channel: 3,
    });
    expect(component({ ...LS, ipid: ipid(0xabc, 0x12) })).toStrictEqual({
      area: 'unknown',
      name: 'unknown bank type (HwId 0xabc, McaType 0x12)',
      basis: 'MCA_IPID',
    });
    expect(component({ ...LS, status: LS.status | (0x3fn << 16n) })).toStrictEqual({
      area: 'core',
      name: 'load-store unit',
      basis: 'MCA_IPID',
    });
  });

  it('names the unit by the bank on older families', () => {
    const old = (bank: number, status: bigint, cpuid: bigint): X86McaRecord => ({
      kind: 'x86-mca',
      vendor: 'amd',
      bank,
      status,
      cpuid,
    });
    expect(component(old(4, 0x9c00400000080a13n, 0x100f42n))).toStrictEqual({
      area: 'memory',
      name: 'northbridge',
      detail: 'DRAM ECC error',
      basis: 'bank 4 of family 10h',
    });
    expect(component(old(4, 0x9c00400000000a13n, 0x100f42n)).area).toBe('memory');
    expect(component(old(4, 0x9c00400000070a13n, 0x100f42n)).area).toBe('fabric');
    expect(component(old(1, 0x9c00000000000151n, 0x100f42n))).toStrictEqual({
      area: 'cache',
      name: 'L1 instruction cache',
      basis: 'bank 1 of family 10h',
    });
    expect(component(old(5, 0xbc00000000000e0fn, 0x600f20n)).area).toBe('core');
    expect(component(old(3, 0xbc00000000000151n, 0x600f20n))).toStrictEqual({
      area: 'cache',
      name: 'L1 instruction cache',
      basis: 'error code',
    });
    expect(component(old(0, 0xbc00000000000151n, 0x800f12n))).toMatchObject({
      area: 'unknown',
      basis: 'scalable MCA names the unit in MCA_IPID, which the input does not have',
    });
    expect(component(old(3, 0xbc00000000000000n, 0x600f20n))).toStrictEqual({
      area: 'unknown',
      name: 'unknown',
      basis: 'the data do not say',
    });
  });
});

describe('registers of a record, AMD', () => {
  it('uses the older status layout only for the older families', () => {
    expect(statusRegister(LS).fields.some(f => f.name === 'TCC')).toBe(true);
    const { ipid: _, ...old } = LS;
    expect(statusRegister({ ...old, cpuid: 0x600f20n }).fields.some(f => f.name === 'SYNDHI')).toBe(true);
    expect(statusRegister({ ...LS, cpuid: 0x600f20n }).fields.some(f => f.name === 'SYNDHI')).toBe(false);
    expect(statusRegister({ ...old, cpuid: 0x800f12n }).fields.some(f => f.name === 'SYNDHI')).toBe(false);
    expect(cpuModel(0x600f20n)).toStrictEqual({ family: 0x15, model: 2, stepping: 0 });
  });

  it('shows every register with its name', () => {
    const views = describeRecord({
      ...LS,
      misc: 1n,
      synd: 1n,
      config: 1n,
      destat: 1n,
      deaddr: 1n,
      mcgCap: 1n,
      mcgStatus: 1n,
      cpuid: 1n,
    });
    expect(views.map(v => [v.member, v.name, v.source !== undefined])).toStrictEqual([
      ['status', 'MCi_STATUS', true],
      ['mcgStatus', 'MCG_STATUS', true],
      ['addr', 'MCi_ADDR', true],
      ['misc', 'MCi_MISC', true],
      ['synd', 'MCA_SYND', true],
      ['ipid', 'MCA_IPID', true],
      ['config', 'MCA_CONFIG', true],
      ['destat', 'MCA_DESTAT', true],
      ['deaddr', 'MCA_DEADDR', true],
      ['mcgCap', 'MCG_CAP', true],
      ['cpuid', 'CPUID.1:EAX', true],
    ]);
    expect(
      describeRecord({ kind: 'x86-mca', bank: 0, status: 0n, addr: 1n, misc: 1n }).map(v => v.source),
    ).toStrictEqual([statusRegister({ status: 0n }).source, undefined, undefined]);
  });
});
