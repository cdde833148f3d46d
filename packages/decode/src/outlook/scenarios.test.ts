import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { X86McaRecord } from '../mca/record.ts';
import type { OutlookContext, Settings } from './context.ts';
import { predict, predictAll, predictChain } from './predict.ts';
import type { ChainOptions, LayerSettings } from './predict.ts';
import type { OutlookOutcome, Prediction } from './prediction.ts';
import type { OutlookRecord } from './record.ts';
import { cper, named } from './testing/records.ts';

const SCENARIOS = new URL('../../../../scenarios/', import.meta.url);
const GOLDEN = new URL('../text/golden/', import.meta.url);

const TCG: Partial<Settings> = {
  version: '7.2.12',
  platform: 'tcg',
  cpus: 2,
  monarchTimeout: 30_000_000,
  running: 'user',
  page: 'user',
};

interface Scenario {
  record: OutlookRecord;
  first: OutlookContext;
  layers?: LayerSettings;
  options?: ChainOptions;
}

const hmp = (broadcast: boolean, more: Partial<Settings> = {}): OutlookContext => ({
  consumer: 'qemu',
  version: '11.1.3',
  delivery: 'hmp',
  platform: 'tcg',
  broadcast,
  cr4Mce: true,
  mcip: false,
  ...more,
});

/** The lab's own scenarios: the injection of each and what is known of its guest. */
const OF_THE_LAB: Record<string, Scenario> = {
  'amd-uc-plain': { record: named('amd-uc'), first: hmp(false), layers: { linux: TCG } },
  'arm64-ghes-memory': {
    record: cper('recoverable'),
    first: { consumer: 'qemu', version: '11.1.3', ras: true },
    layers: { linux: { ...TCG, earlyKill: true, sigbusHandler: true } },
  },
  'intel-ce-logged': { record: named('ce'), first: hmp(false), layers: { linux: { ...TCG, printAll: true } } },
  'intel-srao-process': {
    record: named('srao'),
    first: hmp(true),
    layers: { linux: { ...TCG, earlyKill: true, sigbusHandler: true } },
  },
  'intel-srar-process': {
    record: named('srar-data'),
    first: hmp(true),
    layers: { linux: { ...TCG, sigbusHandler: true } },
  },
  'intel-uc-fatal': { record: named('uc-fatal'), first: hmp(true), layers: { linux: TCG } },
  // The first injection set MCIP; the second is the one whose fate counts.
  'mce-while-mcip': { record: named('srao'), first: hmp(false, { mcip: true }) },
  'xen-ce': {
    record: named('xen-note-ce'),
    first: hmp(false),
    layers: { xen: { cpus: 2, dom0Registered: true } },
    options: { guest: 'xen' },
  },
  'xen-uc-fatal': {
    record: named('uc-fatal', { mcgStatus: 0n, misc: 0n, addr: 0n }),
    first: hmp(true),
    layers: { xen: { cpus: 2, dom0Registered: true } },
    options: { guest: 'xen' },
  },
};

function end(chain: readonly Prediction[]): Prediction {
  return chain.at(-1) as Prediction;
}

describe('the scenarios of the lab', () => {
  it.each(Object.entries(OF_THE_LAB))('%s ends as it states', (name, { record, first, layers, options }) => {
    const yaml = readFileSync(new URL(`${name}.yaml`, SCENARIOS), 'utf8');
    const chain = predictChain(record, first, layers, options);
    const last = end(chain);
    expect(last.outcome).toBe(/^outcome: (\S+)$/m.exec(yaml)?.[1]);
    // Every text an expectation waits for stands in what some layer prints.
    const wanted = [...yaml.matchAll(/^ {2}- within .*(?:mce-severity|panic|fatal-mce) .*message~"([^"]+)"/gm)];
    const printed = chain.flatMap(p => p.messages).join('\n');
    for (const [, text] of wanted) expect(printed).toContain(text);
    expect(last.certainty).toBe('certain');
  });

  it('are all here that existed when this was written', () => {
    const files = readdirSync(SCENARIOS).flatMap(f => (f.endsWith('.yaml') ? [f.replace('.yaml', '')] : []));
    expect(files).toEqual(expect.arrayContaining(Object.keys(OF_THE_LAB)));
  });

  it('predict QEMU’s event of a second machine check', () => {
    const { record, first } = OF_THE_LAB['mce-while-mcip'] as Scenario;
    const { events, messages } = predict(record, first);
    expect(events).toEqual([
      {
        name: 'MEMORY_FAILURE',
        data: { recipient: 'guest', action: 'reset', 'action-required': false, recursive: true },
      },
      { name: 'RESET', data: { guest: true, reason: 'guest-reset' } },
    ]);
    expect(messages).toEqual(['CPU 0: Previous MCE still in progress, raising triple fault']);
  });
});

