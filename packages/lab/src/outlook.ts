/**
 * What the rules of the outlook say a scenario will come to, from its machine and its steps. Where they cannot be followed
 * with certainty nothing is said: a scenario must not fail for what the lab does not know.
 */
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import type { End, Exploration } from '@syndrome/decode/outlook/explore.ts';
import { tellingLine } from '@syndrome/decode/outlook/telling.ts';
import type { SignalCode } from '@syndrome/decode/outlook/prediction.ts';
import { explore, worse } from '@syndrome/decode/outlook/explore.ts';
import { OUTCOMES, type Outcome } from '@syndrome/trace/expect/outcome.ts';
import { LabError } from './errors.ts';
import type { FactsInput } from './machines/facts.ts';
import { machineKind, type MachineSpec } from './machines/registry.ts';
import { type Leg, type Meaning, type Plan, those } from './outlook/scene.ts';
import { injectionOf, injects, legsOf, meaningOf, type Step } from './steps/registry.ts';
import { valueIn } from './steps/values.ts';

/** What an outlook is derived from. */
export interface OutlookInput extends FactsInput {
  machine: MachineSpec;
  /** A kernel, QEMU or Xen of the user's own is part of the machine: what its version says need not hold for it. */
  own?: boolean;
  steps: readonly Step[];
  /** Values saved by the steps before the injection. */
  values: ReadonlyMap<string, FieldValue>;
}

/** The outlook of a whole scenario. */
export interface LabOutlook {
  outcome: Outcome;
  /** Id of the rule that decides. */
  rule: string;
  /** `certain`: whatever is not known about the machine, the outcome is this one. */
  certainty: 'certain' | 'depends';
  /** All outcomes there can be, the worst first; missing where the rules need not hold: with parts of the user's own. */
  possible?: Outcome[];
  /** Settings that decide. */
  dependsOn: string[];
  /** Seconds after the injection by which it must have happened. */
  within: number;
  /** The last line the deciding layer is predicted to print. */
  message?: string;
  /** si_code of the SIGBUS that a process is to get. */
  signal?: SignalCode;
}

/** Seconds: an emulated machine is slow, and its rendezvous more so. */
const AT_ONCE = 30;
/** Linux polls every 5 minutes unless told otherwise. */
const LINUX_POLL = 300;

/** Seconds until Linux has polled, by the check interval that a step has set. */
function linuxPoll({ before }: Plan): number {
  const seconds = those(before, 'poll').at(-1)?.seconds;
  return seconds === undefined ? LINUX_POLL + 2 * AT_ONCE : 2 * seconds + AT_ONCE;
}

/** What a step injects; undefined where a value that it needs is not saved yet. */
function injectionIn(step: Step, values: OutlookInput['values']): Injection | undefined {
  try {
    return injectionOf(step, valueIn({ values }));
  } catch (error) {
    if (error instanceof LabError) return undefined;
    throw error;
  }
}

/** What steps mean, one after the other. */
const meanings = (steps: readonly Step[]): Meaning[] => steps.flatMap(step => meaningOf(step) ?? []);

/** What happens to the virtual CPUs: `stop` where they stand still behind these steps. */
const cpus = (said: readonly Meaning[]): 'stop' | 'go' | undefined => those(said, 'stop', 'go').at(-1)?.is;

/** The last injection of a scenario, with the one before it where there are two. */
interface Planned {
  step: Step;
  plan: Plan;
  earlier?: Injection;
}

/** The part of the scenario that has one injection; a second one counts while the CPUs stand still. */
function planOf(input: OutlookInput): Planned | undefined {
  const { steps, values } = input;
  const found = steps.flatMap((step, i) => (injects(step) ? [i] : []));
  const [first, second] = found;
  // What a raw command does is not looked at.
  if (first === undefined || those(meanings(steps), 'anything').length > 0) return undefined;
  const next = injectionIn(steps[first] as Step, values)?.way === 'boot-record';
  if (those(meanings(steps), 'reset').length > 0 && !next) return undefined;
  const facts = machineKind(input.machine).facts(input.machine, input);
  // What a kernel makes of it is known of the guest of the reference VMM.
  if (facts.sea === undefined && those(meanings(steps), 'kernel-read').length > 0) return undefined;
  const at = (i: number): Planned | undefined => {
    const step = steps[i] as Step;
    const injection = injectionIn(step, values);
    const [before, after] = [meanings(steps.slice(0, i)), meanings(steps.slice(i + 1))];
    return injection && { step, plan: { facts, values, injection, before, after } };
  };
  const stopped = cpus(meanings(steps.slice(0, first))) === 'stop';
  const rest = meanings(steps.slice((second ?? first) + 1));
  // Virtual CPUs that nobody lets run again show nothing.
  if ((stopped && those(rest, 'go').length === 0) || those(rest, 'stop').length > 0) return undefined;
  const one = at(first);
  if (second === undefined) return one;
  const together =
    stopped && steps.slice(first + 1, second).every(step => ['nothing', 'time'].includes(meaningOf(step)?.is ?? ''));
  const other = found.length === 2 && together ? at(second) : undefined;
  return one && other && { ...other, earlier: one.plan.injection };
}

interface Found {
  explorations: Exploration[];
  leg: Leg;
  /** What each exploration but the first is there for. */
  differs: string[];
}

