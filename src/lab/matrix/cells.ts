import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from '../../common/hex.ts';
import { ensureDir } from '../ensure-dir.ts';
import { type RunResult, stateDir } from '../run.ts';

/** One cell of a matrix: what is varied. A missing member is the scenario's own choice. */
export interface Cell {
  kernel?: string;
  hostKernel?: string;
  cpu?: string;
}

/** A cell and what became of it. */
export interface CellResult {
  cell: Cell;
  result: RunResult;
}

export const cellKey = (cell: Cell): string =>
  JSON.stringify([cell.kernel ?? null, cell.hostKernel ?? null, cell.cpu ?? null]);

/** All combinations of the axes, kernels varying slowest. */
export function cellsOf(kernels: readonly string[], hostKernels: readonly string[], cpus: readonly string[]): Cell[] {
  const or = (axis: readonly string[]): (string | undefined)[] => (axis.length === 0 ? [undefined] : [...axis]);
  return or(kernels).flatMap(kernel =>
    or(hostKernels).flatMap(hostKernel =>
      or(cpus).map(cpu => ({
        ...(kernel === undefined ? {} : { kernel }),
        ...(hostKernel === undefined ? {} : { hostKernel }),
        ...(cpu === undefined ? {} : { cpu }),
      })),
    ),
  );
}

/** What earlier, interrupted runs of the same matrix found out: one line a cell, kept in the state folder. */
export class MatrixMemory {
  readonly file: string;
  readonly #known = new Map<string, CellResult>();

  /** @param identity everything a result depends on but the cell: the scenario's text, options, versions */
  constructor(identity: readonly string[]) {
    const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
    this.file = join(stateDir(), 'matrix', `${key}.ndjson`);
    if (!existsSync(this.file)) return;
    for (const line of readFileSync(this.file, 'utf8').split('\n')) {
      try {
        const entry = JSON.parse(line) as CellResult;
        this.#known.set(cellKey(entry.cell), entry);
      } catch {
        // The last line of a run that was killed.
      }
    }
  }

  get(cell: Cell): CellResult | undefined {
    return this.#known.get(cellKey(cell));
  }

  add(entry: CellResult): void {
    this.#known.set(cellKey(entry.cell), entry);
    ensureDir(dirname(this.file));
    appendFileSync(this.file, `${stringify(entry)}\n`);
  }

  forget(): void {
    this.#known.clear();
    rmSync(this.file, { force: true });
  }
}
