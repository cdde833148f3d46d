/** @module Moments as people read them, and the marks of a time axis. */

/** A minus that stands in line with `+`. */
const sign = (ns: number): string => (ns < 0 ? '−' : '+');

/** Digits without the zeros at their end. */
const digits = (value: number, places: number): string => {
  const text = value.toFixed(places);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
};

/**
 * A time from zero with a unit that suits it.
 * @param ns nanoseconds, negative before zero
 * @example sinceZero(931_800_000) // '+931.8 ms'
 */
export function sinceZero(ns: number): string {
  const size = Math.abs(ns);
  if (size < 50) return '0';
  if (size < 1e6) return `${sign(ns)}${digits(size / 1e3, 1)} µs`;
  if (size < 999.995e6) return `${sign(ns)}${digits(size / 1e6, 2)} ms`;
  return `${sign(ns)}${(size / 1e9).toFixed(3)} s`;
}

/** One mark of an axis. */
export interface Tick {
  /** ns from zero. */
  at: number;
  label: string;
}

const STEPS = [1, 2, 5];

/**
 * Marks at round times between two moments.
 * @param from, to ns from zero
 * @param most marks that there is room for
 */
export function ticksOf(from: number, to: number, most: number): Tick[] {
  const span = to - from;
  if (!(span > 0) || most < 1) return [];
  let step = 1;
  for (let power = 1; span / step > most; power *= 10) {
    for (const digit of STEPS) {
      step = digit * power;
      if (span / step <= most) break;
    }
  }
  const ticks: Tick[] = [];
  for (let k = Math.ceil(from / step); k * step <= to; k++) {
    const at = k * step === 0 ? 0 : k * step;
    ticks.push({ at, label: at === 0 ? '0' : tickLabel(at, step) });
  }
  return ticks;
}

/** All labels of an axis in one unit, that of its step. */
function tickLabel(at: number, step: number): string {
  const size = Math.abs(at);
  if (step >= 1e8 || size >= 10e9)
    return `${sign(at)}${digits(size / 1e9, Math.max(0, Math.ceil(-Math.log10(step / 1e9) - 1e-9)))} s`;
  if (step >= 1e5) return `${sign(at)}${digits(size / 1e6, Math.max(0, Math.ceil(-Math.log10(step / 1e6) - 1e-9)))} ms`;
  return `${sign(at)}${digits(size / 1e3, Math.max(0, Math.ceil(-Math.log10(step / 1e3) - 1e-9)))} µs`;
}
