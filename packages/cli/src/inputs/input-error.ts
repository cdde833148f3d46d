import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** An input file cannot be read. */
export class InputError extends SyndromeError {}