/** All the outcomes of one leg, seen through what the lab can see. */
function seenOf(found: Found, plan: Plan, dependsOn: Set<string>): Set<Outcome> {
  const { leg } = found;
  const seen = new Set<Outcome>();
  const counted = those(plan.after, 'count').length > 0;
  const add = (outcome: Outcome, because?: string): void => {
    const here = leg.within?.(outcome) ?? outcome;
    if (because !== undefined && !seen.has(here)) dependsOn.add(because);
    seen.add(here);
  };
  const ends = found.explorations.flatMap(e => e.ends);
  for (const e of ends) add(e.outcome);
  for (const e of ends) {
    const last = e.chain.at(-1);
    if (last?.consumer === 'linux' && polled(e) && those(plan.before, 'poll').length === 0) {
      add(beforePoll(e), 'whether Linux polls in time');
    }
    // Corrected errors are counted by a collector, and not printed.
    const shown = last?.consumer === 'xen' ? counted : last?.context.printAll;
    if (e.outcome === 'logged' && polled(e) && shown !== true) add('none', 'what the console shows');
    // What QEMU gives the other CPUs of a broadcast is printed as well.
    const taken = e.chain.some(p => p.consumer === 'linux' && p.context.delivery === 'exception');
    if (e.outcome === 'none' && taken && isBroadcast(plan) && last?.context.printAll === true)
      add('logged', 'what the console shows');
    if (e.outcome === 'hung') for (const o of ['logged', 'none'] as const) add(o, 'whether somebody asks');
  }
  if (seen.has('none') && counted) add('logged', 'what else is counted');
  // Who reads a page that was only logged gets what is in it; one that was taken away answers with a signal.
  const taken = ends.some(isTaken);
  if (leg.victim.reads !== false && (taken || seen.has('none'))) {
    const told = leg.victim.settings.sigbusHandler === false ? 'killed' : 'signalled';
    // Who reads it when all is done is told in any case.
    const all = leg.victim.reads === 'later' && seen.size === 1 && ends.every(isTaken) && !ends.some(polled);
    if (all) seen.clear();
    add(told, all ? undefined : 'when the page is read');
  }
  return seen;
}

const isTaken = ({ outcome, decided }: End): boolean =>
  outcome === 'logged' && decided.rule.id.startsWith('linux.memory-failure.');

const isBroadcast = ({ injection }: Plan): boolean => injection.way === 'mce' && injection.broadcast === true;

const polled = (end: End): boolean => end.chain.some(p => p.context.delivery === 'poll');

/** What the layers had come to before the poll. */
function beforePoll(end: End): Outcome {
  const at = end.chain.findIndex(p => p.context.delivery === 'poll');
  const done = end.chain.slice(0, at).map(p => p.outcome);
  return OUTCOMES.find(o => done.includes(o)) ?? 'none';
}

/** Emulated CPUs count the time of their rendezvous too slowly. */
const RENDEZVOUS_FACTOR = 6;

/** Seconds by which an outlook has come true. */
function deadline(plan: Plan, ends: readonly End[]): number {
  if (ends.some(polled)) return plan.facts.poll ?? linuxPoll(plan);
  const rendezvous = ends.flatMap(e => e.chain.map(p => p.context.monarchTimeout ?? 0));
  return AT_ONCE + (RENDEZVOUS_FACTOR * Math.max(0, ...rendezvous)) / 1e6;
}

/** The outlook of a scenario, or undefined where the rules cannot be followed. Throws nothing. */
export function outlookOf(input: OutlookInput): LabOutlook | undefined {
  const planned = planOf(input);
  if (planned === undefined) return undefined;
  const { step, plan, earlier } = planned;
  const legs = legsOf(step, plan, earlier);
  if (legs === undefined) return undefined;
  const stages: Found[] = [];
  for (const alternatives of legs) {
    const explorations = alternatives.map(leg => explore(leg.journey));
    const [leg] = alternatives;
    if (leg === undefined || explorations.includes(undefined)) return undefined;
    const differs = alternatives.slice(1).map(other => other.differs ?? 'vendor of the host');
    stages.push({ explorations: explorations as Exploration[], leg, differs });
  }
  const dependsOn = new Set<string>();
  let possible = new Set<Outcome>();
  let usual: { end: End; outcome: Outcome } | undefined;
  for (const [i, stage] of stages.entries()) {
    for (const { dependsOn: settings } of stage.explorations) for (const s of settings) dependsOn.add(s);
    const [first, ...others] = stage.explorations.map(({ ends }) =>
      [...new Set(ends.map(e => e.outcome))].toSorted().join(),
    );
    for (const [j, outcomes] of others.entries()) if (outcomes !== first) dependsOn.add(stage.differs[j] ?? '');
    const seen = seenOf(stage, plan, dependsOn);
    possible = i === 0 ? seen : new Set([...possible].flatMap(a => [...seen].map(b => worse(a, b))));
    const end = stage.explorations[0]?.ends[0];
    if (end === undefined) return undefined;
    const outcome = stage.leg.within?.(end.outcome) ?? end.outcome;
    if (usual === undefined || worse(outcome, usual.outcome) === outcome) usual = { end, outcome };
  }
  if (usual === undefined) return undefined;
  // The rules say "reset" of the second error; of anything else the first one would have a say.
  if (earlier !== undefined && !(possible.size === 1 && possible.has('reset'))) return undefined;
  const { end, outcome } = usual;
  const certain = possible.size === 1 && input.own !== true;
  const messages = end.chain.flatMap(p => p.messages);
  const message = tellingLine(messages) ?? messages.at(-1);
  return {
    outcome,
    rule: end.decided.rule.id,
    certainty: certain ? 'certain' : 'depends',
    ...(input.own === true ? {} : { possible: OUTCOMES.filter(o => possible.has(o)) }),
    dependsOn: [...(input.own === true ? ['parts of your own'] : []), ...(possible.size > 1 ? dependsOn : [])],
    within: deadline(
      plan,
      stages.flatMap(s => s.explorations.flatMap(e => e.ends)),
    ),
    ...(message === undefined ? {} : { message }),
    ...(end.decided.signal === undefined ? {} : { signal: end.decided.signal }),
  };
}
