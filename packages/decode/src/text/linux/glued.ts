/**
 * @module Several messages of the kernel in one line, as consoles, mails and shippers of logs join them: each begins again with
 * its stamp or with what only the kernel begins a message with.
 */
import { nameIn } from '../transport/line.ts';

const PREFIX = String.raw`(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \S{1,64} kernel: )`;
const STAMP = String.raw`\[ {0,8}\d{1,10}\.\d{6} ?\] ?(?:\[ {0,8}[TC]\d{1,10}\] ?)?`;
const WORDS = String.raw`(?:mce: |\{\d{1,10}\})?\[Hardware Error\](?=[:\s])|EDAC (?:[a-z][\w-]{1,15} )?MC\d{1,3}: |Memory failure: 0x`;
const BEGINNING = new RegExp(`${PREFIX}?(?:${STAMP}(?:${WORDS})?|${WORDS})`, 'g');
/** In a paragraph a prefix may stand at the end of a line, its message in the next. */
const FLOWED = new RegExp(`${PREFIX}(?:${STAMP})?(?:${WORDS}|\\s*$)|${STAMP}(?:${WORDS})?|${WORDS}`, 'g');
/** The beginning of a prefix, at the end of a line of a paragraph. */
const BEGUN =
  /\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d(?: \d{2}:\d{2}:\d{2}(?: \S{1,64}(?: kernel:(?: (?:\{\d{1,10}\})?\[Hardware)?)?)?)?\s*$/;
/** What a whole message of an error holds, so that another one may follow it: any other text before one is its prefix. */
const ERROR = /\[Hardware Error\]|EDAC .{0,20}MC\d|Memory failure: 0x|Machine Check|\bBank \d{1,3}: /;
/** More of one line are not looked for. */
const MAX_PARTS = 64;

/**
 * The messages of a line that holds several; undefined where it holds one.
 * @example gluedParts('mce: [Hardware Error]: Machine check events loggedmce: [Hardware Error]: Machine check events logged')
 */
export function gluedParts(line: string, flowed = false): string[] | undefined {
  // Nothing may follow any other: most lines are looked at for this alone.
  if (!ERROR.test(line)) return undefined;
  let from = 0;
  const parts: string[] = [];
  const name = nameIn(line);
  for (const { index } of line.matchAll(flowed ? FLOWED : BEGINNING)) {
    // A process may be called like a stamp.
    if (name !== undefined && index >= name.from && index < name.to) continue;
    if (index === from || !ERROR.test(line.slice(from, index))) continue;
    parts.push(line.slice(from, index));
    from = index;
    if (parts.length >= MAX_PARTS) break;
  }
  const last = line.slice(from);
  const begun = flowed ? BEGUN.exec(last) : null;
  if (begun !== null && begun.index > 0 && ERROR.test(last.slice(0, begun.index))) {
    return [...parts, last.slice(0, begun.index), last.slice(begun.index).trimStart()];
  }
  return parts.length === 0 ? undefined : [...parts, last];
}
