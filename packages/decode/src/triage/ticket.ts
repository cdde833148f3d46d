/** @module What records come to as Markdown, for a ticket: what a person who was not there needs, and where it stands. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { partFacts, sums, whereOf } from './triage-text.ts';
import type { TriageReport } from './triage.ts';

/** Parts and groups that are listed; more are counted. */
const MAX_LISTED = 24;

/** Text of anybody within a line of Markdown: nothing of it is markup, a link, a mention or HTML. */
function plain(text: string): string {
  return safeText(text.replace(/\s+/g, ' '), 500).replace(/[\\`*_{}[\]()#+!|<>~@&]/g, character => `\\${character}`);
}

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
  const { worst, parts, pagesAgain, groups, remarks, bySeverity, records } = report;
  const out = [`## Hardware errors: ${plain(sums(bySeverity))}`, ''];
  if (worst !== undefined) {
    const at = worst.address === undefined ? '' : ` at ${hex64(worst.address)}`;
    const part = worst.part === undefined ? '' : ` in ${plain(worst.part)}`;
    out.push(`**Worst: ${worst.severity}${at}${part}**`, '');
    out.push(...worst.witnesses.map(w => `- ${plain(w.headline)} (${plain(whereOf(w.source))})`), '');
    if (worst.joinedBy !== undefined) {
      out.push(`These ${worst.witnesses.length} records are one error, joined by ${worst.joinedBy}.`, '');
    }
    out.push('### Next steps', '', ...worst.nextSteps.map(step => `1. ${plain(step)}`), '');
  }
  if (parts.length > 0) {
    const line = (part: (typeof parts)[number]): string =>
      `- **${plain(part.name)}**: ${partFacts(part).map(plain).join('; ')}`;
    out.push('### Parts', '', ...listed(parts, 'parts', line), '');
  }
  if (pagesAgain.length > 0) {
    const line = (p: (typeof pagesAgain)[number]): string => `- 0x${p.pfn.toString(16)}: ${p.incidents} times`;
    out.push('### Pages met again', '', ...pagesAgain.map(line), '');
  }
  out.push(`### All ${records} records`, '');
  out.push(
    ...listed(groups, 'groups', g => {
      const where = `${whereOf(g.first)}${g.incidents === 1 ? '' : ` to ${whereOf(g.last)}`}`;
      return `- ${g.incidents} × ${plain(g.what)}${g.part === undefined ? '' : `, ${plain(g.part)}`} (${plain(where)})`;
    }),
    '',
  );
  if (remarks.length > 0) out.push('### Not certain', '', ...remarks.map(r => `- ${plain(r)}`), '');
  return out.slice(0, -1);
}
