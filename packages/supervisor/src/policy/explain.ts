/** @module `policy explain`: what a policy does, in sentences. */
import type { HostRule, HostRung, PageRule, Policy, Rule, Rung, VmRule } from '../core/policy.ts';
import { policyId } from '../core/step.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** `600000` → `10 minutes`. */
function time(ms: number): string {
  const [unit, length] = UNITS.find(([, l]) => ms >= l && ms % l === 0) ?? (['ms', 1] as const);
  const n = ms / length;
  return unit === 'ms' ? `${n} ms` : `${n} ${unit}${n === 1 ? '' : 's'}`;
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const within = (ms: number | undefined): string => (ms === undefined ? '' : ` within ${time(ms)}`);

const CONSEQUENCE = { panicked: 'has panicked', rebooted: 'has rebooted', died: 'has died' } as const;

function vmWhen({ when }: VmRule): string {
  const parts: string[] = [];
  if (when.errors !== undefined) parts.push(`has met ${plural(when.errors, 'distinct error')}${within(when.within)}`);
  if (when.unlocated !== undefined)
    parts.push(`has met ${plural(when.unlocated, 'error')} without an address${within(when.within)}`);
  if (when.consequence !== undefined)
    parts.push(`${when.consequence.map(c => CONSEQUENCE[c]).join(' or ')} after an error`);
  if (when.consumed !== undefined) parts.push(when.consumed ? 'has used bad data' : 'has not used bad data');
  if (when.recursive !== undefined)
    parts.push(when.recursive ? 'met an error while it handled one' : 'met no error while it handled one');
  if (when.hypervisor !== undefined)
    parts.push(when.hypervisor ? "has bad memory in its VMM's own part" : "has no bad memory in its VMM's own part");
  return `a VM ${parts.join(' and ')}`;
}

function hostWhen({ when }: HostRule): string {
  const parts: string[] = [];
  if (when.errors !== undefined) parts.push(`has ${plural(when.errors, 'bad page')}${within(when.within)}`);
  if (when.sameDimm !== undefined)
    parts.push(`has ${plural(when.sameDimm, 'bad page')} in one DIMM${within(when.within)}`);
  if (when.corrected !== undefined) {
    const part = when.correctedBy ?? 'host';
    const where = part === 'host' ? 'in all' : `in one ${part === 'dimm' ? 'DIMM' : part}`;
    parts.push(`has had ${plural(when.corrected, 'corrected error')} ${where}${within(when.within ?? 86_400_000)}`);
  }
  if (when.suspect !== undefined)
    parts.push(when.suspect ? 'has a page that its kernel could not take away' : 'could take each bad page away');
  if (when.silent !== undefined) parts.push(`has had no agent for ${time(when.silent)}`);
  return `a host ${parts.join(' and ')}`;
}

const pageWhen = ({ when }: PageRule): string =>
  `a page has had ${plural(when.corrected, 'corrected error')}${within(when.within)}`;

const VM_DOES: Readonly<Record<Rung, string>> = {
  observe: 'it is only recorded',
  tell: 'its owner is told',
  quarantine: 'its owner is told, and the page is taken out of the guest where the VMM can',
  reboot: 'its owner is told, and it is reset where it runs',
  migrate: 'its owner is told, and it is moved while it runs, if none of its pages is bad',
  'restart-elsewhere': 'its owner is told, and it is stopped, proven to have stopped, and started on another host',
  terminate: 'its owner is told, and it is stopped and stays stopped',
  hold: 'nothing is done with it until a person decides',
};
const HOST_DOES: Readonly<Record<HostRung, string>> = {
  observe: 'it is only recorded',
  tell: 'the owners of its VMs are told',
  drain: 'it takes no VM any more',
  evacuate: 'it takes no VM any more, and those on it leave it: live where they are clean, else by a restart elsewhere',
};
const PAGE_DOES = {
  observe: 'it is only recorded',
  tell: 'it is recorded and shown',
  'soft-offline': "the host's kernel moves its content away before it is lost",
} as const;

function sentence(rule: Rule): string {
  if (rule.of === 'page') return `${rule.name}: when ${pageWhen(rule)}, ${PAGE_DOES[rule.do]}.`;
  if (rule.of === 'host') return `${rule.name}: when ${hostWhen(rule)}, ${HOST_DOES[rule.do]}.`;
  const more = [
    rule.notice > 0 ? `A VM that runs is acted on ${time(rule.notice)} after its owner was told.` : '',
    rule.settle > 0 ? `A VM that is down is left alone for ${time(rule.settle)} first, for its dump.` : '',
    rule.drain ? 'Its host takes no VM any more.' : '',
  ].filter(text => text !== '');
  return [`${rule.name}: when ${vmWhen(rule)}, ${VM_DOES[rule.do]}.`, ...more].join(' ');
}

const MODE = {
  observe: 'It observes: all of this is decided and recorded, no customer is told, and nothing is done.',
  notify: 'It notifies: customers are told, and nothing is done; higher rungs are only recorded.',
  act: 'It acts, on VMs whose owners have opted in and that nobody else restarts.',
} as const;

const LOCK = {
  never: 'a free image lock only supports a proof',
  'one-kernel':
    'a free image lock is a proof where both hosts share one kernel and the disks are on its own file systems',
  tested:
    'a free image lock is a proof where both hosts share one kernel and the disks are on its own file systems, in storage that was tested',
} as const;

const SANLOCK =
  'a lease of its host on its host id that sanlock says is dead is a proof, where its agent had told that a watchdog was armed for it and nothing there starts the VM by itself';

/**
 * What a policy does, in sentences, one to a line.
 * @example explainPolicy(shippedPolicy('protect')) // 'Policy protect@2#… \nIt acts, …'
 */
export function explainPolicy(policy: Policy): string {
  const { budget, breaker, proofs, reoffline } = policy;
  const scoped = (of: Rule['of'], title: string): string[] => {
    const rules = policy.rules.filter(r => r.of === of);
    return rules.length === 0 ? [] : ['', title, ...rules.map((r, i) => `  ${i + 1}. ${sentence(r)}`)];
  };
  const cooldown =
    breaker.cooldown === 0 ? 'until a person closes it' : `until nothing new has come for ${time(breaker.cooldown)}`;
  return [
    `Policy ${policyId(policy)}`,
    MODE[policy.mode],
    ...scoped('vm', 'For each VM the first of these that holds decides:'),
    ...scoped('host', 'For each host the first of these that holds decides:'),
    ...scoped('page', 'For each page:'),
    '',
    `At most ${plural(budget.moves, 'VM')} at a time, and ${budget.drainingPercent} % of the hosts drained, but at least ${budget.drainingAtLeast}.`,
    `When ${breaker.hosts} hosts, or ${breaker.percent} % if that is more, have new errors within ${time(breaker.within)}, nothing new is begun ${cooldown}.`,
    `A VM is started only when each of its copies is proven to have stopped: ${LOCK[proofs.imageLock]}; ${proofs.sanlock ? SANLOCK : 'sanlock does not count'}; hosts are ${proofs.fence ? 'powered off where nothing else is left' : 'not powered off'}.`,
    reoffline
      ? 'After a reboot of a host its known bad pages are taken out of use again; it takes no VM before.'
      : 'After a reboot of a host whose known bad pages are in use again it takes no VM.',
    '',
  ].join('\n');
}
