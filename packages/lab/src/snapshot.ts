import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { takeLock } from './supply/lock.ts';
import { abortError } from './errors.ts';
import { boundStates, statesDir } from './kept-states.ts';
import { saveState } from './machine/state.ts';
import type { Session } from './session.ts';

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

/** The state of a machine after its boot, kept so that the next run need not boot. */
export class Snapshot {
  readonly file: string;
  readonly #name: string;
  readonly #cacheDir: string;
  #release: (() => void) | undefined;

  /** @param identity of the machine in this state (identity.ts): the name of the file */
  constructor(cacheDir: string, identity: string) {
    this.#cacheDir = cacheDir;
    this.#name = identity;
    this.file = join(statesDir(cacheDir), `${identity}.state`);
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
      this.#release = await takeLock(locks, `state-${this.#name}`, {
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
