/**
 * What the rules of the outlook say a scenario will come to, from its machine and its steps. Where they cannot be followed
 * with certainty nothing is said: a scenario must not fail for what the lab does not know.
 */
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import { tellingLine } from '@syndrome/decode/outlook/telling.ts';
import { ABORT_FROM_VMM } from '@syndrome/decode/inject/walk.ts';
import { recordOf, settledBy } from '@syndrome/decode/inject/ways.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import { QEMU_SIGBUS } from '@syndrome/decode/mca/vmm-made.ts';
import type { End, Exploration, Journey } from '@syndrome/decode/outlook/explore.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import { explore, worse } from '@syndrome/decode/outlook/explore.ts';
import { OUTCOMES, type Outcome } from '@syndrome/trace/expect/outcome.ts';
import { LabError } from './errors.ts';
import type { FactsInput, MachineFacts } from './machines/facts.ts';
import { machineKind, type MachineSpec } from './machines/registry.ts';
import { injectionOf, injects, type Step, type StepArgs, type StepName } from './steps/registry.ts';
import { valueIn } from './steps/values.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';

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
interface LabOutlook {
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
}

type StepOf<N extends StepName> = Step & { step: N };

/** Seconds: an emulated machine is slow, and its rendezvous more so. */
const AT_ONCE = 30;
/** Linux polls every 5 minutes unless told otherwise. */
const LINUX_POLL = 300;

const is =
  <N extends StepName>(...names: N[]) =>
  (step: Step): step is StepOf<N> =>
    (names as string[]).includes(step.step);

/** A scenario split at its one injection. */
interface Plan {
  input: OutlookInput;
  facts: MachineFacts;
  step: Step;
  injection: Injection;
  before: readonly Step[];
  after: readonly Step[];
}

/** What of a process and its page the rules ask. */
interface Victim {
  process?: string;
  /** Guest physical address of the page. */
  phys?: bigint;
  settings: Partial<Settings>;
  /** The process reads the page again once the error is there. */
  reads: boolean;
}

/** The process whose page stands at `address`, following the translation to a host address. */
function victimOf(address: string | number | undefined, { before, after, input }: Plan): Victim {
  const named = typeof address === 'string' ? address.replace(/^\$/, '') : undefined;
  const translated = before.filter(is('gpa2hpa', 'vmm-page')).find(s => s.args.as === named)?.args.address;
  const page = typeof translated === 'string' ? translated.replace(/^\$/, '') : named;
  const map = before.filter(is('map')).findLast(s => s.args.as === page);
  if (map === undefined) return { settings: {}, reads: false };
  const { process, as, kill, sharing, size } = map.args;
  const action = before.filter(is('on-signal')).findLast(s => s.args.process === process)?.args.action ?? 'report';
  const ofPage = (s: StepOf<'touch' | 'verify' | 'spin'>): boolean => s.args.process === process && s.args.page === as;
  const phys = input.values.get(as);
  const plain = sharing === 'private' && size === '4k';
  return {
    process,
    ...(typeof phys === 'bigint' ? { phys } : {}),
    settings: {
      ...(plain ? { page: 'user' as const } : {}),
      earlyKill: kill === 'early',
      sigbusHandler: action !== 'default',
    },
    reads: after.filter(is('touch', 'verify', 'spin')).some(ofPage) || before.filter(is('spin')).some(ofPage),
  };
}

/** What the CPU that takes a machine check may be running, the likeliest first. */
function running(cpu: number, plan: Plan, victim: Victim): Settings['running'][] | undefined {
  const spin = plan.before.filter(is('spin')).findLast(s => s.args.cpu === cpu);
  const last = plan.before.findLast(is('pause', 'resume'));
  const { mode, cpu: looked } = last?.step === 'pause' ? (last as StepOf<'pause'>).args : { mode: 'any', cpu };
  if (mode === 'any' || looked !== cpu) {
    const any: Settings['running'][] = ['idle', 'kernel', 'kernel-recoverable', 'user'];
    return spin === undefined ? any : any.toReversed();
  }
  if (mode === 'kernel') return ['kernel', 'kernel-recoverable', 'idle'];
  // In user mode it matters who is hit: only the process that was sent to that CPU is known.
  return spin !== undefined && spin.args.process === victim.process ? ['user'] : undefined;
}

