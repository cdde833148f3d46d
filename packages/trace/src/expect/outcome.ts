import type { EventName } from '@syndrome/decode/events/catalog.ts';
import type { TraceEvent } from '../event.ts';
import type { TraceIndex } from '../trace-index.ts';
import { OUTCOMES, type Outcome } from '@syndrome/decode/outlook/prediction.ts';

export { OUTCOMES, type Outcome };

/** How a VMM says that the guest was reset: QEMU, and the reference VMM. */
function isReset(event: TraceEvent): boolean {
  if (event.name === 'vmm.stopped') return event.fields?.reason === 'reset';
  return (event.name === 'vmm.reset' || event.name === 'vmm.shutdown') && event.fields?.reason === 'guest-reset';
}

const PANICS: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'guest.panic',
  'host.panic',
  'xen.panic',
  'xen.fatal-mce',
  'vmm.guest-panicked',
]);
const LOGGED: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'guest.mce',
  'guest.mce-record',
  'guest.mce-logged',
  'guest.edac-amd',
  'guest.cper',
  'guest.memory-failure',
  'xen.mce',
  'xen.mce-bank',
  'xen.virq',
]);

type Sign = (event: TraceEvent, state: { panicked: boolean }) => boolean;

/** Which events are signs of which outcome. A reboot after a panic is the panic's, not a reset. */
const SIGNS: Record<Exclude<Outcome, 'none'>, Sign> = {
  'vmm-died': e => e.name === 'vmm.exit' && e.fields?.expected === false,
  reset: (e, s) => (e.name === 'vmm.memory-failure' && e.fields?.action === 'reset') || (!s.panicked && isReset(e)),
  panicked: e => PANICS.has(e.name),
  hung: e => e.name === 'guest.silent',
  killed: e => e.name === 'process.exit' && e.fields?.status === 'signaled',
  signalled: e => e.name === 'process.signal' && e.fields?.signal === 'SIGBUS',
  logged: e =>
    LOGGED.has(e.name) || (e.name === 'guest.interrupts' && typeof e.fields?.delta === 'number' && e.fields.delta > 0),
};

/** The outcome of a run: the worst sign seen from the first injection on. */
export function outcomeOf(events: readonly TraceEvent[], { zero }: TraceIndex): Outcome {
  const seen = new Set<Outcome>();
  const state = { panicked: false };
  for (const event of events) {
    if (event.t < zero) continue;
    for (const [outcome, sign] of Object.entries(SIGNS) as [Outcome, Sign][]) {
      if (sign(event, state)) seen.add(outcome);
    }
    state.panicked ||= seen.has('panicked');
  }
  return OUTCOMES.find(o => seen.has(o)) ?? 'none';
}
