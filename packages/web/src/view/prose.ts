/** @module Prose in which words between backticks stand for what is typed or printed. */

/** A piece of a sentence. */
interface Piece {
  text: string;
  /** Whether it stood between backticks. */
  code: boolean;
}

/**
 * The pieces of a sentence; a backtick without another one is a character like any.
 * @example pieces('look for `Memory failure:` lines') // 'look for ', then 'Memory failure:' as code, then ' lines'
 */
export function pieces(text: string): Piece[] {
  return text
    .split(/(`[^`]+`)/)
    .filter(piece => piece !== '')
    .map(piece => (/^`[^`]+`$/.test(piece) ? { text: piece.slice(1, -1), code: true } : { text: piece, code: false }));
}
