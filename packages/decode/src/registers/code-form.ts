/**
 * @module Forms of an error code of 16 bits, written as manuals write them: `000F 0001 RRRR TTLL`. A digit is what a code of
 * the form has there, a letter is a field, and `x` may be anything.
 */
import { RegisterError } from './register.ts';

export interface CodeForm {
  /** The form as it is written. */
  readonly text: string;
  /** Whether a code is of the form. */
  has(code: number): boolean;
  /** The field of a letter; 0 for a letter that the form does not have. */
  of(letter: string, code: number): number;
}

const WIDTH = 16;
/** The letters of fields. */
const FIRST = 0x41;
const LETTERS = 26;

/**
 * Reads a form. Throws {@link RegisterError} for a text that is none.
 *
 * @example
 * const tlb = codeForm('000F 0000 0001 TTLL');
 * tlb.has(0x0016) // true
 * tlb.of('T', 0x0016) // 1
 */
export function codeForm(text: string): CodeForm {
  const digits = text.replaceAll(' ', '');
  if (!/^[01A-Zx]{16}$/.test(digits)) throw new RegisterError('E_REGISTER_TABLE', `not a form of a code: ${text}`);
  let fixed = 0;
  let value = 0;
  const fields = new Map<string, { mask: number; lo: number }>();
  for (let at = 0; at < WIDTH; at++) {
    const digit = digits[WIDTH - 1 - at] as string;
    const bit = 1 << at;
    if (digit === '0' || digit === '1') {
      fixed |= bit;
      if (digit === '1') value |= bit;
      continue;
    }
    const field = fields.get(digit) ?? { mask: 0, lo: at };
    field.mask |= bit;
    if (digit !== 'x' && field.mask >> field.lo !== 2 ** (at - field.lo + 1) - 1) {
      throw new RegisterError('E_REGISTER_TABLE', `field ${digit} is not in one piece: ${text}`);
    }
    fields.set(digit, field);
  }
  // By the letter: codes of a storm are asked for all their fields again and again.
  const masks = new Uint16Array(LETTERS);
  const shifts = new Uint8Array(LETTERS);
  for (const [letter, { mask, lo }] of fields) {
    masks[letter.charCodeAt(0) - FIRST] = mask;
    shifts[letter.charCodeAt(0) - FIRST] = lo;
  }
  return {
    text,
    has: code => (code & fixed) === value,
    of(letter, code) {
      const at = letter.charCodeAt(0) - FIRST;
      return (code & (masks[at] ?? 0)) >> (shifts[at] ?? 0);
    },
  };
}
