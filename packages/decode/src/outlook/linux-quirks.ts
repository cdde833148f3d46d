/**
 * @module What Linux does with machine checks of single CPU models, all of it: records that are dropped, banks that are not
 * looked at, and interrupted context that is believed although MCG_STATUS says nothing of it. Read in 5.10 to 7.2: Linux
 * arch/x86/kernel/cpu/mce, what __mcheck_cpu_apply_quirks() sets (since 6.18 the vendors’ own functions) and filter_mce().
 */
import { cpuOf } from '../mca/cpu.ts';
import type { CpuModel } from '../mca/cpu.ts';
import { bogusOf } from '../mca/not-hardware.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { hasBits } from '../registers/asked.ts';
import type { McaCase } from './case.ts';
import type { Asked } from './context.ts';
import type { Facts } from './facts.ts';
import { defineRules } from './rule.ts';
import type { Rule } from './rule.ts';
import { versionIn } from './version.ts';

export const QUIRK_RULES = defineRules('linux.quirk', 'Linux arch/x86/kernel/cpu/mce/core.c', {
  'string-copy': [
    'On Skylake-SP, Cascade Lake and Cooper Lake a fast string copy can consume poison behind the end of what it copies. The first local machine check of a data load makes Linux (since 5.18) switch fast string copies off on that CPU and drop the record: nothing else is printed, and the interrupted code goes on.',
    'observed',
    'Linux core.c quirk_skylake_repmov(), 8ca97812c3c8 (5.18, 5.17.3); Intel Xeon Scalable specification update',
  ],
  'sandy-bridge-fetch': [
    'Sandy Bridge-EP clears RIPV and EIPV when an instruction fetch consumes poison: Linux takes EIPV for set, so that a process can be told.',
    'observed',
    'Linux core.c quirk_sandybridge_ifu(); SDM vol. 3B, UCR Error Classification',
  ],
  'zen-fetch': [
    'Zen clears RIPV and EIPV when an instruction fetch consumes poison: Linux (since 6.6, 6.5.3, 6.4.16 and 6.1.53) believes the interrupted code segment all the same, so that a process can be told. Not on Hygon.',
    'observed',
    'Linux core.c quirk_zen_ifu(), 4240e2ebe679',
  ],
  filtered: [
    'A record that an erratum of this CPU makes is dropped and cleared before anybody sees it.',
    'observed',
    'Linux intel.c intel_filter_mce(): 2976908e4198 (5.7), Skylake-SP e629fc1407a6 (5.16); Linux amd.c amd_filter_mce(): 71a84402b93e (5.2), GART (5.8), Cezanne 0422b07bc4c2 (7.0, 6.19.13)',
  ],
  'gart-off': [
    'Linux switches the report of GART walk errors off on families 0Fh and 10h: the error stands in its bank with EN clear, raises no exception, and is no failure of anything.',
    'read',
    'Linux amd.c amd_apply_cpu_quirks() (before 6.18 core.c), clear_bit(10, &mce_banks[4].ctl); Linux arch/x86/kernel/cpu/amd.c init_amd_gh()',
  ],
  'k7-bank-0': [
    'AMD’s K7 have broken banks 0: Linux switches that one off and never looks into it.',
    'observed',
    'Linux amd.c amd_apply_cpu_quirks(), before 6.18 core.c',
  ],
  'no-bootlog': [
    'Of AMD up to family 10h and Intel up to the Pentium M firmware is known to leave values behind: what a bank holds from before the kernel started is cleared and not logged, unless mce=bootlog asks for it.',
    'observed',
    'Linux core.c, mca_config.bootlog',
  ],
  'bulldozer-overflow': [
    'The first Bulldozers (family 15h, models 00h to 0Fh) recover from overflow and do not say so: Linux takes it for given.',
    'observed',
    'Linux core.c, mce_flags.overflow_recov',
  ],
});

const { RIPV, EIPV } = MCG_STATUS.masks;
const INTEL = MCI_STATUS_INTEL.masks;
/** Flags of the status of which all have to be as in a recoverable error with an address. */
const SRAR_MASK =
  INTEL.VAL | INTEL.OVER | INTEL.UC | INTEL.EN | INTEL.ADDRV | INTEL.MISCV | INTEL.PCC | INTEL.AR | INTEL.S;
const SRAR = INTEL.VAL | INTEL.UC | INTEL.EN | INTEL.ADDRV | INTEL.MISCV | INTEL.AR | INTEL.S;
/** Of MCACOD all but the filter bit. */
const CODE_MASK = MCI_STATUS_INTEL.encode({ MCACOD: 0xefffn });
const FETCH = MCI_STATUS_INTEL.encode({ MCACOD: 0x150n });

/** Kernels that have a work-around. Distributions may have carried it back further. */
const STRING_COPY_KERNELS = [{ from: '5.17.3', to: '5.17.999' }, { from: '5.18' }];
const ZEN_FETCH_KERNELS = [{ from: '6.1.53', to: '6.1.999' }, { from: '6.4.16', to: '6.4.999' }, { from: '6.5.3' }];

const SKYLAKE_SP = 0x55;
const SANDY_BRIDGE_EP = 0x2d;
/** Bank of the data cache, and that of the instruction fetch unit of either vendor. */
const DATA_CACHE = 1;
const INTEL_FETCH = 0;
const ZEN_FETCH = 1;
/** Families of AMD. */
const K7 = 0x06;
const FAMILY_10H = 0x10;
const BULLDOZER = 0x15;
/** Zen too, but another vendor to Linux. */
const HYGON = 0x18;
/** Family 6 of Intel: the last model of the Pentium M. */
const PENTIUM_M = 0x0d;

