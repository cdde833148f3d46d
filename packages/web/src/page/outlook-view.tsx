/** @module What each consumer will do with the record; an assumption is made with one click. */
import { useMemo } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Consumer, Settings } from '@syndrome/decode/outlook/context.ts';
import type { Prediction } from '@syndrome/decode/outlook/prediction.ts';
import { chipsOf, type ConsumerOutlook, outlookFor, outcomeWeight, settingWords, valueWords } from '../view/outlook.ts';
import type { DecodeModel } from './decode-model.ts';

/** Chips beyond these are behind a button. */
const CHIPS = 5;

function Outcome({ outcome }: { outcome: string }) {
  return <span class={`outcome outcome-${outcomeWeight(outcome)}`}>{outcome}</span>;
}

export function OutlookView({ model }: { model: DecodeModel }) {
  const record = model.record.value;
  const assumed = model.assumed.value;
  const all = useMemo(() => (record ? outlookFor(record, assumed) : []), [record, assumed]);
  if (all.length === 0) return null;
  return (
    <section class="outlook" aria-labelledby="outlook-head">
      <h2 id="outlook-head">
        Outlook <span class="muted">what each consumer will do with it</span>
      </h2>
      {all.map(one => (
        <Card key={one.consumer} model={model} one={one} />
      ))}
    </section>
  );
}

function Card({ model, one }: { model: DecodeModel; one: ConsumerOutlook }) {
  const { consumer, who, version, versions, assumed, predictions } = one;
  return (
    <article class="card">
      <header>
        <h3>{who}</h3>
        {versions.length > 1 ? (
          <select
            aria-label={`Version of ${who}`}
            value={version}
            onChange={event => model.assume(consumer, 'version', event.currentTarget.value)}
          >
            {versions.map(v => (
              <option key={v} value={v}>
                {v}
              </option>
            ))}
          </select>
        ) : (
          <span class="muted">{version}</span>
        )}
        {assumed.map(({ setting, text, value }) => (
          <button
            key={setting}
            type="button"
            class="chip is-assumed"
            onClick={() => model.assume(consumer, setting, undefined)}
            aria-label={`Do not assume: ${text} ${value}`}
          >
            {text} <b>{value}</b> <span aria-hidden="true">×</span>
          </button>
        ))}
      </header>
      {predictions.map((prediction, i) => (
        <Answer key={i} model={model} consumer={consumer} prediction={prediction} />
      ))}
    </article>
  );
}

function Answer({ model, consumer, prediction }: { model: DecodeModel; consumer: Consumer; prediction: Prediction }) {
  const { context, assumptions, outcome, certainty, rule, messages } = prediction;
  const chips = chipsOf(prediction);
  const how = (['delivery', 'running'] as const).flatMap(setting => {
    const value = context[setting] ?? assumptions.find(a => a.setting === setting)?.value;
    return value === undefined
      ? []
      : [setting === 'delivery' ? `by ${valueWords(value)}` : `CPU in ${valueWords(value)}`];
  });
  const chip = ({ setting, value, outcome: other }: (typeof chips)[number]) => (
    <button
      key={`${setting}${valueWords(value)}`}
      type="button"
      class="chip"
      onClick={() => model.assume(consumer, setting, value as Settings[typeof setting])}
    >
      {settingWords(setting)} <b>{valueWords(value)}</b> →{' '}
      <span class={`outcome-${outcomeWeight(other)}`}>{other}</span>
    </button>
  );
  return (
    <div class="answer">
      <p>
        <Outcome outcome={outcome} /> <span class="muted">{[...how, certainty].join(' · ')}</span>
      </p>
      <p>
        {safeText(rule.text, 600)} <code class="muted">{rule.id}</code>
      </p>
      {messages.length > 0 && (
        <details>
          <summary>
            prints {messages.length} {messages.length === 1 ? 'line' : 'lines'}
          </summary>
          <pre class="raw">{messages.map(line => safeText(line, 400)).join('\n')}</pre>
        </details>
      )}
      {chips.length > 0 && (
        <div class="chips">
          <span class="muted">unless</span>
          {chips.slice(0, CHIPS).map(chip)}
          {chips.length > CHIPS && (
            <details>
              <summary>{chips.length - CHIPS} more</summary>
              <div class="chips">{chips.slice(CHIPS).map(chip)}</div>
            </details>
          )}
        </div>
      )}
    </div>
  );
}
