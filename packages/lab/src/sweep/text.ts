/** @module A sweep as text. Pure. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { SweepReport } from './sweep.ts';

const percent = (n: number, of: number): string => (of === 0 ? '' : ` (${((100 * n) / of).toFixed(1)} %)`);

/** What a sweep came to, for a terminal or a mail. */
export function sweepText(report: SweepReport): string[] {
  const { space, kernels, cells, cached, seconds, cpuSeconds, engine, agree, disagree, undecided, isolation } = report;
  const all = agree + disagree + undecided;
  const rate =
    cells === 0
      ? ''
      : `, ${Math.round((3600 * cells) / seconds)} an hour, ${(cpuSeconds / cells).toFixed(3)} CPU-seconds each`;
  const lines = [
    `${space} on Linux ${kernels.join(', ')}`,
    `${cells} cells measured, ${cached} known; ${seconds.toFixed(1)} s by ${engine}${rate}`,
    `agree ${agree}${percent(agree, all)}, disagree ${disagree}${percent(disagree, all)}, undecided ${undecided}${percent(undecided, all)}`,
    `isolation: ${isolation.checked} measured again alone, ${isolation.cold} of them booted; ${isolation.unsteady.length} unsteady`,
  ];
  for (const { cell, differs, trace } of isolation.unsteady)
    lines.push(`  ${cell}: ${differs}`, ...(trace === undefined ? [] : [`  trace:     ${trace}`]));
  for (const { dependsOn, cells: n, example } of report.open)
    lines.push(`undecided, ${n} cells: ${dependsOn}`, `  for example ${example}`);
  for (const { name, kernel, cells: n, smallest, line, predicted, trace } of report.findings) {
    lines.push(
      '',
      `${name}`,
      `  Linux ${kernel}, ${n} cells; the smallest: ${Object.entries(smallest)
        .map(([axis, label]) => `${axis}=${label}`)
        .join(' ')}`,
    );
    if (predicted !== undefined) lines.push(`  predicted: ${predicted}`);
    if (line !== undefined) lines.push(`  seen:      ${line}`);
    if (trace !== undefined) lines.push(`  trace:     ${trace}`);
  }
  if (report.failed.length > 0) {
    lines.push('', `${report.failed.length} cells were not carried out:`);
    for (const { cell, why } of report.failed.slice(0, 10)) lines.push(`  ${cell}: ${why}`);
  }
  return lines.map(line => safeText(line, 1000));
}
