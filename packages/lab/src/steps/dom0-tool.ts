/** @module What the steps have in common that run a tool of Xen in dom0. */
import { LabError } from '../errors.ts';
import type { Session } from '../session.ts';

const DEADLINE_MS = 300_000;
const MAX_TEXT = 4096;

/**
 * Runs a program of dom0 to its end; what it wrote, and the code it ended with, stand in an event.
 * @param shown the command as people know it
 * @throws LabError E_LAB_XEN_TOOL where it does not end by itself, or ends with another code than 0 unless `fails` is given
 */
export async function dom0Tool(
  session: Session,
  shown: string,
  argv: readonly string[],
  { fails = false }: { fails?: boolean } = {},
): Promise<string> {
  const { agent } = session;
  const after = agent.lastSeq;
  const name = 'xen-tool';
  // A file of its own each time: the agent writes behind what is there.
  const output = `/run/xen-tool.${after}.${session.recorder.events.length}`;
  await agent.call('exec', { name, argv: argv.join('\n'), output }, { deadlineMs: DEADLINE_MS });
  const exit = await agent.nextEvent(e => e.name === 'exit' && e.fields.proc === name, {
    after,
    deadlineMs: DEADLINE_MS,
    what: `the end of ${shown}`,
  });
  const text = (await agent.readText(output, { max: MAX_TEXT })).trim();
  const code = exit.name === 'exit' ? exit.fields.code : undefined;
  if (code === undefined || (code !== 0 && !fails)) {
    throw new LabError(
      'E_LAB_XEN_TOOL',
      `${shown} did not end well in dom0: ${text === '' ? 'it said nothing' : text}`,
      {
        hint: 'The machine has to be a Xen with a domain besides dom0: `domu: {}`.',
      },
    );
  }
  session.note('guest.program', { command: shown, code, text });
  return text;
}
