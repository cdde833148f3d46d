import type { TraceEvent } from '../event.ts';
import type { TraceIndex } from '../trace-index.ts';
import { OUTCOMES, type Outcome } from '@syndrome/decode/outlook/prediction.ts';

export { OUTCOMES, type Outcome };

/** How a VMM says that the guest was reset: QEMU, and the reference VMM. */
const RESETS = [
  ['vmm.reset', 'guest-reset'],
  ['vmm.shutdown', 'guest-reset'],
  ['vmm.stopped', 'reset'],
] as const;

type Sign = (event: TraceEvent, state: { panicked: boolean }) => boolean;

/** Which events are signs of which outcome. A reboot after a panic is the panic's, not a reset. */
const SIGNS: Record<Exclude<Outcome, 'none'>, Sign> = {
  'vmm-died': e => e.name === 'vmm.exit' && e.fields?.expected === false,
  reset: (e, s) =>
    (e.name === 'vmm.memory-failure' && e.fields?.action === 'reset') ||
    (!s.panicked && RESETS.some(([name, reason]) => e.name === name && e.fields?.reason === reason)),
  panicked: e =>
    ['guest.panic', 'host.panic', 'xen.panic', 'xen.fatal-mce', 'vmm.guest-panicked'].includes(e.name ?? ''),
  hung: e => e.name === 'guest.silent',
  killed: e => e.name === 'process.exit' && e.fields?.status === 'signaled',
  signalled: e => e.name === 'process.signal' && e.fields?.signal === 'SIGBUS',
  logged: e =>
    [
      'guest.mce',
      'guest.mce-record',
      'guest.mce-logged',
      'guest.edac-amd',
      'guest.cper',
      'guest.memory-failure',
      'xen.mce',
      'xen.mce-bank',
      'xen.virq',
    ].includes(e.name ?? '') ||
    (e.name === 'guest.interrupts' && typeof e.fields?.delta === 'number' && e.fields.delta > 0),
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
