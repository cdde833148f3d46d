import { describe, expect, it } from 'vitest';
import type { X86McaRecord } from '../mca/record.ts';
import type { Consumer, OutlookContext } from './context.ts';
import { firstConsumer, predict, predictAll, predictChain } from './predict.ts';
import { named, x86 } from './testing/records.ts';

/** A record of a server: no bank 9 with QEMU’s MCi_MISC. */
const server = (status: bigint, changes: Partial<X86McaRecord> = {}): X86McaRecord => {
  const { mcgStatus: _, ...rest } = x86(status, { bank: 7, misc: 0x86n, ...changes });
  return 'mcgStatus' in changes ? { ...rest, mcgStatus: changes.mcgStatus as bigint } : rest;
};
const UCNA = 0xbc00010001010091n;
const CE = 0x8c00004000010091n;

/** How `consumer` is taken to get the record. */
function arrival(record: X86McaRecord, consumer: Consumer = 'linux', more: Partial<OutlookContext> = {}): unknown {
  return predictAll(record, more).find(p => p.consumer === consumer)?.context.delivery;
}

describe('the way a machine check arrives, where nobody says', () => {
  it.each<readonly [string, X86McaRecord, string]>([
    ['an uncorrected error that nobody consumed', server(UCNA), 'cmci'],
    ['the same, as QEMU or a printed line has it', server(UCNA, { mcgStatus: 5n }), 'cmci'],
    ['a corrected error of a server', server(CE), 'cmci'],
    ['a corrected error that the timer found: no time stamp', server(CE, { tsc: 0n }), 'poll'],
    ['a CPU whose MCG_CAP has no CMCI', server(CE, { mcgCap: 0x0100_010an }), 'poll'],
    ['a corrected error of a guest', named('ce'), 'poll'],
    ['a firmware record', server(0xbc0000000000009fn, { bank: 255 }), 'poll'],
    ['a firmware record, as rasdaemon counts', server(0xbc0000000000009fn, { bank: -1 }), 'poll'],
    ['action required', server(0xbd80000000000134n), 'exception'],
    ['a fatal error that an exception brought', server(0xb200000000000000n, { mcgStatus: 4n }), 'exception'],
    ['a fatal error whose line says MCG_STATUS 0', server(0xb200000000000000n, { mcgStatus: 0n }), 'boot'],
    ['reporting off', server(0xa000000000000000n), 'cmci'],
    ['reporting off, in an exception', server(0xa000000000000000n, { mcgStatus: 5n }), 'exception'],
    ['a CPU without S and AR', server(0xb400000000000134n, { mcgCap: 0x106n }), 'exception'],
    ['an AMD deferred error', server(0x9c00300000000000n, { vendor: 'amd' }), 'interrupt'],
    ['an AMD corrected error', server(0x9c00000000000000n, { vendor: 'amd' }), 'poll'],
    ['an AMD uncorrected error', server(0xbc00080000000000n, { vendor: 'amd' }), 'exception'],
    ['an AMD uncorrected error found at boot', server(0xbea0000000000108n, { vendor: 'amd', mcgStatus: 0n }), 'boot'],
  ])('%s', (_, record, delivery) => expect(arrival(record)).toBe(delivery));

  it('is the poll for Xen, and #MC for what it printed', () => {
    expect(arrival(server(UCNA), 'xen')).toBe('poll');
    expect(arrival(named('uc-fatal', { mcgStatus: 0n }), 'xen')).toBe('exception');
  });

  it('is what the caller says', () => {
    expect(arrival(server(UCNA), 'linux', { delivery: 'exception' })).toBe('exception');
    expect(arrival(server(UCNA), 'linux', { delivery: 'boot' })).toBe('boot');
  });

  it('goes with what the CPU was doing, where the exception saved it', () => {
    const running = (cs: bigint): unknown[] =>
      predictAll(named('srar-data', { cs, rip: 0x4017f0n }), { consumer: 'linux' }).map(p => p.context.running);
    expect(running(0x33n)).toEqual(['user']);
    expect(running(0x10n)).toEqual(['kernel', 'idle']);
  });

  it('logs what nobody consumed, takes its page away, and never panics, whatever is assumed', () => {
    const [linux] = predictAll(server(UCNA), { consumer: 'linux' });
    expect(linux?.outcome).toBe('logged');
    expect(linux?.steps.map(s => s.rule.id)).toEqual(
      expect.arrayContaining(['linux.poll.interrupt', 'linux.intel.ucna', 'linux.poll.hand-over']),
    );
    expect(linux?.alternatives.map(a => a.outcome)).not.toContain('panicked');
  });
});

