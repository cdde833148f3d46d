import { SyndromeError } from '../common/errors.ts';

/** A record cannot be encoded: a value does not fit. Decoding never throws; it returns diagnostics. */
export class CperError extends SyndromeError {}

/** Something about the bytes that is not as the specification says. */
export interface CperDiagnostic {
  /** Stable: `E_…` data was lost, `W_…` it was read all the same. */
  code:
    | 'E_CPER_TRUNCATED'
    | 'E_CPER_TOO_MANY'
    | 'E_CPER_SEVERITY'
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
