import { describe, expect, it } from 'vitest';
import { ruleById } from './catalog.ts';
import type { Settings } from './context.ts';
import { predictChain } from './predict.ts';
import type { OutlookOutcome } from './prediction.ts';
import { x86 } from './testing/records.ts';

/**
 * Machine checks that were injected into CPU 0 of a Linux 7.2.12 guest with two CPUs (QEMU 11.1.3, TCG), into bank 9 where
 * nothing else is said, while a process with a SIGBUS handler read the page in a loop. Each ended as its row says, and printed its text.
 */
interface Seen {
  name: string;
  status: bigint;
  mcgStatus: bigint;
  outcome: OutlookOutcome;
  /** A rule that must have taken part; it is `observed` because of this run. */
  rule: string;
  printed?: string;
  misc?: bigint;
  /** One CPU only (no -b). */
  single?: true;
  vendor?: 'amd';
  bank?: number;
  /** CPUID leaf 1 EAX of the model. Those that have one were seen on Linux 7.3.4, and are held in test/outlook-live.ts. */
  cpuid?: bigint;
  linux?: Partial<Settings>;
}

/** setcpuid=succor,overflow_recov makes an emulated AMD CPU one that can recover. */
const RECOVERS: Partial<Settings> = { succor: true, overflowRecov: true };

