import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../common/errors.ts';
import { saveState } from './machine/state.ts';
import type { Session } from './session.ts';

/**
 * The state of a machine after its boot, kept so that the next run need not boot. Its name is made of everything the
 * state depends on: the QEMU command line and each file in it.
 */
export class Snapshot {
  readonly file: string;

  /**
   * @param argv the QEMU command line, with sockets that are the same for every run
   * @param extra what else was done before the state was taken
   */
  constructor(cacheDir: string, argv: readonly string[], extra: readonly string[]) {
    const hash = createHash('sha256').update(JSON.stringify([...argv, ...extra]));
    for (const word of argv.flatMap(a => a.split(/[ ,]/))) {
      if (!word.startsWith('/') || !existsSync(word)) continue;
      const { size, mtimeMs } = statSync(word);
      hash.update(`${word} ${size} ${mtimeMs}\n`);
    }
    this.file = join(cacheDir, 'snapshots', `${hash.digest('hex').slice(0, 32)}.state`);
  }

  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Takes the state of a machine that has just become ready. A failure costs the next run its time, nothing else. */
  async save(session: Session): Promise<void> {
    const temporary = `${this.file}.${process.pid}`;
    try {
      mkdirSync(join(this.file, '..'), { recursive: true, mode: 0o700 });
      await saveState(session.outer, temporary);
      renameSync(temporary, this.file);
      session.note('lab.note', { text: 'the state of the machine is kept for the next run' });
    } catch (error) {
      session.signal.throwIfAborted();
      session.note('lab.note', { text: `the state of the machine could not be kept: ${messageOf(error)}` });
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }
}
