/** @module Whether Linux takes the address of a record for one of system memory that it can act on. */
import { ADDRESS_MODE_PHYSICAL, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { loggedAddress } from './linux-messages.ts';
import type { PrintedAddress } from './linux-messages.ts';
import { defineRules } from './rule.ts';
import type { Rule } from './rule.ts';
import { versionSince } from './version.ts';

export const ADDRESS_RULES = defineRules('linux.address', 'Linux mce_usable_address(), amd_mce_usable_address()', {
  none: ['Without ADDRV, or without the address itself, there is nothing to act on.'],
  'intel-no-misc': ['Without MISCV it is not known what kind of address it is.'],
  'intel-mode': ['Only an address in physical mode (MCi_MISC bits 8:6 = 2) is one of system memory.', 'observed'],
  'intel-coarse': ['An address less exact than a page (MCi_MISC.LSB above 12) names no page.', 'observed'],
  intel: ['A physical address exact to a page.', 'observed'],
  'amd-northbridge': [
    'Bank 4 of a CPU without SMCA is the northbridge: only its DRAM error (code 8) has a system address.',
  ],
  'amd-poison': ['AMD: poison was consumed, so the address is one of system memory.', 'observed'],
  'amd-other': ['AMD: without POISON the address may be local to a memory channel and is not used.', 'observed'],
  'amd-before-6.7': ['Up to 6.6 any valid address of an AMD bank was used.'],
});

interface UsableAddress {
  /** Undefined when Linux does not use it. */
  address?: PrintedAddress;
  rule: Rule;
}

/** The address Linux acts on, with the reason. */
export function usableAddress(record: McaCase, facts: Facts): UsableAddress {
  const R = ADDRESS_RULES;
  const address = loggedAddress(record, facts);
  if (address === undefined) return { rule: R.none };
  if (facts.vendor() === 'amd') {
    const s = MCI_STATUS_AMD.read(record.status);
    if (!versionSince(facts.get('version'), '6.7')) return { address, rule: R['amd-before-6.7'] };
    if (record.bank === 4 && !facts.get('smca')) {
      return s.XEC === 8n ? { address, rule: R['amd-northbridge'] } : { rule: R['amd-northbridge'] };
    }
    return s.POISON ? { address, rule: R['amd-poison'] } : { rule: R['amd-other'] };
  }
  const s = MCI_STATUS_INTEL.read(record.status);
  const { misc } = record;
  if (!s.MISCV || misc === undefined) return { rule: R['intel-no-misc'] };
  if (misc.LSB > 12n) return { rule: R['intel-coarse'] };
  if (misc.MODE !== ADDRESS_MODE_PHYSICAL) return { rule: R['intel-mode'] };
  return { address, rule: R.intel };
}
