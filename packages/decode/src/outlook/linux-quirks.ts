/**
 * @module CPU errata that Linux works around in its machine check exception handler: which records are dropped, and for
 * which the interrupted context is believed although MCG_STATUS says nothing of it. Source: Linux
 * arch/x86/kernel/cpu/mce/core.c, quirk_skylake_repmov(), quirk_sandybridge_ifu(), quirk_zen_ifu().
 */
import { cpuOf } from '../mca/cpu.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import type { Facts } from './facts.ts';
import { defineRules } from './rule.ts';
import type { Rule } from './rule.ts';
import { versionSince } from './version.ts';

export const QUIRK_RULES = defineRules('linux.quirk', 'Linux arch/x86/kernel/cpu/mce/core.c', {
  'string-copy': [
    'On Skylake-SP, Cascade Lake and Cooper Lake a fast string copy can consume poison behind the end of what it copies. The first local machine check of a data load makes Linux (since 5.18) switch fast string copies off on that CPU and drop the record: nothing else is printed, and the interrupted code goes on.',
    'read',
    'Linux core.c quirk_skylake_repmov(); Intel Xeon Scalable specification update',
  ],
  'sandy-bridge-fetch': [
    'Sandy Bridge-EP clears RIPV and EIPV when an instruction fetch consumes poison: Linux takes EIPV for set, so that a process can be told.',
    'read',
    'Linux core.c quirk_sandybridge_ifu(); SDM vol. 3B, UCR Error Classification',
  ],
  'zen-fetch': [
    'Zen clears RIPV and EIPV when an instruction fetch consumes poison: Linux (since 6.5) believes the interrupted code segment all the same, so that a process can be told.',
    'read',
    'Linux core.c quirk_zen_ifu()',
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

const SKYLAKE_SP = 0x55;
const SANDY_BRIDGE_EP = 0x2d;
/** Bank of the data cache, and that of the instruction fetch unit of either vendor. */
const DATA_CACHE = 1;
const INTEL_FETCH = 0;
const ZEN_FETCH = 1;

/** The rule by which Linux drops the record and lets the interrupted code go on; undefined for all others. */
export function droppedBy(facts: Facts): Rule | undefined {
  const { record } = facts;
  if (record.kind !== 'x86-mca' || record.bank !== DATA_CACHE || (record.status & SRAR_MASK) !== SRAR) return undefined;
  const cpu = cpuOf(record);
  if (cpu?.family !== 6 || cpu.model !== SKYLAKE_SP || facts.vendor() !== 'intel') return undefined;
  if (!MCG_STATUS.read(facts.get('mcgStatus')).LMCE || !versionSince(facts.get('version'), '5.18')) return undefined;
  return facts.get('fastStrings') ? QUIRK_RULES['string-copy'] : undefined;
}

/** The rule by which Linux believes the interrupted context although RIPV and EIPV are clear; undefined for all others. */
export function contextKeptBy(facts: Facts): Rule | undefined {
  const { record } = facts;
  if (record.kind !== 'x86-mca' || (facts.get('mcgStatus') & (RIPV | EIPV)) !== 0n) return undefined;
  const cpu = cpuOf(record);
  if (cpu === undefined) return undefined;
  if (facts.vendor() === 'amd') {
    const affected = cpu.family >= 0x17 && cpu.family <= 0x1a && record.bank === ZEN_FETCH;
    const poison = MCI_STATUS_AMD.read(record.status).POISON;
    return affected && poison && versionSince(facts.get('version'), '6.5') ? QUIRK_RULES['zen-fetch'] : undefined;
  }
  if (cpu.family !== 6 || cpu.model !== SANDY_BRIDGE_EP || record.bank !== INTEL_FETCH) return undefined;
  const fetched = (record.status & SRAR_MASK) === SRAR && (record.status & CODE_MASK) === FETCH;
  return fetched ? QUIRK_RULES['sandy-bridge-fetch'] : undefined;
}

/** MCG_STATUS as Linux grades with it. */
export function gradedMcgStatus(facts: Facts): bigint {
  const given = facts.get('mcgStatus');
  return contextKeptBy(facts) === QUIRK_RULES['sandy-bridge-fetch'] ? given | EIPV : given;
}
