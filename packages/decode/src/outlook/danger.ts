/**
 * @module What an error given to a virtual machine that is not ours may do to it. Everything that is not known of the
 * machine is tried, so that nothing is safe only because of a guess.
 */
import { classify } from '../mca/classify.ts';
import { WHAT, WHO, settingText } from './explain-prediction.ts';
import { combine, endOf } from './explore.ts';
import { firstConsumer, predict, predictChain } from './predict.ts';
import type { LayerSettings } from './predict.ts';
import type { Consumer, Settings } from './context.ts';
import { OUTCOMES } from './prediction.ts';
import type { Outcome, Prediction } from './prediction.ts';
import type { OutlookRecord } from './record.ts';

/** Who may run on the machine; `other`: an operating system that the outlook has no rules for. */
const GUESTS = ['linux', 'xen', 'other'] as const;
type Guest = (typeof GUESTS)[number];

/** What is known of the machine that gets the record. */
export interface Target {
  /** Who may run on it; everybody unless given. */
  guests?: readonly Guest[];
  /** Of the layer that meets the record first: for most of them QEMU. */
  vmm?: Partial<Settings>;
  /** Of what runs on the machine; not of what runs in a domain of Xen. */
  guest?: Partial<Settings>;
}

/** One bad end that a record can come to. */
export interface Danger {
  /** Who runs on the machine. */
  guest: Guest;
  /** The layer that decides; `other` where nobody knows what the guest does with what it gets. */
  consumer: Consumer | 'other';
  outcome: Outcome | 'unknown';
  /** Id of the rule that decides; of an unknown outcome, of what is known last. */
  rule: string;
  /** What has to be otherwise than usually assumed for it, by layer; empty where it is the usual end. */
  settings: LayerSettings;
}

/** The outcomes that nobody may be given unasked: from the loss of a process on. `OUTCOMES` has the worst first. */
const BAD: ReadonlySet<string> = new Set(OUTCOMES.slice(0, OUTCOMES.indexOf('killed') + 1));

export function isDangerous(outcome: Outcome): boolean {
  return BAD.has(outcome);
}

/** Nothing has to be done about it, by the manuals: no operating system has a reason to stop. */
function isCorrected(record: OutlookRecord): boolean {
  if (record.kind === 'cper') return record.severity === 'corrected' || record.severity === 'none';
  return record.kind === 'x86-mca' && classify(record) === 'CE';
}

const count = (settings: LayerSettings): number =>
  Object.values(settings).reduce((sum, layer) => sum + Object.keys(layer).length, 0);

/** Keeps, of each bad end, the case that is nearest to what is usual. */
class Dangers {
  readonly #found = new Map<string, Danger>();

  add(danger: Danger): void {
    // What QEMU does itself is the same for every guest; what Linux does as a domain of Xen is not what it does alone.
    const key = [danger.consumer === 'linux' ? danger.guest : '', danger.consumer, danger.outcome, danger.rule].join(
      ' ',
    );
    const before = this.#found.get(key);
    if (before === undefined || count(danger.settings) < count(before.settings)) this.#found.set(key, danger);
  }

  all(): Danger[] {
    const rank = ({ outcome }: Danger): number => (outcome === 'unknown' ? OUTCOMES.length : OUTCOMES.indexOf(outcome));
    return [...this.#found.values()].toSorted(
      (a, b) => GUESTS.indexOf(a.guest) - GUESTS.indexOf(b.guest) || rank(a) - rank(b),
    );
  }
}

/** Bad ends for one guest. */
function add(dangers: Dangers, record: OutlookRecord, guest: Guest, { vmm = {}, guest: known = {} }: Target): void {
  const consumer = firstConsumer(record);
  const chainOf = (layers: LayerSettings): Prediction[] =>
    guest === 'other'
      ? [predict(record, { ...layers[consumer], consumer }, { alternatives: false })]
      : predictChain(record, { consumer }, layers, { alternatives: false, guest });
  const layers: LayerSettings =
    guest === 'other'
      ? { [consumer]: vmm }
      : { [guest]: known, [consumer]: consumer === guest ? { ...vmm, ...known } : vmm };
  const unknown = (rule: string, settings: LayerSettings): void =>
    dangers.add({ guest, consumer: guest === 'other' ? 'other' : guest, outcome: 'unknown', rule, settings });
  const tried = combine({ record, layers }, chainOf, (chain, settings) => {
    const end = endOf(chain);
    if (end !== undefined && isDangerous(end.outcome)) {
      const { decided, outcome } = end;
      dangers.add({ guest, consumer: decided.consumer, outcome, rule: decided.rule.id, settings });
    }
    // What is handed to a layer that the outlook has no rules for has no known end, unless it is an error that is over.
    const last = chain.at(-1);
    const giver = guest === 'other' ? last : chain.at(-2);
    const lost = last?.outcome === 'not-applicable' || (guest === 'other' && last?.handover !== undefined);
    if (lost && !isCorrected(giver?.handover?.record ?? record)) unknown((giver ?? last)?.rule.id ?? '', settings);
    return `${end?.outcome} ${lost}`;
  });
  // Too much is not known to try everything.
  if (tried === undefined) for (const { rule } of chainOf(layers).slice(-1)) unknown(rule.id, {});
}

/**
 * The bad ends that `record` can come to on its way through a virtual machine: a process, the guest or the VMM dies, the
 * machine hangs or is reset, or nobody knows. None means that it can be given unasked.
 */
export function dangersOf(record: OutlookRecord, target: Target = {}): Danger[] {
  const dangers = new Dangers();
  for (const guest of target.guests ?? GUESTS) add(dangers, record, guest, target);
  return dangers.all();
}

/** `Linux panics, with linux version=6.19.6 [linux.amd-destat.crash]`: one line. */
export function dangerText({ guest, consumer, outcome, rule, settings }: Danger): string {
  const who = consumer === 'other' ? 'Any other guest' : WHO[consumer];
  const where = guest === 'xen' && consumer === 'linux' ? ' in a domain of Xen' : '';
  const what = outcome === 'unknown' ? 'what it does is not known' : WHAT[outcome];
  const layers = Object.entries(settings).map(([layer, known]) => {
    const pairs = Object.entries(known).map(([name, value]) => `${name}=${settingText(value)}`);
    return layer === consumer ? pairs.join(' ') : `${layer} ${pairs.join(' ')}`;
  });
  return `${who}${where}: ${what}${layers.length === 0 ? '' : `, with ${layers.join(', ')}`} [${rule}]`;
}
