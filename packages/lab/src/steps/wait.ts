import { z } from 'zod';
import { matchEvent, parseCondition } from '@syndrome/trace/expect/condition.ts';
import { showValue } from '@syndrome/trace/expect/judge.ts';
import { isFoundAs } from '@syndrome/trace/trace-index.ts';
import { LabError } from '../errors.ts';
import { condition as onEvent, duration, ns } from './arguments.ts';
import { defineStep } from './step.ts';

export const wait = defineStep({
  name: 'wait',
  schema: z
    .strictObject({ for: onEvent, within: duration })
    .describe('go on when the event has been seen; the lab gives up if it is not'),
  condition: 'for',
  means: ({ for: condition }) => ({ is: 'awaited', event: parseCondition(condition).name }),
  run: async (session, { for: condition, within }) => {
    const wanted = parseCondition(condition);
    let looked = 0;
    const seen = (): boolean => {
      for (const event of session.recorder.index.named(wanted.name).slice(looked)) {
        looked++;
        if (matchEvent(wanted, event, session.values, showValue).ok) return true;
      }
      return false;
    };
    const deadline = session.recorder.now() + ns(within);
    while (!seen()) {
      const left = (deadline - session.recorder.now()) / 1e6;
      if (left <= 0) {
        throw new LabError('E_LAB_WAIT', `${condition} was not seen within ${within}`, {
          hint: 'The run never reached the state that the scenario wanted to look at.',
        });
      }
      await session.nextEvent(left, event => isFoundAs(event, wanted.name));
    }
  },
});
