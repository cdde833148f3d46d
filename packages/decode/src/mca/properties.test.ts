/** Properties of all registers and records, and every combination of the flags. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as amd from './amd-registers.ts';
import * as common from './registers.ts';
import { classify } from './classify.ts';
import { CPUID_1_EAX } from './cpu.ts';
import { SMCA_BANKS } from './smca-banks.ts';
import { describeRecord, explain, lint, nextStep, pageOf } from './of-record.ts';
import { component } from './testing/rules.ts';
import { LINT_CODES } from './lint-codes.ts';
import { MCA_SEVERITIES, severity } from './severity.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import type { McaClass } from './classify.ts';
import type { McaSeverity } from './severity.ts';
import type { McaVendor, X86McaRecord } from './record.ts';
import * as intelMisc from './intel-misc.ts';
import type { Register } from '../registers/register.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const REGISTERS = (Object.values({ ...common, ...amd, CPUID_1_EAX, ...intelMisc }) as unknown[]).filter(
  (v): v is Register => typeof v === 'object' && v !== null && 'fields' in v,
);

describe('registers', () => {
  it.each(REGISTERS.map(r => [`${r.name}, ${r.source}`, r] as const))('%s: encode undoes decode', (_, register) => {
    fc.assert(
      fc.property(u64, v => {
        const decoded = register.decode(v);
        expect(register.encode(decoded as never)).toBe(v);
        expect(register.decode(register.encode(decoded as never))).toEqual(decoded);
      }),
    );
  });

  it.each(REGISTERS.map(r => [`${r.name}, ${r.source}`, r] as const))('%s: each field alone', (_, register) => {
    for (const f of register.fields) {
      const ones = (1n << BigInt(f.hi - f.lo + 1)) - 1n;
      const value = register.encode({ [f.name]: f.kind === 'bit' ? true : ones } as never);
      expect([f.name, value]).toEqual([f.name, ones << BigInt(f.lo)]);
    }
  });
});

/** All sums of a set of bits. */
function* combinations(bits: readonly bigint[]): Generator<bigint> {
  for (let n = 0; n < 1 << bits.length; n++) {
    let value = 0n;
    for (const [i, b] of bits.entries()) if ((n >> i) & 1) value |= 1n << b;
    yield value;
  }
}

const has = (status: bigint, bit: bigint): boolean => ((status >> bit) & 1n) === 1n;

/** SDM vol. 3B, UCR Error Classification, table "MC Error Classifications", written out again. */
function intelClass(status: bigint, ser: boolean): McaClass {
  if (!has(status, 63n)) return 'invalid';
  if (!has(status, 61n)) return 'CE';
  if (has(status, 57n)) return 'PCC';
  const sAr = ser ? `${has(status, 56n) ? 1 : 0}${has(status, 55n) ? 1 : 0}` : '01';
  return ({ '00': 'UCNA', '10': 'SRAO', '11': 'SRAR', '01': 'UC' } as const)[sAr as '00'];
}

function amdClass(status: bigint): McaClass {
  if (!has(status, 63n)) return 'invalid';
  if (has(status, 57n)) return 'PCC';
  if (has(status, 44n)) return 'Deferred';
  return has(status, 61n) ? 'UC' : 'CE';
}

const INTEL_FLAGS = [63n, 62n, 61n, 60n, 59n, 58n, 57n, 56n, 55n, 54n, 53n, 52n, 37n];
const AMD_FLAGS = [63n, 62n, 61n, 60n, 59n, 58n, 57n, 56n, 55n, 54n, 53n, 46n, 45n, 44n, 43n, 40n];

function check(record: X86McaRecord): void {
  const grade = severity(record);
  if (!MCA_SEVERITIES.includes(grade)) throw new Error(`severity ${grade}`);
  for (const f of lint(record)) if (LINT_CODES[f.code].severity !== f.severity) throw new Error(f.code);
  if (!/^[A-Z][^\n]+\.\)?$/.test(explain(record))) throw new Error(explain(record));
  if (nextStep(record).length === 0 && grade !== 'unknown') throw new Error('no next step');
  component(record);
  pageOf(record);
}

describe('every combination of the flags', () => {
  it(`Intel: 2^${INTEL_FLAGS.length}, with and without software error recovery, has one class and no crash`, () => {
    const wrong: string[] = [];
    for (const flags of combinations(INTEL_FLAGS)) {
      for (const mcgCap of [0x0100_0c0an, 0x0000_0c0an]) {
        const record: X86McaRecord = { kind: 'x86-mca', vendor: 'intel', bank: 1, status: flags | 0x134n, mcgCap };
        const want = intelClass(flags, mcgCap === 0x0100_0c0an);
        if (classify(record) !== want) wrong.push(`${flags.toString(16)} ${classify(record)} not ${want}`);
        check(record);
      }
    }
    expect(wrong).toEqual([]);
  });

  it(`AMD: 2^${AMD_FLAGS.length} have one class`, () => {
    const wrong: string[] = [];
    for (const flags of combinations(AMD_FLAGS)) {
      const got = classify({ vendor: 'amd', status: flags });
      if (got !== amdClass(flags)) wrong.push(`${flags.toString(16)} ${got}`);
    }
    expect(wrong).toEqual([]);
  });

  it('AMD: the flags that matter, in a known bank, do not crash anything', () => {
    let n = 0;
    for (const flags of combinations(AMD_FLAGS.filter(b => b !== 56n && b !== 40n && b !== 60n))) {
      check({ kind: 'x86-mca', vendor: 'amd', bank: 17, status: flags, ipid: 0x9600150f00n, addr: 64n, synd: 1n });
      n++;
    }
    expect(n).toBe(1 << 13);
  });
});

