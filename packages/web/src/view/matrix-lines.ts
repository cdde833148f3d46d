/** @module A matrix as text, for a mail. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { plain } from '@syndrome/trace/style.ts';
import { causeLines } from '@syndrome/trace/verdict-lines.ts';
import {
  bisections,
  bisectionWords,
  causesOfCells,
  isSurprise,
  versionName,
  LETTERS,
  type MatrixGrid,
  rangeText,
  unjudged,
} from './matrix.ts';

/** Versions as rows; `!` is not what the outlook said, `◀` where the outcome changes. */
export function matrixLines({ lines }: MatrixGrid): string[] {
  const all = lines.flatMap(line => {
    const { scenario, besides, title, cells, changes } = line;
    const width = Math.min(40, Math.max(14, ...[...cells.keys()].map(version => versionName(version).length)));
    return [
      [safeText(scenario, 200), besides].filter(Boolean).join('  '),
      ...(title === '' ? [] : [`  ${safeText(title, 200)}`]),
      ...[...cells.values()].map(cell => {
        const mark = `${isSurprise(cell) ? '!' : ' '}${changes.has(cell.version) ? ' ◀' : ''}`;
        const what = `${cell.verdict.padEnd(5)} ${LETTERS[cell.outcome]} ${cell.outcome.padEnd(9)}`;
        return `  ${versionName(cell.version).padEnd(width)} ${what}${mark}`.trimEnd();
      }),
      ...bisectionWords(line).map(text => `  ${text}`),
      ...line.bad.flatMap(range => [`  ${rangeText(range)}`, ...bisections(range, line).map(text => `    ${text}`)]),
      ...unjudged(line).map(({ version, why }) => `  ${versionName(version)}: ${safeText(why, 400)}`),
      '',
    ];
  });
  const causes = causeLines(causesOfCells(lines.flatMap(({ cells }) => [...cells.values()])), {
    style: plain,
    width: 100,
  });
  return [...all.slice(0, -1), ...(causes.length === 0 ? [] : ['', ...causes])];
}
