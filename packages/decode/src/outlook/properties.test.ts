import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { X86McaRecord } from '../mca/record.ts';
import { RULES } from './catalog.ts';
import { FIELDS, SETTINGS } from './context.ts';
import type { OutlookContext } from './context.ts';
import { explainPrediction } from './explain-prediction.ts';
import { Facts } from './facts.ts';
import { predict, predictAll, predictChain } from './predict.ts';
import { OUTLOOK_OUTCOMES } from './prediction.ts';
import type { Prediction } from './prediction.ts';
import type { OutlookRecord } from './record.ts';
import { MEMORY_SECTION } from './testing/records.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Status values whose interesting bits vary independently, and wild ones. */
const status = fc.oneof(
  u64,
  fc
    .tuple(
      fc.subarray([62n, 61n, 60n, 59n, 58n, 57n, 56n, 55n, 44n, 43n]),
      fc.constantFrom(0n, 0xc0n, 0x134n, 0x150n, 0x17an, 0x813n),
    )
    .map(([set, code]) => set.reduce((value, b) => value | (1n << b), (1n << 63n) | code)),
);

const x86Record: fc.Arbitrary<X86McaRecord> = fc.record(
  {
    kind: fc.constant('x86-mca' as const),
    vendor: fc.constantFrom('intel' as const, 'amd' as const),
    cpu: fc.integer({ min: 0, max: 8191 }),
    bank: fc.integer({ min: -1, max: 300 }),
    status,
    mcgStatus: fc.oneof(fc.bigInt({ min: 0n, max: 15n }), u64),
    mcgCap: u64,
    addr: u64,
    misc: u64,
    cpuid: u64,
    destat: u64,
    deaddr: u64,
  },
  { requiredKeys: ['kind', 'bank', 'status'] },
);

const severity = fc.constantFrom('recoverable' as const, 'fatal' as const, 'corrected' as const, 'none' as const);
const record: fc.Arbitrary<OutlookRecord> = fc.oneof(
  { weight: 4, arbitrary: x86Record },
  fc.record({ kind: fc.constant('arm-sea' as const), esr: u64, gpa: u64, far: u64 }),
  fc.record({
    kind: fc.constant('sigbus' as const),
    code: fc.constantFrom('BUS_MCEERR_AO' as const, 'BUS_MCEERR_AR' as const),
  }),
  fc.record({
    kind: fc.constant('cper' as const),
    severity,
    blockStatus: fc.integer(),
    sections: fc.array(
      fc.record({
        type: fc.constantFrom(MEMORY_SECTION, '00000000-0000-0000-0000-000000000000'),
        severity,
        revision: fc.integer(),
        flags: fc.integer(),
        body: fc.oneof(
          fc.record({ kind: fc.constant('memory' as const), physicalAddress: u64 }),
          fc.record({ kind: fc.constant('raw' as const), data: fc.uint8Array({ maxLength: 200 }) }),
        ),
      }),
      { maxLength: 3 },
    ),
  }),
);

const context: fc.Arbitrary<OutlookContext> = fc.record(
  {
    consumer: fc.constantFrom('linux' as const, 'xen' as const, 'qemu' as const, 'kvm' as const, 'vmm' as const),
    version: fc.constantFrom('5.15', '6.1', '6.19.6', '7.0-rc3', '7.2', 'next', ''),
    vendor: fc.constantFrom('intel' as const, 'amd' as const, 'arm' as const),
    delivery: fc.constantFrom(
      ...([
        'exception',
        'poll',
        'cmci',
        'interrupt',
        'boot',
        'sea',
        'serror',
        'ghes-sea',
        'ghes-notify',
        'hmp',
        'qmp-ghes',
        'set-mce',
        'sigbus-ao',
        'sigbus-ar',
      ] as const),
    ),
    platform: fc.constantFrom('bare-metal' as const, 'kvm' as const, 'tcg' as const),
    running: fc.constantFrom('user' as const, 'kernel' as const, 'kernel-recoverable' as const, 'idle' as const),
    cpus: fc.integer({ min: -1, max: 8 }),
    broadcast: fc.boolean(),
    mcip: fc.boolean(),
    ser: fc.boolean(),
    succor: fc.boolean(),
    smca: fc.boolean(),
    memoryFailure: fc.boolean(),
    monarchTimeout: fc.integer({ min: -1, max: 20_000_000 }),
    page: fc.constantFrom('user' as const, 'free' as const, 'kernel' as const, 'poisoned' as const, 'none' as const),
    earlyKill: fc.boolean(),
    bankStatus: u64,
  },
  { requiredKeys: ['consumer'] },
);

