import { accessSync, constants } from 'node:fs';

export type Accel = 'tcg' | 'kvm';

/** Can /dev/kvm be opened by this user? It proves little: a stock guest may still not run. */
export function kvmAccessible(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
