/** @module What records come to as Markdown, for a ticket: what a person who was not there needs, and where it stands. */
import { hex64 } from '../common/hex.ts';
import { markdownText as plain } from '../common/markdown.ts';
import { thousands } from '../decode/count.ts';
import {
  actionText,
  causeAction,
  causeText,
  joinText,
  pageText,
  partFacts,
  pointerText,
  shortHeadline,
  sums,
  whereOf,
  worstText,
} from './triage-text.ts';
import type { TriageReport } from './triage.ts';

/** Parts and groups that are listed; more are counted. */
const MAX_LISTED = 24;

function listed<T>(all: readonly T[], what: string, line: (one: T) => string): string[] {
  const lines = all.slice(0, MAX_LISTED).map(line);
  return all.length > MAX_LISTED ? [...lines, `- and ${all.length - MAX_LISTED} more ${what}`] : lines;
}

/**
 * The report as CommonMark: worst error, next steps, parts, pages met again, all else grouped.
 *
 * @example
 * const triage = new Triage();
 * const log = 'EDAC MC0: 128 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40)\n';
 * decode(log, { input: 'kern.log' }).records.forEach(record => triage.add(record));
 * ticketOf(triage.report())[0] // '## Hardware errors: 128 corrected in 1 report'
 */
export function ticketOf(report: TriageReport): string[] {
  const { worst, causes, parts, pagesAgain, groups, pointers, remarks, bySeverity, records } = report;
  const out = [`## Hardware errors: ${plain(sums(bySeverity))}`, ''];
  if (worst !== undefined) {
    const at = worst.address === undefined ? '' : ` at ${hex64(worst.address)}`;
    const part = worst.part === undefined ? '' : ` in ${plain(worst.part)}`;
    out.push(`**Worst: ${plain(worstText(worst))}${at}${part}**`, '');
    out.push(...worst.witnesses.map(w => `- ${plain(shortHeadline(w))} (${plain(whereOf(w.source))})`), '');
    const joined = joinText(worst);
    if (joined !== undefined) out.push(plain(joined), '');
    const action = actionText(worst);
    const steps =
      action === '' ? worst.nextSteps : [`${action.charAt(0).toUpperCase()}${action.slice(1)}.`, ...worst.nextSteps];
    const others = causes.map(cause => `${causeText(cause, whereOf)}: ${causeAction(cause)}`);
    out.push('### Next steps', '', ...[...steps, ...others].map(step => `1. ${plain(step)}`), '');
  }
  if (parts.length > 0) {
    const line = (part: (typeof parts)[number]): string =>
      `- **${plain(part.name)}**: ${partFacts(part).map(plain).join('; ')}`;
    out.push('### Parts', '', ...listed(parts, 'parts', line), '');
  }
  if (pagesAgain.length > 0) {
    const line = (p: (typeof pagesAgain)[number]): string => `- ${plain(pageText(p))}: ${p.incidents} times`;
    out.push('### Pages met again', '', ...pagesAgain.map(line), '');
  }
  if (pointers.length > 0) {
    out.push(
      '### To be looked up elsewhere',
      '',
      ...listed(pointers, 'kinds of lines', p => `- ${plain(pointerText(p, whereOf))}`),
      '',
    );
  }
  if (groups.length > 0) out.push(`### All ${records} records`, '');
  out.push(
    ...listed(groups, 'groups', g => {
      const where = `${whereOf(g.first)}${g.incidents === 1 ? '' : ` to ${whereOf(g.last)}`}`;
      const many = g.errors === g.incidents ? '' : `, ${thousands(g.errors)} errors`;
      return `- ${thousands(g.incidents)} × ${plain(g.what)}${many}${g.part === undefined ? '' : `, ${plain(g.part)}`} (${plain(where)})`;
    }),
    '',
  );
  if (remarks.length > 0) out.push('### Not certain', '', ...remarks.map(r => `- ${plain(r)}`), '');
  return out.slice(0, -1);
}