describe('a page of a nested host goes bad under an AMD guest (seen on QEMU 11.1.3, kvm-amd)', () => {
  const SEEN: readonly (readonly [version: string, outcome: OutlookOutcome])[] = [
    ['6.18.15', 'signalled'],
    ['6.19.6', 'panicked'],
    ['7.0.4', 'signalled'],
    ['7.1.3', 'signalled'],
  ];
  it.each(SEEN)('Linux %s: %s', (version, outcome) => {
    const chain = predictChain(
      { kind: 'sigbus', code: 'BUS_MCEERR_AO', gpa: 0x1000n },
      { consumer: 'qemu', version: '11.1.3', vendor: 'amd' },
      { linux: { version, earlyKill: true } },
    );
    expect(chain.map(p => p.consumer)).toEqual(['qemu', 'linux']);
    expect(end(chain).outcome).toBe(outcome);
  });

  it.each([
    ['6.19-rc1', 'panicked'],
    ['6.19.9', 'panicked'],
    ['6.19.10', 'signalled'],
    ['7.0-rc1', 'panicked'],
    ['7.0-rc4', 'panicked'],
    ['7.0-rc5', 'signalled'],
    ['7.0', 'signalled'],
  ] as const)('Linux %s: %s (read)', (version, outcome) => {
    const context: OutlookContext = { consumer: 'linux', version, platform: 'kvm', earlyKill: true };
    expect(predict(named('amd-deferred'), context).outcome).toBe(outcome);
  });
});

describe('other runs that were seen', () => {
  it('SRAR on an idle CPU of an Intel guest panics', () => {
    const chain = predictChain(named('srar-data'), hmp(true), { linux: { ...TCG, running: 'idle' } });
    expect(end(chain).rule.id).toBe('linux.mce.fatal');
    expect(end(chain).steps.map(s => s.rule.id)).toContain('linux.intel.data-in-kernel');
  });

  it('a stage 2 walk that hits nothing leaves KVM to the VMM', () => {
    const { outcome, handover } = predict(
      { kind: 'arm-sea', esr: 0x92000017n, el: 2, far: 0x40201000n },
      { consumer: 'kvm', version: '7.2.12', seaToUser: true },
    );
    expect(outcome).toBe('forwarded');
    expect(handover?.record).toMatchObject({ kind: 'arm-sea', esr: 0x92000017n, flags: 0n, gva: 0x40201000n, gpa: 0n });
  });

  it('Xen hangs on one CPU’s machine check, and on EPYC dies of a BUG', () => {
    const fatal = named('uc-fatal', { mcgStatus: 0n });
    expect(predict(fatal, { consumer: 'xen', cpus: 2, broadcast: false }).outcome).toBe('hung');
    expect(predict(fatal, { consumer: 'xen', vendor: 'amd' }).rule.id).toBe('xen.amd-code-bug');
  });

  it('QEMU’s AMD action required record is recovered from by a guest of KVM, which has no SER_P; an emulated one swallows it', () => {
    const chain = predictChain(
      { kind: 'sigbus', code: 'BUS_MCEERR_AR', gpa: 0x1000n },
      { consumer: 'qemu', version: '11.1.3', vendor: 'amd' },
      { linux: { running: 'user', earlyKill: false } },
    );
    expect(chain.map(p => `${p.consumer} ${p.outcome}`)).toEqual(['qemu forwarded', 'linux killed']);
    const emulated = predict(named('amd-uc'), { consumer: 'linux', running: 'user', platform: 'tcg', succor: true });
    expect(emulated.rule.id).toBe('linux.mce.amd-no-s-bit');
  });

  // The log of the mail (qemu-devel, 2023) says Recovered.
  it('a record that QEMU made for an AMD guest is recovered from, and nothing is said of an S bit', () => {
    const mailed = { kind: 'x86-mca', vendor: 'amd', bank: 9, status: 0xbc00000000000000n, mcgStatus: 7n } as const;
    const record = { ...mailed, addr: 0x118cb9000n, misc: 0x8cn, cpuid: 0x800f12n, cs: 0x33n };
    const [told] = predictAll(record, { consumer: 'linux', version: '6.1' });
    expect(told?.outcome).toBe('killed');
    expect(told?.messages.join(' ')).toContain('recovery action');
  });

  // EN is clear where the bank may not raise an exception: what stands there nobody was told.
  it('a record of AMD with EN clear did not come as an exception', () => {
    const gart = { kind: 'x86-mca', vendor: 'amd', bank: 4, status: 0xa60000010005001bn, cpuid: 0xf00n } as const;
    const [told] = predictAll(gart, { consumer: 'linux' });
    expect([told?.outcome, told?.rule.id]).toEqual(['none', 'linux.quirk.gart-off']);
  });
});

