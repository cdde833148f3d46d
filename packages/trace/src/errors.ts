import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** What was given is no trace, or none that this program reads. */
export class TraceError extends SyndromeError {}