/** Seconds until Linux has polled, by the check interval that a step has set. */
function linuxPoll({ before }: Plan): number {
  const seconds = before.filter(is('check-interval')).at(-1)?.args.seconds;
  return seconds === undefined ? LINUX_POLL + 2 * AT_ONCE : 2 * seconds + AT_ONCE;
}

function injectMce(plan: Plan, args: StepArgs<'inject-mce'>, mcip = false): Leg[] | undefined {
  const { facts, injection } = plan;
  const record = recordOf(injection);
  const victim = victimOf(args.addr, plan);
  const cpu = running(args.cpu, plan, victim);
  const layers = facts.x86;
  if (record === undefined || layers === undefined || cpu === undefined) return undefined;
  return layers.map(({ qemu, linux, xen, guest }) => ({
    journey: {
      record,
      consumer: 'qemu' as const,
      layers: {
        qemu: { ...qemu, ...settledBy(injection), mcip },
        // dom0's page is at another address of the machine than of dom0.
        linux: { ...linux, ...(guest === 'xen' ? {} : victim.settings) },
        ...(xen && { xen }),
      },
      ...(guest === undefined ? {} : { guest }),
      choices: { linux: { running: cpu } },
    },
    victim,
  }));
}

/** One journey; `reads`: what its victim does to the page afterwards may add a signal of its own. */
interface Leg {
  journey: Journey;
  victim: Victim;
  /** Outcomes of this journey that are none of the system under test. */
  within?: (outcome: Outcome) => Outcome;
}

/** A page of the host is poisoned under a guest of QEMU: SIGBUS, action optional; action required when it is read. */
function hostPoison(plan: Plan, args: StepArgs<'host-poison'>): Leg[][] | undefined {
  const victim = victimOf(args.address, plan);
  const [known] = plan.facts.x86 ?? [];
  if (plan.injection.way !== 'corrupt-pfn' || known === undefined || victim.phys === undefined) return undefined;
  const sigbus = recordOf({ ...plan.injection, gpa: victim.phys });
  // QEMU's main thread tells the first CPU.
  const cpu = running(0, plan, victim);
  if (sigbus?.kind !== 'sigbus' || cpu === undefined) return undefined;
  const linux = { ...known.linux, ...victim.settings };
  const leg = (code: typeof sigbus.code, journey: Partial<Journey>): Leg => ({
    journey: { record: { ...sigbus, code }, consumer: 'qemu', layers: { qemu: known.qemu, linux }, ...journey },
    victim,
  });
  const optional = leg(sigbus.code, { choices: { linux: { running: cpu } } });
  if (!victim.reads) return [[optional]];
  // The bank may hold the record of the first signal, or be empty again.
  const choices = { qemu: { bankStatus: [0n, QEMU_SIGBUS['amd-optional'].status] } };
  const layersOfRead = { qemu: known.qemu, linux: { ...linux, running: 'user' as const } };
  return [[optional], [leg('BUS_MCEERR_AR', { choices, layers: layersOfRead })]];
}

