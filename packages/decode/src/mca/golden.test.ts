/** Whole records and everything that is said about them. `vitest -u` rewrites golden/records.txt. */
import { expect, test } from 'vitest';
import { hex64 } from '../common/hex.ts';
import { classify } from './classify.ts';
import { describeRecord, explain, lint, nextStep, pageOf } from './of-record.ts';
import { component, miscRegister } from './testing/rules.ts';
import { NAMED_MCA } from './named.ts';
import { severity } from './severity.ts';
import type { X86McaRecord } from './record.ts';

const intel = (bank: number, status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 0,
  bank,
  status,
  ...more,
});
const amd = (bank: number, status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  ...intel(bank, status, more),
  vendor: 'amd',
});

const ADDR = 0x12345678n;

const RECORDS: readonly (readonly [name: string, record: X86McaRecord])[] = [
  ...NAMED_MCA.map(
    n =>
      [
        `named: ${n.name}`,
        {
          kind: 'x86-mca',
          vendor: n.vendor,
          cpu: 0,
          bank: n.bank,
          status: n.status,
          mcgStatus: n.mcgStatus,
          mcgCap: 0x0100010an,
          ...(n.needsAddress ? { addr: ADDR, misc: n.misc } : {}),
        },
      ] as const,
  ),
  ["QEMU's filler for the other CPUs", intel(1, 0xa000000000000000n, { mcgStatus: 5n, cpu: 1 })],
  ['the same, vendor unknown', { kind: 'x86-mca', bank: 1, status: 0xa000000000000000n }],
  ['SRAO, vendor unknown', { kind: 'x86-mca', bank: 9, status: 0xbd000000000000c0n, addr: ADDR, misc: 0x8cn }],
  [
    'Linux from a firmware report, as logged in the lab',
    intel(-1, 0xbd0000000000009fn, { addr: 0x1000n, misc: 0x8cn }),
  ],
  ['no error', intel(3, 0n)],
  ['no VAL', intel(3, 0x3c00000000000134n, { cpu: 7 })],
  [
    'Skylake, corrected read, mesh to memory bank',
    intel(7, 0x8c00004000010090n, {
      addr: 0x2b3a4c0n,
      misc: 0x200000c020002086n,
      cpuid: 0x50657n,
      mcgCap: 0x0f000c14n,
    }),
  ],
  [
    'Skylake, patrol scrub, memory controller bank',
    intel(14, 0x8c000046000800c1n, {
      addr: 0x2b3a4c0n,
      misc: 0x90001008200028cn,
      cpuid: 0x50654n,
      mcgCap: 0x0f000c14n,
    }),
  ],
  [
    'Ice Lake, uncorrected read, memory controller bank',
    intel(17, 0xbd00000000a00090n, {
      addr: 0x2b3a4c0n,
      misc: 0x0a201280024682a6n & ~0x20n,
      cpuid: 0x606a6n,
      mcgStatus: 5n,
    }),
  ],
  ['Sapphire Rapids, UPI', intel(5, 0x8800004000310e0fn, { misc: 0n, cpuid: 0x806f8n, mcgCap: 0x0f000c20n })],
  ['Granite Rapids, power unit', intel(6, 0xbe00000023800402n, { cpuid: 0xa06d1n, mcgStatus: 4n })],
  [
    'I/O error of a root port',
    intel(6, 0xae00000000000e0bn, { addr: 0n, misc: 0x00000000ae1d0000n, cpuid: 0x50657n, mcgStatus: 6n }),
  ],
  ['corrected cache errors, yellow', intel(2, 0x8c404040100f0151n, { addr: ADDR, misc: 0x86n, mcgCap: 0x0f000c14n })],
  ['no threshold in MCG_CAP, so no yellow', intel(2, 0x8c404040100f0151n, { addr: ADDR, misc: 0x86n, mcgCap: 10n })],
  [
    'an instruction cache parity error, overflowed',
    amd(1, 0xdc00000000000151n, { addr: ADDR, misc: 0n, cpuid: 0x600f20n }),
  ],
  [
    'Zen 4, corrected DRAM error',
    amd(17, 0x9c2040000600011bn, {
      addr: 0x1234580n,
      misc: 0xd01a0ffe00000000n,
      synd: 0x0000000900000002n,
      ipid: 0x0000009600350f00n,
      cpuid: 0xa10f11n,
    }),
  ],
  [
    'Zen 4, deferred DRAM error',
    amd(17, 0x9c2030000600011bn, {
      addr: 0x1234580n,
      misc: 0xd01a0ffe00000000n,
      synd: 0x0000000900000004n,
      ipid: 0x0000009600350f00n,
      cpuid: 0xa10f11n,
    }),
  ],
  [
    'Zen 4, the same poison consumed by a load',
    amd(0, 0xbca0080006010135n, {
      mcgStatus: 7n,
      addr: 0x7fe3456c0n,
      misc: 0xd01a0ffe00000000n,
      synd: 0x0n,
      ipid: 0x001000b000000000n,
      cpuid: 0xa10f11n,
    }),
  ],
  [
    'Zen 5, system physical address said outright',
    amd(20, 0x9c6040000600011bn, {
      addr: 0x7fe3456c0n,
      misc: 0xd01a0ffe00000000n,
      synd: 1n,
      ipid: 0x0000009600650f00n,
      cpuid: 0xb00f21n,
    }),
  ],
  [
    'an HBM controller',
    amd(20, 0x9c2040000600011bn, { addr: 1n, misc: 0n, synd: 0n, ipid: 0x9600650f00n, cpuid: 0xa90f01n }),
  ],
  [
    'a PCIe error of the I/O hub',
    amd(30, 0xbe00000000010e0bn, { addr: 1n, misc: 0n, ipid: 0x0000001800000000n, cpuid: 0xa10f11n }),
  ],
];

