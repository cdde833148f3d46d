/** @module All ends that a record can come to: what is not known is tried in every combination, not one at a time. */
import { FIELDS } from './context.ts';
import type { Consumer, Settings } from './context.ts';
import { Facts } from './facts.ts';
import { predictChain } from './predict.ts';
import type { ChainOptions, LayerSettings } from './predict.ts';
import { OUTCOMES } from './prediction.ts';
import type { Outcome, Prediction } from './prediction.ts';
import type { OutlookRecord } from './record.ts';

/** One way of a record through the layers. */
export interface Journey {
  record: OutlookRecord;
  consumer: Consumer;
  /** What is known of each layer. */
  layers: LayerSettings;
  guest?: ChainOptions['guest'];
  /** What can be the case of a setting that is not known, instead of everything the outlook's table names. */
  choices?: Partial<Record<Consumer, { [K in keyof Settings]?: readonly Settings[K][] }>>;
  /** Takes the place of the VMM that KVM hands a record to: the reference VMM. */
  vmm?: (handed: OutlookRecord) => OutlookRecord;
}

/** What was predicted for one combination. */
export interface End {
  outcome: Outcome;
  /** The prediction that decided. */
  decided: Prediction;
  chain: readonly Prediction[];
  /** Where the combination is another than the values usually assumed. */
  unusual: LayerSettings;
}

/** All combinations; the first end is that of the values usually assumed. */
export interface Exploration {
  ends: [End, ...End[]];
  /** Settings whose value decides. */
  dependsOn: string[];
}

const rank = (outcome: Outcome): number => OUTCOMES.indexOf(outcome);

/** The worse of two outcomes. */
export function worse(a: Outcome, b: Outcome): Outcome {
  return rank(a) <= rank(b) ? a : b;
}

const isOutcome = (value: string): value is Outcome => (OUTCOMES as readonly string[]).includes(value);

function follow(journey: Journey, layers: LayerSettings): Prediction[] {
  const { record, consumer, guest, vmm } = journey;
  const options = { alternatives: false, ...(guest === undefined ? {} : { guest }) };
  const chain = predictChain(record, { consumer }, layers, options);
  const at = vmm === undefined ? -1 : chain.findIndex(p => p.handover?.consumer === 'vmm');
  const handed = chain[at]?.handover;
  if (vmm === undefined || handed === undefined) return chain;
  return [...chain.slice(0, at + 1), ...predictChain(vmm(handed.record), { consumer: 'linux' }, layers, options)];
}

/** The end of a chain: the worst that any layer came to. */
export function endOf(chain: readonly Prediction[]): Omit<End, 'unusual'> | undefined {
  let end: Omit<End, 'unusual'> | undefined;
  for (const decided of chain) {
    const { outcome } = decided;
    // Handed on to the next layer; or a guess that leaves the record without a way to arrive, which says nothing.
    if (!isOutcome(outcome)) continue;
    if (end === undefined || rank(outcome) <= rank(end.outcome)) end = { outcome, decided, chain };
  }
  return end;
}

/** More combinations than this say nothing any more. */
const MAX_CHAINS = 3000;

/**
 * Tries everything that is not known.
 * @param chainOf the layers' predictions with these settings
 * @param visit is given each combination once, and says what it comes to; undefined for one that says nothing
 * @returns the settings that decide, or undefined when there are too many combinations
 */
export function combine(
  { record, layers: known, choices }: Pick<Journey, 'record' | 'layers' | 'choices'>,
  chainOf: (layers: LayerSettings) => readonly Prediction[],
  visit: (chain: readonly Prediction[], unusual: LayerSettings) => string | undefined,
): string[] | undefined {
  const dependsOn = new Set<string>();
  let chains = 0;
  const branch = (layers: LayerSettings, unusual: LayerSettings): Set<string> => {
    const found = new Set<string>();
    if (chains >= MAX_CHAINS) return found;
    const chain = chainOf(layers);
    for (const [i, { consumer, context, assumptions }] of chain.entries()) {
      const facts = new Facts(chain[i - 1]?.handover?.record ?? record, context);
      for (const { setting, value } of assumptions) {
        if (layers[consumer]?.[setting] !== undefined || setting === 'delivery') continue;
        const given = choices?.[consumer]?.[setting] as readonly Settings[keyof Settings][] | undefined;
        const values = given ?? [value, ...(FIELDS[setting].others?.(facts) ?? [])];
        if (values.length < 2 && given === undefined) continue;
        const sets = values.map((v, nth) => {
          const more = { [setting]: v };
          return branch(
            { ...layers, [consumer]: { ...layers[consumer], ...more } },
            nth === 0 ? unusual : { ...unusual, [consumer]: { ...unusual[consumer], ...more } },
          );
        });
        for (const set of sets) for (const end of set) found.add(end);
        if (sets.some(set => set.size !== found.size)) dependsOn.add(setting);
        return found;
      }
    }
    chains++;
    const end = visit(chain, unusual);
    return end === undefined ? found : found.add(end);
  };
  branch(known, {});
  return chains >= MAX_CHAINS ? undefined : [...dependsOn];
}

/** Follows a record under everything that is not known. Undefined when there is too much of that, or no end at all. */
export function explore(journey: Journey): Exploration | undefined {
  const ends: End[] = [];
  const dependsOn = combine(
    journey,
    layers => follow(journey, layers),
    (chain, unusual) => {
      const end = endOf(chain);
      if (end !== undefined) ends.push({ ...end, unusual });
      return end?.outcome;
    },
  );
  const [first, ...rest] = ends;
  return dependsOn === undefined || first === undefined ? undefined : { ends: [first, ...rest], dependsOn };
}
