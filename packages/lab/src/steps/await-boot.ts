import { z } from 'zod';
import { duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const awaitBoot = defineStep({
  name: 'await-boot',
  schema: z
    .strictObject({ within: duration.default('120s') })
    .describe(
      'go on when the agent answers from the next boot, after a reset that the guest does itself, as after a panic (`reboot: reset`)',
    ),
  outlives: true,
  run: (session, { within }) => session.awaitBoot(ns(within) / 1e6),
});