const SEEN: readonly Seen[] = [
  {
    name: 'UCNA on one CPU: skipped by the exception, found by the poll',
    status: 0xbc00000080000136n,
    mcgStatus: 0xdn,
    misc: 0x86n,
    single: true,
    outcome: 'signalled',
    rule: 'linux.poll.not-signalled',
    printed: 'Sending SIGBUS',
  },
  {
    name: 'not enabled, without a restart address, to one CPU: no address is read',
    status: 0xad000000000000c0n,
    mcgStatus: 0xen,
    misc: 0x8cn,
    single: true,
    outcome: 'signalled',
    rule: 'linux.mce.unread',
  },
  {
    name: 'not signalled, without a restart address, to one CPU: no address is read',
    status: 0xbc000000000000c0n,
    mcgStatus: 0xen,
    misc: 0x8cn,
    single: true,
    outcome: 'signalled',
    rule: 'linux.mce.unread',
  },
  {
    name: 'UCNA broadcast: nobody has an error to handle',
    status: 0xbc00000080000136n,
    mcgStatus: 5n,
    outcome: 'panicked',
    rule: 'linux.mce.unknown-source',
    printed: 'Kernel panic - not syncing: Fatal machine check from unknown source',
  },
  {
    name: 'SRAO on one CPU without LMCE',
    status: 0xbd000000000000c0n,
    mcgStatus: 5n,
    single: true,
    linux: { monarchTimeout: 100_000 },
    outcome: 'panicked',
    rule: 'linux.mce.rendezvous-timeout',
    printed: 'Timeout: Not all CPUs entered broadcast exception handler',
  },
  {
    name: 'SRAO on one CPU, nobody waits',
    status: 0xbd000000000000c0n,
    mcgStatus: 5n,
    single: true,
    linux: { monarchTimeout: 0 },
    outcome: 'signalled',
    rule: 'linux.mce.no-rendezvous',
  },
  {
    name: 'PCC on one CPU, nobody waits',
    status: 0xb200000000000000n,
    mcgStatus: 4n,
    single: true,
    linux: { monarchTimeout: 0 },
    outcome: 'panicked',
    rule: 'linux.mce.fatal-alone',
    printed: 'Fatal machine check on current CPU',
  },
  {
    name: 'SRAR with LMCE',
    status: 0xbd80000000000134n,
    mcgStatus: 0xfn,
    single: true,
    outcome: 'signalled',
    rule: 'linux.mce.local',
    printed: 'Uncorrected hardware memory error in user-access at 87ee000',
  },
  {
    name: 'SRAR without EIPV: another thread’s',
    status: 0xbd80000000000134n,
    mcgStatus: 0xdn,
    single: true,
    outcome: 'none',
    rule: 'linux.intel.unaffected-thread',
  },
  {
    name: 'SRAR with OVER',
    status: 0xfd80000000000134n,
    mcgStatus: 7n,
    outcome: 'panicked',
    rule: 'linux.intel.action-required-lost',
    printed: 'Machine check: Action required with lost events',
  },
  {
    name: 'SRAR of an instruction fetch',
    status: 0xbd80000000000150n,
    mcgStatus: 7n,
    outcome: 'signalled',
    rule: 'linux.intel.instruction-in-user',
  },
  {
    name: 'SRAR with an unknown code',
    status: 0xbd80000000000135n,
    mcgStatus: 7n,
    outcome: 'panicked',
    rule: 'linux.intel.action-required-unknown',
    printed: 'Machine check: Action required: unknown MCACOD',
  },
  {
    name: 'no MCIP',
    status: 0xbd000000000000c0n,
    mcgStatus: 1n,
    outcome: 'panicked',
    rule: 'linux.intel.no-mcip',
    printed: 'Machine check: MCIP not set in MCA handler',
  },
  {
    name: 'neither RIPV nor EIPV',
    status: 0xbd000000000000c0n,
    mcgStatus: 4n,
    outcome: 'panicked',
    rule: 'linux.intel.no-ip',
    printed: 'Machine check: Neither restart nor error IP',
  },
  {
    name: 'SRAO without RIPV: the process is killed all the same',
    status: 0xbd000000000000c0n,
    mcgStatus: 6n,
    outcome: 'signalled',
    rule: 'linux.mce.no-restart',
    printed: 'Uncorrected hardware memory error in user-access',
  },
  {
    name: 'SRAO of a last level cache write back',
    status: 0xbd0000000000017an,
    mcgStatus: 5n,
    outcome: 'signalled',
    rule: 'linux.intel.writeback',
  },
  {
    name: 'AR without S',
    status: 0xbc80000000000134n,
    mcgStatus: 5n,
    outcome: 'panicked',
    rule: 'linux.intel.ucna-with-ar',
    printed: 'Machine check: Illegal combination (UCNA with AR=1)',
  },
  {
    name: 'SRAO with an unknown code and OVER',
    status: 0xfd00000000000134n,
    mcgStatus: 5n,
    outcome: 'logged',
    rule: 'linux.intel.action-optional-lost',
    printed: 'Machine Check Exception: 5 Bank 9: fd00000000000134',
  },
  {
    name: 'SRAO with an unknown code on an idle CPU',
    status: 0xbd00000000000134n,
    mcgStatus: 7n,
    linux: { running: 'idle' },
    outcome: 'logged',
    rule: 'linux.intel.action-optional-unknown',
    printed: 'Machine Check Exception: 7 Bank 9: bd00000000000134',
  },
  {
    name: 'SRAO whose address is not exact to a page',
    status: 0xbd000000000000c0n,
    mcgStatus: 5n,
    misc: 0x95n,
    outcome: 'logged',
    rule: 'linux.address.intel-coarse',
    // The address as the kernel prints it lost the bits below MISC.LSB.
    printed: 'ADDR 8600000 MISC 95',
  },
  {
    name: 'SRAO with a linear address',
    status: 0xbd000000000000c0n,
    mcgStatus: 5n,
    misc: 0x4cn,
    outcome: 'logged',
    rule: 'linux.address.intel-mode',
  },
  {
    name: 'PCC with LMCE',
    status: 0xb200000000000000n,
    mcgStatus: 0xcn,
    single: true,
    outcome: 'panicked',
    rule: 'linux.mce.local-fatal',
    printed: 'Fatal local machine check',
  },
  {
    name: 'a corrected error with mce=dont_log_ce',
    status: 0x8000000000000000n,
    mcgStatus: 0n,
    single: true,
    linux: { dontLogCe: true },
    outcome: 'none',
    rule: 'linux.poll.not-logged',
  },
  {
    name: 'a corrected error with mce=ignore_ce',
    status: 0x9c000000000000c0n,
    mcgStatus: 0n,
    single: true,
    linux: { ignoreCe: true },
    outcome: 'none',
    rule: 'linux.poll.ignored',
  },
  {
    name: 'AMD: PCC',
    vendor: 'amd',
    status: 0xbe00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: RECOVERS,
    outcome: 'panicked',
    rule: 'linux.amd.pcc',
    printed: 'Machine check: Processor Context Corrupt',
  },
  {
    name: 'AMD: uncorrected on an idle CPU',
    vendor: 'amd',
    status: 0xbd00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: { ...RECOVERS, running: 'idle' },
    outcome: 'panicked',
    rule: 'linux.amd.in-kernel',
    printed: 'Machine check: Uncorrected unrecoverable error in kernel context',
  },
  {
    name: 'AMD: QEMU’s action required record, swallowed for want of an S bit and logged by the poll',
    vendor: 'amd',
    status: 0xbc00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: { ...RECOVERS, printAll: true },
    outcome: 'logged',
    rule: 'linux.mce.amd-no-s-bit',
    printed: 'Machine Check: 0 Bank 9: bc00080000000000',
  },
  {
    name: 'AMD: the same record with the S bit is recovered from',
    vendor: 'amd',
    status: 0xbd00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: RECOVERS,
    outcome: 'signalled',
    rule: 'linux.amd.action-required',
    printed: 'Uncorrected hardware memory error in user-access at 87ee000',
  },
  {
    name: 'AMD: deferred without POISON',
    vendor: 'amd',
    status: 0x9c00100000000000n,
    mcgStatus: 5n,
    single: true,
    outcome: 'logged',
    rule: 'linux.address.amd-other',
  },
  {
    name: 'Skylake-SP: the first local machine check of a data load in bank 1',
    cpuid: 0x50654n,
    bank: 1,
    status: 0xbd80000000000134n,
    mcgStatus: 0xfn,
    single: true,
    linux: { fastStrings: true },
    outcome: 'none',
    rule: 'linux.quirk.string-copy',
    printed: 'Erratum detected, disable fast string copy instructions',
  },
  {
    name: 'Sandy Bridge-EP: an instruction fetch without RIPV and EIPV',
    cpuid: 0x206d1n,
    bank: 0,
    status: 0xbd80000000000150n,
    mcgStatus: 4n,
    outcome: 'signalled',
    rule: 'linux.quirk.sandy-bridge-fetch',
    printed: 'Uncorrected hardware memory error in user-access at 87ee000',
  },
  {
    name: 'Sandy Bridge: the same',
    cpuid: 0x206a1n,
    bank: 0,
    status: 0xbd80000000000150n,
    mcgStatus: 4n,
    outcome: 'panicked',
    rule: 'linux.intel.no-ip',
    printed: 'Machine check: Neither restart nor error IP',
  },
  {
    name: 'Zen: poison consumed in bank 1 without RIPV and EIPV',
    vendor: 'amd',
    cpuid: 0x800f12n,
    bank: 1,
    status: 0xbd00080000000000n,
    mcgStatus: 4n,
    single: true,
    linux: RECOVERS,
    outcome: 'signalled',
    rule: 'linux.quirk.zen-fetch',
    printed: 'Uncorrected hardware memory error in user-access at 87ee000',
  },
  {
    name: 'Haswell: a corrected parity error that errata make',
    cpuid: 0x306c4n,
    bank: 0,
    status: 0x90000040000f0005n,
    mcgStatus: 0n,
    single: true,
    linux: { printAll: true },
    outcome: 'none',
    rule: 'linux.quirk.filtered',
  },
  {
    name: 'Cezanne A0: a value with EN clear',
    vendor: 'amd',
    cpuid: 0xa50f00n,
    status: 0x8400000000000135n,
    mcgStatus: 0n,
    single: true,
    linux: { printAll: true },
    outcome: 'none',
    rule: 'linux.quirk.filtered',
  },
  {
    name: 'family 10h: an error of a GART table walk',
    vendor: 'amd',
    cpuid: 0x100f22n,
    bank: 4,
    status: 0x9400000000050011n,
    mcgStatus: 0n,
    single: true,
    linux: { printAll: true },
    outcome: 'none',
    rule: 'linux.quirk.filtered',
  },
  {
    name: 'K7: bank 0',
    vendor: 'amd',
    cpuid: 0x622n,
    bank: 0,
    status: 0x9400000000000135n,
    mcgStatus: 0n,
    single: true,
    linux: { printAll: true },
    outcome: 'none',
    rule: 'linux.quirk.k7-bank-0',
  },
  {
    name: 'Bulldozer: an overflow, with SUCCOR alone',
    vendor: 'amd',
    cpuid: 0x600f12n,
    status: 0xfd00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: { succor: true, overflowRecov: false },
    outcome: 'signalled',
    rule: 'linux.quirk.bulldozer-overflow',
  },
  {
    name: 'Zen: the same',
    vendor: 'amd',
    cpuid: 0x800f12n,
    status: 0xfd00080000000000n,
    mcgStatus: 7n,
    single: true,
    linux: { succor: true, overflowRecov: false },
    outcome: 'panicked',
    rule: 'linux.amd.overflowed',
    printed: 'Overflowed uncorrected error without MCA Overflow Recovery',
  },
];

