/**
 * @module Dates with slashes or dots, of programs that are not Unix: management controllers (ipmitool, racadm, hplog, iLO) put the month
 * first; Windows writes as its language does. Dell's OMSA has that of asctime().
 */

const TIME = '(\\d{1,2}):(\\d{2})(?::(\\d{2}))?(?: ?([AP])M)?';
const SLASHED = new RegExp(`\\b(\\d{1,2})([/.])(\\d{1,2})\\2(\\d{4}|\\d{2})[ ,;]{1,4}${TIME}\\b`, 'gi');
/** hplog puts the time first. */
const TIME_FIRST = /\b(\d{1,2}):(\d{2}) {1,4}(\d{1,2})\/(\d{1,2})\/(\d{4})\b/;
const ISO =
  /\b(\d{4})[-/](\d{2})[-/](\d{2})[ T,]{1,2}(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?(?![\d:])/;
/** asctime(3): `Mon Mar  9 03:52:47 2020`. */
const ASCTIME = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})\b/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

const two = (n: number): string => String(n).padStart(2, '0');

function text(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): string | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const y = year < 100 ? 2000 + year : year;
  return `${y}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

/** Which of the first two numbers of a date is the month; undefined where nothing tells. */
function order(a: number, b: number, dotted: boolean, isMonthFirst: boolean): [month: number, day: number] | undefined {
  if (dotted || a > 12) return [b, a];
  return isMonthFirst || b > 12 ? [a, b] : undefined;
}

/**
 * The last date with its time in a text, as `2015-02-19 03:33:47`; undefined where none is, or where it is open which number is the month.
 * @param isMonthFirst of a program that puts it there whatever the language is; a time with AM or PM is of one, too
 * @example dateIn('Date/Time:   02/19/2015 03:33:47', true) // '2015-02-19 03:33:47'
 */
export function dateIn(line: string, isMonthFirst: boolean): string | undefined {
  const iso = ISO.exec(line);
  if (iso !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = iso.slice(1, 7).map(v => Number(v ?? 0));
    const at = text(year, month, day, hour, minute, second);
    return at === undefined ? undefined : `${at}${iso[7] ?? ''}`;
  }
  const asctime = ASCTIME.exec(line);
  if (asctime !== null) {
    const [day = 0, hour = 0, minute = 0, second = 0, year = 0] = asctime.slice(2).map(Number);
    const at = MONTHS.indexOf(asctime[1] ?? '');
    return at % 3 === 0 ? text(year, at / 3 + 1, day, hour, minute, second) : undefined;
  }
  const last = Array.from(line.matchAll(SLASHED)).at(-1);
  if (last !== undefined) {
    const [, a, dot, b, year, hour, minute, second, half] = last;
    const found = order(Number(a), Number(b), dot === '.', isMonthFirst || half !== undefined);
    const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toUpperCase() === 'P' ? 12 : 0);
    return found === undefined ? undefined : text(Number(year), ...found, hours, Number(minute), Number(second ?? 0));
  }
  const first = TIME_FIRST.exec(line);
  if (first === null || !isMonthFirst) return undefined;
  const [hour = 0, minute = 0, month = 0, day = 0, year = 0] = first.slice(1).map(Number);
  return text(year, month, day, hour, minute, 0);
}
