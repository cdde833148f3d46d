import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** Why a server cannot begin. */
export type HttpCode = 'E_HTTP_IN_USE' | 'E_HTTP_LISTEN' | 'E_HTTP_SOCKET';

export class HttpError extends SyndromeError {
  declare readonly code: HttpCode;

  constructor(code: HttpCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
  }
}