describe('QEMU’s broadcast filler', () => {
  const filler = x86(0xa000000000000000n, { bank: 1, cpu: 1, mcgStatus: 5n });
  it('is not enabled: the exception leaves it, and the poll logs it, as was seen', () => {
    const chain = predictChain(filler, { consumer: 'linux', delivery: 'exception', platform: 'tcg' });
    expect(chain.map(p => [p.outcome, p.rule.id])).toEqual([
      ['none', 'linux.mce.filler'],
      ['logged', 'linux.poll.not-enabled'],
    ]);
    expect(chain[0]?.steps.map(s => s.rule.id)).toEqual(['linux.intel.not-enabled', 'linux.mce.filler']);
  });
});

describe('who meets a record first', () => {
  it.each([
    ['a machine check', named('ce'), 'qemu'],
    ['an abort in a guest', { kind: 'arm-sea', esr: 0x92000010n, el: 1 }, 'linux'],
    ['an abort of a guest at EL2', { kind: 'arm-sea', esr: 0x92000010n, el: 2 }, 'kvm'],
    ['an abort of the kernel at EL2', { kind: 'arm-sea', esr: 0x96000010n, el: 2 }, 'linux'],
    ['the exit', { kind: 'arm-sea', esr: 0x92000010n, flags: 0n }, 'vmm'],
  ] as const)('%s', (_, record, consumer) => expect(firstConsumer(record)).toBe(consumer));

  it('what QEMU injects goes to the guest, whose firmware record claims it', () => {
    const record = { kind: 'arm-sea', esr: 0x92000410n, el: 1 } as const;
    const [linux, ...rest] = predictChain(record, { consumer: firstConsumer(record) });
    expect(rest).toEqual([]);
    expect([linux?.consumer, linux?.signal]).toEqual(['linux', 'BUS_MCEERR_AR']);
    expect(linux?.steps.map(s => s.rule.id)).toContain('linux.sea.claimed');
  });

  it('an abort at EL2 goes to the guest, by way of the VMM where the capability is on', () => {
    const record = { kind: 'arm-sea', esr: 0x92000010n, el: 2, far: 0x1000n } as const;
    const on = predictChain(record, { consumer: 'kvm', seaToUser: true });
    expect(on.map(p => [p.consumer, p.rule.id])).toEqual([
      ['kvm', 'kvm.sea.exit'],
      ['vmm', 'vmm.sea.inject'],
      ['linux', 'linux.sigbus.deadly'],
    ]);
    const off = predictChain(record, { consumer: 'kvm' });
    expect(off.map(p => p.rule.id)).toEqual(['kvm.sea.no-capability', 'linux.serror.unknown']);
  });

  it('an abort of a process depends on whether firmware left a record: another signal', () => {
    const [linux] = predictAll({ kind: 'arm-sea', esr: 0x92000010n }, { consumer: 'linux' });
    expect(linux?.signal).toBe('BUS_OBJERR');
    expect(linux?.dependsOn).toContain('apeiClaims');
    expect(linux?.alternatives).toContainEqual({
      setting: 'apeiClaims',
      value: true,
      outcome: 'killed',
      signal: 'BUS_MCEERR_AR',
      rule: 'linux.sigbus.deadly',
    });
  });
});

describe('one record, alone and along the chain', () => {
  it.each(['srar-data', 'srao', 'uc-fatal', 'amd-uc'])('%s comes to the same end', name => {
    const record = named(name);
    const alone = predictAll(record, { consumer: 'linux', running: 'user' })[0];
    const chain = predictChain(record, { consumer: 'qemu' }, { linux: { running: 'user' } });
    expect(chain.find(p => p.consumer === 'linux')?.outcome).toBe(alone?.outcome);
  });

  it('says what an assumed -b decides', () => {
    const linux = predictChain(named('srar-data'), { consumer: 'qemu' }).find(p => p.consumer === 'linux');
    expect(linux?.alternatives).toContainEqual(
      expect.objectContaining({ setting: 'broadcast', value: false, outcome: 'panicked' }),
    );
  });

  it('keeps a given -b', () => {
    const chain = predictChain(named('srar-data'), { consumer: 'qemu', broadcast: false });
    expect(chain.at(-1)?.rule.id).toBe('linux.mce.rendezvous-timeout');
  });
});

describe('versions outside the tables', () => {
  it.each([
    ['4.19', 'outlook.older-version'],
    ['7.3-rc1', 'outlook.newer-version'],
  ])('%s is answered with a remark', (version, rule) => {
    const { steps } = predict(named('ce'), { consumer: 'linux', version });
    expect(steps[0]?.rule.id).toBe(rule);
  });
  it.each(['5.10', '6.12.57', '7.2.99'])('%s is not', version => {
    const { steps } = predict(named('ce'), { consumer: 'linux', version });
    expect(steps.some(s => s.rule.id.endsWith('-version'))).toBe(false);
  });
});