describe('QEMU’s translation of SIGBUS', () => {
  const made = (code: 'BUS_MCEERR_AO' | 'BUS_MCEERR_AR', more: Partial<OutlookContext>): X86McaRecord | undefined => {
    const { handover } = predict({ kind: 'sigbus', code, gpa: 0x7000n }, { consumer: 'qemu', ...more });
    return handover?.record.kind === 'x86-mca' ? handover.record : undefined;
  };
  it.each([
    ['intel', 'BUS_MCEERR_AR', '11.1.3', 0xbd80000000000134n, 0x7n],
    ['intel', 'BUS_MCEERR_AO', '11.1.3', 0xbd000000000000c0n, 0x5n],
    ['amd', 'BUS_MCEERR_AR', '9.1', 0xbc00080000000000n, 0x7n],
    // Without UC MCG_STATUS is computed and not written.
    ['amd', 'BUS_MCEERR_AO', '9.1', 0x9c00180000000000n, undefined],
    ['amd', 'BUS_MCEERR_AR', '9.0.2', 0xbd80000000000134n, 0x7n],
    ['amd', 'BUS_MCEERR_AO', '8.2', 0xbd000000000000c0n, 0x5n],
  ] as const)('%s %s, QEMU %s', (vendor, code, version, status, mcgStatus) => {
    const record = made(code, { vendor, version });
    expect(record).toMatchObject({ bank: 9, status, misc: 0x8cn, addr: 0x7000n, vendor });
    expect(record?.mcgStatus).toBe(mcgStatus);
  });

  it('adds LMCE where the guest enabled it, and does not broadcast', () => {
    const { handover } = predict(
      { kind: 'sigbus', code: 'BUS_MCEERR_AR' },
      { consumer: 'qemu', vendor: 'intel', lmceEnabled: true },
    );
    expect(handover?.record).toMatchObject({ mcgStatus: 0xfn });
    expect(handover?.settings.broadcast).toBe(false);
  });
});

/** Predicted lines with their blanks, in their order, against a log that was really printed. */
function expectPrinted(log: string, messages: readonly string[]): void {
  const text = readFileSync(new URL(log, GOLDEN), 'utf8').replaceAll('\r', '');
  let at = 0;
  for (const message of messages) {
    const parts = message.split(/<[a-z ]+>/).map(p => p.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
    const pattern = new RegExp(parts.join('.*'), 'g');
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    expect(match, `${log}: ${message}`).not.toBeNull();
    at = (match?.index ?? 0) + 1;
  }
}

describe('what was really printed', () => {
  const process: Partial<Settings> = { ...TCG, version: '7.2.12', earlyKill: true, sigbusHandler: true };
  const linux = (more: Partial<Settings> = {}): OutlookContext => ({ ...process, consumer: 'linux', ...more });
  it.each<readonly [string, OutlookRecord, OutlookContext]>([
    ['linux/srao-7.2.12.log', named('srao', { addr: 0xd2fe000n }), linux()],
    ['linux/srar-user-7.2.12.log', named('srar-data', { addr: 0x91ee000n }), linux()],
    ['linux/srar-broadcast-7.2.12.log', named('srar-data', { addr: 0xffdc000n }), linux()],
    [
      'linux/srar-broadcast-7.2.12.log',
      named('ce', { cpu: 1, bank: 1, status: 0xa000000000000000n }),
      linux({ delivery: 'poll', printAll: true }),
    ],
    ['linux/uc-fatal-7.2.12.log', named('uc-fatal'), linux()],
    ['linux/amd-deferred-7.2.12.log', named('amd-deferred'), linux()],
    ['linux/amd-uc-no-succor-7.2.12.log', named('amd-uc', { addr: 0x99ee000n }), linux()],
    ['linux/ce-print-all-7.2.12.log', named('ce', { addr: 0x89ee000n }), linux({ printAll: true })],
    [
      'linux/amd-destat-crash-6.19.log',
      named('amd-deferred'),
      linux({ version: '6.19.6', platform: 'kvm', page: 'none' }),
    ],
    ['linux/arm64-ghes-7.2.12.log', cper('recoverable'), linux({ page: 'free' })],
    ['linux/arm64-sea.log', { kind: 'arm-sea', esr: 0x96000010n }, linux({ running: 'kernel' })],
    ['linux/arm64-sea.log', { kind: 'arm-sea', esr: 0xbe000011n, cpu: 1 }, linux()],
    ['xen/uc-fatal-4.20.log', named('uc-fatal', { mcgStatus: 0n }), { consumer: 'xen' }],
    ['xen/uc-fatal-note-2020.log', named('uc-fatal', { mcgStatus: 0n }), { consumer: 'xen' }],
  ])('%s', (log, record, context) => {
    const { messages } = predict(record, context);
    expect(messages.length).toBeGreaterThan(0);
    // The crash log begins with the fault; the line before it was not kept.
    const kept = log.includes('destat') ? messages.filter(m => !m.endsWith('events logged')) : messages;
    expectPrinted(log, kept);
  });
});
