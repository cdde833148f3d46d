import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CperRecord } from '../cper/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { NAMED_MCA } from '../mca/named.ts';
import type { Settings } from './context.ts';
import { FIELDS } from './context.ts';
import { type Danger, type Target, dangerText, dangersOf, isDangerous } from './danger.ts';
import { Facts } from './facts.ts';
import { predictChain } from './predict.ts';
import type { LayerSettings } from './predict.ts';
import { OUTCOMES } from './prediction.ts';
import type { Outcome, Prediction } from './prediction.ts';
import type { OutlookRecord } from './record.ts';
import { MEMORY_SECTION } from './testing/records.ts';

/** A named record as it is injected: into a CPU whose vendor is not known. */
function injected(name: string): X86McaRecord {
  const found = NAMED_MCA.find(r => r.name === name);
  if (found === undefined) throw new Error(`no record ${name}`);
  const { bank, status, mcgStatus, misc } = found;
  return { kind: 'x86-mca', cpu: 0, bank, status, mcgStatus, addr: 0x1234000n, misc };
}

function ghes(severity: CperRecord['severity']): CperRecord {
  const body = { kind: 'memory' as const, physicalAddress: 0x1234000n, errorType: 3 };
  return {
    kind: 'cper',
    severity,
    blockStatus: 1,
    sections: [{ type: MEMORY_SECTION, severity, revision: 0x300, flags: 0, body }],
  };
}

const ends = (record: OutlookRecord, target: Target = {}): string[] =>
  dangersOf(record, target).map(d => `${d.consumer} ${d.outcome} ${d.rule}`);

const ONE_CPU: Target = { vmm: { broadcast: false } };
const ALL_CPUS: Target = { vmm: { broadcast: true } };
const only = (guest: 'linux' | 'xen', vmm: Partial<Settings> = {}): Target => ({
  guests: [guest],
  vmm: { broadcast: false, ...vmm },
});

describe('whose guest is not known', () => {
  it('all that could go wrong with a named record sent to one CPU', async () => {
    const lines = NAMED_MCA.flatMap(({ name }) => [
      name,
      ...dangersOf(injected(name), ONE_CPU).map(d => `  ${dangerText(d)}`),
    ]);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/dangers.txt');
  });

  it('what is deferred needs consent, whatever the guest is', () => {
    expect(ends(injected('amd-deferred'), ONE_CPU)).toEqual(
      expect.arrayContaining([
        'linux panicked linux.amd-destat.crash',
        'xen panicked xen.amd-address-bug',
        'other unknown qemu.inject.bank',
      ]),
    );
    expect(dangersOf(injected('amd-deferred'), only('linux'))).toContainEqual({
      guest: 'linux',
      consumer: 'linux',
      outcome: 'panicked',
      rule: 'linux.amd-destat.crash',
      settings: { qemu: { vendor: 'amd' }, linux: { version: '6.19.6' } },
    } satisfies Danger);
  });

  it('the same error sent to all CPUs is an uncorrected one for the others', () => {
    for (const name of ['ce', 'xen-note-ce', 'amd-deferred']) {
      expect(ends(injected(name), { ...ALL_CPUS, guests: ['linux'] }), name).toContain(
        'linux panicked linux.mce.rendezvous-timeout',
      );
    }
    expect(ends(injected('ce'), { guests: ['linux'], vmm: { broadcast: true, cpus: 1 } })).toEqual([]);
  });

  it('a corrected error needs none where everybody lives with it', () => {
    expect(ends(injected('xen-note-ce'), ONE_CPU)).toEqual([]);
    expect(ends(ghes('corrected'))).toEqual([]);
    expect(ends(ghes('none'))).toEqual([]);
    // Xen on an AMD CPU does not.
    expect(ends(injected('ce'), ONE_CPU)).toEqual(['xen panicked xen.amd-address-bug']);
  });

  it('firmware records: what may kill a process, and what stops the system', () => {
    expect(ends(ghes('recoverable'))).toEqual(
      expect.arrayContaining([
        'linux killed linux.sigbus.deadly',
        'xen unknown qemu.ghes.forward',
        'other unknown qemu.ghes.forward',
      ]),
    );
    expect(ends(ghes('fatal'))).toContain('linux panicked linux.ghes.fatal');
  });
});

