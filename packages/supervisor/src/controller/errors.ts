import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** What can be wrong with a controller. */
export type ControllerCode =
  | 'E_CONTROLLER_LISTEN'
  | 'E_CONTROLLER_BUSY'
  | 'E_CONTROLLER_STATE'
  | 'E_CONTROLLER_STOPPED'
  | 'E_CONTROLLER_ASK'
  | 'E_CONTROLLER_REFUSED'
  | 'E_CONTROLLER_FENCE';

export class ControllerError extends SyndromeError {
  declare readonly code: ControllerCode;

  constructor(code: ControllerCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
  }
}
