import { describe, expect, it } from 'vitest';
import { RULES, ruleById } from './catalog.ts';
import type { OutlookContext } from './context.ts';
import { predict } from './predict.ts';
import type { OutlookOutcome } from './prediction.ts';
import type { CxlReport, OutlookRecord } from './record.ts';
import { ARM_SECTION, cper, named, x86 } from './testing/records.ts';

type Case = readonly [
  rule: string,
  record: OutlookRecord,
  context: OutlookContext,
  outcome: OutlookOutcome,
  /** A part of a message that must be printed. */
  message?: string,
];

const mc = (more: Partial<OutlookContext> = {}): OutlookContext => ({
  consumer: 'linux',
  version: '7.2.12',
  delivery: 'exception',
  platform: 'kvm',
  running: 'user',
  cpus: 2,
  broadcast: true,
  sigbusHandler: true,
  page: 'user',
  earlyKill: false,
  ...more,
});
const poll = (more: Partial<OutlookContext> = {}): OutlookContext => mc({ delivery: 'poll', ...more });
const qemu = (more: Partial<OutlookContext> = {}): OutlookContext => ({ consumer: 'qemu', version: '11.1.3', ...more });
const sigbus = (code: 'AO' | 'AR', more: Partial<OutlookContext> = {}): [OutlookRecord, OutlookContext] => [
  { kind: 'sigbus', code: `BUS_MCEERR_${code}`, gpa: 0x1000n },
  qemu({ vendor: 'intel', platform: 'kvm', ...more }),
];
const kvm = (more: Partial<OutlookContext> = {}): OutlookContext => ({ consumer: 'kvm', version: '7.2.12', ...more });
const xen = (more: Partial<OutlookContext> = {}): OutlookContext => ({
  consumer: 'xen',
  cpus: 2,
  broadcast: true,
  running: 'user',
  page: 'user',
  ...more,
});
const ghes = (more: Partial<OutlookContext> = {}): OutlookContext => mc({ delivery: 'ghes-notify', ...more });
const cxl = (event: CxlReport['event']): OutlookRecord => ({ kind: 'cxl', event });
const linuxCxl = (more: Partial<OutlookContext> = {}): OutlookContext => mc({ delivery: 'cxl', ...more });
const sea = (esr: bigint): OutlookRecord => ({ kind: 'arm-sea', esr });
const arm = (more: Partial<OutlookContext> = {}): OutlookContext => ({
  consumer: 'linux',
  sigbusHandler: false,
  panicOnOops: false,
  apeiClaims: false,
  running: 'user',
  ...more,
});

const SRAO = 0xbd000000000000c0n;
const SRAR = 0xbd80000000000134n;
const UC = 0xbc00080000000000n;
const OVER = 1n << 62n;
/** Poison that an instruction fetch consumed: RIPV and EIPV are clear. */
const FETCH_SNB = x86(0xbd80000000000150n, { bank: 0, cpuid: 0x206d7n, mcgStatus: 4n });
/** As it was reported of a Xeon E3-1275 v3 under QEMU: a corrected internal parity error that was none. */
const PARITY_HSW = x86(0x90000040000f0005n, { bank: 0, cpuid: 0x306c3n, mcgStatus: 0n });
const FETCH_ZEN = named('amd-uc', { bank: 1, cpuid: 0xa00f11n, mcgStatus: 4n });

