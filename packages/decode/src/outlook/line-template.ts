/** @module A line that a kernel prints, without what differs from print to print: so a foreseen line is found among those that were seen. */

/** printk(9)'s time and caller, and what every line about hardware begins with. */
const STAMP = /^\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s*/;
const PREFIX = /^(?:mce: )?(?:\{(?:\d+|<n>)\})?\[Hardware Error\]: /;
/** Words that are numbers: 0x…, and hex or decimal digits that stand alone. */
const NUMBER = /\b(?:0x[0-9a-f]+|\d[\d.]*|[0-9a-f]{6,16})\b/gi;

/**
 * A printed line as a template: without its stamp, with `<n>` for its numbers.
 * @example templateOf('[   12.5] Memory failure: 0x91e1: recovery action for dirty LRU page: Recovered')
 */
export const templateOf = (line: string): string =>
  line.replace(STAMP, '').replace(PREFIX, '').replace(NUMBER, '<n>').trim();
