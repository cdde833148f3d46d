import { SyndromeError } from '../common/errors.ts';

/** A syndrome cannot be encoded. Decoding never throws. */
export class ArmError extends SyndromeError {}
