/** What is kept for the records to come must never change what is said: everything is held to the functions themselves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { escapeJson } from '../common/screen.ts';
import { classify, gradedClass } from '../mca/classify.ts';
import { describeRecord, explain, lint, nextStep, pageOf } from '../mca/of-record.ts';
import { component } from '../mca/testing/rules.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { severity } from '../mca/severity.ts';
import { Kept } from './kept.ts';
import { placeOfMca } from './mca-place.ts';
import { McaDecoded } from './mca-record.ts';
import { outlookOf } from './outlook.ts';
import { toData } from './record.ts';
import type { DecodedRecord } from './record.ts';
import { JsonWriter } from './to-json.ts';
import { TextWriter, toText } from './to-text.ts';

const decoder = new TextDecoder();
const SOURCE = { input: 'log', from: 'linux', firstLine: 1, lastLine: 4 } as const;

const u64 = fc.bigInt(0n, (1n << 64n) - 1n);
/** Values that meet again, values one bit away from them, and any. */
const near = (...values: readonly bigint[]): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...values) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom(...values), fc.nat(63)).map(([v, bit]) => v ^ (1n << BigInt(bit))),
    },
    { weight: 1, arbitrary: u64 },
  );

const record: fc.Arbitrary<X86McaRecord> = fc
  .record(
    {
      vendor: fc.constantFrom('intel' as const, 'amd' as const),
      cpu: fc.nat(300),
      mcgStatus: near(0n, 5n, 7n),
      mcgCap: near(0x1000c0an, 0xf000c14n),
      addr: near(0n, 0x91ee000n, 0x0600000012345678n, 0x3a2529d1000n),
      misc: near(0n, 0x8cn, 0x86n, 0xd01a000001000000n, 0x5a00000000000086n),
      synd: near(0n, 0x5bn, 0x2a00000001000102n),
      synd1: near(0n, 0x4d4d4944n),
      ipid: near(0n, 0x9600050f00n, 0xb000000000n, 0x17002en),
      config: near(0n, 0x1ffn),
      destat: near(0n, 0x8400100000000000n),
      deaddr: near(0n, 0x1234000n),
      cpuid: near(0n, 0x50654n, 0x806f8n, 0xa20f12n, 0x600f12n, 0x606a6n),
      tsc: u64,
      time: u64,
      apicId: fc.constantFrom(0n, 7n),
      cs: fc.constantFrom(0x10n, 0x33n),
      rip: u64,
      socket: fc.nat(3),
    },
    { requiredKeys: [] },
  )
  .chain(rest =>
    fc
      .record({
        kind: fc.constant('x86-mca' as const),
        bank: fc.oneof(fc.constantFrom(-1, 0, 1, 4, 7, 9, 13, 255), fc.integer()),
        status: near(
          0n,
          0xbd80000000000134n,
          0xbd000000000000c0n,
          0x9c00180000000000n,
          0xbc00080000000000n,
          0x8c00004000010090n,
          0xdc2040000000011bn,
          0xbea0000000000e0bn,
          0x9c20000000000e0bn,
          0xa000000000000000n,
          0x8c000040001000c0n,
        ),
      })
      .map(own => ({ ...own, ...rest })),
  );

/** The same record as another CPU of another time reports it, from another place of its memory. */
const elsewhere = fc.record({ cpu: fc.nat(4096), addr: u64, misc: u64, synd: u64, counter: fc.bigInt(0n, 0xfffn) });

function others(first: X86McaRecord, e: { cpu: number; addr: bigint; misc: bigint; synd: bigint; counter: bigint }) {
  const { addr, misc, synd } = first;
  return [
    { ...first, cpu: e.cpu, tsc: e.addr, ...(addr === undefined ? {} : { addr: e.addr }) },
    { ...first, ...(addr === undefined ? {} : { addr: addr & 0xff00000000000000n }) },
    { ...first, ...(misc === undefined ? {} : { misc: (misc & 0x1ffn) | (e.misc & ~0x1ffn) }) },
    { ...first, ...(misc === undefined ? {} : { misc: (misc & ~(0xfffn << 32n)) | (e.counter << 32n) }) },
    { ...first, ...(synd === undefined ? {} : { synd: (synd & 7n) | (e.synd & ~7n) }) },
    { ...first, status: first.status ^ (e.counter << 38n) },
    { ...first, status: first.status ^ (e.addr & 0xffff0000n) },
    { ...first, status: first.status ^ (1n << (e.misc & 63n)) },
    { ...first, bank: first.bank + 1 },
    { ...first, tsc: 0n },
    { ...first, tsc: 1n },
    { ...first, cs: 0x33n },
    { ...first, cs: 0x10n },
    first,
    first,
  ];
}

/** As of one decoder. */
const kept = new Kept();