const CASES: readonly Case[] = [
  // KVM
  ['kvm.set-mce.invalid', x86(0n), kvm(), 'none'],
  ['kvm.set-mce.invalid', named('ce', { bank: 10 }), kvm(), 'none'],
  ['kvm.set-mce.ucna', x86(0xbc00000000000136n, { mcgStatus: 0n }), kvm(), 'forwarded'],
  ['kvm.set-mce.reporting-off', named('srao'), kvm({ reportingEnabled: false }), 'none'],
  ['kvm.set-mce.shutdown', named('srao'), kvm({ mcip: true }), 'reset'],
  ['kvm.set-mce.shutdown', named('srao'), kvm({ mcip: false, cr4Mce: false }), 'reset'],
  ['kvm.set-mce.exception', named('srao'), kvm(), 'forwarded'],
  ['kvm.set-mce.bank', named('ce'), kvm(), 'forwarded'],
  ['kvm.set-mce.lost', named('ce'), kvm({ bankStatus: 0xbc00000000000136n }), 'none'],
  ['kvm.poison.sigbus', named('srar-data'), kvm({ delivery: 'sigbus-ar' }), 'forwarded'],
  ['kvm.sea.claimed', sea(0x92000010n), kvm({ apeiClaims: true }), 'forwarded'],
  ['kvm.sea.host-owns', sea(0x92000010n), kvm({ hostRas: false, apeiClaims: false }), 'forwarded'],
  ['kvm.sea.host-owns', sea(0x92000097n), kvm({ hostRas: true, apeiClaims: false }), 'forwarded'],
  ['kvm.sea.before-6.19', sea(0x92000010n), kvm({ version: '6.18.44' }), 'forwarded'],
  ['kvm.sea.no-capability', sea(0x92000010n), kvm({ seaToUser: false }), 'forwarded'],
  ['kvm.sea.same-level', sea(0x96000010n), kvm({ apeiClaims: false }), 'not-applicable'],
  ['kvm.sea.exit', sea(0x92000017n), kvm({ seaToUser: true }), 'forwarded'],
  // QEMU, monitor command
  ['qemu.hmp.no-mca', named('ce'), qemu({ mcgCap: 0n }), 'none', 'MCE injection not supported'],
  ['qemu.hmp.bad-bank', named('ce', { bank: 10 }), qemu(), 'none', 'Invalid MCE bank number'],
  ['qemu.hmp.bad-bank', named('ce', { bank: -1 }), qemu(), 'none', 'Invalid MCE bank number'],
  ['qemu.hmp.not-valid', x86(0x3d000000000000c0n), qemu(), 'none', 'Invalid MCE status code'],
  [
    'qemu.hmp.no-broadcast',
    named('amd-uc'),
    qemu({ broadcast: true }),
    'none',
    'Guest CPU does not support MCA broadcast',
  ],
  ['qemu.inject.reporting-off', named('srao'), qemu({ reportingEnabled: false }), 'none', 'reporting disabled'],
  ['qemu.inject.mce-off', named('srao'), qemu({ cr4Mce: false }), 'reset', 'MCE capability is not enabled'],
  ['qemu.inject.still-in-progress', named('srao'), qemu({ mcip: true }), 'reset', 'Previous MCE still in progress'],
  ['qemu.inject.exception', named('srao'), qemu(), 'forwarded'],
  ['qemu.inject.overwritten', named('srao'), qemu({ bankStatus: 1n << 63n }), 'forwarded'],
  ['qemu.inject.bank', named('ce'), qemu(), 'forwarded'],
  ['qemu.inject.bank', named('amd-deferred'), qemu(), 'forwarded'],
  ['qemu.inject.lost', named('ce'), qemu({ bankStatus: SRAO }), 'none'],
  ['qemu.inject.others-uncorrected', named('ce'), qemu({ broadcast: true }), 'forwarded'],
  ['qemu.inject.others-uncorrected', named('ce'), qemu({ broadcast: true, cr4Mce: false }), 'reset', 'raising triple'],
  // QEMU, SIGBUS
  ['qemu.inject.ignore-recursive', ...sigbus('AO', { mcip: true }), 'none', 'BUS_MCEERR_AO injected'],
  ['qemu.sigbus.no-kvm', ...sigbus('AR', { platform: 'tcg' }), 'vmm-died'],
  [
    'qemu.sigbus.own-memory-required',
    ...sigbus('AR', { guestRam: false }),
    'vmm-died',
    'QEMU got Hardware memory error',
  ],
  ['qemu.sigbus.own-memory-optional', ...sigbus('AO', { guestRam: false }), 'none', 'used by QEMU itself'],
  ['qemu.sigbus.page-kept', ...sigbus('AR'), 'forwarded'],
  ['qemu.sigbus.intel-required', ...sigbus('AR'), 'forwarded', 'GUEST addr 0x1000 of type BUS_MCEERR_AR injected'],
  ['qemu.sigbus.intel-optional', ...sigbus('AO'), 'forwarded', 'warning: Guest MCE Memory Error'],
  ['qemu.sigbus.amd-required', ...sigbus('AR', { vendor: 'amd' }), 'forwarded'],
  ['qemu.sigbus.amd-optional', ...sigbus('AO', { vendor: 'amd' }), 'forwarded'],
  ['qemu.sigbus.amd-before-9.1', ...sigbus('AO', { vendor: 'amd', version: '9.0' }), 'forwarded'],
  ['qemu.sigbus.arm-required', ...sigbus('AR', { vendor: 'arm', ras: true }), 'forwarded'],
  ['qemu.sigbus.arm-optional', ...sigbus('AO', { vendor: 'arm', ras: true }), 'none'],
  ['qemu.sigbus.arm-no-ras', ...sigbus('AR', { vendor: 'arm', ras: false }), 'vmm-died', 'Hardware memory error!'],
  // QEMU, firmware records
  ['qemu.ghes.unknown', cper('recoverable'), qemu({ version: '10.1' }), 'none', 'has not been found'],
  ['qemu.ghes.silent', cper('recoverable'), qemu({ ras: false }), 'none'],
  ['qemu.ghes.busy', cper('recoverable'), qemu({ ghesAcknowledged: false }), 'none', 'OSPM does not acknowledge'],
  ['qemu.ghes.forward', cper('recoverable'), qemu(), 'forwarded'],
  // Linux, Intel grades
  ['linux.intel.invalid', x86(0n), mc(), 'panicked', 'Fatal machine check from unknown source'],
  ['linux.intel.not-enabled', x86(0xa000000000000000n), mc(), 'panicked', 'unknown source'],
  ['linux.intel.pcc', named('uc-fatal'), mc(), 'panicked', 'Machine check: Processor context corrupt'],
  ['linux.intel.no-mcip', named('srao', { mcgStatus: 1n }), mc(), 'panicked', 'MCIP not set in MCA handler'],
  ['linux.intel.no-ip', named('srao', { mcgStatus: 4n }), mc(), 'panicked', 'Neither restart nor error IP'],
  [
    'linux.intel.kernel-no-restart',
    named('srao', { mcgStatus: 6n }),
    mc({ running: 'kernel' }),
    'panicked',
    'In kernel and no restart IP',
  ],
  ['linux.intel.corrected', named('ce', { mcgStatus: 5n }), mc({ ser: false }), 'panicked', 'unknown source'],
  ['linux.intel.scrub', named('srao'), mc(), 'logged', 'Memory failure: 0x87ee: recovery action'],
  ['linux.intel.scrub', x86(SRAO | OVER | 0x1005n), mc(), 'logged'],
  ['linux.intel.writeback', x86(0xbd0000000000017an), mc(), 'logged', 'Memory failure'],
  [
    'linux.intel.patrol-scrub',
    x86(0x8c000000001000c1n, { bank: 13, cpuid: 0x50654n, mcgStatus: 0n }),
    poll(),
    'logged',
    'Memory failure: 0x87ee',
  ],
  ['linux.intel.ucna', named('ucna'), mc(), 'none'],
  ['linux.intel.ucna-with-ar', x86(0xbc80000000000134n), mc(), 'panicked', 'Illegal combination (UCNA with AR=1)'],
  ['linux.intel.not-signalled', named('ce', { mcgStatus: 0xdn }), mc(), 'none'],
  ['linux.intel.action-required-lost', x86(SRAR | OVER), mc(), 'panicked', 'Action required with lost events'],
  ['linux.intel.unaffected-thread', named('srar-data', { mcgStatus: 0xdn }), mc(), 'none'],
  ['linux.intel.data-in-copy', named('srar-data'), mc({ running: 'kernel-recoverable' }), 'logged'],
  ['linux.intel.data-in-user', named('srar-data'), mc(), 'signalled', 'in user-access at 87ee000'],
  ['linux.intel.instruction-in-user', named('srar-instr'), mc(), 'signalled'],
  ['linux.intel.data-in-seam', named('srar-data', { mcgStatus: 0x1007n }), mc({ running: 'kernel' }), 'logged'],
  ['linux.intel.instruction-in-seam', named('srar-instr', { mcgStatus: 0x1007n }), mc({ running: 'kernel' }), 'logged'],
  [
    'linux.intel.data-in-kernel',
    named('srar-data'),
    mc({ running: 'idle' }),
    'panicked',
    'Machine check: Data load in unrecoverable area of kernel',
  ],
  [
    'linux.intel.instruction-in-kernel',
    named('srar-instr'),
    mc({ running: 'kernel' }),
    'panicked',
    'Instruction fetch error in kernel',
  ],
  [
    'linux.intel.action-required-unknown',
    x86(0xbd80000000000135n, { mcgStatus: 7n }),
    mc(),
    'panicked',
    'unknown MCACOD',
  ],
  // Without CONFIG_MEMORY_FAILURE no code of an action required error is known.
  ['linux.intel.action-required-unknown', named('srar-data'), mc({ memoryFailure: false }), 'panicked'],
  [
    'linux.intel.action-optional-unknown',
    x86(0xbd00000000000134n, { mcgStatus: 7n }),
    mc({ running: 'idle' }),
    'logged',
  ],
  ['linux.intel.action-optional-lost', x86(0xfd00000000000134n), mc(), 'logged'],
  ['linux.intel.overflowed', x86(0xf400000000000134n), mc({ ser: false }), 'panicked', 'Overflowed uncorrected'],
  [
    'linux.intel.uncorrected-in-kernel',
    x86(0xb400000000000134n),
    mc({ ser: false, running: 'kernel' }),
    'panicked',
    'Uncorrected in kernel',
  ],
  ['linux.intel.uncorrected', x86(0xb400000000000134n), mc({ ser: false }), 'logged'],
  ['linux.intel.no-match', x86(0x9d00000000000001n), mc(), 'logged'],
  [
    'linux.intel.promoted-in-kernel',
    x86(0xb400000000000134n),
    mc({ ser: false, running: 'kernel', version: '6.1.140' }),
    'panicked',
    'Machine check: Uncorrected',
  ],
  // Linux, AMD grades
  ['linux.amd.pcc', named('amd-uc', { status: 0xbe00080000000000n }), mc(), 'panicked', 'Processor Context Corrupt'],
  ['linux.amd.deferred', named('amd-deferred'), poll(), 'logged', 'Memory failure'],
  ['linux.amd.corrected', named('amd-uc', { status: 0x9c00000000000000n }), poll(), 'logged'],
  [
    'linux.amd.overflowed',
    named('amd-uc', { status: UC | OVER }),
    mc({ overflowRecov: false }),
    'panicked',
    'Overflowed uncorrected error without MCA Overflow Recovery',
  ],
  [
    'linux.amd.no-succor',
    named('amd-uc'),
    mc({ platform: 'tcg' }),
    'panicked',
    'Machine check: Uncorrected error without MCA Recovery',
  ],
  [
    'linux.amd.in-kernel',
    named('amd-uc'),
    mc({ running: 'kernel' }),
    'panicked',
    'Uncorrected unrecoverable error in kernel context',
  ],
  ['linux.amd.action-required', named('amd-uc'), mc({ ser: false }), 'signalled'],
  ['linux.amd-old.pcc', named('amd-uc', { status: 0xbe00080000000000n }), mc({ version: '5.15' }), 'panicked'],
  ['linux.amd-old.in-kernel', named('amd-uc'), mc({ version: '5.15', running: 'kernel' }), 'panicked'],
  [
    'linux.amd-old.smca-no-succor',
    named('amd-uc'),
    mc({ version: '5.15', smca: true, overflowRecov: true, succor: false }),
    'panicked',
  ],
  [
    'linux.amd-old.action-required',
    named('amd-uc'),
    mc({ version: '5.15', overflowRecov: true, ser: false }),
    'signalled',
  ],
  [
    'linux.amd-old.overflowed',
    named('amd-uc', { status: UC | OVER }),
    mc({ version: '5.15', overflowRecov: false }),
    'panicked',
  ],
  ['linux.amd-old.uncorrected', named('amd-uc'), mc({ version: '5.15', overflowRecov: false, ser: false }), 'logged'],
  // A record that only an older kernel would grade by its last rows: uncorrected and deferred at once.
  [
    'linux.amd-old.uncorrected',
    named('amd-uc', { status: UC | (1n << 44n) }),
    mc({ version: '5.15', overflowRecov: false, ser: false }),
    'logged',
  ],
  // Linux, errata of CPUs
  [
    'linux.quirk.string-copy',
    named('srar-data', { bank: 1, cpuid: 0x50654n, mcgStatus: 0xfn }),
    mc({ fastStrings: true }),
    'none',
    'Erratum detected, disable fast string copy',
  ],
  ['linux.quirk.sandy-bridge-fetch', FETCH_SNB, mc(), 'signalled', 'in user-access at'],
  ['linux.quirk.zen-fetch', FETCH_ZEN, mc({ succor: true, ser: false }), 'signalled', 'in user-access at'],
  ['linux.quirk.zen-fetch', FETCH_ZEN, mc({ version: '6.1.53', succor: true, ser: false }), 'signalled'],
  ['linux.quirk.filtered', PARITY_HSW, poll(), 'none'],
  ['linux.quirk.gart-off', x86(0xa60000010005001bn, { bank: 4, vendor: 'amd', cpuid: 0xf00n }), poll(), 'none'],
  ['linux.quirk.k7-bank-0', x86(0x8400000000000135n, { vendor: 'amd', bank: 0, cpuid: 0x623n }), poll(), 'none'],
  [
    'linux.quirk.no-bootlog',
    x86(0xb600000000000185n, { vendor: 'amd', bank: 4, cpuid: 0x100f42n }),
    mc({ delivery: 'boot' }),
    'none',
  ],
  [
    'linux.quirk.bulldozer-overflow',
    named('amd-uc', { cpuid: 0x600f20n }),
    mc({ version: '5.15', ser: false, overflowRecov: false }),
    'signalled',
  ],
  // Linux, the exception handler
  ['linux.mce.off', named('srao'), mc({ mceOff: true }), 'reset'],
  ['linux.mce.nested', named('srao'), mc({ mcip: true }), 'reset'],
  ['linux.mce.local', named('srao', { mcgStatus: 0xdn }), mc({ broadcast: false }), 'logged'],
  [
    'linux.mce.local-fatal',
    named('uc-fatal', { mcgStatus: 0xcn }),
    mc(),
    'panicked',
    'panic - not syncing: Fatal local machine check',
  ],
  ['linux.mce.one-cpu', named('srao'), mc({ cpus: 1, broadcast: false }), 'logged'],
  [
    'linux.mce.rendezvous-timeout',
    named('srao'),
    mc({ broadcast: false }),
    'panicked',
    'Timeout: Not all CPUs entered broadcast exception handler',
  ],
  ['linux.mce.rendezvous-late', named('srao'), mc({ platform: 'tcg', rendezvousMet: false }), 'panicked', 'Timeout'],
  ['linux.mce.no-rendezvous', named('srao'), mc({ monarchTimeout: 0, broadcast: false }), 'logged'],
  [
    'linux.mce.fatal-alone',
    named('uc-fatal'),
    mc({ monarchTimeout: 0 }),
    'panicked',
    'Fatal machine check on current CPU',
  ],
  ['linux.mce.fatal', named('uc-fatal'), mc(), 'panicked', 'Kernel panic - not syncing: Fatal machine check'],
  [
    'linux.mce.unknown-source',
    named('ucna', { mcgStatus: 5n }),
    mc(),
    'panicked',
    'Fatal machine check from unknown source',
  ],
  ['linux.mce.not-signalled', named('ucna'), mc(), 'none'],
  ['linux.mce.amd-no-s-bit', named('amd-uc'), mc({ platform: 'tcg', succor: true }), 'none'],
  ['linux.mce.not-uncorrected', named('ce', { mcgStatus: 0xdn }), mc({ ser: false }), 'none'],
  ['linux.mce.filler', x86(0xa000000000000000n, { bank: 1, cpu: 1 }), mc(), 'none'],
  // Some CPU got no exception: nobody's record decides, and the others wait for it in vain.
  [
    'linux.mce.rendezvous-timeout',
    x86(0xa000000000000000n, { bank: 1, cpu: 1, mcgStatus: 5n }),
    mc({ broadcast: false }),
    'panicked',
    'Not all CPUs entered',
  ],
  [
    'linux.mce.copy-signalled',
    named('srar-data'),
    mc({ running: 'kernel-recoverable', version: '5.10.50' }),
    'signalled',
    'in user-access at 87ee000',
  ],
  // Before 5.10 Linux does not recover from a copy of its own.
  ['linux.intel.data-in-kernel', named('srar-data'), mc({ running: 'kernel-recoverable', version: '5.4' }), 'panicked'],
  ['linux.mce.left-for-poll', named('srar-data', { mcgStatus: 0xdn }), mc(), 'none'],
  ['linux.mce.cleared', x86(0xad000000000000c0n, { mcgStatus: 0xdn }), mc(), 'none'],
  ['linux.mce.resume', named('srao'), mc(), 'logged'],
  ['linux.mce.kernel-returns', x86(0n, { mcgStatus: 0xcn }), mc({ running: 'kernel' }), 'none'],
  ['linux.mce.no-restart', named('srao', { mcgStatus: 6n }), mc(), 'signalled'],
  ['linux.mce.kill-maybe', named('srar-data'), mc({ sigbusHandler: false }), 'killed'],
  ['linux.mce.unread', x86(0xad000000000000c0n, { mcgStatus: 0xen, misc: 0x8cn }), mc(), 'signalled'],
  ['linux.mce.kill-now', named('amd-uc', { status: 0xb800000000000000n }), mc({ ser: false }), 'signalled'],
  [
    'linux.mce.not-recovered',
    named('srar-data'),
    mc({ page: 'kernel' }),
    'signalled',
    'mce: Memory error not recovered',
  ],
  [
    'linux.mce.copy-fixup',
    named('srar-data'),
    mc({ running: 'kernel-recoverable' }),
    'logged',
    'Kernel accessed poison',
  ],
  ['linux.mce.seam', named('srar-data', { mcgStatus: 0x1007n }), mc({ running: 'kernel' }), 'logged'],
  // Linux, the poll
  ['linux.poll.off', named('ce'), poll({ mceOff: true }), 'none'],
  ['linux.poll.ignored', named('ce'), poll({ ignoreCe: true }), 'none'],
  ['linux.poll.empty', x86(0n), poll(), 'none'],
  ['linux.poll.interrupt', named('ce'), poll({ delivery: 'cmci', platform: 'bare-metal' }), 'logged'],
  ['linux.poll.interrupt', named('amd-deferred'), poll({ delivery: 'interrupt', smca: true }), 'logged'],
  ['linux.poll.boot', named('uc-fatal', { mcgStatus: 0n }), poll({ delivery: 'boot' }), 'logged', 'Machine Check: 0'],
  ['linux.poll.firmware', x86(0xbc0000000000009fn, { bank: 255, mcgStatus: 0n }), poll(), 'logged', 'Bank 255: bc'],
  ['linux.poll.firmware', x86(0xbc0000000000009fn, { bank: -1, mcgStatus: 0n }), poll(), 'logged', 'Bank 255: bc'],
  [
    'linux.poll.deferred-register',
    named('amd-deferred', { status: 0n, destat: 0x9c00180000000000n, deaddr: 0x1000n }),
    poll({ smca: true }),
    'logged',
    'Memory failure: 0x1',
  ],
  ['linux.poll.smca', named('amd-uc'), poll({ smca: true }), 'logged'],
  [
    'linux.poll.corrected',
    named('ce'),
    poll({ printAll: true }),
    'logged',
    'Machine Check: 0 Bank 9: 9c000000000000c0',
  ],
  ['linux.poll.no-ser', named('ucna'), poll({ ser: false }), 'none'],
  ['linux.poll.not-enabled', x86(0xa000000000000000n, { bank: 1 }), poll(), 'logged'],
  ['linux.poll.not-signalled', named('ucna'), poll({ earlyKill: true }), 'signalled', 'Sending SIGBUS'],
  ['linux.poll.left-for-exception', named('srao'), poll(), 'none'],
  ['linux.poll.not-logged', named('xen-note-ce'), poll({ dontLogCe: true }), 'none'],
  ['linux.poll.hand-over', named('amd-deferred'), poll(), 'logged'],
  ['linux.poll.cec', named('ce'), poll(), 'logged', 'Machine check events logged'],
  [
    'linux.amd-destat.crash',
    named('amd-deferred'),
    poll({ version: '6.19.6' }),
    'panicked',
    'mce: MSR access error: WRMSR to 0xc0002098 (tried to write 0x0000000000000000) at rIP',
  ],
  ['linux.amd-destat.silent', named('amd-deferred'), poll({ version: '6.19.6', platform: 'tcg' }), 'logged'],
  ['linux.amd-destat.silent', named('amd-deferred'), poll({ version: '6.19.6', ignoreMsrs: true }), 'logged'],
  ['linux.amd-destat.smca', named('amd-deferred'), poll({ version: '7.0-rc3', smca: true }), 'logged'],
  // Linux, addresses
  ['linux.address.none', named('srao', { addr: undefined as never }), mc(), 'logged'],
  ['linux.address.intel-no-misc', x86(0xb5000000000000c0n), mc(), 'logged'],
  ['linux.address.intel-mode', named('srao', { misc: 0x4cn }), mc(), 'logged'],
  ['linux.address.intel-coarse', named('srao', { misc: 0x95n }), mc(), 'logged'],
  ['linux.address.intel', named('srao'), mc(), 'logged', 'Memory failure'],
  [
    'linux.address.amd-northbridge',
    named('amd-deferred', { bank: 4, status: 0x9c00100000080000n }),
    poll(),
    'logged',
    'Memory failure',
  ],
  ['linux.address.amd-northbridge', named('amd-deferred', { bank: 4 }), poll(), 'logged'],
  ['linux.address.amd-poison', named('amd-deferred'), poll(), 'logged', 'Memory failure'],
  ['linux.address.amd-other', named('amd-deferred', { status: 0x9c00100000000000n }), poll(), 'logged'],
  [
    'linux.address.amd-before-6.7',
    named('amd-deferred', { status: 0x9c00100000000000n }),
    poll({ version: '6.1.140' }),
    'logged',
    'Memory failure',
  ],
  // memory_failure
  ['linux.memory-failure.off', named('srao'), mc({ memoryFailure: false }), 'logged'],
  [
    'linux.memory-failure.outside',
    named('srao'),
    mc({ page: 'none' }),
    'logged',
    'recovery action for non struct page pfn: Ignored',
  ],
  ['linux.memory-failure.already', named('srao'), mc({ page: 'poisoned' }), 'logged', 'already hardware poisoned'],
  ['linux.memory-failure.free', named('srao'), mc({ page: 'free' }), 'logged', 'free buddy page: Recovered'],
  [
    'linux.memory-failure.clean',
    named('srao'),
    mc({ page: 'clean', earlyKill: true }),
    'logged',
    'clean LRU page: Recovered',
  ],
  ['linux.memory-failure.kernel', named('srao'), mc({ page: 'kernel' }), 'logged', 'Ignored'],
  ['linux.memory-failure.action-required', named('srar-data'), mc(), 'signalled', 'Sending SIGBUS'],
  ['linux.memory-failure.early', named('srao'), mc({ earlyKill: true }), 'signalled', 'Sending SIGBUS'],
  ['linux.memory-failure.late', named('srao'), mc(), 'logged'],
  ['linux.sigbus.handled', named('srar-data'), mc(), 'signalled'],
  ['linux.sigbus.deadly', named('srar-data'), mc({ sigbusHandler: false }), 'killed'],
  // Linux, firmware records
  ['qemu.sigbus.monitor-read', ...sigbus('AR', { vmmReads: true }), 'vmm-died'],
  ['linux.cxl.no-events', cxl('dram'), linuxCxl({ version: '6.1.176' }), 'none'],
  ['linux.cxl.traced', cxl('general-media'), linuxCxl(), 'logged'],
  ['linux.cxl.no-poison-list', cxl('poison'), linuxCxl({ version: '6.3', cxlListRead: true }), 'none'],
  ['linux.cxl.poison-silent', cxl('poison'), linuxCxl({ cxlListRead: false }), 'none'],
  ['linux.cxl.poison-listed', cxl('poison'), linuxCxl({ cxlListRead: true }), 'logged'],
  ['linux.cxl.masked', cxl('correctable'), linuxCxl({ cxlMasked: true }), 'none'],
  ['linux.cxl.correctable', cxl('correctable'), linuxCxl({ cxlMasked: false }), 'logged'],
  ['linux.cxl.uncorrectable', cxl('uncorrectable'), linuxCxl({ cxlMasked: false }), 'logged'],
  ['linux.ghes.fatal', cper('fatal'), ghes(), 'panicked', 'GHES: Fatal hardware error'],
  [
    'linux.ghes.previous-boot',
    Object.assign(cper('fatal'), { previousBoot: true }),
    ghes(),
    'logged',
    'BERT: Error records from previous boot:\n[Hardware Error]: event severity: fatal',
  ],
  ['linux.ghes.corrected', cper('corrected'), ghes(), 'logged', 'It has been corrected by h/w'],
  ['linux.ghes.threshold', cper('corrected', { flags: 8 }), ghes(), 'logged'],
  ['linux.ghes.informational', cper('none'), ghes(), 'logged', 'event severity: info'],
  ['linux.ghes.asynchronous', cper('recoverable'), ghes({ earlyKill: true }), 'signalled', 'Memory failure: 0x50000'],
  ['linux.ghes.synchronous', cper('recoverable'), ghes({ delivery: 'ghes-sea' }), 'signalled'],
  ['linux.ghes.no-address', cper('recoverable', { body: { kind: 'memory', errorType: 3 } }), ghes(), 'logged'],
  ['linux.ghes.section-severity', cper('recoverable', { severity: 'corrected' }), ghes(), 'logged'],
  [
    'linux.ghes.arm-cache',
    cper('recoverable', {
      type: ARM_SECTION,
      body: { kind: 'arm-processor', errors: [{ type: 2, physicalAddress: 0x1000n }], contexts: [] },
    }),
    ghes({ earlyKill: true }),
    'signalled',
  ],
  [
    'linux.ghes.arm-other',
    cper('recoverable', {
      type: ARM_SECTION,
      body: { kind: 'arm-processor', errors: [{ type: 4, physicalAddress: 0x1000n }], contexts: [] },
    }),
    ghes(),
    'logged',
  ],
  [
    'linux.ghes.unhandled',
    cper('recoverable', {
      type: '81212a96-09ed-4996-9471-8d729c8e69ed',
      body: { kind: 'raw', data: new Uint8Array(8) },
    }),
    ghes(),
    'logged',
    'section type: unknown, 81212a96',
  ],
  [
    'linux.ghes.nothing-queued',
    cper('recoverable', { body: { kind: 'memory' } }),
    ghes({ delivery: 'ghes-sea', sigbusHandler: false }),
    'killed',
  ],
  ['linux.ghes.no-section', { ...cper('recoverable'), sections: [] }, ghes(), 'logged', 'event severity: recoverable'],
  ['linux.ghes.kernel-abort', cper('recoverable'), ghes({ delivery: 'ghes-sea', running: 'kernel' }), 'killed'],
  // Linux, Arm exceptions
  ['linux.sea.no-abort', sea(0x92000007n), arm({ delivery: 'sea' }), 'none'],
  ['linux.sea.claimed', sea(0x92000010n), arm({ apeiClaims: true, sigbusHandler: true }), 'signalled'],
  ['linux.sea.user', sea(0x92000010n), arm(), 'killed'],
  ['linux.sea.user', sea(0x92000010n), arm({ sigbusHandler: true }), 'signalled'],
  ['linux.sea.user-walk', sea(0x92000017n), arm({ sigbusHandler: true }), 'killed'],
  [
    'linux.sea.kernel',
    sea(0x96000010n),
    arm({ running: 'kernel' }),
    'killed',
    'synchronous external abort: 0000000096000010',
  ],
  ['linux.sea.kernel-fatal', sea(0x96000010n), arm({ running: 'kernel', panicOnOops: true }), 'panicked'],
  [
    'linux.sea.kernel-fatal',
    sea(0x96000010n),
    arm({ running: 'idle' }),
    'panicked',
    'Attempted to kill the idle task!',
  ],
  ['linux.serror.contained', { kind: 'arm-sea', esr: 0xbe001811n }, arm(), 'none'],
  ['linux.serror.unknown', sea(0xbf000000n), arm(), 'panicked', 'Asynchronous SError Interrupt'],
  ['linux.serror.fatal', sea(0xbe000011n), arm(), 'panicked', 'code 0x00000000be000011 -- SError'],
  // Xen
  ['xen.poll-virq', named('xen-note-ce'), xen({ dom0Registered: true }), 'logged'],
  ['xen.poll-console', named('xen-note-ce'), xen({ dom0Registered: false }), 'none'],
  ['xen.poll-empty', x86(0n), xen({ delivery: 'poll' }), 'none'],
  ['xen.amd-address-bug', named('amd-deferred'), xen(), 'panicked', 'Xen BUG at arch/x86/cpu/mcheck/mce_amd.c'],
  ['xen.amd-code-bug', named('amd-uc'), xen(), 'panicked', 'Xen BUG'],
  // The note's fatal record on the EPYC model.
  ['xen.amd-code-bug', named('uc-fatal'), xen({ vendor: 'amd' }), 'panicked', 'Xen BUG'],
  ['xen.no-error', x86(0n), xen({ delivery: 'exception' }), 'panicked', 'No CPU found valid MCE, need reset'],
  ['xen.pcc', named('uc-fatal', { mcgStatus: 0n }), xen(), 'panicked', 'Fatal error happened on CPUs 1'],
  ['xen.intel-corrected', named('ce', { mcgStatus: 5n }), xen({ delivery: 'exception' }), 'logged'],
  ['xen.intel-spurious', x86(0xa000000000000000n), xen(), 'logged'],
  ['xen.intel-srar', named('srar-data'), xen(), 'forwarded'],
  ['xen.intel-srao', named('srao'), xen(), 'forwarded'],
  ['xen.intel-ucna', named('ucna', { mcgStatus: 5n }), xen({ delivery: 'exception' }), 'logged'],
  ['xen.intel-fatal', x86(SRAR | OVER), xen(), 'panicked'],
  ['xen.amd-corrected', named('amd-uc', { status: 0x9c00000000000151n }), xen({ delivery: 'exception' }), 'logged'],
  ['xen.amd-memory', named('amd-uc', { status: 0xbc00080000000151n }), xen(), 'logged'],
  ['xen.amd-no-handler', named('amd-uc', { status: 0xbc00080000000151n }), xen({ owner: 'hvm' }), 'logged'],
  ['xen.amd-fatal', named('amd-uc', { status: 0xbc00080000000813n }), xen(), 'panicked'],
  ['xen.no-restart', named('srao', { mcgStatus: 4n }), xen(), 'panicked'],
  ['xen.no-restart', named('srao', { mcgStatus: 6n }), xen({ running: 'kernel' }), 'panicked'],
  ['xen.hang', named('uc-fatal'), xen({ broadcast: false }), 'hung'],
  ['xen.srar-unknown', x86(0xbd80000000000135n), xen(), 'panicked', 'MCE: Software recovery failed for the UCR'],
  ['xen.no-address', named('srao', { misc: 0n }), xen(), 'logged'],
  ['xen.no-address', named('srar-data', { misc: 0n }), xen(), 'panicked', 'Software recovery failed'],
  ['xen.continue', named('ucna', { mcgStatus: 5n }), xen({ delivery: 'exception' }), 'logged'],
  ['xen.page-offline', named('srao'), xen(), 'forwarded', 'MCE: inject vMCE to'],
  ['xen.page-offline', named('srao'), xen({ owner: 'hvm' }), 'forwarded', 'MCE: inject vMCE to'],
  [
    'xen.domain-crash',
    named('srao'),
    xen({ owner: 'pv' }),
    'domain-crashed',
    'domain_crash called from arch/x86/cpu/mcheck',
  ],
  // Action optional that cannot be acted on is only logged.
  ['xen.continue', x86(0xbd00000000000135n), xen(), 'logged'],
  ['xen.not-recovered', named('srao'), xen({ page: 'kernel' }), 'logged'],
  ['xen.page-free', named('srao'), xen({ page: 'free' }), 'logged'],
  ['xen.not-recovered', named('srar-data'), xen({ page: 'kernel' }), 'panicked'],
  // The front
  ['outlook.not-applicable', cper('fatal'), xen(), 'not-applicable'],
  ['outlook.not-applicable', sea(0x92000010n), mc(), 'not-applicable'],
  ['outlook.not-applicable', sea(0xbe000c11n), kvm({ delivery: 'serror' }), 'not-applicable'],
  ['outlook.not-applicable', named('ce'), { consumer: 'vmm' }, 'not-applicable'],
  ['outlook.qemu-no-sea', sea(0x92000010n), qemu({ delivery: 'sea' }), 'not-applicable'],
  ['outlook.older-version', named('ce'), poll({ version: '4.19.300' }), 'logged'],
  ['outlook.older-version', named('ce'), qemu({ version: '6.2' }), 'forwarded'],
  ['outlook.newer-version', named('ce'), poll({ version: '7.3-rc1' }), 'logged'],
  // The VMM of KVM_EXIT_ARM_SEA
  ['vmm.sea.inject', sea(0x92000010n), { consumer: 'vmm' }, 'forwarded'],
];

