import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** What can be wrong with what a peer sends, or with what is to be sent to one. */
export type WireCode =
  | 'E_WIRE_ELSEWHERE'
  | 'E_WIRE_HOST_TAKEN'
  | 'E_WIRE_IDENTITY'
  | 'E_WIRE_LINE'
  | 'E_WIRE_MESSAGE'
  | 'E_WIRE_ORDER'
  | 'E_WIRE_SHARD'
  | 'E_WIRE_STALLED'
  | 'E_WIRE_VALUE'
  | 'E_WIRE_VERSION';

/** The connection on which it was ends; nothing else does. */
export class WireError extends SyndromeError {
  declare readonly code: WireCode;

  constructor(code: WireCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
  }
}
