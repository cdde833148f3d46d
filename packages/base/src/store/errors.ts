import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** What can be wrong with a store. */
export type StoreCode =
  | 'E_STORE_BUSY'
  | 'E_STORE_CHANGED'
  | 'E_STORE_DAMAGED'
  | 'E_STORE_ENGINE'
  | 'E_STORE_EXISTS'
  | 'E_STORE_EXPORT'
  | 'E_STORE_FULL'
  | 'E_STORE_IO'
  | 'E_STORE_LEASE'
  | 'E_STORE_LOST'
  | 'E_STORE_NEWER'
  | 'E_STORE_OLDER'
  | 'E_STORE_OPEN'
  | 'E_STORE_SQL'
  | 'E_STORE_UNKNOWN'
  | 'E_STORE_USE';

export class StoreError extends SyndromeError {
  declare readonly code: StoreCode;

  constructor(code: StoreCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
  }
}