describe('machine checks that were seen on Linux under TCG', () => {
  it.each(SEEN.map(s => [s.name, s] as const))('%s', (_, seen) => {
    const { status, mcgStatus, misc = 0x8cn, vendor = 'intel', bank = 9, cpuid } = seen;
    const chain = predictChain(
      x86(status, { mcgStatus, misc, vendor, bank, ...(cpuid === undefined ? {} : { cpuid }) }),
      { consumer: 'qemu', version: '11.1.3', platform: 'tcg', broadcast: seen.single !== true },
      {
        linux: {
          version: cpuid === undefined ? '7.2.12' : '7.3.4',
          platform: 'tcg',
          running: 'user',
          cpus: 2,
          monarchTimeout: 30_000_000,
          page: 'user',
          earlyKill: true,
          sigbusHandler: true,
          ...seen.linux,
        },
      },
    );
    expect(chain.at(-1)?.outcome).toBe(seen.outcome);
    expect(chain.flatMap(p => p.steps).map(s => s.rule.id)).toContain(seen.rule);
    expect(chain.flatMap(p => p.messages).join('\n')).toContain(seen.printed ?? '');
    expect(ruleById(seen.rule)?.evidence).toBe('observed');
  });
});

/** Written into bank 9 while mce=ignore_ce kept Linux 7.3.4 from looking; QEMU keeps its banks over the reset of a machine. */
describe('a record that was left in its bank over a reset, as the next boot was seen to take it', () => {
  it.each([
    ['Skylake-SP', 'intel', 0x50654n, 'logged', 'linux.poll.boot'],
    ['AMD family 10h', 'amd', 0x100f22n, 'none', 'linux.quirk.no-bootlog'],
  ] as const)('%s: %s', (_, vendor, cpuid, outcome, rule) => {
    const left = x86(0x9c00000000000135n, { vendor, cpuid, mcgStatus: 0n });
    const context = { consumer: 'linux', version: '7.3.4', platform: 'tcg', delivery: 'boot', printAll: true } as const;
    const chain = predictChain(left, context, {});
    expect(chain.at(-1)?.outcome).toBe(outcome);
    expect(chain.flatMap(p => p.steps).map(s => s.rule.id)).toContain(rule);
    expect(ruleById(rule)?.evidence).toBe('observed');
  });
});

