/** @module What the page looks at, as a hash that a person can read: `#trace?event=a81&from=-0.2&to=4.1&find=memory`. */

/** What a link restores. The trace itself is in the file, or is dropped. */
export interface Look {
  /** The event that is chosen: run and `seq`. */
  event?: { run: 'a' | 'b'; seq: number };
  /** The window, ns from zero. */
  from?: number;
  to?: number;
  find?: string;
  /** Every raw line is listed. */
  raw?: boolean;
  /** Only what differs is listed. */
  differences?: boolean;
}

const seconds = (ns: number): string => String(Number((ns / 1e9).toFixed(6)));
/** A day, as the lab bounds a run. */
const MAX_NS = 86_400e9;

/** The hash for a look, with `#`. */
export function hashOf({ event, from, to, find, raw, differences }: Look): string {
  const words = new URLSearchParams();
  if (event) words.set('event', `${event.run}${event.seq}`);
  if (from !== undefined && to !== undefined) {
    words.set('from', seconds(from));
    words.set('to', seconds(to));
  }
  if (find !== undefined && find !== '') words.set('find', find);
  if (raw) words.set('raw', '1');
  if (differences) words.set('only', 'differences');
  const text = words.toString();
  return text === '' ? '#trace' : `#trace?${text}`;
}

function nsOf(text: string | null): number | undefined {
  if (text === null || !/^-?\d{1,6}(\.\d{1,9})?$/.test(text)) return undefined;
  const ns = Number(text) * 1e9;
  return Math.abs(ns) <= MAX_NS ? ns : undefined;
}

/** What a hash says; what it does not say, or says wrong, is left out. */
export function lookOf(hash: string): Look {
  const words = new URLSearchParams(/^#trace\?(.*)$/s.exec(hash)?.[1] ?? '');
  const look: Look = {};
  const [, run, seq] = /^([ab])(\d{1,9})$/.exec(words.get('event') ?? '') ?? [];
  if (run === 'a' || run === 'b') look.event = { run, seq: Number(seq) };
  const [from, to] = [nsOf(words.get('from')), nsOf(words.get('to'))];
  if (from !== undefined && to !== undefined && to > from) Object.assign(look, { from, to });
  const find = words.get('find');
  if (find !== null && find !== '') look.find = find.slice(0, 200);
  if (words.get('raw') === '1') look.raw = true;
  if (words.get('only') === 'differences') look.differences = true;
  return look;
}

/** Words of a link for traces that a page carries: one, or two that are compared. */
export function originOfTraces(names: readonly string[]): string {
  const words = new URLSearchParams();
  for (const [i, name] of names.entries()) words.set(i === 0 ? 'run' : 'with', name);
  return words.toString();
}

/** Names of the traces that a link is for; none where it is for those that are shown. */
export function tracesOf(hash: string): string[] {
  const words = new URLSearchParams(/^#trace\?(.*)$/s.exec(hash)?.[1] ?? '');
  const [run, beside] = [words.get('run'), words.get('with')];
  return run === null ? [] : [run, ...(beside === null ? [] : [beside])];
}
