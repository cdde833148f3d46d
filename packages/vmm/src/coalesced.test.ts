import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CoalescedRing } from './coalesced.ts';

const PAGE = 4096;
const ENTRIES = 170; // KVM_COALESCED_MMIO_MAX with 4 KiB pages

/** KVM's side of the ring: it leaves one entry free, so that full and empty differ. */
function kvmWrites(area: DataView, address: bigint, value: number): boolean {
  const first = area.getUint32(PAGE, true);
  const last = area.getUint32(PAGE + 4, true);
  if ((first - last - 1 + ENTRIES) % ENTRIES === 0) return false;
  const at = PAGE + 8 + last * 24;
  area.setBigUint64(at, address, true);
  area.setUint32(at + 8, 1, true);
  area.setUint8(at + 16, value);
  area.setUint32(PAGE + 4, (last + 1) % ENTRIES, true);
  return true;
}

describe('CoalescedRing', () => {
  test('everything KVM could put in comes out in order, round and round', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constant('take' as const)), { maxLength: 800 }), steps => {
        const area = new DataView(new ArrayBuffer(2 * PAGE));
        const ring = new CoalescedRing(area, PAGE);
        const put: number[] = [];
        const got: number[] = [];
        for (const step of [...steps, 'take' as const]) {
          if (step === 'take') got.push(...ring.take().map(w => w.value));
          else if (kvmWrites(area, 0x0900_0000n, step)) put.push(step);
        }
        expect(got).toEqual(put);
        expect(ring.empty).toBe(true);
      }),
    );
  });

  test('a full ring', () => {
    const area = new DataView(new ArrayBuffer(2 * PAGE));
    const ring = new CoalescedRing(area, PAGE);
    let put = 0;
    while (kvmWrites(area, BigInt(put), put & 0xff)) put++;
    expect(put).toBe(ENTRIES - 1);
    expect(ring.empty).toBe(false);
    expect(ring.take().map(w => w.address)).toEqual(Array.from({ length: put }, (_, i) => BigInt(i)));
  });

  test('ends that make no sense do not make it run for ever or read beyond', () => {
    const area = new DataView(new ArrayBuffer(2 * PAGE));
    area.setUint32(PAGE, 0xffff_fff0, true);
    area.setUint32(PAGE + 4, 0xffff_ffff, true);
    expect(new CoalescedRing(area, PAGE).take().length).toBeLessThanOrEqual(ENTRIES);
  });
});
