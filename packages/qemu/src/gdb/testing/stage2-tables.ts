/**
 * Builds stage-2 tables for tests, written apart from the walk and the other way round: by dividing addresses, from
 * the pages up, so that a mistake in one is not repeated in the other.
 */

export type VtcrFields = {
  t0sz: number;
  sl0: number;
  sl2?: number;
  tg0: number;
  ps: number;
  ds?: number;
  d128?: number;
};

/** VTCR_EL2 of its fields (Arm ARM, VTCR_EL2). */
export function vtcrOf({ t0sz, sl0, sl2 = 0, tg0, ps, ds = 0, d128 = 0 }: VtcrFields): bigint {
  const at = (value: number, bit: number): bigint => BigInt(value) * 2n ** BigInt(bit);
  return at(t0sz, 0) + at(sl0, 6) + at(tg0, 14) + at(ps, 16) + at(1, 31) + at(ds, 32) + at(sl2, 33) + at(d128, 38);
}

export type Mapping = { ipa: bigint; pa: bigint; level: number };

const granuleBytes = [4096n, 65536n, 16384n];
const startLevels = [
  [2, 1, 0, 3],
  [3, 2, 1],
  [3, 2, 1, 0],
];

export class Stage2Tables {
  readonly vtcr: bigint;
  readonly vttbr: bigint;
  readonly #fields: VtcrFields;
  readonly #memory = new Map<bigint, bigint>();
  readonly #granule: bigint;
  readonly #startLevel: number;
  readonly #start: bigint;
  #nextTable: bigint;

  constructor(fields: VtcrFields) {
    this.#fields = fields;
    this.#granule = granuleBytes[fields.tg0]!;
    this.#startLevel = fields.sl2 ? -1 : startLevels[fields.tg0]![fields.sl0]!;
    // Aligned to 16 tables of 64 KiB, which is enough for all; with 52 bits somewhere above 48.
    this.#start = fields.ps === 6 ? 0x9_0000_4100_0000n : 0x4100_0000n;
    this.#nextTable = this.#start + 16n * 65536n;
    this.vtcr = vtcrOf(fields);
    const [high, low] = [this.#start / 2n ** 48n, this.#start % 2n ** 48n];
    this.vttbr = 0x7n * 2n ** 48n + low + high * 4n;
  }

  /** The u64 at an address; 0 where nothing was written. */
  read(address: bigint): bigint {
    return this.#memory.get(address) ?? 0n;
  }

  /** Maps a page (level 3) or a block, with the tables it needs. */
  map({ ipa, pa, level }: Mapping): void {
    let table = this.#start;
    for (let at = this.#startLevel; at < level; at++) {
      const slot = this.#slot(table, ipa, at);
      let next = this.#tables.get(slot);
      if (next === undefined) {
        next = this.#nextTable;
        this.#nextTable += this.#granule;
        this.#tables.set(slot, next);
        this.#memory.set(slot, this.#withAddress(next) + 3n);
      }
      table = next;
    }
    const accessFlag = 1024n;
    this.#memory.set(this.#slot(table, ipa, level), this.#withAddress(pa) + accessFlag + (level === 3 ? 3n : 1n));
  }

  readonly #tables = new Map<bigint, bigint>();

  #slot(table: bigint, ipa: bigint, level: number): bigint {
    const entries = this.#granule / 8n;
    const covered = this.#granule * entries ** BigInt(3 - level);
    const index = ipa / covered;
    // The start tables take all that is left; those below, their share.
    return table + 8n * (level === this.#startLevel ? index : index % entries);
  }

  #withAddress(address: bigint): bigint {
    if (this.#fields.ps !== 6) return address;
    if (this.#fields.tg0 === 1) return (address % 2n ** 48n) + (address / 2n ** 48n) * 2n ** 12n;
    return (address % 2n ** 50n) + (address / 2n ** 50n) * 2n ** 8n;
  }
}
