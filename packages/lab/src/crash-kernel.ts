import { safeText } from '@syndrome/decode/common/screen.ts';
import { LabError } from './errors.ts';
import type { Session } from './session.ts';

const DEADLINE_MS = 120_000;
const OUTPUT = '/run/kexec.log';
const MAX_OUTPUT = 16_384;

/**
 * Has the guest load its crash kernel, and waits until that is done.
 * @param argv kexec's command line, in the guest
 * @throws LabError E_LAB_KEXEC with kexec's own words
 */
export async function loadCrashKernel(session: Session, argv: readonly string[]): Promise<void> {
  const { agent } = session;
  const call = <T>(work: Promise<T>): Promise<T> => session.orDie(work, DEADLINE_MS, 'kexec to load the crash kernel');
  session.note('lab.note', { text: `the guest loads its crash kernel: ${argv.join(' ')}` });
  const after = agent.lastSeq;
  await call(agent.call('exec', { name: 'kexec', argv: argv.join('\n'), output: OUTPUT }, { deadlineMs: DEADLINE_MS }));
  const exit = await call(
    agent.nextEvent(e => e.name === 'exit' && e.fields.proc === 'kexec', { after, deadlineMs: DEADLINE_MS }),
  );
  if (exit.name === 'exit' && exit.fields.code === 0) return;
  const said = await call(agent.readText(OUTPUT, { max: MAX_OUTPUT }));
  throw new LabError(
    'E_LAB_KEXEC',
    `kexec could not load the crash kernel: ${safeText(said.trim().replaceAll('\n', ' / ')) || 'it said nothing'}`,
    {
      hint: 'The kernel has to fit into what crashkernel= keeps for it; under Xen it has to be the kexec of the Xen that runs.',
    },
  );
}
