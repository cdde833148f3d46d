/** @module What records come to as text: at most 100 columns; untrusted text is made safe. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { thousands } from '../decode/count.ts';
import { placeText } from '../decode/place.ts';
import { rowOfSource } from '../decode/record.ts';
import type { DecodedSeverity, DecodedSource } from '../decode/record.ts';
import type { TextStyle } from '../decode/to-text.ts';
import { COLUMNS, MIN_COLUMNS, wrap } from '../decode/wrap.ts';
import { SEVERITIES } from './incident.ts';
import type { PartReport, Sum } from './part.ts';
import type { GroupReport, IncidentReport, TriageReport } from './triage.ts';

/** Parts and groups that are shown; JSON has all. */
const MAX_SHOWN = 24;

const safe = (text: string, most = 500): string => safeText(text.replaceAll('\t', ' '), most);

/** `kern.log:120-123`, or the byte. */
export function whereOf(source: DecodedSource): string {
  const { input, firstLine, lastLine, firstByte } = source;
  const name = safe(input, 120);
  const row = rowOfSource(source);
  if (row !== undefined) return `${name}:${safe(row, 80)}`;
  if (firstLine === undefined) return firstByte === undefined ? name : `${name}@0x${firstByte.toString(16)}`;
  return lastLine === undefined || lastLine === firstLine ? `${name}:${firstLine}` : `${name}:${firstLine}-${lastLine}`;
}

/** `16,462 corrected in 2 incidents, 1 uncorrected`. */
export function sums(bySeverity: Partial<Record<DecodedSeverity, Sum>>): string {
  const parts = SEVERITIES.flatMap(severity => {
    const sum = bySeverity[severity];
    if (sum === undefined) return [];
    const times =
      sum.errors === sum.incidents ? '' : ` in ${thousands(sum.incidents)} report${sum.incidents === 1 ? '' : 's'}`;
    return [`${thousands(sum.errors)} ${severity}${times}`];
  });
  return parts.length === 0 ? 'no error' : parts.join(', ');
}

/** What is known of a part, each thing for itself. */
export function partFacts(part: PartReport): string[] {
  const { first, last, perHour, pattern, distinct, aliases, approximate } = part;
  const facts = [sums(part.bySeverity)];
  if (part.threshold !== undefined) facts.push(`threshold status ${part.threshold}`);
  if (first !== undefined && last !== undefined) {
    facts.push(
      first.text === last.text
        ? `at ${safe(first.text, 80)}`
        : `first ${safe(first.text, 80)}, last ${safe(last.text, 80)}`,
    );
  }
  if (perHour !== undefined)
    facts.push(`${perHour >= 10 ? thousands(Math.round(perHour)) : perHour.toFixed(1)} an hour`);
  const place = placeText(part.place, member => member !== 'fru' || !part.name.startsWith('FRU '));
  if (place !== '') facts.push(safe(place));
  const about = approximate ? 'about ' : '';
  const counted = (['pages', 'ranks', 'banks', 'rows', 'columns'] as const)
    .filter(name => distinct[name] > 1)
    .map(name => `${thousands(distinct[name])} ${name}`);
  if (counted.length > 0) facts.push(about + counted.join(', '));
  if (pattern !== undefined) facts.push(`pattern of ${thousands(pattern.incidents)}: ${pattern.is}`);
  if (aliases.length > 0) facts.push(`also ${safe(aliases.join(', '))}`);
  return facts;
}

function worstLines(worst: IncidentReport, style: TextStyle, columns: number): string[] {
  const { severity, address, part, witnesses, joinedBy, nextSteps, errors } = worst;
  const at = address === undefined ? '' : ` at ${hex64(address)}`;
  const many = errors > 1 ? `${thousands(errors)} errors, ` : '';
  const head = `worst: ${many}${severity}${at}${part === undefined ? '' : ` in ${safe(part)}`}`;
  const out = wrap(head, '', columns).map(line => style('headline', line));
  for (const w of witnesses) {
    const [first = '', ...rest] = wrap(`${whereOf(w.source)}  ${safe(w.headline)}`, '    ', columns);
    out.push(`  ${first.trimStart()}`, ...rest);
  }
  if (witnesses.length > 1) {
    const how =
      joinedBy === 'address and order'
        ? 'page, and stand near each other; they have no clock in common'
        : 'page at the same time';
    out.push(...wrap(`One error with ${witnesses.length} records: all name the same ${how}.`, '  ', columns));
  }
  for (const step of nextSteps) {
    const [first = '', ...rest] = wrap(safe(step, 1000), '     ', columns);
    out.push(`  →  ${first.trimStart()}`, ...rest);
  }
  return out;
}

function groupLine({ severity, what, part, incidents, errors, first, last }: GroupReport): string {
  const many = incidents === 1 ? '' : `${thousands(incidents)} × `;
  const count = errors === incidents ? '' : ` (${thousands(errors)} errors)`;
  const where = incidents === 1 ? whereOf(first) : `first ${whereOf(first)}, last ${whereOf(last)}`;
  return `${severity}: ${many}${safe(what)}${count}${part === undefined ? '' : `, ${safe(part)}`}  ${where}`;
}

/** At most `MAX_SHOWN` of them, and how many more there are. */
function shown<T>(all: readonly T[], what: string, lines: (one: T) => string[]): string[] {
  const out = all.slice(0, MAX_SHOWN).flatMap(lines);
  if (all.length > MAX_SHOWN) out.push(`  and ${all.length - MAX_SHOWN} more ${what}; --triage --json has them`);
  return out;
}

/**
 * What a person asks first: how bad, which part, how often, what now; each line without its line feed.
 *
 * @example
 * const triage = new Triage();
 * const log = 'EDAC MC0: 128 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40)\n';
 * decode(log, { input: 'kern.log' }).records.forEach(record => triage.add(record));
 * triageHead(triage.report()).at(-1) // '1 record: 128 corrected in 1 report'
 */
export function triageHead(report: TriageReport, style: TextStyle = (_part, text) => text, width = COLUMNS): string[] {
  const columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, width));
  const { worst, parts, pagesAgain, records, remarks } = report;
  const out = worst === undefined ? [] : [...worstLines(worst, style, columns), ''];
  out.push(
    ...shown(parts, 'parts', part => [
      ...wrap(safe(part.name), '', columns).map(line => style('headline', line)),
      ...wrap(partFacts(part).join(' · '), '    ', columns),
    ]),
  );
  if (pagesAgain.length > 0) {
    const pages = pagesAgain.map(p => `0x${p.pfn.toString(16)} ×${p.incidents}`).join(', ');
    out.push(...wrap(`pages met again: ${pages}`, '', columns));
  }
  out.push(...wrap(`${thousands(records)} record${records === 1 ? '' : 's'}: ${sums(report.bySeverity)}`, '', columns));
  for (const remark of remarks) out.push(...wrap(remark, '  ', columns).map(line => style('dim', line)));
  return out;
}

/** All of a report but its head: what there was, grouped. */
export function triageGroups({ groups }: TriageReport, width = COLUMNS): string[] {
  const columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, width));
  return shown(groups, 'groups', group => {
    const [first = '', ...rest] = wrap(groupLine(group), '    ', columns);
    return [`  ${first.trimStart()}`, ...rest];
  });
}
