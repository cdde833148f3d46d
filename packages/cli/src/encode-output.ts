/** @module Where `encode --out` writes. What knows Linux's descriptors and devices is loaded on Linux only. */
import { InputError } from './inputs/input-error.ts';

const onLinux = (): boolean => process.platform === 'linux';

/** Looks at the place before the work, where that can be done. @throws UsageError E_USAGE_FILE */
export async function checkOut(place: string): Promise<void> {
  if (onLinux()) (await import('@syndrome/base/disk/output-file.ts')).checkOutput('--out', place);
}

/** Writes the bytes. @throws InputError E_OUTPUT */
export async function writeOut(place: string, bytes: Uint8Array): Promise<void> {
  try {
    if (onLinux()) await (await import('@syndrome/base/disk/output-file.ts')).writeOutput(place, bytes);
    else (await import('@syndrome/base/disk/plain-output.ts')).writePlainly(place, bytes);
  } catch (error) {
    throw new InputError('E_OUTPUT', `cannot write ${place}`, { cause: error });
  }
}
