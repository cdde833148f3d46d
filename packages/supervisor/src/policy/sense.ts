/** @module What a policy of the right form says in vain: rules that no case reaches, and wishes that nothing can fulfil. */
import { MOVES } from '../core/policy.ts';
import type { HostWhen, Policy, Rule, VmWhen } from '../core/policy.ts';

interface Vain {
  path: readonly (string | number)[];
  message: string;
  hint: string;
}

const DAY_MS = 86_400_000;

/** Whether a time that is looked back over holds another; none is all of it. */
const spans = (wide: number | undefined, narrow: number | undefined): boolean =>
  wide === undefined || (narrow !== undefined && narrow <= wide);

/** What holds for certain where the later rule does is enough for the earlier one. */
const atLeast = (asked: number | undefined, certain: number | undefined, spanned: boolean): boolean =>
  asked === undefined || (spanned && certain !== undefined && certain >= asked);

/** That something happened is so in a longer time, too; that it did not, in a shorter one. */
function happened(first: VmWhen, then: VmWhen, key: 'consumed' | 'recursive' | 'hypervisor'): boolean {
  if (first[key] === undefined) return true;
  if (first[key] !== then[key]) return false;
  return first[key] ? spans(first.within, then.within) : spans(then.within, first.within);
}

/** An error, wherever it was. */
const asksForError = ({ errors, unlocated, consequence, ...of }: VmWhen): boolean =>
  (errors ?? unlocated ?? consequence) !== undefined || [of.consumed, of.recursive, of.hypervisor].includes(true);

const asksForFault = ({ errors, sameDimm, corrected, silent, suspect }: HostWhen): boolean =>
  (errors ?? sameDimm ?? corrected ?? silent) !== undefined || suspect === true;

function vmCovers(first: VmWhen, then: VmWhen): boolean {
  const longer = spans(first.within, then.within);
  const one = then.consumed === true || then.recursive === true || then.hypervisor === true ? 1 : 0;
  const errors = Math.max(then.errors ?? 0, then.unlocated ?? 0, one);
  const { consequence } = first;
  return (
    atLeast(first.errors, errors, longer) &&
    atLeast(first.unlocated, then.unlocated, longer) &&
    (consequence === undefined || then.consequence?.every(what => consequence.includes(what)) === true) &&
    (['consumed', 'recursive', 'hypervisor'] as const).every(key => happened(first, then, key))
  );
}

/** What counts in a part counts in those that it lies in. */
const WITHIN_PARTS: Readonly<Record<string, readonly string[]>> = {
  row: ['row', 'bank', 'dimm', 'host'],
  bank: ['bank', 'dimm', 'host'],
  dimm: ['dimm', 'host'],
  page: ['page', 'host'],
  host: ['host'],
};

function hostCovers(first: HostWhen, then: HostWhen): boolean {
  const longer = spans(first.within, then.within);
  const part = first.correctedBy ?? 'host';
  const isPart = WITHIN_PARTS[then.correctedBy ?? 'host']?.includes(part) === true;
  const correctedLonger = isPart && spans(first.within ?? DAY_MS, then.within ?? DAY_MS);
  return (
    atLeast(first.errors, Math.max(then.errors ?? 0, then.sameDimm ?? 0), longer) &&
    atLeast(first.sameDimm, then.sameDimm, longer) &&
    atLeast(first.corrected, then.corrected, correctedLonger) &&
    (first.suspect === undefined || first.suspect === then.suspect) &&
    atLeast(first.silent, then.silent, true)
  );
}

/** Whether the first rule holds whenever the other one does. */
function covers(first: Rule, then: Rule): boolean {
  // What counts for a reset is what came since the last one.
  if (first.of === 'vm' && then.of === 'vm')
    return (first.do !== 'reboot' || then.do === 'reboot') && vmCovers(first.when, then.when);
  if (first.of === 'host' && then.of === 'host') return hostCovers(first.when, then.when);
  if (first.of !== 'page' || then.of !== 'page') return false;
  return first.when.corrected <= then.when.corrected && spans(first.when.within, then.when.within);
}

/** Where it says so, and what to do about it. A rule that several others cover together is not found. */
export function inVain({ rules, proofs }: Policy): Vain[] {
  const out: Vain[] = rules.flatMap((rule, i) => {
    const first = rules.slice(0, i).find(other => covers(other, rule));
    if (first === undefined) return [];
    return {
      path: ['rules', i, 'name'],
      message: `rule ${rule.name} is never reached: ${first.name} stands before it and holds whenever it does`,
      hint: `Put it before ${first.name}: the first rule that holds decides.`,
    };
  });
  for (const [i, rule] of rules.entries()) {
    if (rule.of !== 'vm') continue;
    // The errors of a reset are still those of the copy: what it covers is done at once behind it.
    const reset = rules
      .slice(0, i)
      .find(first => first.of === 'vm' && first.do === 'reboot' && vmCovers(first.when, rule.when));
    if (reset !== undefined && (rule.do === 'restart-elsewhere' || rule.do === 'terminate'))
      out.push({
        path: ['rules', i, 'name'],
        message: `rule ${rule.name} is reached only at once behind the reset of ${reset.name}, which is in vain then`,
        hint: `Put it before ${reset.name}: the first rule that holds decides.`,
      });
    if (MOVES.has(rule.do) && !asksForError(rule.when))
      out.push({
        path: ['rules', i, 'when'],
        message: `rule ${rule.name} acts on a VM and asks for nothing that has happened: it would do so again and again`,
        hint: 'Ask for errors, unlocated, a consequence, or for consumed, recursive or hypervisor that is true.',
      });
  }
  for (const [i, rule] of rules.entries())
    if (rule.of === 'host' && (rule.do === 'drain' || rule.do === 'evacuate') && !asksForFault(rule.when))
      out.push({
        path: ['rules', i, 'when'],
        message: `rule ${rule.name} closes every host that is well`,
        hint: 'Ask for errors, sameDimm, corrected, silent, or for suspect that is true.',
      });
  // A reset gives fresh memory: the VM is clean behind it.
  const resets = rules.some(rule => rule.of === 'vm' && rule.do === 'reboot');
  for (const [i, rule] of rules.entries())
    if (!resets && rule.of === 'vm' && rule.do === 'migrate' && asksForError(rule.when))
      out.push({
        path: ['rules', i, 'do'],
        message: `rule ${rule.name} migrates a VM that has met errors: only a clean one may be moved live, and it never is`,
        hint: 'restart-elsewhere starts it anew; the clean VMs of a host leave it by `do: evacuate` of a host rule.',
      });
  if (proofs.imageLock === 'tested' && proofs.testedStorage.length === 0)
    out.push({
      path: ['proofs', 'imageLock'],
      message: 'imageLock: tested counts no lock while testedStorage names no storage',
      hint: 'Name what you have tested in testedStorage, or say never.',
    });
  return out;
}
