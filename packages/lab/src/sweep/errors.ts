import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** A sweep could not do its work, or what it measured cannot be trusted. */
export class SweepError extends SyndromeError {}
