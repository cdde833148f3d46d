import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** @throws SyndromeError E_PLATFORM where no machine of the lab can be started. */
export function needLinux(): void {
  if (process.platform === 'linux') return;
  throw new SyndromeError('E_PLATFORM', `the lab needs Linux, and this is ${process.platform}`, {
    hint: 'decode, predict, encode, show and scenarios work here; for the lab take a Linux machine, real or virtual.',
  });
}
