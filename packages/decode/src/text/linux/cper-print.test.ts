/** What the kernel prints of a firmware record, put together again: printed here by the rules of its format strings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armErrorTypeNames } from '../../cper/arm.ts';
import type { CperArmProcessor, CperBody, CperPcieError, CperX86Processor } from '../../cper/record.ts';
import { SECTION_PCIE, SECTION_PROC_ARM, SECTION_PROC_X86 } from '../../cper/guid.ts';
import { CperLines } from './cper-lines.ts';
import { ARM_CONTEXT_NAMES, PRINTED_CHECKS, X86_CONTEXT_NAMES } from './cper-names.ts';
import type { CperItem, TextItem } from '../item.ts';

const hex = (n: bigint | number, width: number): string => n.toString(16).padStart(width, '0');
const h16 = (n: bigint): string => `0x${hex(n, 16)}`;

/** print_hex_dump(): rows of 16 bytes in groups; a row that is no whole number of groups is printed as bytes. */
function dump(bytes: Uint8Array, group: number, ascii = false): string[] {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const size = row.length % group === 0 ? group : 1;
    const words: string[] = [];
    for (let i = 0; i < row.length; i += size)
      words.push(
        row
          .slice(i, i + size)
          .toReversed()
          .map(b => hex(b, 2))
          .join(''),
      );
    rows.push(`${hex(at, 8)}: ${words.join(' ')}${ascii ? `  ${'.'.repeat(row.length)}` : ''}`);
  }
  return rows;
}

function arm(body: CperArmProcessor): string[] {
  const out = [`MIDR: ${h16(body.midr ?? 0n)}`];
  if (body.mpidr !== undefined) out.push(`Multiprocessor Affinity Register (MPIDR): ${h16(body.mpidr)}`);
  body.errors.forEach((e, i) => {
    out.push(
      `Error info structure ${i}:`,
      `num errors: ${(e.multipleError ?? 0) + 1}`,
      ` error_type: 0x${(e.type ?? 0).toString(16).padStart(2, '0')}: ${armErrorTypeNames(e.type ?? 0).join('|') || 'unknown'}`,
    );
    if (e.errorInfo !== undefined)
      out.push(` error_info: ${h16(e.errorInfo)}`, '  cache level: 1', '  PC is imprecise');
    if (e.physicalAddress !== undefined) out.push(` physical fault address: ${h16(e.physicalAddress)}`);
  });
  body.contexts.forEach((c, i) => {
    out.push(`Context info structure ${i}:`, ` register context type: ${ARM_CONTEXT_NAMES[c.type ?? 0]}`);
    out.push(...dump(c.data, 4));
  });
  if (body.vendorInfo !== undefined) {
    out.push(`Vendor specific error info has ${body.vendorInfo.length} bytes:`, ...dump(body.vendorInfo, 4, true));
  }
  return out;
}

function x86(body: CperX86Processor): string[] {
  const out = [`Local APIC_ID: 0x${(body.apicId ?? 0n).toString(16)}`];
  if (body.cpuid !== undefined) out.push('CPUID Info:', ...dump(body.cpuid, 4));
  body.errors.forEach((e, i) => {
    const name = Object.keys(PRINTED_CHECKS).find(n => PRINTED_CHECKS[n] === e.type) ?? 'unknown';
    out.push(`Error Information Structure ${i}:`, ` Error Structure Type: ${name}`);
    if (name === 'unknown') out.push(` Error Structure Type: ${e.type}`);
    if (e.checkInfo !== undefined)
      out.push(` Check Information: ${h16(e.checkInfo)}`, '  Transaction Type: 1, Data Access');
    if (e.instructionPointer !== undefined) out.push(` Instruction Pointer: ${h16(e.instructionPointer)}`);
  });
  body.contexts.forEach((c, i) => {
    out.push(`Context Information Structure ${i}:`, ` Register Context Type: ${X86_CONTEXT_NAMES[c.type ?? 0]}`);
    out.push(` Register Array Size: 0x${hex(c.data.length, 4)}`);
    if (c.msrAddress !== undefined) out.push(` MSR Address: 0x${hex(c.msrAddress, 8)}`);
    out.push(' Register Array:', ...dump(c.data, c.type === 1 ? 8 : 4));
  });
  return out;
}

function pcie(b: CperPcieError): string[] {
  return [
    `port_type: ${b.portType}, root port`,
    `version: ${(b.version ?? 0) >> 8}.${(b.version ?? 0) & 0xff}`,
    `command: 0x${hex(b.command ?? 0, 4)}, status: 0x${hex(b.status ?? 0, 4)}`,
    `device_id: ${hex(b.segment ?? 0, 4)}:${hex(b.bus ?? 0, 2)}:${hex(b.device ?? 0, 2)}.${hex(b.function ?? 0, 1)}`,
    `slot: ${b.slot}`,
    `secondary_bus: 0x${hex(b.secondaryBus ?? 0, 2)}`,
    `vendor_id: 0x${hex(b.vendorId ?? 0, 4)}, device_id: 0x${hex(b.deviceId ?? 0, 4)}`,
    `class_code: ${hex(b.classCode ?? 0, 6)}`,
    `serial number: 0x${hex((b.serialNumber ?? 0n) & 0xffff_ffffn, 4)}, 0x${hex((b.serialNumber ?? 0n) >> 32n, 4)}`,
    `bridge: secondary_status: 0x${hex(b.bridgeSecondaryStatus ?? 0, 4)}, control: 0x${hex(b.bridgeControl ?? 0, 4)}`,
  ];
}

