/** @module What records come to as text: at most 100 columns; untrusted text is made safe. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { durationText, thousands } from '../decode/count.ts';
import { placeText } from '../decode/place.ts';
import { rowOfSource } from '../decode/record.ts';
import type { DecodedSeverity, DecodedSource } from '../decode/record.ts';
import type { TextStyle } from '../decode/to-text.ts';
import { COLUMNS, MIN_COLUMNS, wrap } from '../decode/wrap.ts';
import type { PartReport, Sum } from './part.ts';
import type { CauseReport, GroupReport, IncidentReport, PageReport, TriageReport } from './triage.ts';
import type { PointerReport } from './pointers.ts';
import { sentences } from './advice.ts';
import { SEVERITIES } from './witness.ts';
import type { JoinedBy } from './witness.ts';

/** Parts and groups that are shown; JSON has all. */
const MAX_SHOWN = 24;
/** Causes beside the worst. */
const SHOWN_CAUSES = 6;

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

/** `kern.log:120-123`; `lines 120-123` where all is of one input. */
type Where = (source: DecodedSource) => string;

/** How places are written of a report: the name of the only input says nothing. */
function placesIn({ inputs }: TriageReport): Where {
  return source => {
    const { firstLine, lastLine } = source;
    if (inputs > 1 || firstLine === undefined) return whereOf(source);
    return lastLine === undefined || lastLine === firstLine ? `line ${firstLine}` : `lines ${firstLine}-${lastLine}`;
  };
}

