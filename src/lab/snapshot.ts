import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../common/errors.ts';
import type { MachineFiles } from './machine/qemu-args.ts';
import { saveState } from './machine/state.ts';
import type { Session } from './session.ts';

/** A part in the cache never changes under its path; any other file is read. */
function fingerprint(path: string, cacheDir: string): string {
  const { size, mtimeMs } = statSync(path);
  if (path.startsWith(`${cacheDir}/`)) return `${size} ${mtimeMs}`;
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * The state of a machine after its boot, kept so that the next run need not boot. Its name is made of everything the
 * state depends on: the QEMU command line and each file in it.
 */
export class Snapshot {
  readonly file: string;

  /**
   * @param argv the QEMU command line, with sockets that are the same for every run
   * @param files what it boots: known by content, since a path of the user's own may hold another kernel tomorrow
   * @param extra what else was done before the state was taken
   */
  constructor(cacheDir: string, argv: readonly string[], files: MachineFiles, extra: readonly string[]) {
    const hash = createHash('sha256').update(JSON.stringify([...argv, ...extra]));
    const { qemu, guest, ...booted } = files;
    for (const path of [...qemu, ...Object.values({ ...booted, ...guest })]) {
      if (existsSync(path) && statSync(path).isFile()) hash.update(`${path} ${fingerprint(path, cacheDir)}\n`);
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
