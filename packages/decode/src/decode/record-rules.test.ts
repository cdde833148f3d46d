/** Machine checks, aborts and firmware records say the same things of themselves in the same shape. */
import { describe, expect, it } from 'vitest';
import { NAMED_ESR } from '../arm/encode.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import { decodeGhesBlock, encodeGhesBlock } from '../cper/ghes.ts';
import { SECTION_MEMORY } from '../cper/guid.ts';
import type { CperMemoryError, CperRecord } from '../cper/record.ts';
import { NAMED_MCA } from '../mca/named.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { Finding } from '../registers/finding.ts';
import { decode } from './decoder.ts';
import { stripOf } from './bit-strip.ts';
import { RECORD_RULES, describe as describeRaw, lint } from './record-rules.ts';
import { rawData, toData } from './record.ts';
import { McaDecoded } from './mca-record.ts';

const mca = (status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  vendor: 'intel',
  bank: 7,
  status,
  ...more,
});
const esr = (value: bigint, more: Partial<ArmSeaRecord> = {}): ArmSeaRecord => ({
  kind: 'arm-sea',
  esr: value,
  ...more,
});
const memory = (body: Partial<CperMemoryError>, more: Partial<CperRecord> = {}): CperRecord => ({
  kind: 'cper',
  severity: 'recoverable',
  sections: [
    { type: SECTION_MEMORY, severity: 'recoverable', revision: 0x300, flags: 0, body: { kind: 'memory', ...body } },
  ],
  ...more,
});

/** `status[61] status[57]`, and members without bits. */
function places({ members = [], bits = [] }: Finding): string {
  const told = bits.map(({ member, hi, lo }) => `${member}[${hi === lo ? hi : `${hi}:${lo}`}]`);
  return [...told, ...members.filter(m => !bits.some(b => b.member === m))].join(' ');
}
const of = (found: Finding[], code: string): string | undefined => found.filter(f => f.code === code).map(places)[0];

describe('a finding names what it speaks of', () => {
  const LOAD = 0xbd80000000000134n;
  it.each<[code: string, record: X86McaRecord, at: string]>([
    ['L_MCA_PCC_WITHOUT_UC', mca(0x9e00000000000134n), 'status[61] status[57]'],
    ['L_MCA_UCR_ADDRESS_MODE', mca(LOAD, { addr: 0n, misc: 0x4cn }), 'misc[8:6]'],
    ['L_MCA_ADDR_NOT_VALID', mca(0x9000000000000134n, { addr: 0x1000n }), 'status[58] addr'],
    ['L_MCA_REGISTER_MISSING', mca(LOAD), 'addr misc'],
    ['L_MCA_NO_IP', mca(LOAD, { mcgStatus: 4n }), 'mcgStatus[1] mcgStatus[0]'],
    ['L_MCA_BANK_OUT_OF_RANGE', mca(LOAD, { mcgCap: 0x1000005n }), 'mcgCap[7:0] bank'],
    ['L_MCA_RESERVED_BITS', mca(LOAD, { mcgStatus: 0x35n }), 'mcgStatus[5:4]'],
    ['L_MCA_VENDOR_MIX', mca(LOAD, { ipid: 1n, config: 1n }), 'ipid config'],
    ['L_MCA_QEMU_SRAR', mca(LOAD, { bank: 9, misc: 0x8cn, addr: 0n }), 'status bank misc'],
    ['L_MCA_VAL_CLEAR', mca(1n), 'status[63]'],
  ])('%s of a machine check', (code, record, at) => {
    expect(of(lint(record), code)).toBe(at);
  });

  it.each<[code: string, record: ArmSeaRecord, at: string]>([
    // DDI 0487 D24.2.40: class 0x24 is a data abort, code 0x10 an external abort.
    ['L_ARM_RESERVED_CLASS', esr(0x0800_0000n), 'esr[31:26]'],
    ['L_ARM_RESERVED_BITS', esr(0xbe00_0111n), 'esr[8]'],
    ['L_ARM_SET_RESERVED', esr(0x9200_0810n), 'esr[12:11]'],
    ['L_ARM_IL_CLEAR', esr(0x9000_0010n), 'esr[25]'],
    ['L_ARM_FNV_WITH_FAR', esr(0x9200_0410n, { far: 0x1000n }), 'esr[10] far'],
    ['L_ARM_S1PTW_EL1', esr(0x9200_0090n, { el: 1 }), 'esr[7] el'],
    ['L_ARM_HPFAR_RESERVED', esr(0x9200_0007n, { hpfar: 3n }), 'hpfar[1:0]'],
    ['L_ARM_KVM_FLAGS', esr(0x9200_0010n, { flags: 4n }), 'flags[2]'],
    ['L_ARM_KVM_GPA', esr(0x9200_0010n, { flags: 0n, gpa: 1n }), 'flags gpa'],
  ])('%s of an abort', (code, record, at) => {
    expect(of(lint(record), code)).toBe(at);
  });

  it.each<[code: string, record: CperRecord, at: string]>([
    // ACPI 6.5 18.3.2.7.1: bits 13:4 of the block status count the entries, bit 0 says that one is uncorrectable.
    ['L_CPER_STATUS_COUNT', memory({ physicalAddress: 0n }, { blockStatus: 0x21 }), 'blockStatus[13:4] sections'],
    ['L_CPER_STATUS_BITS', memory({ physicalAddress: 0n }, { blockStatus: 0x12 }), 'blockStatus[3:0]'],
    ['L_CPER_SEVERITY_MISMATCH', memory({}, { severity: 'corrected' }), 'severity sections[0].severity'],
    ['L_CPER_NO_ADDRESS', memory({}), 'sections[0].body.physicalAddress'],
    [
      'L_CPER_MASK',
      memory({ physicalAddress: 0n, physicalAddressMask: 0xf0f000n }),
      'sections[0].body.physicalAddressMask[19:16]',
    ],
    ['L_CPER_MEMORY_TYPE', memory({ errorType: 99 }), 'sections[0].body.errorType'],
    ['L_CPER_BODY_SEVERITY', memory({ errorType: 13 }), 'sections[0].severity sections[0].body.errorType'],
    ['L_CPER_BANK_TWICE', memory({ bank: 1, bankAddress: 1 }), 'sections[0].body.bank sections[0].body.bankAddress'],
  ])('%s of a firmware record', (code, record, at) => {
    expect(of(lint(record), code)).toBe(at);
  });

  it('also where a record is printed as JSON', () => {
    const [pcc] = new McaDecoded(mca(0x9e00000000000134n), { input: '-', from: 'value' }, []).lint;
    expect(pcc).toMatchObject({
      code: 'L_MCA_PCC_WITHOUT_UC',
      members: ['status'],
      bits: [
        { member: 'status', register: 'MCi_STATUS', hi: 61, lo: 61 },
        { member: 'status', register: 'MCi_STATUS', hi: 57, lo: 57 },
      ],
    });
  });

  it('by paths that lead into the raw record of the JSON', () => {
    const block = encodeGhesBlock({ severity: 'corrected', sections: [{ body: { kind: 'memory', errorType: 14 } }] });
    const inputs = [block, 'esr=0x9000041f hpfar=0x3', 'status=0x9e00000000000134 bank=3 misc=1 addr=0xff'];
    for (const record of inputs.flatMap(input => decode(input).records)) {
      const { raw } = toData(record) as { raw: unknown };
      expect(raw).toEqual(rawData(record));
      const members = record.lint.flatMap(f => f.members ?? []);
      expect(members.length).toBeGreaterThan(0);
      for (const member of members) {
        const steps = member.split(/[.[\]]+/).filter(step => step !== '');
        const holder = steps.slice(0, -1).reduce((at: unknown, step) => (at as Record<string, unknown>)[step], raw);
        // The last step may be what is missing.
        expect(holder, member).toBeTypeOf('object');
      }
    }
  });
});