function read(section: string, lines: readonly string[]): { cper: CperItem; all: TextItem[] } {
  const all: TextItem[] = [];
  const reader = new CperLines(item => all.push(item));
  const head = [
    'event severity: fatal',
    ' precise tstamp: 2026-03-16 11:34:29',
    ' Error 0, type: fatal',
    `  section_type: ${section}`,
  ];
  [...head, ...lines.map(l => `   ${l}`)].forEach((text, i) => reader.take(`{1}[Hardware Error]: ${text}`, i + 1));
  reader.end();
  const [cper] = all;
  if (cper?.type !== 'cper') throw new Error('no record');
  return { cper, all };
}

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const bytes = (min: number, max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: min, maxLength: max });
const clean = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)));

const ARM = fc.record({
  kind: fc.constant('arm-processor' as const),
  midr: u64,
  mpidr: some(u64),
  errors: fc.array(
    fc.record({ multipleError: u(0xffff), type: u(31), errorInfo: some(u64), physicalAddress: some(u64) }),
    { maxLength: 3 },
  ),
  contexts: fc.array(fc.record({ type: u(8), data: bytes(1, 70) }), { maxLength: 3 }),
  vendorInfo: some(bytes(1, 50)),
});
const X86 = fc.record({
  kind: fc.constant('x86-processor' as const),
  apicId: u64,
  cpuid: some(bytes(48, 48)),
  errors: fc.array(
    fc.record({
      type: fc.oneof(fc.constantFrom(...Object.values(PRINTED_CHECKS)), fc.uuid()),
      checkInfo: some(u64),
      instructionPointer: some(u64),
    }),
    { maxLength: 3 },
  ),
  contexts: fc.array(
    fc
      .record({ type: u(7), data: bytes(1, 100) })
      .chain(c => (c.type === 1 ? u(0xffff).map(msrAddress => ({ ...c, msrAddress })) : fc.constant(c))),
    { maxLength: 3 },
  ),
});
const PCIE = fc.record({
  kind: fc.constant('pcie' as const),
  portType: u(10),
  version: u(0xffff),
  command: u(0xffff),
  status: u(0xffff),
  segment: u(0xffff),
  bus: u(255),
  device: u(31),
  function: u(7),
  slot: u(0x1fff),
  secondaryBus: u(255),
  vendorId: u(0xffff),
  deviceId: u(0xffff),
  classCode: u(0xffffff),
  serialNumber: u64,
  bridgeSecondaryStatus: u(0xffff),
  bridgeControl: u(0xffff),
});

describe('a printed section is the section', () => {
  const check = (name: string, type: string, body: CperBody, lines: readonly string[]): void => {
    const { cper } = read(name, lines);
    const [section] = cper.record.sections;
    expect(cper.notes).toEqual([]);
    expect(section).toMatchObject({ type, timestamp: 0x2026_0316_0111_3429n });
    expect(clean(section?.body)).toEqual(clean(body));
  };
  it('ARM processor', () => {
    const holds = fc.property(ARM, b =>
      check('ARM processor error', SECTION_PROC_ARM, b as CperBody, arm(b as CperArmProcessor)),
    );
    expect(() => fc.assert(holds)).not.toThrow();
  });
  it('IA32/X64 processor', () => {
    const holds = fc.property(X86, b =>
      check('IA32/X64 processor error', SECTION_PROC_X86, b as CperBody, x86(b as CperX86Processor)),
    );
    expect(() => fc.assert(holds)).not.toThrow();
  });
  it('PCIe', () => {
    const holds = fc.property(PCIE, b => check('PCIe error', SECTION_PCIE, b as CperBody, pcie(b as CperPcieError)));
    expect(() => fc.assert(holds)).not.toThrow();
  });
});

