/** @module When an error was: the time that a record holds, or the one that stands before its line. */

/**
 * What seconds count from: `utc` and `local` (no zone is said; counted as if it were UTC) from 1970; `local-no-year` from the
 * beginning of a year that is not said; `boot` from the start of the kernel. Only times of one clock can be compared.
 */
type TimeClock = 'utc' | 'local' | 'local-no-year' | 'boot';

export interface DecodedTime {
  /** ISO 8601 for `utc`, else as it is written. */
  text: string;
  clock: TimeClock;
  seconds: number;
  /** `record`: a register or member of the record; `line`: what stands before its first line. */
  from: 'record' | 'line';
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const MONTH = MONTHS.join('|');
const ISO =
  /(?:^|[^\d-])(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d{2}:?\d{2})?/;
const SYSLOG = new RegExp(
  `(?:^|[^A-Za-z])(${MONTH}) ([ \\d]\\d) (\\d{2}):(\\d{2}):(\\d{2})(?:\\.(\\d{1,9}))?(?: (\\d{4})(?= |\\]|$))?`,
  // Some languages of journald write the same names small.
  'i',
);
const EPOCH = /^(\d{10})\.(\d{6}) /;
/** journald's JSON: microseconds. */
const REALTIME = /^"__REALTIME_TIMESTAMP" ?: ?"(\d{13,17})"/;
/** Behind the name of a file and the number of its line nothing stands between (`grep -n` over logs of Huawei's black box). */
const BOOT = /(?:^|[\s:>]|:\d{1,9})\[ {0,8}(\d{1,10})\.(\d{3,9})\]/;

const number = (digits: string | undefined): number => Number(digits ?? 0);
const fraction = (digits: string | undefined): number => (digits === undefined ? 0 : Number(`0.${digits}`));

/** Seconds since 1970 as `2026-01-31T12:00:00Z`, with what is left of a second; undefined beyond years of four digits. */
function iso(seconds: number): string | undefined {
  if (!(seconds >= 0 && seconds < 253_402_300_800)) return undefined;
  const text = new Date(Math.round(seconds * 1000)).toISOString();
  return text.replace(/\.000Z$/, 'Z');
}

/** The time of seconds since 1970 that a record holds; undefined for 0, which says nothing. */
function timeOfEpoch(seconds: number): DecodedTime | undefined {
  const text = seconds === 0 ? undefined : iso(seconds);
  return text === undefined ? undefined : { text, clock: 'utc', seconds, from: 'record' };
}

/** As timeOfEpoch(), with the last answer kept: records come in the order of time, many in one second. */
export class EpochTimes {
  #seconds = 0;
  #time: DecodedTime | undefined;

