import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** A target, a secret or a template is wrong. Thrown when the configuration is read, never while a notice is sent. */
export class NotifyError extends SyndromeError {}