const show = (name: string, record: X86McaRecord): string => {
  const page = pageOf(record);
  const { area, name: where, detail, basis, ...place } = component(record);
  const lines = [
    `== ${name}`,
    `${hex64(record.status)} class=${classify(record)} severity=${severity(record)} page=${page === undefined ? '-' : `${hex64(page.address)} pfn=${page.pfn.toString(16)} lsb=${page.lsb} pages=${page.pages}`}`,
    `component: ${area}: ${where}${detail === undefined ? '' : ` (${detail})`}, by ${basis} ${JSON.stringify(place)}`,
    `explain: ${explain(record)}`,
    ...nextStep(record).map(step => `next: ${step}`),
    ...lint(record).map(f => `lint: ${f.severity} ${f.code}: ${f.message}`),
    ...describeRecord(record)
      .filter(v => v.member !== 'status')
      .map(
        v =>
          `${v.name} ${hex64(v.value)} ${v.rows
            .filter(r => r.value !== 0n)
            .map(r => `${r.name}=${r.value}`)
            .join(' ')}`,
      ),
  ];
  return lines.join('\n');
};

test('whole records', async () => {
  await expect(`${RECORDS.map(([name, r]) => show(name, r)).join('\n\n')}\n`).toMatchFileSnapshot(
    './golden/records.txt',
  );
});

test('the layout of MCi_MISC follows vendor, error and unit', () => {
  const of = (r: X86McaRecord): string | undefined => miscRegister(r)?.source;
  expect(of(amd(0, 0n))).toMatch(/^PPR MCA_MISC0/);
  expect(of({ kind: 'x86-mca', bank: 0, status: 0n })).toBeUndefined();
  expect(of(intel(0, 0x0e0bn))).toMatch(/IOMCA/);
  expect(of(intel(13, 0x8c00000000000091n, { misc: 0n, cpuid: 0x606a6n }))).toMatch(/06_6AH/);
  expect(of(intel(13, 0x8400000000000091n, { misc: 0n, cpuid: 0x606a6n }))).toBe('SDM vol. 3B, IA32_MCi_MISC MSRs');
  expect(of(intel(13, 0x8c00000000000091n, { misc: 0n }))).toBe('SDM vol. 3B, IA32_MCi_MISC MSRs');
});
