/** @module What a drill on a site has found, for a person. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Style } from '@syndrome/trace/style.ts';
import type { SiteDrillReport } from './site-drill.ts';

/** The lines of a report. @param timeout how long was waited, seconds */
export function siteDrillLines(report: SiteDrillReport, timeout: number, style: Style): string[] {
  const { drill, verdict, vm, host, command, qemu, decided, steps, gaps, witnesses, incidents, notBefore } = report;
  const head = `drill ${drill}  VM ${safeText(vm, 80)} on ${safeText(host, 80)}`;
  if (verdict === 'dry-run') return [`nothing is injected; this would be: ${command}`, head];
  return [
    `${style(verdict === 'pass' ? 'green' : 'red', verdict.toUpperCase())}  ${head}`,
    `  injected    ${command}; QEMU: ${qemu ?? 'nothing'}`,
    ...(decided === undefined
      ? []
      : [`  decided     ${decided.rung}, by rule ${safeText(decided.rule, 80)} of ${safeText(decided.policy, 80)}`]),
    ...steps.map(({ step, ms, what }) =>
      ms === undefined
        ? style('red', `  ${step.padEnd(10)}  did not come within ${timeout} s`)
        : `  ${step.padEnd(10)}  ${`${Math.round(ms)} ms`.padStart(8)}  ${safeText(what ?? '', 300)}`,
    ),
    ...gaps.map(({ step, why }) => `  gap         ${step}: ${why}`),
    ...(notBefore === undefined || !gaps.some(gap => gap.step === 'act')
      ? []
      : [`  announced   nothing is done before ${new Date(notBefore).toISOString()}; --timeout has to reach beyond`]),
    `  witnesses   ${witnesses.map(who => safeText(who, 80)).join(', ') || 'none'}`,
    ...incidents.map(id => style('dim', `  syndrome fleet explain ${safeText(id, 80)} says why`)),
    ...(report.witness
      ? [
          style(
            'dim',
            '  the monitor injects without an address of the host: the injector is itself a witness (source drill)',
          ),
        ]
      : []),
  ];
}
