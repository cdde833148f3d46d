/**
 * What the rules of the outlook say a scenario will come to, from its machine and its steps. Where they cannot be followed
 * with certainty nothing is said: a scenario must not fail for what the lab does not know.
 */
import type { CperRecord } from '@syndrome/decode/cper/record.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { namedMca } from '@syndrome/decode/mca/named.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { End, Exploration, Journey } from '@syndrome/decode/outlook/explore.ts';
import type { OutlookRecord } from '@syndrome/decode/outlook/record.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import { explore, worse } from '@syndrome/decode/outlook/explore.ts';
import { OUTCOMES, type Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { FactsInput, MachineFacts } from './machines/facts.ts';
import { machineKind, type MachineSpec } from './machines/registry.ts';
import type { Step, StepArgs, StepName } from './scenario/steps.ts';
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

const injects = is('inject-mce', 'inject-ghes', 'host-poison', 'break-walk', 'poison');

/** True for the step before which the outlook is stated: the first that injects. */
export function isInjection(step: Step): boolean {
  return injects(step);
}

/** A scenario split at its one injection. */
interface Plan {
  input: OutlookInput;
  facts: MachineFacts;
  injection: Step;
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

function u64(value: string | number | undefined, input: OutlookInput): bigint | undefined {
  if (typeof value === 'number') return BigInt(value);
  if (value === undefined) return undefined;
  const saved = value.startsWith('$') ? input.values.get(value.slice(1)) : value;
  if (typeof saved === 'bigint') return saved;
  return typeof saved === 'number' ? BigInt(saved) : typeof saved === 'string' ? parseU64(saved) : undefined;
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
  const phys = u64(`$${as}`, input);
  const plain = sharing === 'private' && size === '4k';
  return {
    process,
    ...(phys === undefined ? {} : { phys }),
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

/** The record an inject-mce step gives, as the step itself puts it together. */
function mceRecord(args: StepArgs<'inject-mce'>, input: OutlookInput): X86McaRecord | undefined {
  const named = args.record === undefined ? undefined : namedMca(args.record);
  if (args.record !== undefined && named === undefined) return undefined;
  const pick = (value: string | number | undefined, otherwise = 0n): bigint | undefined =>
    value === undefined ? otherwise : u64(value, input);
  const status = pick(args.status, named?.status);
  const mcgStatus = pick(args.mcgstatus, named?.mcgStatus);
  const addr = pick(args.addr);
  const misc = pick(args.misc, named?.misc);
  if (status === undefined || mcgStatus === undefined || addr === undefined || misc === undefined) return undefined;
  return { kind: 'x86-mca', cpu: args.cpu, bank: args.bank ?? named?.bank ?? 0, status, mcgStatus, addr, misc };
}

function injectMce(plan: Plan, args: StepArgs<'inject-mce'>, mcip = false): Leg[] | undefined {
  const { input, facts } = plan;
  const record = mceRecord(args, input);
  const victim = victimOf(args.addr, plan);
  const cpu = running(args.cpu, plan, victim);
  const layers = facts.x86;
  if (record === undefined || layers === undefined || cpu === undefined) return undefined;
  return layers.map(({ qemu, linux, xen, guest }) => ({
    journey: {
      record,
      consumer: 'qemu' as const,
      layers: {
        qemu: { ...qemu, broadcast: args.broadcast, mcip },
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
  if (args.how !== 'corrupt-pfn' || known === undefined || victim.phys === undefined) return undefined;
  const linux = { ...known.linux, ...victim.settings };
  const gpa = victim.phys;
  const sigbus = (code: 'BUS_MCEERR_AO' | 'BUS_MCEERR_AR', journey: Partial<Journey>): Leg => ({
    journey: {
      record: { kind: 'sigbus', code, gpa },
      consumer: 'qemu',
      layers: { qemu: known.qemu, linux },
      ...journey,
    },
    victim,
  });
  // QEMU's main thread tells the first CPU.
  const cpu = running(0, plan, victim);
  if (cpu === undefined) return undefined;
  const optional = sigbus('BUS_MCEERR_AO', { choices: { linux: { running: cpu } } });
  if (!victim.reads) return [[optional]];
  // The bank may hold the record of the first signal, or be empty again.
  const choices = { qemu: { bankStatus: [0n, 0x9c00_1800_0000_0000n] } };
  const layersOfRead = { qemu: known.qemu, linux: { ...linux, running: 'user' as const } };
  return [[optional], [sigbus('BUS_MCEERR_AR', { choices, layers: layersOfRead })]];
}

/** UEFI 2.10 N.2.5, the memory error section. */
const MEMORY_SECTION = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';

function ghesRecord({ severity, errorType }: StepArgs<'inject-ghes'>, physicalAddress: bigint): CperRecord {
  const body = { kind: 'memory' as const, physicalAddress, errorType };
  return {
    kind: 'cper',
    severity,
    blockStatus: 1,
    sections: [{ type: MEMORY_SECTION, severity, revision: 0x300, flags: 0, body }],
  };
}

/** ESR_EL1 of the external abort KVM gives a guest in user mode: data abort from EL0, no table walk (Arm ARM D24.2.40). */
const GUEST_ABORT: OutlookRecord = { kind: 'arm-sea', esr: 0x9200_0010n, el: 1 };
/** ESR_EL2 of an abort on the stage-2 walk at level 3, for a data access of EL0. */
const WALK_ABORT = { kind: 'arm-sea', esr: 0x9200_0017n, el: 2 } as const;

function injectGhes(plan: Plan, args: StepArgs<'inject-ghes'>): Leg[][] | undefined {
  const { ghes } = plan.facts;
  const address = u64(args.address, plan.input);
  const victim = victimOf(args.address, plan);
  if (address === undefined || ghes === undefined) return undefined;
  if (ghes.host && args.severity === 'recoverable' && !victim.process) return undefined;
  // In the host layer the page is the VMM's, which asks for early signals and takes them.
  const page: Partial<Settings> = ghes.host ? { page: 'user', earlyKill: true, sigbusHandler: true } : victim.settings;
  const journey: Journey = {
    record: ghesRecord(args, address),
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
  const abort: Journey = { record: GUEST_ABORT, consumer: 'linux', layers: { linux: guest } };
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
  // All of the 2 MiB have to be the process's: anything else in them would be hit first.
  const map = plan.before.filter(is('map')).find(s => `$${s.args.as}` === args.address);
  if (sea === undefined || guest === undefined || map?.args.size !== '2m' || !victim.reads) return undefined;
  const journey: Journey = {
    record: WALK_ABORT,
    consumer: 'kvm',
    layers: { kvm: sea.kvm, linux: guest },
    vmm: () => GUEST_ABORT,
  };
  return [[{ journey, victim: { ...victim, reads: false } }]];
}

/** The journeys of a scenario: those in one list are alternatives, the lists come one after the other. */
function legsOf(plan: Plan): Leg[][] | undefined {
  const { injection } = plan;
  switch (injection.step) {
    case 'inject-mce': {
      const legs = injectMce(plan, injection.args);
      return legs && [legs];
    }
    case 'host-poison':
      return hostPoison(plan, injection.args);
    case 'inject-ghes':
      return injectGhes(plan, injection.args);
    case 'break-walk':
      return breakWalk(plan, injection.args);
    default:
      return undefined;
  }
}

/** The part of the scenario that has one injection; a second machine check counts while the CPUs stand still. */
function planOf(input: OutlookInput): { plan: Plan; first?: Step } | undefined {
  const { steps } = input;
  const found = steps.flatMap((step, i) => (injects(step) ? [i] : []));
  const [first, second] = found;
  // What a raw command does is not looked at.
  if (first === undefined || steps.some(is('qmp', 'hmp'))) return undefined;
  const facts = machineKind(input.machine).facts(input.machine, input);
  const at = (i: number): Plan => ({
    input,
    facts,
    injection: steps[i] as Step,
    before: steps.slice(0, i),
    after: steps.slice(i + 1),
  });
  const stopped = steps.slice(0, first).findLast(is('pause', 'resume'))?.step === 'pause';
  const rest = steps.slice((second ?? first) + 1);
  // Virtual CPUs that nobody lets run again show nothing.
  if ((stopped && !rest.some(is('resume'))) || rest.some(is('pause'))) return undefined;
  if (second === undefined) return { plan: at(first) };
  const together = stopped && steps.slice(first + 1, second).every(is('note'));
  return found.length === 2 && together ? { plan: at(second), first: steps[first] as Step } : undefined;
}

const UNCORRECTED = 1n << 61n;

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

/** Lines that say what became of the system, the most telling first. */
const TELLING = [/^Kernel panic/, /^Fatal machine check/, /raising triple fault/, /Sending SIGBUS/, /events logged/];

function tellingLine(lines: readonly string[]): string | undefined {
  return TELLING.flatMap(shape => lines.find(line => shape.test(line)) ?? [])[0] ?? lines.at(-1);
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
  const message = tellingLine(end.chain.flatMap(p => p.messages));
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
function secondMce(plan: Plan, first: Step): Leg[][] | undefined {
  const { injection } = plan;
  if (first.step !== 'inject-mce' || injection.step !== 'inject-mce') return undefined;
  const status = mceRecord(first.args, plan.input)?.status ?? 0n;
  if (first.args.cpu !== injection.args.cpu || (status & UNCORRECTED) === 0n) return undefined;
  const legs = injectMce(plan, injection.args, true);
  return legs && [legs];
}