const KNOWN = new Set(RULES.map(r => r.id));

function wellFormed(p: Prediction): void {
  expect(OUTLOOK_OUTCOMES).toContain(p.outcome);
  expect(p.steps.length).toBeGreaterThan(0);
  expect(p.steps.map(s => s.rule.id)).toContain(p.rule.id);
  for (const { rule } of p.steps) expect(KNOWN.has(rule.id)).toBe(true);
  expect(p.certainty).toBe(p.dependsOn.length === 0 ? 'certain' : 'depends');
  for (const a of p.alternatives) {
    expect([a.outcome, a.delivery, a.signal]).not.toEqual([p.outcome, p.handover?.delivery, p.signal]);
    // Nothing that was given is in doubt.
    expect(p.context[a.setting]).toBeUndefined();
  }
  expect(p.outcome === 'forwarded' && p.handover === undefined).toBe(false);
  expect(p.outcome === 'panicked' && p.messages.length === 0).toBe(false);
}

describe('predict', () => {
  it('answers everything, throws on nothing, and names a known rule', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        const p = predict(r, c);
        expect(p.consumer).toBe(c.consumer);
        wellFormed(p);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same answer twice, with and without alternatives', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        const full = predict(r, c);
        expect(predict(r, c)).toEqual(full);
        expect(predict(r, c, { alternatives: false })).toMatchObject({ outcome: full.outcome, rule: full.rule });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps its answer when the assumptions are given', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        const first = predict(r, c);
        const given = Object.fromEntries(first.assumptions.map(a => [a.setting, a.value]));
        const again = predict(r, { ...c, ...given });
        expect(again.outcome).toBe(first.outcome);
        expect(again.assumptions).toEqual([]);
        expect(again.certainty).toBe('certain');
      }),
      { numRuns: 500 },
    );
  });

  it('leads to each alternative when its value is given', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        for (const a of predict(r, c).alternatives) {
          const other = predict(r, { ...c, [a.setting]: a.value }, { alternatives: false });
          expect([other.outcome, other.handover?.delivery, other.signal, other.rule.id]).toEqual([
            a.outcome,
            a.delivery,
            a.signal,
            a.rule,
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says of an abort under KVM that the capability decides, and of the exit itself what the VMM does', () => {
    const [kvm] = predictAll({ kind: 'arm-sea', esr: 0x92000010n }, { consumer: 'kvm' });
    expect(kvm?.alternatives).toContainEqual({
      setting: 'seaToUser',
      value: true,
      outcome: 'forwarded',
      delivery: 'sea',
      rule: 'kvm.sea.exit',
    });
    const exit = predictAll({ kind: 'arm-sea', esr: 0x92000010n, flags: 1n, gpa: 0x4567000n });
    expect(exit.map(p => [p.consumer, p.outcome])).toEqual([
      ['vmm', 'forwarded'],
      ['linux', 'killed'],
    ]);
  });

  it('explains every prediction in lines without line breaks', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        for (const line of explainPrediction(predict(r, c))) expect(line).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sanity of the rules', () => {
  const linuxException = (r: X86McaRecord, c: OutlookContext): Prediction => {
    const { mcip: _, ...rest } = c;
    const vendor = c.vendor === 'amd' ? 'amd' : 'intel';
    return predict(r, { ...rest, vendor, consumer: 'linux', delivery: 'exception' }, { alternatives: false });
  };

  it('PCC in an exception always panics Linux, unless EN says it was not the cause on Intel', () => {
    fc.assert(
      fc.property(x86Record, context, (r, c) => {
        const pcc = { ...r, status: r.status | (0b1001n << 60n) | (1n << 57n) };
        expect(linuxException(pcc, c).outcome).toBe('panicked');
      }),
      { numRuns: 1000 },
    );
  });

  it('an Intel exception without MCIP never survives', () => {
    fc.assert(
      fc.property(x86Record, context, (r, c) => {
        const { mcgStatus = 0n } = r;
        const enabled = { ...r, status: r.status | (0b1001n << 60n), mcgStatus: mcgStatus & ~4n };
        expect(linuxException(enabled, { ...c, vendor: 'intel' }).outcome).toBe('panicked');
      }),
      { numRuns: 500 },
    );
  });

  it('a poll panics only where the clearing of a deferred AMD error faults', () => {
    fc.assert(
      fc.property(x86Record, context, (r, c) => {
        const p = predict(r, { ...c, consumer: 'linux', delivery: 'poll' }, { alternatives: false });
        expect(p.outcome === 'panicked').toBe(p.rule.id === 'linux.amd-destat.crash');
      }),
      { numRuns: 1000 },
    );
  });

  it('what only changes a bank in QEMU never arrives as an exception, and UC never as a poll', () => {
    fc.assert(
      fc.property(x86Record, context, (r, c) => {
        const { handover } = predict(r, { ...c, consumer: 'qemu', delivery: 'hmp' }, { alternatives: false });
        if (handover?.record.kind !== 'x86-mca') return;
        const uc = ((handover.record.status >> 61n) & 1n) === 1n;
        expect(handover.delivery).toBe(uc ? 'exception' : 'poll');
        expect(handover.record.mcgStatus === undefined).toBe(!uc);
      }),
      { numRuns: 500 },
    );
  });

  it('a kernel that runs is never better off than a process that runs', () => {
    const worse = (p: Prediction): number => OUTLOOK_OUTCOMES.length - OUTLOOK_OUTCOMES.indexOf(p.outcome);
    fc.assert(
      fc.property(x86Record, context, (r, c) => {
        // SEAM non-root mode turns it around: there the process is a trust domain and the kernel only its host.
        // Without RIPV a process is killed for a bank the kernel would simply return from.
        const plain = { ...r, mcgStatus: ((r.mcgStatus ?? 7n) & 0xfn) | 1n };
        const user = linuxException(plain, { ...c, running: 'user' });
        const kernel = linuxException(plain, { ...c, running: 'kernel' });
        expect(worse(kernel)).toBeGreaterThanOrEqual(worse(user));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('predictAll and predictChain', () => {
  it('answer everything, and end', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        const { consumer: _, ...known } = c;
        for (const p of predictAll(r, known)) wellFormed(p);
        const chain = predictChain(r, c, {}, { alternatives: false });
        expect(chain.length).toBeLessThanOrEqual(8);
        expect(chain.at(-1)?.handover).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('gives Linux for user, kernel and idle, and every other consumer once', () => {
    const r: X86McaRecord = {
      kind: 'x86-mca',
      vendor: 'intel',
      bank: 9,
      status: 0xbd80000000000134n,
      misc: 0x8cn,
      addr: 0x1000n,
    };
    const all = predictAll(r);
    expect(all.map(p => [p.consumer, p.context.running, p.outcome])).toEqual([
      ['linux', 'user', 'killed'],
      ['linux', 'kernel', 'panicked'],
      ['linux', 'idle', 'panicked'],
      ['xen', undefined, 'forwarded'],
      ['qemu', undefined, 'forwarded'],
      ['kvm', undefined, 'forwarded'],
    ]);
    expect(predictAll(r, { running: 'user', consumer: 'linux' }).map(p => p.context.running)).toEqual(['user']);
    expect(predictAll(r, { version: '6.1' }).map(p => p.context.version)).toEqual([
      '6.1',
      '6.1',
      '6.1',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('QEMU’s AMD deferred record without any context', () => {
  it('is taken for a KVM guest’s, and depends on the kernel', () => {
    const r: X86McaRecord = {
      kind: 'x86-mca',
      vendor: 'amd',
      bank: 9,
      status: 0x9c00180000000000n,
      misc: 0x8cn,
      addr: 0x1000n,
    };
    const linux = predictAll(r).find(p => p.consumer === 'linux');
    expect(linux?.outcome).toBe('logged');
    expect(linux?.alternatives).toContainEqual({
      setting: 'version',
      value: '6.19.6',
      outcome: 'panicked',
      rule: 'linux.amd-destat.crash',
    });
  });
});

describe('the table of settings', () => {
  it('has a text, a default and other values of the same type for each', () => {
    fc.assert(
      fc.property(record, context, (r, c) => {
        for (const setting of SETTINGS) {
          const facts = new Facts(r, { consumer: c.consumer });
          const value = FIELDS[setting].assume(facts);
          expect(FIELDS[setting].text.length).toBeGreaterThan(0);
          expect(value).toBeDefined();
          for (const other of FIELDS[setting].others?.(facts) ?? []) expect(typeof other).toBe(typeof value);
        }
      }),
      { numRuns: 50 },
    );
  });
});
