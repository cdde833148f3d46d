import { expect, it } from 'vitest';
import { LabSkip } from '../errors.ts';
import { SupplyError, supplyError } from '../supply/errors.ts';
import { kernelOf } from './named-kernel.ts';

const refusing = (code: 'E_SUPPLY_WITHDRAWN' | 'E_SUPPLY_OFFLINE' | 'E_SUPPLY_DAMAGED') => ({
  kernel: async () => {
    throw supplyError(code, 'linux 6.1 (cloud, amd64) is not on offer', { hint: 'Nearest on offer: 6.12.57.' });
  },
});
const why = async (...[code, named, chosen]: [Parameters<typeof refusing>[0], string, string?]): Promise<unknown> =>
  kernelOf(refusing(code), named, chosen, { arch: 'amd64' }).catch((error: unknown) => error);

it('skips a scenario about a kernel that is nowhere to be had, with the reason', async () => {
  for (const code of ['E_SUPPLY_WITHDRAWN', 'E_SUPPLY_OFFLINE'] as const) {
    const skip = await why(code, '6.1');
    expect(skip).toBeInstanceOf(LabSkip);
    expect(skip).toMatchObject({
      code: 'E_LAB_KERNEL_GONE',
      message: 'the scenario is about Linux 6.1, and linux 6.1 (cloud, amd64) is not on offer',
      hint: 'Nearest on offer: 6.12.57.',
    });
  }
});

it('is an error where the user chose the kernel, where any would do, and where something else is wrong', async () => {
  expect(await why('E_SUPPLY_WITHDRAWN', '6.1', '6.3')).toBeInstanceOf(SupplyError);
  expect(await why('E_SUPPLY_WITHDRAWN', 'newest')).toBeInstanceOf(SupplyError);
  expect(await why('E_SUPPLY_DAMAGED', '6.1')).toBeInstanceOf(SupplyError);
});
