import { z } from 'zod';
import { coreOf } from '../guest/elf.ts';
import { duration, ns } from './arguments.ts';
import { deed } from './deed.ts';
import { defineStep } from './step.ts';

const CORE = '/proc/vmcore';
/** Of its beginning: room for the headers of more segments than a machine of the lab has. */
const HEADERS = 8192;

export const readVmcore = defineStep({
  name: 'read-vmcore',
  schema: z
    .strictObject({ within: duration.default('5m') })
    .describe(
      'in a crash kernel: read the memory of the dead one from its beginning to its end, as `cp /proc/vmcore` does',
    ),
  means: () => ({ is: 'nothing' }),
  run: async (session, { within }) => {
    const { bytes, segments } = coreOf(await session.agent.readBytes(CORE, { max: HEADERS }));
    session.note('lab.note', { text: `${CORE} has ${bytes} bytes in ${segments} segments` });
    const copied = session.agent.call('copy', { from: CORE, to: '/dev/null', bytes }, { deadlineMs: ns(within) / 1e6 });
    const error = await deed(copied, 'note');
    session.note('guest.dumped', { bytes, ...(error === undefined ? {} : { error }) });
  },
});
