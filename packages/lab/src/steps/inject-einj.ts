import { z } from 'zod';
import { EINJ_ERRORS, EINJ_FOLDER, einjWrites } from '@syndrome/decode/inject/einj.ts';
import type { EinjInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { firmwareLegs } from '../outlook/firmware.ts';
import { u64 } from './arguments.ts';
import { ownFirmware } from './own-firmware.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    error: z.enum(EINJ_ERRORS).default('memory-ue').describe('memory error: corrected, uncorrected, fatal'),
    address: u64.describe('physical address of the memory error'),
  })
  .describe('in the guest: ask the firmware for an error by the files of the kernel module einj (`apei: true`)');

const injection = ({ error, address }: z.infer<typeof schema>, value: Value): EinjInjection => ({
  way: 'einj',
  error,
  addr: value(address),
});

export const injectEinj = defineStep({
  name: 'inject-einj',
  schema,
  injection,
  legs: firmwareLegs,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    ownFirmware(session);
    const writes = einjWrites(made);
    const write = async ([file, value]: (typeof writes)[number]): Promise<void> =>
      void (await session.agent.call('write', { path: `${EINJ_FOLDER}/${file}`, value }));
    for (const one of writes.slice(0, -1)) await write(one);
    session.note('lab.injected', fieldsOf(made));
    for (const last of writes.slice(-1)) await write(last);
  },
});
