import { lastExceptionDump } from '@syndrome/decode/text/linux/exception-dump.ts';
import { AgentDeadlineError } from './guest/errors.ts';
import type { NamedEvent, TraceEvent } from '@syndrome/trace/event.ts';

/** Why a machine is started once more, and what the trace holds that may tell more of it, a line each. */
interface EmulationFault {
  why: string;
  evidence: string[];
}

const LINE_LENGTH = 300;

const PANICS: ReadonlySet<string> = new Set(['guest.panic', 'xen.panic', 'host.panic']);
/** Linux and Xen try whether the timer of the machine interrupts them; an emulated one is late where this computer is busy. */
const TIMER_LATE = /IO-APIC \+ timer doesn't work/;

/**
 * What an emulated nested host does wrong about once in thirty boots: its guest says that it is ready, then nothing more,
 * or its VMM crashes; and what any emulated machine does more rarely: its timer is too late for the kernel. Nothing has been
 * injected yet, so it is started once more, and the run says so; a VMM that always crashes does it again.
 * @param error what ended the start
 * @param events of this start
 * @param nested the machine has a host layer: only there the VMM is emulated itself
 * @returns undefined for anything else
 */
export function emulationFault(
  error: unknown,
  events: readonly TraceEvent[],
  nested: boolean,
): EmulationFault | undefined {
  const exit = events.find(
    (e): e is NamedEvent<'vmm.exit'> =>
      e.name === 'vmm.exit' && e.fields?.expected !== true && typeof e.fields?.signal === 'number',
  );
  const late = events.find(
    ({ name = '', fields }) =>
      PANICS.has(name) && TIMER_LATE.test(String((fields as { message?: unknown } | undefined)?.message)),
  );
  if (late !== undefined) return { why: 'the emulated timer was too late for the kernel', evidence: [] };
  if (!nested) return undefined;
  const silent = error instanceof AgentDeadlineError;
  if (!silent && exit === undefined) return undefined;
  const last = events.findLast(e => e.layer === 'vmm' && e.raw !== undefined && e.source !== 'control');
  return {
    why: silent ? 'the guest stopped answering right after its boot' : 'the VMM in the host crashed',
    evidence: [
      ...(exit === undefined ? [] : [`the VMM ended by signal ${String(exit.fields?.signal)}`]),
      ...(last?.raw === undefined ? [] : [`the last the VMM said: ${last.raw.slice(0, LINE_LENGTH)}`]),
      ...registers(events),
    ],
  };
}

/** What the host's kernel printed of the registers of a process that crashed (debug.exception-trace). */
function registers(events: readonly TraceEvent[]): string[] {
  const lines = events.filter(e => e.layer === 'host' && e.source === 'console').map(e => e.raw ?? '');
  return lastExceptionDump(lines).map(line => line.slice(0, LINE_LENGTH));
}
