import { z } from 'zod';
import { duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const sleep = defineStep({
  name: 'sleep',
  schema: z
    .strictObject({ for: duration })
    .describe(
      'let time pass, so that something has the time to happen that nobody tells of; `wait` is better where an event tells',
    ),
  means: ({ for: length }) => ({ is: 'time', seconds: ns(length) / 1e9 }),
  run: async (session, { for: length }) => {
    const end = session.recorder.now() + ns(length);
    for (let left = ns(length); left > 0 && !session.over; left = end - session.recorder.now()) {
      await session.nextEvent(Math.max(1, left / 1e6), event => event.name === 'vmm.exit');
    }
  },
});