/** `lines 3 to 17`, of the first and the last of some. */
function spanText(first: DecodedSource, last: DecodedSource, place: Where): string {
  if (place(first) === place(last)) return place(first);
  const [a, b] = [place(first), place(last)].map(text => text.replace(/^lines? /, ''));
  return a === place(first) ? `${a} to ${b ?? ''}` : `lines ${a ?? ''} to ${b ?? ''}`;
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

const DAY = 24;

/** `20 an hour`, `1.5 an hour`, `3.0 a day`, `less than one in 10 days`. */
function rateText(perHour: number): string {
  const [rate, unit] = perHour >= 1 ? [perHour, 'an hour'] : [perHour * DAY, 'a day'];
  if (rate < 0.1) return 'less than one in 10 days';
  return `${rate >= 10 ? thousands(Math.round(rate)) : rate.toFixed(1)} ${unit}`;
}

/** What is known of a part, each thing for itself. */
export function partFacts(part: PartReport): string[] {
  const { first, last, seconds, perHour, pattern, distinct, aliases, approximate } = part;
  const facts = [sums(part.bySeverity)];
  if (part.onlyCounted !== undefined) facts.push(`${thousands(part.onlyCounted)} of them only counted`);
  if (part.threshold !== undefined) facts.push(`threshold status ${part.threshold}`);
  if (first !== undefined && last !== undefined) {
    facts.push(
      first.text === last.text
        ? `at ${safe(first.text, 80)}`
        : `first ${safe(first.text, 80)}, last ${safe(last.text, 80)}`,
    );
  }
  if (seconds !== undefined) {
    const rate = perHour === undefined ? '' : `${rateText(perHour)}, `;
    facts.push(`${rate}in a window of ${durationText(seconds)}`);
  }
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

/** The headline of a record; of a driver without the cell in brackets, which stands with the part. */
export function shortHeadline({ reporter, headline }: IncidentReport['witnesses'][number]): string {
  return reporter === 'driver'
    ? headline.replace(/ (?:\((?:channel|csrow|node|mc|location|page)\b|location: ).*$/s, '')
    : headline;
}

/** By what the records of an incident are known to be of one error. */
export function joinText({ witnesses }: Pick<IncidentReport, 'witnesses'>): string | undefined {
  if (witnesses.length < 2) return undefined;
  const count = (by: JoinedBy): number => witnesses.filter(w => w.joinedBy === by).length;
  const ways = (
    [
      ['address and time', 'the same page at the same time'],
      ['address and order', 'the same page near each other, without a clock in common'],
      ['bank and time', 'the same bank with the same status at the same time'],
      ['one stop', 'the same stop of the machine'],
      ['report', "the kernel's own report"],
      ['copy', 'being the same record again'],
    ] as const
  ).flatMap(([by, how]) => (count(by) === 0 ? [] : [`${count(by)} by ${how}`]));
  return `One error, ${witnesses.length} records, joined to the first: ${ways.join(', ')}.`;
}

/** `uncorrected, page still in use, SIGBUS to mysqld:812`. */
export function worstText({ severity, errors, fate, ofEarlierBoot }: IncidentReport): string {
  const many = errors > 1 ? [`${thousands(errors)} errors`] : [];
  const before = ofEarlierBoot === true ? ['of an earlier boot'] : [];
  return [...many, severity, ...before, ...fate].map(word => safe(word)).join(', ');
}

/** What is to be done, the rest of a sentence behind an arrow. */
export const actionText = ({ actions }: Pick<IncidentReport, 'actions'>): string =>
  actions.map(a => safe(a)).join('; ');

/** What a cause beside the worst is, and where. */
export function causeText(
  { severity, ofEarlierBoot, errors, what, part, first, fate }: CauseReport,
  place: Where,
): string {
  const many = errors > 1 ? `${thousands(errors)} ` : '';
  const before = ofEarlierBoot === true ? ' of an earlier boot' : '';
  const of = part === undefined ? safe(what) : safe(part);
  return `${many}${severity}${before}, ${[of, ...fate.map(word => safe(word))].join(', ')} (${place(first)})`;
}

/** What is to be done about it: the actions, else the first sentence of the records' own step. */
export function causeAction(cause: CauseReport): string {
  const [step = ''] = cause.nextSteps;
  return actionText(cause) || safe(sentences(step)[0] ?? '', 1000) || 'what is said of the worst';
}

/** A line that begins with a mark, and goes on below it. */
function marked(mark: string, text: string, columns: number): string[] {
  const [first = '', ...rest] = wrap(text, ' '.repeat(mark.length + 2), columns);
  return [`  ${mark}${first.trimStart()}`, ...rest];
}

/** @param listed whether the records are shown behind it, so that nothing of them is said here */
function worstLines(worst: IncidentReport, style: TextStyle, columns: number, listed: boolean, where: Where): string[] {
  const { address, part, witnesses, nextSteps } = worst;
  const action = actionText(worst);
  const [next = '', ...more] = nextSteps;
  // The first sentence is the answer; what explains it stands below.
  const [sentence = '', rest = ''] = next.split(/(?<=\.) (?=[A-Z])(.*)/s);
  const arrow = action === '' ? (next === '' ? '' : ` → ${safe(sentence, 1000)}`) : ` → ${action}`;
  const below = action === '' ? [rest, ...more].filter(step => step !== '') : nextSteps;
  const out = wrapHanging(`worst: ${worstText(worst)} (${placesOf(witnesses, where)})${arrow}`, '       ', columns).map(
    line => style('headline', line),
  );
  const at = [part === undefined ? '' : safe(part), address === undefined ? '' : hex64(address)].filter(t => t !== '');
  if (at.length > 0) out.push(...wrap(at.join(', at '), '  ', columns));
  if (!listed) {
    for (const [first, last, times] of repeated(witnesses)) {
      const place = (times === 1 ? where(first.source) : spanText(first.source, last.source, where)).replace(
        /^lines? /,
        '',
      );
      const many = times === 1 ? '' : `${times} × `;
      out.push(...marked(`${place} `.padEnd(9), `${many}${safe(shortHeadline(first))}`, columns));
    }
  }
  const joined = joinText(worst);
  if (joined !== undefined) out.push(...wrap(joined, '  ', columns));
  if (listed) return out;
  for (const step of below) out.push(...marked('→  ', safe(step, 1000), columns));
  return out;
}

type Said = IncidentReport['witnesses'][number];

/** Witnesses that say the same behind one another, as one: the first, the last, and how many. */
function repeated(witnesses: readonly Said[]): [first: Said, last: Said, times: number][] {
  const out: [Said, Said, number][] = [];
  for (const w of witnesses) {
    const before = out.at(-1);
    if (before !== undefined && before[1].headline === w.headline) [before[1], before[2]] = [w, before[2] + 1];
    else out.push([w, w, 1]);
  }
  return out;
}

/** Wrapped, with all lines but the first behind an indent. */
function wrapHanging(text: string, indent: string, columns: number): string[] {
  const [first = '', ...rest] = wrap(text, indent, columns);
  return [first.trimStart(), ...rest];
}

/** Lines of several records, from the first to the last where all are of one input. */
function placesOf(witnesses: IncidentReport['witnesses'], where: Where): string {
  const [first] = witnesses;
  if (first === undefined) return '';
  const ends = witnesses.flatMap(({ source: s }) =>
    s.input === first.source.input && s.firstLine !== undefined ? [s.lastLine ?? s.firstLine] : [],
  );
  return ends.length < witnesses.length ? where(first.source) : where({ ...first.source, lastLine: Math.max(...ends) });
}

/** `Linux logged machine checks, 2 lines, first …, last … (kern.log:1, kern.log:2)  →  where the record is`. */
export function pointerText(pointer: PointerReport, place: Where): string {
  const { what, lines, errors, first, last, firstTime, lastTime, recordsBeside, where } = pointer;
  const facts = [`${safe(what)}: ${thousands(lines)} line${lines === 1 ? '' : 's'}`];
  const unit = pointer.class === 'messages-suppressed' ? 'message' : 'error';
  if (errors !== undefined) facts.push(`${thousands(errors)} ${unit}${errors === 1 ? '' : 's'}`);
  if (firstTime !== undefined) {
    facts.push(
      lastTime === undefined || lastTime.text === firstTime.text
        ? `at ${safe(firstTime.text, 80)}`
        : `first ${safe(firstTime.text, 80)}, last ${safe(lastTime.text, 80)}`,
    );
  }
  const at = lines === 1 ? place(first) : spanText(first, last, place);
  const there =
    recordsBeside === undefined || recordsBeside < lines
      ? `  →  ${recordsBeside === undefined || recordsBeside === 0 ? '' : `records beside ${thousands(recordsBeside)} of them; of the others: `}${safe(where, 1000)}`
      : lines === 1
        ? '; its record stands beside it'
        : '; their records stand beside them';
  return `${facts.join(', ')} (${at})${there}`;
}

function groupLine({ severity, what, part, incidents, errors, first, last }: GroupReport, place: Where): string {
  const many = incidents === 1 ? '' : `${thousands(incidents)} × `;
  const count = errors === incidents ? '' : ` (${thousands(errors)} errors)`;
  const where = incidents === 1 ? place(first) : spanText(first, last, place);
  return `${severity}: ${many}${safe(what)}${count}${part === undefined ? '' : `, ${safe(part)}`} (${where})`;
}

/** At most `MAX_SHOWN` of them, and how many more there are. */
function shown<T>(all: readonly T[], what: string, lines: (one: T) => string[]): string[] {
  const out = all.slice(0, MAX_SHOWN).flatMap(lines);
  if (all.length > MAX_SHOWN) out.push(`  and ${all.length - MAX_SHOWN} more ${what}; --triage --json has them`);
  return out;
}

/** `0x12345`, a page frame; `CXL mem1 at device address 0x1000`. */
export function pageText({ pfn, device, dpa }: PageReport): string {
  return pfn === undefined
    ? `${safe(device ?? 'a device')} at device address 0x${(dpa ?? 0n).toString(16)}`
    : `0x${pfn.toString(16)}`;
}

/** How the head of a report is written. */
interface HeadOptions {
  style?: TextStyle;
  width?: number;
  /** The records are shown behind it: of the worst only what they do not say is said. */
  listed?: boolean;
}

/** What there is where there is no error. */
function insteadOf({ bySeverity, worst, pointers }: TriageReport): string {
  if (Object.keys(bySeverity).length > 0) return '';
  if (worst !== undefined) return ' itself, only lines that tell what came of one';
  return pointers.length > 0 ? ' itself, only lines that point to one' : '';
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
export function triageHead(
  report: TriageReport,
  { style = (_part, text) => text, width = COLUMNS, listed = false }: HeadOptions = {},
): string[] {
  const columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, width));
  const { worst, causes, parts, pagesAgain, pointers, records, remarks } = report;
  const place = placesIn(report);
  const out = worst === undefined ? [] : worstLines(worst, style, columns, listed, place);
  out.push(
    ...causes
      .slice(0, SHOWN_CAUSES)
      .flatMap(cause => wrapHanging(`also: ${causeText(cause, place)} → ${causeAction(cause)}`, '      ', columns)),
  );
  if (causes.length > SHOWN_CAUSES) out.push(`  and ${causes.length - SHOWN_CAUSES} more; --triage --json has them`);
  if (worst !== undefined) out.push('');
  if (pagesAgain.length > 0) {
    const pages = pagesAgain.map(p => `${pageText(p)} ×${p.incidents}`).join(', ');
    out.push(...wrapHanging(`pages met again: ${pages}`, '  ', columns));
  }
  out.push(
    ...shown(parts, 'parts', part => [
      ...wrap(safe(part.name), '', columns).map(line => style('headline', line)),
      ...wrap(partFacts(part).join(' · '), '    ', columns),
    ]),
  );
  out.push(...shown(pointers, 'kinds of lines', pointer => wrapHanging(pointerText(pointer, place), '    ', columns)));
  const many = `${thousands(records)} record${records === 1 ? '' : 's'}`;
  out.push(...wrap(`${many}: ${sums(report.bySeverity)}${insteadOf(report)}`, '', columns));
  for (const remark of remarks) out.push(...wrap(remark, '  ', columns).map(line => style('dim', line)));
  return out;
}

/** All of a report but its head: what there was, grouped. */
export function triageGroups(report: TriageReport, width = COLUMNS): string[] {
  const columns = Math.max(MIN_COLUMNS, Math.min(COLUMNS, width));
  const place = placesIn(report);
  return shown(report.groups, 'groups', group => {
    const [first = '', ...rest] = wrap(groupLine(group, place), '    ', columns);
    return [`  ${first.trimStart()}`, ...rest];
  });
}
