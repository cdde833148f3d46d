/** @module What the records of an input come to: how bad, which part, what repeats, what is to be done first. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { partFacts, sums } from '@syndrome/decode/triage/triage-text.ts';
import type { DecodeModel } from './decode-model.ts';
import { Prose } from './prose.tsx';

const PARTS = 4;
const PAGES = 12;

export function TriageView({ model }: { model: DecodeModel }) {
  const report = model.triage.value;
  if (!report || report.records < 2) return null;
  const { worst, parts, pagesAgain, incidents } = report;
  const [telling] = worst?.witnesses ?? [];
  const look = (line: number, input: string) => (
    <button type="button" class="link" onClick={() => model.chooseLine(line, input)}>
      look at it
    </button>
  );
  return (
    <details class="triage" open>
      <summary>
        <h2>
          {safeText(sums(report.bySeverity), 300)}{' '}
          <span class="muted">
            {report.records.toLocaleString('en')} records of {incidents.toLocaleString('en')}{' '}
            {incidents === 1 ? 'incident' : 'incidents'}
          </span>
        </h2>
      </summary>
      <div class="triage-columns">
        {worst && (
          <div>
            <h3>Worst</h3>
            <p>
              <b class={`severity-${worst.severity}`}>{worst.severity}</b> {safeText(telling?.headline ?? '', 300)}
              {worst.part === undefined ? '' : ` · ${safeText(worst.part, 100)}`}{' '}
              {telling?.source.firstLine !== undefined && look(telling.source.firstLine, telling.source.input)}
            </p>
            {worst.fate.length > 0 && <p class="muted">{safeText(worst.fate.join(', '), 300)}</p>}
            <ul>
              {[...worst.actions, ...worst.nextSteps].slice(0, 4).map(action => (
                <li key={action}>
                  <Prose text={action} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {parts.length > 0 && (
          <div>
            <h3>Parts</h3>
            <ul>
              {parts.slice(0, PARTS).map(part => (
                <li key={part.name}>
                  <b>{safeText(part.name, 120)}</b> {safeText(partFacts(part).join(' · '), 400)}
                </li>
              ))}
              {parts.length > PARTS && <li class="muted">{parts.length - PARTS} more</li>}
            </ul>
          </div>
        )}
        {pagesAgain.length > 0 && (
          <div>
            <h3>Pages met again</h3>
            <p class="chips">
              {pagesAgain.slice(0, PAGES).map(({ pfn, dpa, incidents: times }) => {
                const text = pfn === undefined ? `DPA 0x${(dpa ?? 0n).toString(16)}` : `pfn 0x${pfn.toString(16)}`;
                return (
                  <button key={text} type="button" class="chip" onClick={() => (model.find.value = text)}>
                    <span class="mono">{text}</span> × {times}
                  </button>
                );
              })}
              {pagesAgain.length > PAGES && <span class="muted">{pagesAgain.length - PAGES} more</span>}
            </p>
          </div>
        )}
      </div>
    </details>
  );
}
