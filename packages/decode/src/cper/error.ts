import { SyndromeError } from '../common/errors.ts';

/** A record cannot be encoded: a value does not fit. Decoding never throws; it returns diagnostics. */
export class CperError extends SyndromeError {}

/** A value that is no word of ours, for a message: short, and whatever it is. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).slice(0, 32)
    : `of type ${typeof value}`;
}

/** Something about the bytes that is not as the specification says. */
export interface CperDiagnostic {
  /** Stable: `E_…` data was lost, `W_…` it was read all the same. */
  code:
    | 'E_CPER_TRUNCATED'
    | 'E_CPER_TOO_MANY'
    | 'E_CPER_SEVERITY'
    | 'E_CPER_SIGNATURE'
    | 'E_CPER_LENGTH'
    | 'E_CPER_OVERLAP'
    | 'E_CPER_UNKNOWN'
    | 'E_CPER_LIMIT'
    | 'W_CPER_LENGTH'
    | 'W_CPER_REVISION'
    | 'W_CPER_COUNT'
    | 'W_CPER_TRAILING'
    | 'W_CPER_RESERVED'
    | 'W_CPER_TEXT';
  message: string;
  /** Byte offset into the input. */
  offset: number;
}

/** What each diagnostic says in general, for `--explain`. */
export const CPER_DIAGNOSTICS: Readonly<Record<CperDiagnostic['code'], string>> = {
  E_CPER_TRUNCATED: 'A structure or member lies behind the end of the bytes; what is there was read.',
  E_CPER_TOO_MANY: 'There are more sections than a block can count; the rest was not read.',
  E_CPER_SEVERITY: 'The severity is none of the four numbers; it was read as none.',
  E_CPER_SIGNATURE: 'The record does not begin with CPER.',
  E_CPER_LENGTH: 'A length is smaller than the structure it belongs to, or another record begins within it.',
  E_CPER_OVERLAP: 'Sections lie on top of each other; the later one was not read.',
  E_CPER_UNKNOWN: 'The bytes are neither a UEFI error record nor a generic error status block.',
  E_CPER_LIMIT: 'A record is longer than is held of one; what stands behind that was not read.',
  W_CPER_LENGTH: 'A length is not the specified one; what is there was read.',
  W_CPER_REVISION: 'The revision is not the current one; it was read all the same.',
  W_CPER_COUNT: 'A count is not the number of structures that were found.',
  W_CPER_TRAILING: 'Bytes are left over behind the last structure.',
  W_CPER_RESERVED: 'Reserved validation bits are set.',
  W_CPER_TEXT: 'A text holds bytes that are not printable ASCII.',
};
