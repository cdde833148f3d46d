/** @module What each consumer will do with a record, under what is assumed, and what another assumption would lead to. */
import { VERSIONS } from '@syndrome/decode/outlook/context.ts';
import type { Consumer, Settings } from '@syndrome/decode/outlook/context.ts';
import { settingText, WHO } from '@syndrome/decode/outlook/explain-prediction.ts';
import { predictAll } from '@syndrome/decode/outlook/predict.ts';
import type { Alternative, Prediction } from '@syndrome/decode/outlook/prediction.ts';
import { settings } from '@syndrome/decode/outlook/settings.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';

/** What a person assumed, by consumer. */
export type Assumed = Readonly<Partial<Record<Consumer, Partial<Settings>>>>;

/** One consumer and its answers. */
export interface ConsumerOutlook {
  consumer: Consumer;
  who: string;
  /** The version that is taken, and those between which rules change. */
  version: string;
  versions: readonly string[];
  assumed: { setting: keyof Settings; text: string; value: string }[];
  predictions: Prediction[];
}

/** What a setting says, in a few words. */
export const settingWords = (name: keyof Settings): string => settings().find(s => s.name === name)?.text ?? name;

/** `yes`, `kernel`, `6.19.6`. */
export const valueWords = (value: Settings[keyof Settings]): string => settingText(value);

/** The outlook of a record for those who can get it. None of an event, and none where no rules are known. */
export function outlookFor(record: DecodedRecord, assumed: Assumed): ConsumerOutlook[] {
  const { raw } = record;
  if (raw.kind === 'event') return [];
  const consumers = [...new Set(record.outlook.map(({ consumer }) => consumer as Consumer))];
  return consumers.map(consumer => {
    const known = assumed[consumer] ?? {};
    const all = predictAll(raw, { consumer, ...known });
    const able = all.filter(({ outcome }) => outcome !== 'not-applicable');
    const { assumed: usual, others } = VERSIONS[consumer];
    return {
      consumer,
      who: WHO[consumer],
      version: known.version ?? usual,
      versions: [...new Set([usual, ...others, known.version ?? usual])],
      assumed: (Object.keys(known) as (keyof Settings)[])
        .filter(setting => setting !== 'version')
        .map(setting => ({
          setting,
          text: settingWords(setting),
          value: valueWords(known[setting] as Settings[keyof Settings]),
        })),
      predictions: able.length > 0 ? able : all.slice(0, 1),
    };
  });
}

/** The alternatives that are worth a chip: one a setting and value, the worst outcomes first. */
export function chipsOf({ alternatives }: Prediction): Alternative[] {
  const seen = new Set<string>();
  return alternatives.filter(({ setting, value }) => {
    const key = `${setting} ${valueWords(value)}`;
    if (seen.has(key) || setting === 'version') return false;
    seen.add(key);
    return true;
  });
}

/** Whether an outcome is bad, for a colour beside its word. */
export function outcomeWeight(outcome: string): 'bad' | 'warn' | 'good' | 'plain' {
  if (['vmm-died', 'reset', 'panicked', 'hung', 'domain-crashed'].includes(outcome)) return 'bad';
  if (outcome === 'killed' || outcome === 'signalled') return 'warn';
  return outcome === 'logged' || outcome === 'none' ? 'good' : 'plain';
}