describe('the registers of a record', () => {
  const records = [
    ...NAMED_MCA.map(n => mca(n.status, { vendor: n.vendor, bank: n.bank, mcgStatus: n.mcgStatus, misc: n.misc })),
    ...NAMED_ESR.map(n => esr(n.esr, { el: n.el, far: 0x1000n, hpfar: 0x10n, pfar: 0x2000n, flags: 1n, gpa: 0x3000n })),
    memory({ errorStatus: 0x40400n, physicalAddress: 0x1000n }, { blockStatus: 0x11 }),
  ];

  it('are rows that add up to the value, with a strip that has a letter for each', () => {
    for (const raw of records) {
      const views = describeRaw(raw);
      expect(views.length, raw.kind).toBeGreaterThan(1);
      for (const view of views) {
        const sum = view.rows.reduce((all, row) => all | (row.value << BigInt(row.lo)), 0n);
        expect([view.name, sum]).toEqual([view.name, view.source === undefined ? 0n : view.value]);
        expect(stripOf(view).letters.size).toBe(view.rows.filter(row => row.hi < view.width).length);
      }
    }
  });

  it.each([
    ['a machine check', mca(0xbd80000000000134n), 'MCi_STATUS', '10111101 10000000'],
    ['an abort', esr(0x9200_0410n), 'ESR_ELx', '10010010 00000000 00000100 00010000'],
    ['a firmware record', memory({ errorStatus: 0x40400n }), 'ErrorStatus', '00000000 00000100 00000100 00000000'],
  ])('are drawn for %s', (_, raw, name, bits) => {
    const view = describeRaw(raw).find(v => v.name === name);
    expect(view === undefined ? undefined : stripOf(view).lines[1]).toMatch(bits);
  });

  it('come with the section of their manual', () => {
    expect(describeRaw(memory({ errorStatus: 1n }, { blockStatus: 1 })).map(v => [v.member, v.source])).toEqual([
      ['blockStatus', 'ACPI 6.5 18.3.2.7.1, Generic Error Status Block'],
      ['sections[0].body.errorStatus', 'UEFI 2.10 appendix N, Error Status'],
    ]);
  });

  it('are none of an event, of which nothing is remarkable either', () => {
    const event = { kind: 'event', name: 'panic', fields: {} } as const;
    expect([describeRaw(event), lint(event)]).toEqual([[], []]);
  });
});

describe('the next step', () => {
  it('is there for each kind of record', () => {
    const block = decodeGhesBlock(encodeGhesBlock({ severity: 'fatal', sections: [{ body: { kind: 'memory' } }] }));
    const cper = block.value;
    expect(RECORD_RULES['x86-mca'].nextStep(mca(0xbd80000000000134n))[0]).toMatch(/^Take the page out of use/);
    expect(RECORD_RULES['arm-sea'].nextStep(esr(0x9200_0015n))).toEqual([
      'The walk itself failed, so the bad memory holds a translation table, which nobody can repair.',
      expect.stringMatching(/^Look for a firmware record/),
      expect.stringMatching(/^It came from a lower exception level/),
    ]);
    expect(cper === undefined ? [] : RECORD_RULES.cper.nextStep(cper)).toEqual([
      expect.stringMatching(/^Expect a panic/),
    ]);
  });
});
