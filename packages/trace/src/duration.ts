const UNITS: Record<string, number> = { ms: 1e6, s: 1e9, m: 60e9 };

/** A day: longer than any run, and short enough for every timer. */
const MAX_NS = 86_400e9;

/** `500ms`, `10s`, `1.5s`, `2m` → nanoseconds; undefined when it is none of these, or longer than a day. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) return undefined;
  const ns = Number(match[1]) * unit;
  return ns <= MAX_NS ? ns : undefined;
}

/** Nanoseconds as seconds with millisecond resolution: `12.345`. */
export function seconds(ns: number): string {
  return (ns / 1e9).toFixed(3);
}