  of(seconds: number): DecodedTime | undefined {
    if (seconds !== this.#seconds) {
      this.#seconds = seconds;
      this.#time = timeOfEpoch(seconds);
    }
    return this.#time;
  }
}

/** The time of `YYYY-MM-DD hh:mm:ss` in a record, of the platform, which says no zone. UEFI 2.10 N.2.1. */
export function timeOfLocal(text: string): DecodedTime | undefined {
  const time = timeOfStamp(text);
  return time === undefined ? undefined : { ...time, from: 'record' };
}

/** All times in the beginning of a line: the date, and the time since boot that a kernel's line in syslog may have behind it. */
export function timesOfStamp(stamp: string | number): DecodedTime[] {
  const time = timeOfStamp(stamp);
  if (time === undefined || time.clock === 'boot' || typeof stamp === 'number') return time === undefined ? [] : [time];
  const boot = timeOfBoot(stamp);
  return boot === undefined ? [time] : [time, boot];
}

/** The stamp of the kernel in the beginning of a line, also behind a date. */
export function timeOfBoot(stamp: string): DecodedTime | undefined {
  const b = BOOT.exec(stamp);
  if (b === null) return undefined;
  return { text: `${b[1]}.${b[2]}`, clock: 'boot', seconds: number(b[1]) + fraction(b[2]), from: 'line' };
}

const MONTH_DAY_YEAR = new RegExp(
  `^(?:(\\d{1,2})/(\\d{1,2})/(\\d{4}|\\d{2})|(${MONTH})-(\\d{2})-(\\d{4})) (\\d{1,2}):(\\d{2}):(\\d{2})(?: ?([AP])M)?`,
);

/**
 * The time that a management controller gives its event, by its own clock: `03/02/2023 05:11:01`, `03/02/23 05:11:01`,
 * `Oct-02-2014 13:02:02`, `2023-03-02 05:11:01`, also with `/`. ipmitool and ipmiutil put the month first.
 */
export function timeOfController(text: string): DecodedTime | undefined {
  const m = MONTH_DAY_YEAR.exec(text);
  if (m === null) return timeOfLocal(text.replace(/^(\d{4})\/(\d{2})\/(\d{2}) /, '$1-$2-$3 '));
  const [, month, day, year, name, dayOfName, yearOfName, hour, minute, second, half] = m;
  const y = number(year ?? yearOfName);
  const hours = half === undefined ? number(hour) : (number(hour) % 12) + (half === 'P' ? 12 : 0);
  const months = name === undefined ? number(month) - 1 : MONTHS.indexOf(name as (typeof MONTHS)[number]);
  if (months > 11) return undefined;
  const days = number(day ?? dayOfName);
  const at = Date.UTC(y < 100 ? 2000 + y : y, months, days, hours, number(minute), number(second));
  return { text, clock: 'local', seconds: at / 1000, from: 'record' };
}

/** The time in the beginning of a line: with its date where it has one, else since boot; a number is one since boot. */
export function timeOfStamp(stamp: string | number): DecodedTime | undefined {
  if (typeof stamp === 'number') return { text: stamp.toFixed(6), clock: 'boot', seconds: stamp, from: 'line' };
  const micro = REALTIME.exec(stamp)?.[1];
  const unix = EPOCH.exec(stamp);
  if (micro !== undefined || unix !== null) {
    const seconds = micro === undefined ? number(unix?.[1]) + fraction(unix?.[2]) : Number(micro) / 1e6;
    const text = iso(seconds);
    return text === undefined ? undefined : { text, clock: 'utc', seconds, from: 'line' };
  }
  const m = ISO.exec(stamp);
  if (m !== null) {
    const [, year, month, day, hour, minute, second, part, zone] = m;
    const at = Date.UTC(number(year), number(month) - 1, number(day), number(hour), number(minute), number(second));
    if (!Number.isFinite(at)) return undefined;
    const seconds = at / 1000 + fraction(part);
    if (zone === undefined) return { text: m[0].replace(/^\D/, '').trimEnd(), clock: 'local', seconds, from: 'line' };
    const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
    const minutes = offset === null ? 0 : (number(offset[2]) * 60 + number(offset[3])) * (offset[1] === '-' ? -1 : 1);
    const utc = seconds - minutes * 60;
    const text = iso(utc);
    return text === undefined ? undefined : { text, clock: 'utc', seconds: utc, from: 'line' };
  }
  const s = SYSLOG.exec(stamp);
  if (s !== null) {
    const [, month = '', day, hour, minute, second, part, year] = s;
    // A leap year holds the 29th of February.
    const at = Date.UTC(
      year === undefined ? 2000 : number(year),
      MONTHS.findIndex(name => name.toLowerCase() === month.toLowerCase()),
      Number(day),
      number(hour),
      number(minute),
      number(second),
    );
    const begin = year === undefined ? Date.UTC(2000, 0, 1) : 0;
    const text = s[0].replace(/^[^A-Za-z]/, '');
    const clock = year === undefined ? 'local-no-year' : 'local';
    return { text, clock, seconds: (at - begin) / 1000 + fraction(part), from: 'line' };
  }
  return timeOfBoot(stamp);
}
