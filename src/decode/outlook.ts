/** @module What the consumers that can get a record do with it, short: the whole answer is `syndrome predict`. */
import type { OutlookRecord } from '../outlook/record.ts';
import { predictAll } from '../outlook/predict.ts';
import { settingText } from '../outlook/explain-prediction.ts';
import type { DecodedOutlook } from './record.ts';

/** One answer for each consumer and each state the CPU may have been in, with what the answer depends on. */
export function outlookOf(record: OutlookRecord): DecodedOutlook[] {
  return predictAll(record).map(p => {
    const context: Record<string, string> = {};
    for (const setting of ['delivery', 'running'] as const) {
      const value = p.context[setting] ?? p.assumptions.find(a => a.setting === setting)?.value;
      if (value !== undefined) context[setting] = settingText(value);
    }
    return {
      consumer: p.consumer,
      context,
      outcome: p.outcome,
      certainty: p.certainty,
      rule: { id: p.rule.id, text: p.rule.text },
      dependsOn: p.dependsOn,
      messages: p.messages,
    };
  });
}
