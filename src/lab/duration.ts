const UNITS: Record<string, number> = { ms: 1e6, s: 1e9, m: 60e9 };

/** `500ms`, `10s`, `1.5s`, `2m` → nanoseconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ''];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** Nanoseconds as seconds with millisecond resolution: `12.345`. */
export function seconds(ns: number): string {
  return (ns / 1e9).toFixed(3);
}
