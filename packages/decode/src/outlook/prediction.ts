/** @module What a prediction says, and the notebook that a consumer's rules write it into. */
import type { Consumer, Delivery, OutlookContext, Settings } from './context.ts';
import type { Assumption } from './facts.ts';
import type { OutlookRecord } from './record.ts';
import type { Rule } from './rule.ts';

/**
 * What becomes of a system, the worst first: `vmm-died` · `reset` the machine · `panicked` · `hung` ·
 * `domain-crashed` Xen ended a domain other than dom0 · `killed` a process died · `signalled` a process got SIGBUS and lives · `logged` · `none`.
 */
export const OUTCOMES = [
  'vmm-died',
  'reset',
  'panicked',
  'hung',
  'domain-crashed',
  'killed',
  'signalled',
  'logged',
  'none',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * What becomes of one consumer: an {@link Outcome}, or · `forwarded`: nothing happened here, the next layer gets a
 * record · `not-applicable`: the consumer cannot get this record at all, which says nothing of it.
 */
export const OUTLOOK_OUTCOMES = [...OUTCOMES, 'forwarded', 'not-applicable'] as const;
export type OutlookOutcome = (typeof OUTLOOK_OUTCOMES)[number];

/** How a process learns of bad memory. Source: Linux include/uapi/asm-generic/siginfo.h. */
export type SignalCode = 'BUS_MCEERR_AR' | 'BUS_MCEERR_AO' | 'BUS_OBJERR' | 'SI_KERNEL';

type OutlookLayer = 'linux' | 'memory-failure' | 'xen' | 'qemu' | 'kvm' | 'vmm';

/** One rule that took part, and what it did here. */
interface Step {
  layer: OutlookLayer;
  rule: Rule;
  effect: string;
}

/** An event a management client sees (QMP). */
interface OutlookEvent {
  name: string;
  data: Readonly<Record<string, string | boolean>>;
}

/** What the next layer gets. */
interface Handover {
  consumer: Consumer;
  delivery: Delivery;
  record: OutlookRecord;
  /** Settings of the next layer that this one decides. */
  settings: Partial<Settings>;
}

/** What another value of an assumed setting would lead to. */
export interface Alternative {
  setting: keyof Settings;
  value: Settings[keyof Settings];
  outcome: OutlookOutcome;
  /** How the next layer would get it, where the outcome is `forwarded`. */
  delivery?: Delivery;
  /** si_code of the SIGBUS, where a process gets one. */
  signal?: SignalCode;
  /** Id of the rule that would decide. */
  rule: string;
}

export interface Prediction {
  consumer: Consumer;
  /** The context as given; what was assumed beyond it is in `assumptions`. */
  context: OutlookContext;
  outcome: OutlookOutcome;
  /** The rule that decided the outcome. */
  rule: Rule;
  /** `certain`: no assumed setting, taken one at a time, changes the outcome. */
  certainty: 'certain' | 'depends';
  /** Settings that decide, the ones worth asking for. */
  dependsOn: (keyof Settings)[];
  alternatives: Alternative[];
  assumptions: Assumption[];
  steps: Step[];
  /** Lines the consumer prints, in their order; `<tsc>` and the like stand for what cannot be known. */
  messages: string[];
  events: OutlookEvent[];
  /** si_code of the SIGBUS, where a process gets one. */
  signal?: SignalCode;
  handover?: Handover;
}

export interface Ending {
  outcome: OutlookOutcome;
  signal?: SignalCode;
  /** The rule that decided; without it the last one noted. */
  rule?: Rule;
  handover?: Handover;
}

/** Collects what the rules of one consumer do. */
export class Run {
  readonly steps: Step[] = [];
  readonly messages: string[] = [];
  readonly events: OutlookEvent[] = [];
  #layer: OutlookLayer;

  constructor(layer: OutlookLayer) {
    this.#layer = layer;
  }

  note(rule: Rule, effect: string, layer: OutlookLayer = this.#layer): void {
    this.steps.push({ layer, rule, effect });
  }

  /** Notes the deciding rule and ends. */
  end(outcome: OutlookOutcome, rule: Rule, effect: string): Ending {
    this.note(rule, effect);
    return { outcome, rule };
  }

  print(...lines: string[]): void {
    this.messages.push(...lines);
  }

  event(name: string, data: OutlookEvent['data']): void {
    this.events.push({ name, data });
  }
}
