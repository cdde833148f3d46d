import { LabSkip } from '../errors.ts';
import { SupplyError } from '../supply/errors.ts';
import type { Supply } from '../supply/supply.ts';

type Request = Parameters<Supply['kernel']>[0];

/** Codes of supply that say that a version is nowhere to be had. */
const GONE: ReadonlySet<string> = new Set(['E_SUPPLY_WITHDRAWN', 'E_SUPPLY_OFFLINE']);

/**
 * The kernel that the user chose, else the one that the scenario names.
 * @param named version in the scenario; `newest` is whatever there is
 * @throws SupplyError; LabSkip E_LAB_KERNEL_GONE where the scenario names a version that is neither in the cache nor on offer
 */
export async function kernelOf(
  supply: Pick<Supply, 'kernel'>,
  named: string,
  chosen: string | undefined,
  request: Omit<Request, 'version'>,
): Promise<Awaited<ReturnType<Supply['kernel']>>> {
  try {
    return await supply.kernel({ ...request, version: chosen ?? named });
  } catch (error) {
    if (chosen !== undefined || named === 'newest' || !(error instanceof SupplyError) || !GONE.has(error.code))
      throw error;
    throw new LabSkip('E_LAB_KERNEL_GONE', `the scenario is about Linux ${named}, and ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
