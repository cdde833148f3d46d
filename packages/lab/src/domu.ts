import { safeText } from '@syndrome/decode/common/screen.ts';
import { LabError } from './errors.ts';
import { DOMU_CONSOLE } from './machine/domu-image.ts';
import type { Session } from './session.ts';

/** An emulated domain boots in a minute, and in ten where this computer is busy. */
const DEADLINE_MS = 900_000;
const ANSWER = { deadlineMs: 120_000 };
const OUTPUT = '/run/domu.log';
const MAX_OUTPUT = 16_384;

/**
 * Has dom0 start its tools and the domain, and waits until the agent in that says that it is ready.
 * @param argv the command, in dom0
 * @throws LabError E_LAB_DOMU with the words of the tools
 */
export async function startDomU(session: Session, argv: readonly string[]): Promise<void> {
  const { agent, recorder } = session;
  const call = <T>(work: Promise<T>, what: string): Promise<T> => session.orDie(work, DEADLINE_MS, what);
  session.note('lab.note', { text: `dom0 starts a domain: ${argv.join(' ')}` });
  const after = agent.lastSeq;
  const exec = { name: 'domu', argv: argv.join('\n'), output: OUTPUT };
  await call(agent.call('exec', exec, ANSWER), 'the tools of dom0 to start');
  const exit = await call(
    agent.nextEvent(e => e.name === 'exit' && e.fields.proc === 'domu', { after, deadlineMs: DEADLINE_MS }),
    'the tools of dom0 to start the domain',
  );
  if (exit.name !== 'exit' || exit.fields.code !== 0) {
    const said = await call(agent.readText(OUTPUT, { max: MAX_OUTPUT }), OUTPUT);
    const words = safeText(said.trim().replaceAll('\n', ' / ')) || 'they said nothing';
    throw new LabError('E_LAB_DOMU', `the tools of dom0 could not start the domain: ${words}`, {
      hint: 'Their memory has to fit: memory of the machine, less dom0Memory, less about 200 MiB for Xen itself.',
    });
  }
  await call(agent.call('follow', { path: DOMU_CONSOLE }, ANSWER), DOMU_CONSOLE);
  const deadline = recorder.now() + DEADLINE_MS * 1e6;
  const booted = (): boolean => recorder.index.named('domu.agent-ready').length > 0;
  while (!booted()) {
    const left = (deadline - recorder.now()) / 1e6;
    if (left <= 0) throw new LabError('E_LAB_DOMU', 'the domain was started, and its agent has not answered');
    await session.nextEvent(left, e => e.name === 'domu.agent-ready' || e.name === 'domu.panic');
    if (recorder.index.named('domu.panic').length > 0)
      throw new LabError('E_LAB_DOMU', 'the kernel of the domain panicked while it booted');
  }
}
