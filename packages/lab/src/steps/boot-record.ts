import { z } from 'zod';
import { bootBlock } from '@syndrome/decode/inject/boot-record.ts';
import type { BootRecordInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { firmwareLegs } from '../outlook/firmware.ts';
import { u64 } from './arguments.ts';
import { ownFirmware } from './own-firmware.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    severity: z.enum(['recoverable', 'fatal', 'corrected', 'none']).default('fatal'),
    address: u64.describe('physical address of the memory error'),
    errorType: z.int().min(0).max(15).default(3).describe('UEFI memory error type; 3 is multi-bit ECC'),
  })
  .describe('as the firmware (`apei: true`): leave a CPER memory section for the next boot (BERT)');

const injection = ({ severity, address, errorType }: z.infer<typeof schema>, value: Value): BootRecordInjection => ({
  way: 'boot-record',
  severity,
  addr: value(address),
  errorType,
});

export const bootRecord = defineStep({
  name: 'boot-record',
  schema,
  injection,
  legs: firmwareLegs,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    const firmware = ownFirmware(session);
    session.note('lab.injected', fieldsOf(made));
    firmware.leaveForBoot(bootBlock(made));
  },
});