describe('broadcast machine checks that were seen on Xen 4.20 with a Linux 7.2.12 dom0 under TCG, on an address of dom0', () => {
  it.each([
    ['SRAO', 0xbd000000000000c0n, 5n, 'logged', 'xen.page-offline', 'MCE: inject vMCE to'],
    ['SRAR on an idle vCPU', 0xbd80000000000134n, 7n, 'panicked', 'xen.intel-srar', 'Data load in unrecoverable area'],
    [
      'UCNA',
      0xbc00000080000136n,
      5n,
      'logged',
      'xen.continue',
      'Bank 9: bc00000080000136[              8c] at         20000000',
    ],
    ['SRAR with an unknown code', 0xbd80000000000135n, 7n, 'panicked', 'xen.srar-unknown', 'Software recovery failed'],
  ] as const)('%s', (_, status, mcgStatus, outcome, rule, printed) => {
    const chain = predictChain(
      x86(status, { mcgStatus, addr: 0x20000000n }),
      { consumer: 'qemu', version: '11.1.3', platform: 'tcg', broadcast: true },
      { xen: { cpus: 2, page: 'user' }, linux: { version: '7.2.12', cpus: 2, running: 'idle', page: 'free' } },
      { guest: 'xen' },
    );
    expect(chain.at(-1)?.outcome).toBe(outcome);
    expect(chain.flatMap(p => p.steps).map(s => s.rule.id)).toContain(rule);
    expect(chain.flatMap(p => p.messages).join('\n')).toContain(printed);
    expect(ruleById(rule)?.evidence).toBe('observed');
  });
});
