/**
 * @module Policies that are compared: the shipped one, the five that others have or do without one, and the shipped one with one number
 * changed. All are policies of the language that operators write, and are judged by the same core.
 */
import { NO_POLICY, type HostRule, type PageRule, type Policy, type Rule, type VmRule } from '../core/policy.ts';
import { shippedPolicy } from '../policy/shipped.ts';

const DAY = 86_400_000;

const acts = (name: string, ...rules: Rule[]): Policy => ({
  ...NO_POLICY,
  name,
  version: '1',
  mode: rules.length === 0 ? 'observe' : 'act',
  rules,
});

const vmRule = (name: string, when: VmRule['when'], rung: VmRule['do']): VmRule => ({
  name,
  of: 'vm',
  when,
  do: rung,
  drain: false,
  notice: 0,
  settle: 0,
});

/** A policy, and what it stands for. */
interface Contender {
  name: string;
  what: string;
  policy: Policy;
}

/** The baselines, and the shipped policy last. */
export function contenders(): Contender[] {
  return [
    { name: 'B0', what: 'nothing is done', policy: acts('nothing') },
    {
      name: 'B1',
      what: 'the VM is reset at its first uncorrected error',
      policy: acts('reset-at-first', vmRule('first', { errors: 1 }, 'reboot')),
    },
    {
      name: 'B2',
      what: 'a VM is started anew when its process has died (Masakari)',
      policy: acts('when-died', vmRule('died', { consequence: ['died'] }, 'restart-elsewhere')),
    },
    {
      name: 'B3',
      what: 'a page is taken away at 50 corrected errors in 24 hours (rasdaemon)',
      policy: acts('weak-pages', {
        name: 'weak',
        of: 'page',
        when: { corrected: 50, within: DAY },
        do: 'soft-offline',
      }),
    },
    {
      name: 'B4',
      what: 'started elsewhere at three distinct pages of a VM, a host emptied at five (proposal of KVM_EXIT_ARM_SEA)',
      policy: acts('distinct-pages', vmRule('third', { errors: 3, within: 30 * DAY }, 'restart-elsewhere'), {
        name: 'fifth',
        of: 'host',
        when: { errors: 5, within: 30 * DAY },
        do: 'evacuate',
      }),
    },
    { name: 'P', what: 'the shipped policy `protect`', policy: shippedPolicy('protect') },
  ];
}

/** What is changed of the rule of that name; `undefined` leaves it out. */
type Change = Partial<Omit<VmRule, 'of'>> | Partial<Omit<HostRule, 'of'>> | Partial<Omit<PageRule, 'of'>> | undefined;

function changed(policy: Policy, rule: string, change: Change): Policy {
  if (!policy.rules.some(({ name }) => name === rule)) throw new RangeError(`${policy.name} has no rule ${rule}`);
  const rules = policy.rules.flatMap(old =>
    old.name !== rule ? [old] : change === undefined ? [] : [{ ...old, ...change } as Rule],
  );
  return { ...policy, rules };
}

/** A threshold of the shipped policy at another value. */
interface Variant {
  rule: string;
  /** As it is in the file, or `left out`. */
  value: string;
  policy: Policy;
}

const MONTH = 30 * DAY;
const CHANGES: readonly (readonly [rule: string, value: string, change: Change])[] = [
  ['guest-panicked', 'left out', undefined],
  ['guest-panicked', 'settle: 10m', { settle: 600_000 }],
  ['third-error', 'errors: 1', { when: { errors: 1, within: MONTH } }],
  ['third-error', 'errors: 2', { when: { errors: 2, within: MONTH } }],
  ['third-error', 'errors: 5', { when: { errors: 5, within: MONTH } }],
  ['third-error', 'left out', undefined],
  ['one-dimm', 'sameDimm: 1', { when: { sameDimm: 1, within: MONTH } }],
  ['one-dimm', 'sameDimm: 3', { when: { sameDimm: 3, within: MONTH } }],
  ['one-dimm', 'left out', undefined],
  ['host-errors', 'errors: 2', { when: { errors: 2, within: MONTH } }],
  ['host-errors', 'errors: 3', { when: { errors: 3, within: MONTH } }],
  ['host-errors', 'errors: 10', { when: { errors: 10, within: MONTH } }],
  ['host-errors', 'left out', undefined],
  [
    'failing-row',
    'corrected: 200, do: evacuate',
    { when: { corrected: 200, correctedBy: 'row', within: DAY }, do: 'evacuate' },
  ],
  ['failing-row', 'do: drain', { do: 'drain' }],
  ['failing-row', 'do: evacuate', { do: 'evacuate' }],
  ['failing-bank', 'do: evacuate', { do: 'evacuate' }],
  ['corrected-rate', 'do: evacuate', { do: 'evacuate' }],
  ['weak-page', 'corrected: 3', { when: { corrected: 3, within: DAY } }],
  ['weak-page', 'corrected: 50', { when: { corrected: 50, within: DAY } }],
  ['weak-page', 'left out', undefined],
];

/** The shipped policy with one threshold changed, in the order of its rules. */
export function variants(): Variant[] {
  const shipped = shippedPolicy('protect');
  return CHANGES.map(([rule, value, change]) => ({ rule, value, policy: changed(shipped, rule, change) }));
}