describe('what is known narrows it', () => {
  it.each<[string, string, Target]>([
    ['ce', 'Linux', only('linux')],
    ['ce', 'Xen on an Intel CPU', only('xen', { vendor: 'intel' })],
    ['ce', 'anybody on an Intel CPU', { vmm: { broadcast: false, vendor: 'intel' } }],
    ['amd-deferred', 'Xen on an Intel CPU', only('xen', { vendor: 'intel' })],
    ['uc-fatal', 'a CPU without banks', only('linux', { mcgCap: 0n })],
  ])('%s is safe for %s', (name, _who, target) => {
    expect(ends(injected(name), target)).toEqual([]);
  });

  it('another version of Linux does not panic of a deferred error', () => {
    const of = (version: string): string[] => ends(injected('amd-deferred'), { ...only('linux'), guest: { version } });
    expect(of('6.19.6')).toContain('linux panicked linux.amd-destat.crash');
    expect(of('7.2.12')).toEqual(['linux killed linux.sigbus.deadly']);
  });

  it('a machine without GHES drops a record silently', () => {
    expect(ends(ghes('fatal'), { vmm: { ras: false } })).toEqual([]);
  });

  it('what is known of Xen says nothing of the Linux in its domains', () => {
    const vmm = { broadcast: false, vendor: 'intel' as const };
    const found = dangersOf(injected('srar-data'), { guests: ['xen'], vmm, guest: { cpus: 1, page: 'user' } });
    expect(found.map(dangerText)).toContain('Linux in a domain of Xen: panics, with running=kernel [linux.mce.fatal]');
  });
});

it('from the loss of a process on, an outcome is a danger', () => {
  expect(OUTCOMES.filter(isDangerous)).toEqual(['vmm-died', 'reset', 'panicked', 'hung', 'domain-crashed', 'killed']);
});

/** A combination of settings that is drawn as the chain asks for them. */
function drawn(
  record: OutlookRecord,
  guest: 'linux' | 'xen',
  vmm: Partial<Settings>,
  draw: () => number,
): Prediction[] {
  let layers: LayerSettings = { qemu: vmm };
  for (;;) {
    const chain = predictChain(record, { consumer: 'qemu' }, layers, { alternatives: false, guest });
    const open = chain.flatMap(({ consumer, context, assumptions }, i) => {
      const facts = new Facts(chain[i - 1]?.handover?.record ?? record, context);
      return assumptions
        .filter(({ setting }) => layers[consumer]?.[setting] === undefined && setting !== 'delivery')
        .map(({ setting, value }) => ({
          consumer,
          setting,
          values: [value, ...(FIELDS[setting].others?.(facts) ?? [])],
        }));
    })[0];
    if (open === undefined) return chain;
    const { consumer, setting, values } = open;
    const value = values[draw() % values.length];
    layers = { ...layers, [consumer]: { ...layers[consumer], [setting]: value } };
  }
}

describe('any record', () => {
  const status = fc
    .tuple(
      fc.subarray([61n, 60n, 59n, 58n, 57n, 56n, 55n, 44n, 43n]),
      fc.constantFrom(0n, 0xc0n, 0x134n, 0x150n, 0x17an, 0x813n),
    )
    .map(([set, code]) => set.reduce((value, b) => value | (1n << b), (1n << 63n) | code));
  const record: fc.Arbitrary<OutlookRecord> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(status, fc.bigInt(0n, 15n), fc.constantFrom(0, 1, 9, 12)).map(
        ([s, mcgStatus, bank]): X86McaRecord => ({
          kind: 'x86-mca',
          cpu: 0,
          bank,
          status: s,
          mcgStatus,
          addr: 0x1000n,
          misc: 0x8cn,
        }),
      ),
    },
    fc.constantFrom('recoverable' as const, 'fatal' as const, 'corrected' as const, 'none' as const).map(ghes),
  );

  it('that any combination of what is not known lets end badly is dangerous, and by that rule', () => {
    fc.assert(
      fc.property(
        record,
        fc.constantFrom('linux' as const, 'xen' as const),
        fc.boolean(),
        fc.infiniteStream(fc.nat(100)),
        (given, guest, broadcast, draws) => {
          const chain = drawn(given, guest, { broadcast }, () => draws.next().value as number);
          const bad = chain.findLast(
            p => (OUTCOMES as readonly string[]).includes(p.outcome) && isDangerous(p.outcome as Outcome),
          );
          if (bad === undefined) return;
          const found = dangersOf(given, { guests: [guest], vmm: { broadcast } });
          expect(found.map(d => `${d.outcome} ${d.rule}`)).toContain(`${bad.outcome} ${bad.rule.id}`);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('a danger can be followed: with its settings, the record ends as it says', () => {
    fc.assert(
      fc.property(record, fc.boolean(), (given, broadcast) => {
        for (const { guest, consumer, outcome, rule, settings } of dangersOf(given, { vmm: { broadcast } })) {
          if (guest === 'other' || outcome === 'unknown') continue;
          const layers: LayerSettings = { ...settings, qemu: { broadcast, ...settings.qemu } };
          const chain = predictChain(given, { consumer: 'qemu' }, layers, { alternatives: false, guest });
          expect(chain.map(p => [p.consumer, p.outcome, p.rule.id])).toContainEqual([consumer, outcome, rule]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