describe('what is missing is said', () => {
  it('when a row of a dump was lost', () => {
    const body = {
      kind: 'x86-processor' as const,
      apicId: 1n,
      errors: [],
      contexts: [{ type: 1, msrAddress: 0x400, data: new Uint8Array(64).fill(0x81) }],
    };
    const lines = x86(body);
    for (let lost = lines.length - 4; lost < lines.length; lost++) {
      const { cper, all } = read(
        'IA32/X64 processor error',
        lines.filter((_, i) => i !== lost),
      );
      expect(cper.notes.map(n => n.code)).toEqual(['W_TEXT_INCOMPLETE']);
      expect(all).toHaveLength(1);
    }
  });

  const more = (what: string): string => `the section has more than 64 ${what}; the others were left out`;
  const bounded = (section: string, lines: readonly string[]): { body: CperBody | undefined; said: string[] } => {
    const { cper } = read(section, lines);
    expect(cper.notes.filter(n => n.code !== 'E_TEXT_BOUND')).toEqual([]);
    return { body: cper.record.sections[0]?.body, said: cper.notes.map(n => n.message) };
  };

  it('when a record has more sections than are read, and the last that is read is itself', () => {
    const all: TextItem[] = [];
    const reader = new CperLines(item => all.push(item));
    const lines = ['event severity: corrected'];
    for (let i = 0; i < 70; i++) {
      lines.push(` Error ${i}, type: corrected`, ' fru_text: DIMM', '  section_type: memory error');
      lines.push(`  physical_address: ${h16(BigInt(i + 1) << 12n)}`);
    }
    lines.forEach((text, i) => reader.take(`{1}[Hardware Error]: ${text}`, i + 1));
    reader.end();
    const [cper] = all;
    if (cper?.type !== 'cper') throw new Error('no record');
    const addresses = cper.record.sections.map(({ body }) => (body.kind === 'memory' ? body.physicalAddress : 0n));
    expect(addresses).toEqual(Array.from({ length: 64 }, (_, i) => BigInt(i + 1) << 12n));
    const message = `the record has more than 64 sections; those from line ${2 + 64 * 4} on were left out`;
    expect(cper.notes).toEqual([{ code: 'E_TEXT_BOUND', message }]);
  });

  it('when a record says so much else that there is no more room for remarks', () => {
    const all: TextItem[] = [];
    const reader = new CperLines(item => all.push(item));
    const lines = ['event severity: corrected'];
    for (let i = 0; i < 70; i++) lines.push(` Error ${i}, type: corrected`, '  section_type: something new');
    lines.forEach((text, i) => reader.take(`{1}[Hardware Error]: ${text}`, i + 1));
    reader.end();
    expect(all[0]?.type === 'cper' && all[0].notes.map(n => n.code)).toEqual([
      ...Array(64).fill('W_TEXT_SECTION'),
      'E_TEXT_BOUND',
    ]);
  });

  it('when a section has more structures than are read, and the last that is read is itself', () => {
    const errors = Array.from({ length: 70 }, (_, i) => ({ type: 2, errorInfo: BigInt(i), multipleError: 0 }));
    const data = Uint8Array.of(1, 2, 3, 4);
    const contexts = errors.map((_, i) => ({ type: 4, data: data.map(b => b + i) }));
    const ofArm = { kind: 'arm-processor' as const, midr: 1n, errors, contexts, vendorInfo: data };
    expect(bounded('ARM processor error', arm(ofArm))).toEqual({
      body: { ...ofArm, errors: errors.slice(0, 64), contexts: contexts.slice(0, 64) },
      said: [more('error structures'), more('register contexts')],
    });
    const type = Object.values(PRINTED_CHECKS)[0] ?? '';
    const checks = errors.map(({ errorInfo }) => ({ type, checkInfo: errorInfo }));
    const ofX86 = { kind: 'x86-processor' as const, apicId: 1n, errors: checks, contexts };
    expect(bounded('IA32/X64 processor error', x86(ofX86))).toEqual({
      body: { ...ofX86, errors: checks.slice(0, 64), contexts: contexts.slice(0, 64) },
      said: [more('error structures'), more('register contexts')],
    });
  });

  it('when a dump has more bytes than are read, announced or not', () => {
    const rows = dump(new Uint8Array(65_536 + 16).fill(7), 4);
    const none = { kind: 'raw', data: new Uint8Array(0) };
    const message = 'the dump of the section has more than 65536 bytes; it was left out';
    const unknown = 'section type: unknown, 12345678-1234-1234-1234-123456789abc';
    for (const head of [[], ['section length: 0x10010']]) {
      const { cper } = read('', [unknown, ...head, ...rows]);
      expect(cper.record.sections[0]?.body).toEqual(none);
      expect(cper.notes).toEqual([{ code: 'E_TEXT_BOUND', message }]);
    }
    const whole = read('', [unknown, ...rows.slice(0, -1)]);
    expect(whole.cper.record.sections[0]?.body).toEqual({ kind: 'raw', data: new Uint8Array(65_536).fill(7) });
    expect(whole.cper.notes).toEqual([]);
  });

  it('and machine check registers that are there are records of their own', () => {
    const data = new Uint8Array(16);
    new DataView(data.buffer).setBigUint64(8, 0xb200000000000000n, true);
    const { all } = read(
      'IA32/X64 processor error',
      x86({ kind: 'x86-processor', apicId: 3n, errors: [], contexts: [{ type: 1, msrAddress: 0x400, data }] }),
    );
    expect(all[1]).toMatchObject({ type: 'mca', record: { bank: 0, status: 0xb200000000000000n, apicId: 3n } });
  });
});
