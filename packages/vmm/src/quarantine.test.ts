import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockOf, withoutRange } from './quarantine.ts';
import type { Slot } from './quarantine.ts';

const BASE = 0x4000_0000n;
const HVA = 0xfffd_0000_0000n;
const PAGE = 4096n;
const withoutPage = (slots: readonly Slot[], gpa: bigint) =>
  withoutRange(slots, { gpa: blockOf(gpa, PAGE), size: PAGE });
const whole = (pages: number): Slot[] => [{ slot: 0, gpa: BASE, size: BigInt(pages) * PAGE, hva: HVA }];

describe('withoutPage', () => {
  test('a page in the middle: the slot is deleted and its two sides are made', () => {
    const result = withoutPage(whole(10), BASE + 4n * PAGE + 0x123n);
    expect(result?.changes).toEqual([
      { slot: 0, gpa: BASE, size: 0n, hva: HVA },
      { slot: 0, gpa: BASE, size: 4n * PAGE, hva: HVA },
      { slot: 1, gpa: BASE + 5n * PAGE, size: 5n * PAGE, hva: HVA + 5n * PAGE },
    ]);
  });

  test('the first page, the last page, the only page', () => {
    expect(withoutPage(whole(3), BASE)?.slots).toEqual([
      { slot: 0, gpa: BASE + PAGE, size: 2n * PAGE, hva: HVA + PAGE },
    ]);
    expect(withoutPage(whole(3), BASE + 2n * PAGE)?.slots).toEqual([{ slot: 0, gpa: BASE, size: 2n * PAGE, hva: HVA }]);
    expect(withoutPage(whole(1), BASE)).toEqual({ slots: [], changes: [{ slot: 0, gpa: BASE, size: 0n, hva: HVA }] });
  });

  test('an address without memory, and a page that is gone already', () => {
    expect(withoutPage(whole(3), BASE - 1n)).toBeUndefined();
    expect(withoutPage(whole(3), BASE + 3n * PAGE)).toBeUndefined();
    const once = withoutPage(whole(3), BASE + PAGE);
    expect(withoutPage(once?.slots ?? [], BASE + PAGE + 8n)).toBeUndefined();
  });

  test('any ranges in any order: what is left is exactly the memory without them, and KVM agrees step by step', () => {
    const pages = 64;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: pages - 1 }), fc.nat({ max: 4 })), { maxLength: 40 }), taken => {
        let slots: readonly Slot[] = whole(pages);
        /** KVM's side: slots by number; what KVM_SET_USER_MEMORY_REGION would refuse is refused here. */
        const kvm = new Map<number, Slot>(slots.map(s => [s.slot, s]));
        const gone = new Set<number>();
        for (const [page, log2] of taken) {
          const size = PAGE << BigInt(log2);
          const from = blockOf(BASE + BigInt(page) * PAGE, size);
          const result = withoutRange(slots, { gpa: from, size });
          for (let i = 0; i < 1 << log2; i++) gone.add(Number((from - BASE) / PAGE) + i);
          for (const change of result?.changes ?? []) apply(kvm, change);
          slots = result?.slots ?? slots;
        }
        expect([...kvm.values()].sort(byGpa)).toEqual([...slots].sort(byGpa));
        for (let page = 0; page < pages; page++) {
          const gpa = BASE + BigInt(page) * PAGE;
          const slot = slots.find(s => gpa >= s.gpa && gpa < s.gpa + s.size);
          expect(slot === undefined).toBe(gone.has(page));
          const hva = HVA + BigInt(page) * PAGE;
          expect(slot === undefined ? hva : slot.hva + (gpa - slot.gpa)).toBe(hva);
        }
      }),
    );
  });
});

const byGpa = (a: Slot, b: Slot): number => Number(a.gpa - b.gpa);

function apply(kvm: Map<number, Slot>, change: Slot): void {
  // A slot that is there can only be deleted, and only one that is there can be.
  expect(kvm.has(change.slot)).toBe(change.size === 0n);
  kvm.delete(change.slot);
  if (change.size === 0n) return;
  for (const other of kvm.values())
    expect(change.gpa + change.size <= other.gpa || other.gpa + other.size <= change.gpa).toBe(true);
  expect(change.gpa % PAGE).toBe(0n);
  kvm.set(change.slot, change);
}

test('blockOf', () => {
  expect(blockOf(0x4440_3456n, PAGE)).toBe(0x4440_3000n);
  expect(blockOf(0x4450_3456n, 1n << 21n)).toBe(0x4440_0000n);
});
