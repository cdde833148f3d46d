import { createRequire } from 'node:module';
import { VmmError } from './errors.ts';

/** A C function bound by koffi. Pointers are bigint addresses; a typed array passes the address of its bytes. */
type CFunction = (...args: (number | bigint | Uint8Array | null)[]) => number | bigint;

/** What this VMM uses of koffi 3 (https://koffi.dev). */
interface Koffi {
  load(path: string | null): { func(definition: string): CFunction };
  errno(): number;
  /** The bytes at an address as an ArrayBuffer, without a copy. */
  view(address: bigint, length: number): ArrayBuffer;
}

/** Loads the optional package koffi, the only way from Node to ioctl(2) and mmap(2). Throws E_VMM_KOFFI. */
export function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new VmmError('E_VMM_KOFFI', 'the package koffi could not be loaded', {
      hint: 'Install koffi and the package of the platform (@koromix/koffi-linux-arm64) beside the VMM.',
      cause,
    });
  }
}
