/**
 * Which memory slots a VM has once pages are taken out of it. A quarantined page has no slot: KVM has nothing to map, the
 * poison cannot be consumed again, and an access comes out as an exit. Pure.
 */
import { PAGE } from './layout.ts';

/** A memory slot: `size` bytes of guest physical memory at `gpa`, backed from `hva` on. All page-aligned. */
export interface Slot {
  slot: number;
  gpa: bigint;
  size: bigint;
  hva: bigint;
}

/** Requests to KVM in order: a slot of size 0 is deleted. */
export type SlotChange = Slot;

export const pageOf = (address: bigint): bigint => address & ~(PAGE - 1n);

/** The slot an address is in, or undefined. */
export function slotAt(slots: readonly Slot[], gpa: bigint): Slot | undefined {
  return slots.find(s => gpa >= s.gpa && gpa < s.gpa + s.size);
}

/** The guest physical address that a host address backs, or undefined. */
export function gpaOfHva(slots: readonly Slot[], hva: bigint): bigint | undefined {
  const slot = slots.find(s => hva >= s.hva && hva < s.hva + s.size);
  return slot === undefined ? undefined : slot.gpa + (hva - slot.hva);
}

/**
 * Takes the page at `gpa` out of the slots. Undefined when no slot holds it. KVM cannot shrink a slot, so it is deleted
 * and its two sides are made anew: the first keeps the number, the second gets the lowest free one.
 */
export function withoutPage(
  slots: readonly Slot[],
  gpa: bigint,
): { slots: readonly Slot[]; changes: readonly SlotChange[] } | undefined {
  const page = pageOf(gpa);
  const old = slotAt(slots, page);
  if (old === undefined) return undefined;
  const others = slots.filter(s => s !== old);
  const pieces: Slot[] = [];
  const used = new Set(others.map(s => s.slot));
  const add = (start: bigint, end: bigint): void => {
    if (start >= end) return;
    const slot = used.has(old.slot) ? lowestFree(used) : old.slot;
    used.add(slot);
    pieces.push({ slot, gpa: start, size: end - start, hva: old.hva + (start - old.gpa) });
  };
  add(old.gpa, page);
  add(page + PAGE, old.gpa + old.size);
  return { slots: [...others, ...pieces], changes: [{ ...old, size: 0n }, ...pieces] };
}

function lowestFree(used: ReadonlySet<number>): number {
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}
