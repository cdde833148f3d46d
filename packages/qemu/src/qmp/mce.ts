/**
 * Machine checks by HMP `mce`, the only way a running x86 QEMU offers (there is no QMP command). It writes one bank's
 * registers and, where UC is set, raises #MC. It poisons nothing: the memory at `addr` stays readable.
 * Source: QEMU 11.1 target/i386/helper.c (cpu_x86_inject_mce, do_inject_x86_mce), hmp-commands.hx.
 */
import type { EventFields } from '@syndrome/decode/events/catalog.ts';
import type { Mce } from '@syndrome/decode/inject/injection.ts';
import { mceCommandLine } from '@syndrome/decode/inject/mce-command.ts';
import { takeTripleFaults } from '@syndrome/decode/text/qemu/messages.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import type { Observed, QmpClient, QmpEvent } from './client.ts';
import { HmpError } from './errors.ts';
import { hmpErrorOf } from './hmp.ts';

const memoryFailureActions = ['ignore', 'inject', 'fatal', 'reset'] as const;
/** What QEMU did with an error: raised or recorded it, dropped it, reset the machine, or ended itself. */
type MemoryFailureAction = (typeof memoryFailureActions)[number];

const memoryFailureRecipients = ['hypervisor', 'guest'] as const;
/** Whose memory it is: QEMU's own, or the guest's. */
type MemoryFailureRecipient = (typeof memoryFailureRecipients)[number];

/** A MEMORY_FAILURE event, parsed. QEMU does not say which CPU, bank or address it means. */
type MemoryFailure = {
  recipient: MemoryFailureRecipient;
  action: MemoryFailureAction;
  /** MCi_STATUS.AR of the error. */
  actionRequired: boolean;
  /** MCG_STATUS.MCIP was set: the guest was still handling another machine check. */
  recursive: boolean;
  t: bigint;
};

export type MceResult = {
  commandLine: string;
  /** The monitor's text; empty unless the machine was reset. */
  output: string;
  /** One per CPU the error went to, the addressed CPU first. */
  events: MemoryFailure[];
  /** What happened on the addressed CPU. */
  action: MemoryFailureAction;
  messages: EventFields<'vmm.triple-fault'>[];
};

/**
 * Injects a machine check and returns what QEMU did with it. Success is proven by MEMORY_FAILURE events: the monitor
 * accepts a CPU that does not exist without a word. A reset (`action: 'reset'`) is a result, not an error.
 *
 * @param options `lateMs`: how long events may come after the answer, where they do not come by the monitor itself (libvirt). Default 0.
 *
 * Throws HmpError with the codes of hmp.ts, and E_HMP_BAD_CPU, E_HMP_NO_EVENT, E_HMP_UNEXPECTED_OUTPUT.
 */
export async function injectMce(
  client: QmpClient,
  mce: Mce,
  { lateMs = 0, ...options }: { deadlineMs?: number; lateMs?: number } = {},
): Promise<MceResult> {
  const commandLine = mceCommandLine(mce);
  const cpus = (await client.execute('query-cpus-fast', undefined, options)).map(cpu => cpu['cpu-index']);
  if (!cpus.includes(mce.cpu)) {
    const hint = `This machine has the CPUs ${cpus.slice(0, 64).join(', ')}.`;
    throw new HmpError('E_HMP_BAD_CPU', `CPU ${mce.cpu} does not exist`, commandLine, '', { hint });
  }
  const expected = mce.broadcast ? cpus.length : 1;
  if (lateMs === 0) return readMceAnswer(commandLine, await client.hmpObserved(commandLine, options), expected);
  return readMceAnswer(commandLine, await observedLate(client, commandLine, expected, lateMs, options), expected);
}

/** The monitor's text, and the events that came beside it: so many MEMORY_FAILUREs, or all in `lateMs` after the text. */
async function observedLate(
  client: QmpClient,
  commandLine: string,
  expected: number,
  lateMs: number,
  options: { deadlineMs?: number },
): Promise<Observed<string>> {
  const events: QmpEvent[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const stop = client.onEvent(event => {
    if (event.event === 'MEMORY_FAILURE' && events.push(event) >= expected) resolve();
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const value = await client.hmp(commandLine, options);
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, lateMs)));
    // A refusal has its reason in the text, and no event.
    if (value.trim() === '') await Promise.race([all, late, client.closed]);
    return { value, events };
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Judges what came back for a `mce` command line that addresses `expected` CPUs, at least. @throws HmpError. */
export function readMceAnswer(
  commandLine: string,
  { value: output, events }: Observed<string>,
  expected: number,
): MceResult {
  const failures = events.map(parseMemoryFailure).filter(failure => failure !== undefined);
  const { faults, rest } = takeTripleFaults(output);
  if (rest !== '') {
    const error = hmpErrorOf(commandLine, rest);
    if (failures.length === 0) throw error;
    // With -b one CPU may refuse while the others take the error.
    const text = `${error.message.slice(error.message.indexOf(': ') + 2)}; ${failures.length} of ${expected} CPUs took it`;
    throw new HmpError(error.code, text, commandLine, output, error.hint === undefined ? {} : { hint: error.hint });
  }
  const first = failures[0];
  if (first === undefined || failures.length < expected) {
    const message = `${failures.length} of ${expected} MEMORY_FAILURE events were seen, so the error was not injected everywhere`;
    throw new HmpError('E_HMP_NO_EVENT', message, commandLine, output, {
      hint: 'The monitor accepted the command without doing it: check the CPU index with query-cpus-fast.',
    });
  }
  return { commandLine, output, events: failures, action: first.action, messages: faults.map(f => f.fields) };
}

/** Parses a MEMORY_FAILURE event; undefined for any other event and for values this table does not know. */
export function parseMemoryFailure({ event, data, t }: QmpEvent): MemoryFailure | undefined {
  const said = qmpEvent({ event, data });
  if (said.name !== 'vmm.memory-failure') return undefined;
  const { recipient, action, actionRequired, recursive } = said.fields;
  const knownRecipient = memoryFailureRecipients.find(r => r === recipient);
  const knownAction = memoryFailureActions.find(a => a === action);
  if (knownRecipient === undefined || knownAction === undefined) return undefined;
  if (actionRequired === undefined || recursive === undefined) return undefined;
  return { recipient: knownRecipient, action: knownAction, actionRequired, recursive, t };
}
