/** @module How much is held in memory at once for a page. */

/** Bytes of one input that is put into a page, or judged in a list; of what is longer less is said, and that is told. */
export const MOST_WHOLE: number = 64 * 2 ** 20;
