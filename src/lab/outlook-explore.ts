/** All ends that a record can come to: what is not known is tried in every combination, not one at a time. */
import type { ChainOptions, Consumer, LayerSettings, OutlookRecord, Prediction, Settings } from '../outlook/index.ts';
import { FIELDS, predictChain } from '../outlook/index.ts';
import { Facts } from '../outlook/facts.ts';
import { OUTCOMES, type Outcome } from './expect/outcome.ts';

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
function endOf(chain: readonly Prediction[]): End | undefined {
  let end: End | undefined;
  for (const decided of chain) {
    const { outcome } = decided;
    // Handed on to the next layer; or a guess that leaves the record without a way to arrive, which says nothing.
    if (!isOutcome(outcome)) continue;
    if (end === undefined || rank(outcome) <= rank(end.outcome)) end = { outcome, decided, chain };
  }
  return end;
}

/** More combinations than this say nothing any more. */
const MAX_ENDS = 3000;

/** Follows a record under everything that is not known. Undefined when there is too much of that. */
export function explore(journey: Journey): Exploration | undefined {
  const ends: End[] = [];
  const dependsOn = new Set<string>();
  let tooMany = false;
  const branch = (layers: LayerSettings): Set<Outcome> => {
    const outcomes = new Set<Outcome>();
    if (tooMany) return outcomes;
    const chain = follow(journey, layers);
    for (const { consumer, context, assumptions } of chain) {
      const record = recordOf(journey, chain, context);
      const facts = new Facts(record, context);
      for (const { setting, value } of assumptions) {
        const known = layers[consumer]?.[setting];
        if (known !== undefined || setting === 'delivery') continue;
        const given = journey.choices?.[consumer]?.[setting] as readonly Settings[keyof Settings][] | undefined;
        const values = given ?? [value, ...(FIELDS[setting].others?.(facts) ?? [])];
        if (values.length < 2 && given === undefined) continue;
        const found = values.map(v => branch({ ...layers, [consumer]: { ...layers[consumer], [setting]: v } }));
        for (const set of found) for (const outcome of set) outcomes.add(outcome);
        if (found.some(set => set.size !== outcomes.size)) dependsOn.add(setting);
        return outcomes;
      }
    }
    const end = endOf(chain);
    if (end === undefined) return outcomes;
    ends.push(end);
    tooMany ||= ends.length >= MAX_ENDS;
    return outcomes.add(end.outcome);
  };
  branch(journey.layers);
  const [first, ...rest] = ends;
  return tooMany || first === undefined ? undefined : { ends: [first, ...rest], dependsOn: [...dependsOn] };
}

/** The record that the layer of `context` got. */
function recordOf(journey: Journey, chain: readonly Prediction[], context: Prediction['context']): OutlookRecord {
  const before = chain[chain.findIndex(p => p.context === context) - 1];
  return before?.handover?.record ?? journey.record;
}