/** Rules no record can reach alone: they stand for the order of the table they come from. */
const UNREACHABLE = new Set([
  // Recovery in the kernel needs RIPV, so that a context without it is already plain kernel.
  'linux.intel.kernel-recoverable-no-restart',
]);

describe('every rule', () => {
  it.each(CASES.map((c, i) => [`${c[0]} (${i})`, c] as const))('%s', (_, [id, record, context, outcome, message]) => {
    const prediction = predict(record, context);
    expect(prediction.steps.map(s => s.rule.id)).toContain(id);
    expect(prediction.outcome).toBe(outcome);
    expect(prediction.messages.join('\n')).toContain(message ?? '');
  });

  it('has a case, or a reason why it cannot have one', () => {
    const tested = new Set([...CASES.map(c => c[0]), ...UNREACHABLE]);
    expect(RULES.map(r => r.id).filter(id => !tested.has(id))).toEqual([]);
    expect([...tested].filter(id => ruleById(id) === undefined)).toEqual([]);
  });

  it('has an id of its own, a sentence and a source', () => {
    expect(new Set(RULES.map(r => r.id)).size).toBe(RULES.length);
    for (const rule of RULES) {
      expect(rule.id).toMatch(/^[a-z]+(\.[a-z0-9.-]+)+$/);
      expect(rule.text).toMatch(/\.$/);
      expect(rule.source.length).toBeGreaterThan(3);
    }
  });
});

