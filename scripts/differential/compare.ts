/** @module Two decoders beside one another: what each says of a record, and of what they say apart who is right. */
import { hex64 } from '@syndrome/decode/common/hex.ts';

/** Name of a fact → what is said of it; a fact that one of the two does not speak of is missing there. */
export type Facts = Readonly<Record<string, string>>;

/** A disagreement that is known. */
export interface Judged {
  /** The fact, and what each says of it; `-` where one does not speak of it. */
  readonly fact: string;
  readonly theirs: RegExp;
  readonly ours: RegExp;
  /** Of which records, where not of all. */
  readonly when?: (status: bigint) => boolean;
  readonly right: 'ours' | 'both';
  readonly why: string;
}

interface Met {
  count: number;
  /** What each said, and of which record. */
  example: string;
}

/** Facts that are a matter of the code: they can be compared where both read the same one. */
const OF_CODE: ReadonlySet<string> = new Set(['TT', 'LL', 'RRRR', 'PP', 'T', 'II', 'MMM', 'CCCC']);

/** Collects the disagreements of many records, each under the judgement that speaks of it. */
export class Comparison {
  readonly #rows: readonly Judged[];
  readonly #met = new Map<Judged, Met>();
  readonly #open = new Map<string, Met>();

  constructor(rows: readonly Judged[]) {
    this.#rows = rows;
  }

  /** All that the two say of one record. @param where words that name it, as `bank 7` */
  facts(theirs: Facts, ours: Facts, status: bigint, where: string): void {
    for (const fact of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      // What a bank without VAL holds is nothing to one of the two, and something to the other.
      if (fact !== 'valid' && ours['valid'] === 'no') continue;
      if (OF_CODE.has(fact) && theirs['code'] !== ours['code']) continue;
      const [a = '-', b = '-'] = [theirs[fact], ours[fact]];
      if (a !== b) this.differ(fact, a, b, status, where);
    }
  }

  /** One disagreement. */
  differ(fact: string, theirs: string, ours: string, status: bigint, where: string): void {
    const row = this.#rows.find(
      j => j.fact === fact && j.theirs.test(theirs) && j.ours.test(ours) && (j.when === undefined || j.when(status)),
    );
    const name = `${fact}: ${theirs}, ${ours}`;
    const met = row === undefined ? this.#open.get(name) : this.#met.get(row);
    const first = { count: 1, example: `${theirs} against ${ours}, status ${hex64(status)}, ${where}` };
    if (met !== undefined) met.count++;
    else if (row === undefined) this.#open.set(name, first);
    else this.#met.set(row, first);
  }

  /** Disagreements that nobody judged, with how often they were met and a record of each. */
  get open(): string[] {
    return [...this.#open].map(([what, { count, example }]) => `${what}; ${count} times, as ${example}`);
  }

  /** Judgements that no record met: rows that may go. */
  get idle(): Judged[] {
    return this.#rows.filter(row => !this.#met.has(row));
  }

  /** How often a judgement was met. */
  count(row: Judged): number {
    return this.#met.get(row)?.count ?? 0;
  }

  /** The list, a paragraph for each judgement and for each disagreement that nobody judged. */
  report(): string[] {
    const judged = this.#rows.map(row => {
      const met = this.#met.get(row);
      const seen = met === undefined ? 'not met' : `${met.count} times, as ${met.example}`;
      return `${row.fact}: right ${row.right === 'both' ? 'are both' : 'is ours'}; ${seen}\n  ${row.why}`;
    });
    return [...judged, ...this.open.map(what => `not judged: ${what}`)];
  }
}