/**
 * CPUID leaf 1 EAX of a CPU of each kind that a rule of this file is about: what a guest with `-cpu host` may run on. Kinds without
 * hardware virtualisation are left out.
 */
export const QUIRKY_CPUS: Readonly<Record<'intel' | 'amd', readonly bigint[]>> = {
  // Skylake-SP, Sandy Bridge-EP, Haswell.
  intel: [0x50654n, 0x206d7n, 0x306c3n],
  // Family 10h, Bulldozer, Zen, Cezanne A0.
  amd: [0x100f42n, 0x600f12n, 0x800f12n, 0xa50f00n],
};

/** The CPU of a machine check, where the record names it. */
function cpuOfCase({ record }: Asked): CpuModel | undefined {
  return record.kind === 'x86-mca' ? cpuOf(record) : undefined;
}

/** The rule by which Linux drops what it has found in a bank, before it is logged; undefined for all others. */
export function filteredBy(record: McaCase, facts: Facts): Rule | undefined {
  const bogus = bogusOf(record, facts.peek('vendor') === 'amd' ? 'amd' : 'intel');
  return bogus !== undefined && versionIn(facts.get('version'), bogus.dropped) ? QUIRK_RULES.filtered : undefined;
}

/** The rule by which an uncorrected value with EN clear is one that Linux lets no exception come of, and no failure. */
export function unreportedBy(record: McaCase, facts: Facts): Rule | undefined {
  const { UC, EN } = MCI_STATUS_INTEL.read(record.status);
  const old = (cpuOf(record)?.family ?? BULLDOZER) <= FAMILY_10H;
  return UC && !EN && old && facts.peek('vendor') === 'amd' && bogusOf(record, 'amd') !== undefined
    ? QUIRK_RULES['gart-off']
    : undefined;
}

/** The rule by which Linux never looks into this bank. */
export function switchedOffBy({ bank }: McaCase, facts: Facts): Rule | undefined {
  return bank === 0 && cpuOfCase(facts)?.family === K7 && facts.vendor() === 'amd'
    ? QUIRK_RULES['k7-bank-0']
    : undefined;
}

/** The rule by which Linux does not log what a bank holds from before its start. */
export function bootLogOff(facts: Facts): Rule | undefined {
  const cpu = cpuOfCase(facts);
  if (cpu === undefined) return undefined;
  const old = facts.vendor() === 'amd' ? cpu.family <= FAMILY_10H : cpu.family === 6 && cpu.model <= PENTIUM_M;
  return old ? QUIRK_RULES['no-bootlog'] : undefined;
}

/** The rule by which Linux takes overflow recovery for given. */
export function overflowGivenBy(facts: Facts): Rule | undefined {
  const cpu = cpuOfCase(facts);
  return cpu?.family === BULLDOZER && cpu.model <= 0x0f && facts.vendor() === 'amd'
    ? QUIRK_RULES['bulldozer-overflow']
    : undefined;
}

/** The rule by which Linux drops the record and lets the interrupted code go on; undefined for all others. */
export function droppedBy(facts: Facts): Rule | undefined {
  const { record } = facts;
  if (record.kind !== 'x86-mca' || record.bank !== DATA_CACHE || !hasBits(record.status, SRAR_MASK, SRAR))
    return undefined;
  const cpu = cpuOf(record);
  if (cpu?.family !== 6 || cpu.model !== SKYLAKE_SP || facts.vendor() !== 'intel') return undefined;
  if (!MCG_STATUS.read(facts.get('mcgStatus')).LMCE || !versionIn(facts.get('version'), STRING_COPY_KERNELS))
    return undefined;
  return facts.get('fastStrings') ? QUIRK_RULES['string-copy'] : undefined;
}

/** The rule by which Linux believes the interrupted context although RIPV and EIPV are clear; undefined for all others. */
export function contextKeptBy(facts: Facts): Rule | undefined {
  const { record } = facts;
  if (record.kind !== 'x86-mca' || (facts.get('mcgStatus') & (RIPV | EIPV)) !== 0n) return undefined;
  const cpu = cpuOf(record);
  if (cpu === undefined) return undefined;
  if (facts.vendor() === 'amd') {
    const affected = cpu.family >= 0x17 && cpu.family <= 0x1a && cpu.family !== HYGON && record.bank === ZEN_FETCH;
    const poison = MCI_STATUS_AMD.read(record.status).POISON;
    return affected && poison && versionIn(facts.get('version'), ZEN_FETCH_KERNELS)
      ? QUIRK_RULES['zen-fetch']
      : undefined;
  }
  if (cpu.family !== 6 || cpu.model !== SANDY_BRIDGE_EP || record.bank !== INTEL_FETCH) return undefined;
  const fetched = hasBits(record.status, SRAR_MASK, SRAR) && hasBits(record.status, CODE_MASK, FETCH);
  return fetched ? QUIRK_RULES['sandy-bridge-fetch'] : undefined;
}

/** MCG_STATUS as Linux grades with it. */
export function gradedMcgStatus(facts: Facts): bigint {
  const given = facts.get('mcgStatus');
  return contextKeptBy(facts) === QUIRK_RULES['sandy-bridge-fetch'] ? given | EIPV : given;
}
