/** @module A matrix in the state folder, beside the traces behind its cells: `syndrome web` lists it. */
import { dirname, join } from 'node:path';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { ensureDir } from '../ensure-dir.ts';
import { stateFolder } from '../state-dir.ts';
import type { MatrixReport } from './matrix.ts';

/** The file of one matrix, written again with every cell. */
export class KeptMatrix {
  readonly file: string;
  /** Why it could not be written; the matrix goes on all the same. */
  lost: Error | undefined;

  /** @throws LabError E_LAB_STATE_DIR */
  constructor(scenario: string, startedAt: Date) {
    const stamp = startedAt.toISOString().replace(/[-:]/g, '').replace('.', '-');
    this.file = join(stateFolder('matrices'), `${scenario}-${stamp}-${process.pid}.json`);
  }

  write(report: MatrixReport): void {
    try {
      ensureDir(dirname(this.file));
      writeWhole(this.file, `${stringify(report)}\n`);
    } catch (error) {
      this.lost ??= error as Error;
    }
  }
}