function injectGhes(plan: Plan, args: StepArgs<'inject-ghes'>): Leg[][] | undefined {
  const { ghes } = plan.facts;
  const record = recordOf(plan.injection);
  const victim = victimOf(args.address, plan);
  if (record === undefined || ghes === undefined) return undefined;
  if (ghes.host && args.severity === 'recoverable' && !victim.process) return undefined;
  // In the host layer the page is the VMM's, which asks for early signals and takes them.
  const page: Partial<Settings> = ghes.host ? { page: 'user', earlyKill: true, sigbusHandler: true } : victim.settings;
  const journey: Journey = {
    record,
    consumer: 'qemu',
    layers: { qemu: ghes.qemu, linux: { ...ghes.linux, ...page } },
  };
  if (!ghes.host) return [[{ journey, victim }]];
  // A signal to the VMM and lines on the host's console are nothing that its guest notices.
  const unnoticed = (outcome: Outcome): Outcome => (outcome === 'signalled' || outcome === 'logged' ? 'none' : outcome);
  const host: Leg = { journey, victim: { ...victim, reads: false }, within: unnoticed };
  if (!victim.reads || args.severity !== 'recoverable') return [[host]];
  const waits = plan.after.filter(is('wait')).some(s => /^vmm\.(quarantined|sigbus)\b/.test(s.args.for));
  const guest = guestOfVmm(plan, victim);
  if (!waits || guest === undefined) return undefined;
  const abort: Journey = { record: ABORT_FROM_VMM, consumer: 'linux', layers: { linux: guest } };
  return [[host], [{ journey: abort, victim: { ...victim, reads: false } }]];
}

/** The Linux under a VMM, hit in the user mode of `victim`. */
function guestOfVmm({ facts: { sea } }: Plan, victim: Victim): Partial<Settings> | undefined {
  return sea && { ...sea.linux, running: 'user', ...victim.settings };
}

function breakWalk(plan: Plan, args: StepArgs<'break-walk'>): Leg[][] | undefined {
  const { sea } = plan.facts;
  const victim = victimOf(args.address, plan);
  const guest = guestOfVmm(plan, victim);
  const record = recordOf(plan.injection);
  // All of the 2 MiB have to be the process's: anything else in them would be hit first.
  const map = plan.before.filter(is('map')).find(s => `$${s.args.as}` === args.address);
  if (map?.args.size !== '2m' || !victim.reads) return undefined;
  if (sea === undefined || guest === undefined || record === undefined) return undefined;
  const journey: Journey = {
    record,
    consumer: 'kvm',
    layers: { kvm: sea.kvm, linux: guest },
    vmm: () => ABORT_FROM_VMM,
  };
  return [[{ journey, victim: { ...victim, reads: false } }]];
}

