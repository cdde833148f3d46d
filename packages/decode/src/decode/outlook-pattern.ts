/**
 * @module Which records have the same outlook but for the values in what is printed. Most of a status decides nothing there: the
 * rules say themselves which bits they looked at, and records that are alike in those share an object.
 */
import { McaKey } from '../mca/deciding.ts';
import type { X86McaRecord } from '../mca/record.ts';

/** Records of the same readers whose status was looked at in the same bits. */
interface Group {
  readonly readers: string;
  readonly asked: bigint;
  /** By the hash of the key. */
  readonly known: Map<number, { key: Uint32Array; pattern: object }>;
}

/** When there are more all are forgotten; what is common returns at once. */
const MAX_GROUPS = 32;
const MAX_KEPT = 1024;

/** The outlooks that one decoder met, by what decided them. */
export class OutlookPatterns {
  readonly #key = new McaKey();
  #groups: Group[] = [];

  /**
   * The object of a record, the same for all whose outlook was decided by the same bits.
   * @param predict makes the outlook, and gives the bits of the status that counted
   */
  of(record: X86McaRecord, readers: string, predict: () => bigint): object {
    const key = this.#key;
    key.pack(record);
    const rest = key.hashOfRest();
    for (const group of this.#groups) {
      if (group.readers !== readers) continue;
      key.onlyStatus(group.asked, record);
      const found = group.known.get(key.hashWith(rest));
      if (found !== undefined && key.equals(found.key)) return found.pattern;
    }
    const asked = predict();
    let group = this.#groups.find(g => g.readers === readers && g.asked === asked);
    if (group === undefined) {
      if (this.#groups.length >= MAX_GROUPS) this.#groups = [];
      this.#groups.push((group = { readers, asked, known: new Map() }));
    }
    key.onlyStatus(asked, record);
    if (group.known.size >= MAX_KEPT) group.known.clear();
    const pattern = {};
    group.known.set(key.hashWith(rest), { key: key.copy(), pattern });
    return pattern;
  }
}
