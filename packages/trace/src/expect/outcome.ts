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

/** A reset that was asked for from outside the guest. Source: QEMU qapi/run-state.json, ShutdownCause `host-qmp-system-reset`. */
function isAsked(event: TraceEvent): boolean {
  return event.name === 'vmm.reset' && String(event.fields?.reason).startsWith('host-');
}

const PANICS: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'guest.panic',
  'host.panic',
  'xen.panic',
  'xen.fatal-mce',
  'vmm.guest-panicked',
]);
const BOOTS: ReadonlySet<EventName | undefined> = new Set<EventName>(['guest.boot', 'host.boot', 'xen.boot']);
const LOGGED: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'guest.mce',
  'guest.mce-record',
  'guest.mce-logged',
  'guest.edac-amd',
  'guest.cper',
  'guest.cper-previous-boot',
  'guest.memory-failure',
  'guest.cxl-uncorrected',
  'guest.cxl-corrected',
  'guest.cxl-info',
  'guest.pcie-corrected',
  'guest.pcie-uncorrected',
  'xen.mce',
  'xen.mce-bank',
  'xen.virq',
]);

/** Which events are signs of which outcome; for a reset of the guest see {@link Resets}. */
const SIGNS: Record<Exclude<Outcome, 'none'>, (event: TraceEvent) => boolean> = {
  'vmm-died': e => e.name === 'vmm.exit' && e.fields?.expected === false,
  reset: e => e.name === 'vmm.memory-failure' && e.fields?.action === 'reset',
  panicked: e => PANICS.has(e.name),
  hung: e => e.name === 'guest.silent',
  'domain-crashed': e => e.name === 'xen.domain-crashed' || e.name === 'domu.panic',
  killed: e => e.name === 'process.exit' && e.fields?.status === 'signaled',
  signalled: e => e.name === 'process.signal' && e.fields?.signal === 'SIGBUS',
  logged: e =>
    LOGGED.has(e.name) || (e.name === 'guest.interrupts' && typeof e.fields?.delta === 'number' && e.fields.delta > 0),
};

/**
 * Resets of the guest out of nowhere. What firmware does behind one that was asked for is no other: SeaBIOS resets once more. A reboot after a panic is the panic's, also where the VMM's word of it was read first:
 * a console is another channel, and is read later on a busy machine. What a system prints behind a reset begins with its boot.
 */
class Resets {
  #panicked = false;
  #asked = false;
  #open = false;
  #seen = false;

  get seen(): boolean {
    return this.#seen || this.#open;
  }

  push(event: TraceEvent): void {
    if (PANICS.has(event.name)) {
      this.#panicked = true;
      this.#open = false;
    } else if (isAsked(event)) {
      this.#asked = true;
    } else if (isReset(event)) {
      this.#open ||= !this.#panicked && !this.#asked;
    } else if (BOOTS.has(event.name)) {
      this.#asked = false;
      this.#seen ||= this.#open;
      this.#open = false;
    }
  }
}

/** The outcome of a run: the worst sign seen from the first injection on. */
export function outcomeOf(events: readonly TraceEvent[], { zero }: TraceIndex): Outcome {
  const seen = new Set<Outcome>();
  const resets = new Resets();
  for (const event of events) {
    if (event.t < zero) continue;
    resets.push(event);
    for (const [outcome, sign] of Object.entries(SIGNS) as [Outcome, (event: TraceEvent) => boolean][]) {
      if (sign(event)) seen.add(outcome);
    }
  }
  if (resets.seen) seen.add('reset');
  return OUTCOMES.find(o => seen.has(o)) ?? 'none';
}