describe('errata of CPUs that Linux works around', () => {
  const outcome = (record: OutlookRecord, context: OutlookContext): OutlookOutcome => predict(record, context).outcome;
  const copy = (more: object = {}): OutlookRecord =>
    named('srar-data', { bank: 1, cpuid: 0x50654n, mcgStatus: 0xfn, ...more });

  it.each([
    ['an older kernel', copy(), mc({ version: '5.15' })],
    ['fast string copies off already', copy(), mc({ fastStrings: false })],
    ['a broadcast', copy({ mcgStatus: 7n }), mc()],
    ['another bank', copy({ bank: 9 }), mc()],
    ['another CPU', copy({ cpuid: 0x606a6n }), mc()],
    ['a CPU that is not known', copy({ cpuid: undefined }), mc()],
  ])('no string copy is dropped with %s', (_, record, context) => {
    expect(outcome(record, { fastStrings: true, ...context })).toBe('signalled');
  });

  it('says that it depends on what nobody gave', () => {
    const found = predict(copy(), mc());
    expect(found.rule.id).toBe('linux.quirk.string-copy');
    expect(found.assumptions.map(a => a.setting)).toContain('fastStrings');
  });

  it.each([
    ['Sandy Bridge, another code', { ...FETCH_SNB, status: 0xbd80000000000134n }, mc()],
    ['Sandy Bridge, another bank', { ...FETCH_SNB, bank: 1 }, mc()],
    ['the same on Ivy Bridge', { ...FETCH_SNB, cpuid: 0x306e4n }, mc()],
    ['the kernel', FETCH_SNB, mc({ running: 'kernel' })],
    ['Zen before 6.4.16', FETCH_ZEN, mc({ version: '6.4.15', succor: true, ser: false })],
    ['Zen before 6.5.3', FETCH_ZEN, mc({ version: '6.5.2', succor: true, ser: false })],
    ['Zen of Hygon', { ...FETCH_ZEN, cpuid: 0x900f01n }, mc({ succor: true, ser: false })],
    ['Zen, another bank', { ...FETCH_ZEN, bank: 0 }, mc({ succor: true, ser: false })],
    ['the kernel on Zen', FETCH_ZEN, mc({ running: 'kernel', succor: true, ser: false })],
  ])('an instruction fetch without an address of the code panics: %s', (_, record, context) => {
    expect(outcome(record as OutlookRecord, context)).toBe('panicked');
  });
});
