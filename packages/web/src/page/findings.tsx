/** @module What lint finds in a record, each with what it means and where that stands. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { findingCode } from '@syndrome/decode/decode/finding-codes.ts';
import type { Finding } from '@syndrome/decode/registers/finding.ts';
import { Prose } from './prose.tsx';

interface Props {
  findings: readonly Finding[];
  /** Told of a finding that is pointed at; undefined when none is any more. */
  point?: (finding: Finding | undefined) => void;
}

export function Findings({ findings, point }: Props) {
  if (findings.length === 0) return null;
  return (
    <ul class="plain lint" aria-label="Whether it can be real">
      {findings.map(finding => {
        const { code, severity, message, section } = finding;
        return (
          <li key={code + message} onMouseEnter={() => point?.(finding)} onMouseLeave={() => point?.(undefined)}>
            <details>
              <summary onFocus={() => point?.(finding)} onBlur={() => point?.(undefined)}>
                <b class={`lint-${severity}`}>{severity}</b>
                <span>{safeText(message, 500)}</span>
                <code class="muted">{code}</code>
              </summary>
              <p>
                <Prose text={findingCode(code)?.explanation ?? ''} />{' '}
                <span class="muted">{safeText(section, 300)}</span>
              </p>
            </details>
          </li>
        );
      })}
    </ul>
  );
}
