import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** What can go wrong in the VMM itself, apart from the guest. */
export type VmmCode =
  | 'E_VMM_KOFFI'
  | 'E_VMM_KVM'
  | 'E_VMM_IOCTL'
  | 'E_VMM_CAPABILITY'
  | 'E_VMM_MEMORY'
  | 'E_VMM_IMAGE'
  | 'E_VMM_CHANNEL'
  | 'E_VMM_FDT';

export class VmmError extends SyndromeError {
  declare readonly code: VmmCode;

  constructor(code: VmmCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options);
  }
}
