import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { takeLock } from './supply/lock.ts';
import { abortError } from './errors.ts';
import { boundStates, statesDir } from './kept-states.ts';
import type { MachineFiles } from './machines/kind.ts';
import { saveState } from './machine/state.ts';
import type { Session } from './session.ts';

/** A part in the cache never changes under its path; any other file is read. */
function fingerprint(path: string, cacheDir: string): string {
  const { size, mtimeMs } = statSync(path);
  if (path.startsWith(`${cacheDir}/`)) return `${size} ${mtimeMs}`;
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** How long a run waits for another one that makes the same state, before it boots a machine without keeping it. */
const CLAIM_MS = 90_000;

/** Writes a file (or the names in a folder) through to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The state of a machine after its boot, kept so that the next run need not boot. Its name is made of everything the
 * state depends on: the QEMU command line and each file in it.
 */
export class Snapshot {
  readonly file: string;
  /** 32 hex digits. */
  readonly name: string;
  readonly #cacheDir: string;
  #release: (() => void) | undefined;

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
    this.#cacheDir = cacheDir;
    this.name = hash.digest('hex').slice(0, 32);
    this.file = join(statesDir(cacheDir), `${this.name}.state`);
  }

  get exists(): boolean {
    return existsSync(this.file);
  }

  /**
   * Claims the making of this state. While another run, in this process or any other, is at it, this one waits: it may
   * find the state finished then.
   * @param say told why this run waits, or goes on without the claim
   * @returns false when the claim could not be had in time: what this run boots is not kept
   * @throws LabInterrupted, LabError E_LAB_TIMEOUT
   */
  async claim(signal: AbortSignal, say: (text: string) => void, deadlineMs = CLAIM_MS): Promise<boolean> {
    try {
      const locks = join(this.#cacheDir, 'locks');
      mkdirSync(locks, { recursive: true, mode: 0o700 });
      this.#release = await takeLock(locks, `state-${this.name}`, {
        deadlineMs,
        signal,
        onWait: owner => say(`waits for process ${owner.pid}, which makes the state that this run needs`),
      });
      return true;
    } catch (error) {
      if (signal.aborted) throw abortError(signal, 'another run that makes the same state');
      say(`the state of the machine will not be kept: ${messageOf(error)}`);
      return false;
    }
  }

  /** Lets others make, or restore, this state. Safe to call at any time, also twice. */
  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /**
   * Takes the state of a machine that has just become ready, if its making was claimed, and gives the claim back. A
   * failure costs the next run its time, nothing else.
   */
  async save(session: Session): Promise<void> {
    if (!this.#release) return;
    const folder = dirname(this.file);
    const temporary = `${this.file}.${process.pid}.${randomBytes(6).toString('hex')}`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await saveState(session.outer, temporary);
      // A name that outlives a crash of this machine has to stand for a whole file.
      await sync(temporary);
      renameSync(temporary, this.file);
      await sync(folder);
      session.note('lab.note', { text: 'the state of the machine is kept for the next run' });
      const removed = boundStates(this.#cacheDir, this.file).length;
      if (removed > 0) session.note('lab.note', { text: `kept states removed to make room: ${removed}` });
    } catch (error) {
      if (session.signal.aborted) throw abortError(session.signal, 'the state of the machine');
      session.note('lab.note', { text: `the state of the machine could not be kept: ${messageOf(error)}` });
    } finally {
      rmSync(temporary, { force: true });
      this.release();
    }
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }
}