const MORE: readonly (readonly [status: bigint, vendor: McaVendor | undefined, severity: McaSeverity])[] = [
  [0n, 'intel', 'none'],
  [0x9c000000000000c0n, 'intel', 'corrected'],
  [0xbc00000080000136n, 'intel', 'deferred'],
  [0xbd000000000000c0n, 'intel', 'uncorrected-recoverable'],
  [0xfd000000000000c0n, 'intel', 'uncorrected-recoverable'],
  [0xbd80000000000134n, 'intel', 'uncorrected-recoverable'],
  // OVER: the lost error may have been a fatal one.
  [0xfd80000000000134n, 'intel', 'fatal'],
  [0xbc80000000000134n, 'intel', 'uncorrected'],
  [0xb200000000000000n, 'intel', 'fatal'],
  [0x9c00100000000000n, 'amd', 'deferred'],
  [0xbc00080000000000n, 'amd', 'uncorrected-recoverable'],
  [0xfc00080000000000n, 'amd', 'uncorrected'],
  [0xbc00000000000000n, 'amd', 'uncorrected'],
  [0xbe00080000000000n, 'amd', 'fatal'],
  [0xbd000000000000c0n, undefined, 'unknown'],
  [0xb200000000000000n, undefined, 'fatal'],
];

describe('severity', () => {
  it.each(MORE)('grades %s of %s as %s', (status, vendor, want) => {
    expect(severity(vendor === undefined ? { status } : { status, vendor })).toBe(want);
  });

  it('believes an MCG_CAP without software error recovery', () => {
    expect(severity({ vendor: 'intel', status: 0xbd80000000000134n, mcgCap: 10n })).toBe('uncorrected');
  });

  it('lists the grades mildest first', () => {
    expect(MCA_SEVERITIES).toEqual([
      'none',
      'corrected',
      'deferred',
      'uncorrected-recoverable',
      'uncorrected',
      'fatal',
      'unknown',
    ]);
  });
});

const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arb, { nil: undefined });
/** Any record at all, with the values that decide something more often than chance would give them. */
const anyRecord = fc
  .record({
    vendor: maybe(fc.constantFrom<McaVendor>('intel', 'amd')),
    cpu: maybe(fc.nat(4096)),
    bank: fc.oneof(fc.integer({ min: -1, max: 40 }), fc.constant(255)),
    status: u64,
    mcgStatus: maybe(fc.oneof(fc.bigInt({ min: 0n, max: 15n }), u64)),
    mcgCap: maybe(fc.oneof(fc.constantFrom(0x0100010an, 0x0f000c14n), u64)),
    addr: maybe(u64),
    misc: maybe(fc.oneof(fc.constantFrom(0x8cn, 0x86n, 0n), u64)),
    synd: maybe(u64),
    ipid: maybe(
      fc.oneof(fc.constantFrom(...SMCA_BANKS.map(b => (BigInt(b.mcaType) << 48n) | (BigInt(b.hwid) << 32n))), u64),
    ),
    config: maybe(u64),
    destat: maybe(u64),
    deaddr: maybe(u64),
    cpuid: maybe(
      fc.oneof(fc.constantFrom(0x50657n, 0x606a6n, 0x806f8n, 0xa06d0n, 0xa10f11n, 0x600f20n, 0x100f42n), u64),
    ),
  })
  .map(members => {
    const given = Object.entries(members).filter(([, value]) => value !== undefined);
    return { kind: 'x86-mca', ...Object.fromEntries(given) } as X86McaRecord;
  });

describe('any record', () => {
  it('is explained, graded and checked without an exception, on one line', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        check(record);
        expect(MCA_SEVERITIES).toContain(severity(record));
        for (const line of [explain(record), ...nextStep(record), ...lint(record).map(f => f.message)]) {
          expect(line).not.toMatch(/[\n\r\t]|undefined|NaN/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps every register in its views, bit for bit', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        for (const view of describeRecord(record)) {
          expect(view.value).toBe(record[view.member]);
          const sum = view.rows.reduce((all64, row) => all64 | (row.value << BigInt(row.lo)), 0n);
          expect([view.rows.length > 0, sum]).toEqual(view.source === undefined ? [false, 0n] : [true, view.value]);
        }
      }),
    );
  });

  it('never names a page for an address that is not valid', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        const page = pageOf(record);
        if (page === undefined) return;
        expect(MCI_STATUS_INTEL.decode(record.status)).toMatchObject({ VAL: true, ADDRV: true });
        expect(page.pfn).toBe(page.address >> 12n);
        expect(page.pages).toBe(page.lsb > 12 ? 1n << BigInt(page.lsb - 12) : 1n);
      }),
    );
  });

  it('orders findings by severity, and gives each bit range inside its register', () => {
    const rank = { error: 0, warning: 1, info: 2 };
    fc.assert(
      fc.property(anyRecord, record => {
        const found = lint(record);
        const ranks = found.map(f => rank[f.severity]);
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
        for (const b of found.flatMap(f => f.bits ?? [])) {
          expect(b.hi).toBeLessThanOrEqual(63);
          expect(b.lo).toBeLessThanOrEqual(b.hi);
        }
      }),
    );
  });
});

describe('status layouts', () => {
  it('agree on what both vendors share', () => {
    for (const name of ['VAL', 'OVER', 'UC', 'EN', 'MISCV', 'ADDRV', 'PCC'] as const) {
      expect(MCI_STATUS_AMD.encode({ [name]: true })).toBe(MCI_STATUS_INTEL.encode({ [name]: true }));
    }
  });
});
