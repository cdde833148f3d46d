/**
 * Which memory slots a VM has once memory is taken out of it. Quarantined memory has no slot: KVM has nothing to map, the
 * poison cannot be consumed again, and an access comes out as an exit. Pure.
 */

/** Bytes of guest physical memory from `gpa` on. */
export interface Range {
  gpa: bigint;
  size: bigint;
}

/** A memory slot: guest physical memory that is backed from `hva` on. All multiples of the host's page size. */
export interface Slot extends Range {
  slot: number;
  hva: bigint;
}

/** The naturally aligned block of `size` bytes (a power of two) that an address is in. */
export const blockOf = (address: bigint, size: bigint): bigint => address & ~(size - 1n);

/**
 * Takes a range out of the slots. Undefined when no slot holds any of it. KVM cannot shrink a slot, so each that is hit is
 * deleted (size 0) and what is left of it is made anew: the first piece keeps the number, the second gets a free one.
 * `changes` are the requests to KVM in their order.
 */
export function withoutRange(
  slots: readonly Slot[],
  range: Range,
): { slots: readonly Slot[]; changes: readonly Slot[] } | undefined {
  const end = range.gpa + range.size;
  const hit = slots.filter(s => s.gpa < end && range.gpa < s.gpa + s.size);
  if (hit.length === 0) return undefined;
  const result = slots.filter(s => !hit.includes(s));
  const changes: Slot[] = hit.map(s => ({ ...s, size: 0n }));
  const used = new Set(result.map(s => s.slot));
  for (const old of hit) {
    const pieces = [
      { from: old.gpa, to: range.gpa },
      { from: end, to: old.gpa + old.size },
    ];
    for (const { from, to } of pieces) {
      if (from >= to) continue;
      const slot = used.has(old.slot) ? lowestFree(used, hit) : old.slot;
      used.add(slot);
      const piece = { slot, gpa: from, size: to - from, hva: old.hva + (from - old.gpa) };
      result.push(piece);
      changes.push(piece);
    }
  }
  return { slots: result, changes };
}

/** The lowest number that no slot has and none of `kept` may still want to keep. */
function lowestFree(used: ReadonlySet<number>, kept: readonly Slot[]): number {
  let slot = 0;
  while (used.has(slot) || kept.some(s => s.slot === slot)) slot += 1;
  return slot;
}