/** The journeys of a scenario: those in one list are alternatives, the lists come one after the other. */
function legsOf(plan: Plan): Leg[][] | undefined {
  const { step } = plan;
  switch (step.step) {
    case 'inject-mce': {
      const legs = injectMce(plan, step.args);
      return legs && [legs];
    }
    case 'host-poison':
      return hostPoison(plan, step.args);
    case 'inject-ghes':
      return injectGhes(plan, step.args);
    case 'break-walk':
      return breakWalk(plan, step.args);
    default:
      return undefined;
  }
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

/** The part of the scenario that has one injection; a second machine check counts while the CPUs stand still. */
function planOf(input: OutlookInput): { plan: Plan; first?: Plan } | undefined {
  const { steps, values } = input;
  const found = steps.flatMap((step, i) => (injects(step) ? [i] : []));
  const [first, second] = found;
  // What a raw command does is not looked at.
  if (first === undefined || steps.some(is('qmp', 'hmp'))) return undefined;
  const facts = machineKind(input.machine).facts(input.machine, input);
  const at = (i: number): Plan | undefined => {
    const step = steps[i] as Step;
    const injection = injectionIn(step, values);
    return injection && { input, facts, step, injection, before: steps.slice(0, i), after: steps.slice(i + 1) };
  };
  const stopped = steps.slice(0, first).findLast(is('pause', 'resume'))?.step === 'pause';
  const rest = steps.slice((second ?? first) + 1);
  // Virtual CPUs that nobody lets run again show nothing.
  if ((stopped && !rest.some(is('resume'))) || rest.some(is('pause'))) return undefined;
  const one = at(first);
  if (second === undefined) return one && { plan: one };
  const together = stopped && steps.slice(first + 1, second).every(is('note'));
  const other = found.length === 2 && together ? at(second) : undefined;
  return one && other && { plan: other, first: one };
}

interface Found {
  explorations: Exploration[];
  leg: Leg;
}

/** All the outcomes of one leg, seen through what the lab can see. */
function seenOf(found: Found, plan: Plan, dependsOn: Set<string>): Set<Outcome> {
  const { leg } = found;
  const seen = new Set<Outcome>();
  const add = (outcome: Outcome, because?: string): void => {
    const here = leg.within?.(outcome) ?? outcome;
    if (because !== undefined && !seen.has(here)) dependsOn.add(because);
    seen.add(here);
  };
  const ends = found.explorations.flatMap(e => e.ends);
  for (const e of ends) add(e.outcome);
  for (const e of ends) {
    const last = e.chain.at(-1);
    if (last?.consumer === 'linux' && polled(e) && !plan.before.some(is('check-interval'))) {
      add(beforePoll(e), 'whether Linux polls in time');
    }
    // Corrected errors are counted by a collector, and not printed.
    const shown = last?.consumer === 'xen' ? plan.after.some(is('interrupts')) : last?.context.printAll;
    if (e.outcome === 'logged' && polled(e) && shown !== true) add('none', 'what the console shows');
    // What QEMU gives the other CPUs of a broadcast is printed as well.
    const taken = e.chain.some(p => p.consumer === 'linux' && p.context.delivery === 'exception');
    if (e.outcome === 'none' && taken && last?.context.printAll === true) add('logged', 'what the console shows');
    if (e.outcome === 'hung') for (const o of ['logged', 'none'] as const) add(o, 'whether somebody asks');
  }
  if (seen.has('none') && plan.after.some(is('interrupts'))) add('logged', 'what else is counted');
  if (leg.victim.reads && (seen.has('logged') || seen.has('none'))) {
    add(leg.victim.settings.sigbusHandler === false ? 'killed' : 'signalled', 'when the page is read');
  }
  return seen;
}

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
  const { plan, first } = planned;
  const legs = first === undefined ? legsOf(plan) : secondMce(plan, first);
  if (legs === undefined) return undefined;
  const stages: Found[] = [];
  for (const alternatives of legs) {
    const explorations = alternatives.map(leg => explore(leg.journey));
    const [leg] = alternatives;
    if (leg === undefined || explorations.includes(undefined)) return undefined;
    stages.push({ explorations: explorations as Exploration[], leg });
  }
  const dependsOn = new Set<string>();
  let possible = new Set<Outcome>();
  let usual: { end: End; outcome: Outcome } | undefined;
  for (const [i, stage] of stages.entries()) {
    for (const { dependsOn: settings } of stage.explorations) for (const s of settings) dependsOn.add(s);
    if (stage.explorations.length > 1) dependsOn.add('vendor of the host');
    const seen = seenOf(stage, plan, dependsOn);
    possible = i === 0 ? seen : new Set([...possible].flatMap(a => [...seen].map(b => worse(a, b))));
    const end = stage.explorations[0]?.ends[0];
    if (end === undefined) return undefined;
    const outcome = stage.leg.within?.(end.outcome) ?? end.outcome;
    if (usual === undefined || worse(outcome, usual.outcome) === outcome) usual = { end, outcome };
  }
  if (usual === undefined) return undefined;
  // The rules say "reset" of the second error; of anything else the first one would have a say.
  if (first !== undefined && !(possible.size === 1 && possible.has('reset'))) return undefined;
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
  };
}

/** A second uncorrected machine check of the same CPU while it stands still: MCIP of the first is set. */
function secondMce(plan: Plan, { injection: first }: Plan): Leg[][] | undefined {
  const { step, injection } = plan;
  if (first.way !== 'mce' || injection.way !== 'mce' || step.step !== 'inject-mce') return undefined;
  if (first.cpu !== injection.cpu || !MCI_STATUS_INTEL.decode(first.status).UC) return undefined;
  const legs = injectMce(plan, step.args, true);
  return legs && [legs];
}