/** Every member from the functions of the mca room, nothing kept. */
function fresh(raw: X86McaRecord): DecodedRecord {
  const decoded = new McaDecoded(raw, SOURCE, []);
  const { kind, cpu, bank, registers, flags, mcacod, headline, title } = decoded;
  const { count, threshold, time, lineTime } = decoded;
  const { area, name, detail, basis } = component(raw);
  const page = pageOf(raw);
  const addrv = (raw.status & (1n << 58n)) !== 0n && raw.addr !== undefined;
  const fields = describeRecord(raw).flatMap(v => v.rows.map(row => ({ register: v.member, ...row })));
  return {
    source: SOURCE,
    raw,
    diagnostics: [],
    kind,
    cpu,
    bank,
    registers,
    flags,
    mcacod,
    headline,
    title,
    place: placeOfMca(raw),
    count,
    threshold,
    time,
    lineTime,
    class: gradedClass(raw),
    severity: severity(raw),
    address:
      page === undefined
        ? addrv
          ? { value: raw.addr ?? 0n, space: 'unknown' }
          : undefined
        : page.assumed === true
          ? { value: page.address, space: 'physical', pfn: page.pfn }
          : { value: page.address, space: 'physical', pfn: page.pfn, lsb: page.lsb, pages: page.pages },
    component: detail === undefined ? { area, name, basis } : { area, name, detail, basis },
    lint: lint(raw),
    fields,
    fieldsOf: register => fields.filter(f => f.register === register),
    explanation: explain(raw),
    nextStep: nextStep(raw).join(' '),
    outlook: raw.vendor === undefined || classify(raw) === 'invalid' ? [] : outlookOf(raw, SOURCE.from),
    pattern: undefined,
    outlookPattern: undefined,
  };
}

const MEMBERS = [
  'class',
  'severity',
  'address',
  'component',
  'place',
  'lint',
  'fields',
  'explanation',
  'nextStep',
  'outlook',
] as const satisfies readonly (keyof DecodedRecord)[];

describe('what is kept for records of one pattern', () => {
  it('changes no member', () => {
    fc.assert(
      fc.property(record, elsewhere, (first, e) => {
        for (const raw of others(first, e)) {
          const [shared, own] = [new McaDecoded(raw, SOURCE, [], kept), fresh(raw)];
          for (const member of MEMBERS) expect({ [member]: shared[member] }).toEqual({ [member]: own[member] });
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([false, true])('changes no text (table: %s)', table => {
    const writer = new TextWriter({ table, full: true });
    fc.assert(
      fc.property(record, elsewhere, (first, e) => {
        for (const raw of others(first, e)) {
          const shared = writer.text(new McaDecoded(raw, SOURCE, [], kept));
          expect(shared).toBe(`${toText(fresh(raw), { table }).join('\n')}\n`);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('shares an outlook where the bits that differ decide nothing there', () => {
    const raw = { kind: 'x86-mca', vendor: 'intel', bank: 7, misc: 0x8cn, addr: 0x1000n, cpuid: 0x606a6n } as const;
    const of = (status: bigint): object | undefined =>
      new McaDecoded({ ...raw, status }, SOURCE, [], kept).outlookPattern;
    const corrected = of(0x8c00004001010090n);
    expect(corrected).toBeDefined();
    // Another count and another model-specific code.
    expect(of(0x8c0000800f0f0090n)).toBe(corrected);
    expect(of(0x8c00004001010091n)).not.toBe(corrected);
    expect(of(0xbc00004001010090n)).not.toBe(corrected);
    const recordOf = (status: bigint): McaDecoded => new McaDecoded({ ...raw, status }, SOURCE, []);
    const told = (r: McaDecoded): unknown => r.outlook.map(o => ({ ...o, messages: [] }));
    expect(told(recordOf(0x8c0000800f0f0090n))).toEqual(told(recordOf(0x8c00004001010090n)));
  });

  it('changes no JSON', () => {
    const writer = new JsonWriter();
    const input = fc.oneof(fc.constantFrom('log', 'a "b"', 'caf\u00e9\u202e'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(record, elsewhere, input, (first, e, name) => {
        for (const raw of others(first, e)) {
          const decoded = new McaDecoded({ ...raw }, { ...SOURCE, input: name }, [], kept);
          const line = writer.line(decoded);
          expect(decoder.decode(line)).toBe(`${escapeJson(stringify(toData(decoded)))}\n`);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('writes booleans itself (the filter bit of an error code)', () => {
    const raw = { kind: 'x86-mca', vendor: 'intel', bank: 0, status: 0x9000000000001e28n } as const;
    expect(decoder.decode(new JsonWriter().line(new McaDecoded(raw, SOURCE, [], kept)))).toContain('"filtered":true');
  });

  it('is shared where only address, CPU and time differ', () => {
    const raw = { kind: 'x86-mca', vendor: 'intel', bank: 7, status: 0x8c00004000010090n, misc: 0x8cn } as const;
    const records = [1n, 2n, 3n].map(
      n => new McaDecoded({ ...raw, cpu: Number(n), addr: n << 20n, tsc: n }, SOURCE, [], kept),
    );
    // The first is only remembered.
    const [, second, third] = records.map(r => r.pattern);
    expect(second).toBeDefined();
    expect(third).toBe(second);
    expect(new Set(records.map(r => r.explanation)).size).toBe(3);
  });
});
