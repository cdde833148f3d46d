import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { ensureDir } from '../ensure-dir.ts';
import type { CellParts } from '@syndrome/trace/axes.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import type { RunResult } from '../run.ts';
import { stateFolder } from '../state-dir.ts';

/** A cell and what became of it. */
export interface CellResult {
  cell: CellParts;
  result: RunResult;
}

/** All combinations of what is chosen for each part, the first part varying slowest; a part without a choice is left out. */
export function cellsOf(choices: readonly (readonly [part: keyof CellParts, of: readonly string[]])[]): CellParts[] {
  return choices.reduce<CellParts[]>(
    (cells, [part, of]) => (of.length === 0 ? cells : cells.flatMap(cell => of.map(one => ({ ...cell, [part]: one })))),
    [{}],
  );
}

/** One line of a memory file. */
interface Remembered {
  identity: string;
  result: RunResult;
}

/** What tables and reports read of a result. */
const remembered = z.object({
  identity: z.string(),
  result: z.looseObject({
    schemaVersion: z.number(),
    scenario: z.string(),
    title: z.string(),
    verdict: z.enum(['pass', 'fail', 'error', 'skip']),
    outcome: z.enum(OUTCOMES),
    seconds: z.number(),
    expectations: z.array(
      z.looseObject({
        expectation: z.string(),
        kind: z.enum(['within', 'never', 'count', 'outcome', 'outlook']),
        status: z.enum(['pass', 'fail', 'not-judged']),
        evidence: z.array(z.number()),
        nearest: z.array(z.number()),
        reason: z.string(),
      }),
    ),
    causes: z.array(z.looseObject({ id: z.string(), text: z.string(), history: z.string() })),
    problem: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
    trace: z.string(),
    parts: z.record(z.string(), z.string()),
    phases: z.looseObject({ ready: z.number().optional(), injected: z.number().optional() }),
    restored: z.boolean(),
    restarts: z.number(),
  }),
});

/** A line of a memory file; undefined for one that a kill has torn, or that is damaged. */
export function parseRemembered(line: string): Remembered | undefined {
  try {
    return remembered.parse(JSON.parse(line)) as Remembered;
  } catch {
    return undefined;
  }
}

/**
 * What interrupted matrices of one scenario found out: one line a cell, in the state folder. A matrix that comes to its end
 * forgets its cells: the next one measures again.
 */
export class MatrixMemory {
  readonly file: string;
  /** Why what was found out could not be kept, or forgotten. */
  lost: Error | undefined;
  readonly #known: ReadonlyMap<string, RunResult>;
  readonly #used = new Set<string>();

  constructor(scenario: string) {
    this.file = join(stateFolder('matrix'), `${scenario}.ndjson`);
    this.#known = new Map(this.#read().map(({ identity, result }) => [identity, result]));
  }

  #read(): Remembered[] {
    if (!existsSync(this.file)) return [];
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .flatMap(line => parseRemembered(line) ?? []);
  }

  /** What an earlier matrix found out. A cell whose lab failed is not known. */
  get(identity: string): RunResult | undefined {
    this.#used.add(identity);
    const result = this.#known.get(identity);
    return result?.verdict === 'error' ? undefined : result;
  }

  add(identity: string, result: RunResult): void {
    this.#used.add(identity);
    this.#keep(() => {
      ensureDir(dirname(this.file));
      // The break comes first: a line that a kill has torn stays alone.
      appendFileSync(this.file, `\n${stringify({ identity, result } satisfies Remembered)}\n`, { mode: 0o600 });
    });
  }

  /** The matrix has come to its end: its cells are forgotten, those of other matrices stay. */
  complete(): void {
    this.#keep(() => {
      const others = this.#read().filter(({ identity }) => !this.#used.has(identity));
      if (others.length === 0) return this.forget();
      writeWhole(this.file, others.map(entry => `${stringify(entry)}\n`).join(''));
    });
  }

  /** A full disk costs the memory, not the matrix. */
  #keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.lost ??= error as Error;
    }
  }

  /** Forgets every cell of the scenario. */
  forget(): void {
    rmSync(this.file, { force: true });
  }
}
