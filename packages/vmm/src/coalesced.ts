/**
 * The ring of MMIO writes that KVM kept back (`struct kvm_coalesced_mmio_ring`, linux/kvm.h): u32 first, last; then
 * entries of u64 address, u32 length, u32 pio, u8 data[8]. KVM writes at `last`, the VMM reads at `first`. Pure.
 */
const HEADER_BYTES = 8;
const ENTRY_BYTES = 24;

export class CoalescedRing {
  readonly #area: DataView;
  readonly #ends: Int32Array;
  readonly #entries: number;

  /** @param area memory that holds the ring from `offset` to its end; 4-byte aligned. */
  constructor(area: DataView, offset: number) {
    this.#area = new DataView(area.buffer, area.byteOffset + offset, area.byteLength - offset);
    this.#ends = new Int32Array(area.buffer, area.byteOffset + offset, 2);
    this.#entries = Math.floor((this.#area.byteLength - HEADER_BYTES) / ENTRY_BYTES);
  }

  get empty(): boolean {
    return Atomics.load(this.#ends, 0) === Atomics.load(this.#ends, 1);
  }

  /** Takes all writes in order. `value` is the first byte that was written. */
  take(): { address: bigint; value: number }[] {
    const writes: { address: bigint; value: number }[] = [];
    let first = Atomics.load(this.#ends, 0) >>> 0;
    const last = Atomics.load(this.#ends, 1) >>> 0;
    for (; first !== last && writes.length < this.#entries; first = (first + 1) % this.#entries) {
      const at = HEADER_BYTES + (first % this.#entries) * ENTRY_BYTES;
      writes.push({ address: this.#area.getBigUint64(at, true), value: this.#area.getUint8(at + 16) });
    }
    Atomics.store(this.#ends, 0, first);
    return writes;
  }
}
