import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { isStale, type Owner, ownerOf, thisProcess } from './supply/lock.ts';
import { ensureDir } from './ensure-dir.ts';
import { stateFolder } from './state-dir.ts';

/** Where runs write down which page frames of this very machine they poison. */
export const poisonDir = (): string => stateFolder('host-poison');

/** Frames that a run of this boot has poisoned. */
interface Written {
  file: string;
  owner: Owner;
  frames: bigint[];
}

/** The frames that one run poisons, on the disk before the kernel is told: `kill -9` does not make them forgotten. */
export class PoisonRecord {
  readonly file: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, `${process.pid}-${randomBytes(6).toString('hex')}.json`);
  }

  /** Writes down these frames and no others; without any the file goes. */
  write(frames: Iterable<bigint>): void {
    ensureDir(this.#folder);
    rewrite(this.#folder, { file: this.file, owner: thisProcess(), frames: [...frames] });
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function rewrite(folder: string, { file, owner, frames }: Written): void {
  if (frames.length === 0) return rmSync(file, { force: true });
  writeWhole(file, JSON.stringify({ owner, frames: frames.map(pfn => `0x${pfn.toString(16)}`) }));
  syncFolder(folder);
}

/** The text of such a file: its owner, and those of its frames that can be read; undefined when it is none. */
export function parseWritten(text: string): Omit<Written, 'file'> | undefined {
  const { owner, frames } = parseObject(text) ?? {};
  const known = ownerOf(owner);
  if (known === undefined || !Array.isArray(frames)) return undefined;
  return { owner: known, frames: frames.flatMap(f => (typeof f === 'string' ? (parseU64(f) ?? []) : [])) };
}

function read(file: string): Written | undefined {
  try {
    const written = parseWritten(readFileSync(file, 'utf8'));
    return written && { file, ...written };
  } catch {
    return undefined;
  }
}

/**
 * What runs that are no more have left poisoned. Poison ends with the boot. A run of another pid namespace cannot be seen
 * from here, so it is left alone.
 */
function leftBehind(folder: string): Written[] {
  const here = thisProcess();
  let names: string[];
  try {
    names = readdirSync(folder).filter(name => name.endsWith('.json'));
  } catch {
    return [];
  }
  const written = names.flatMap(name => read(join(folder, name)) ?? []);
  return written.filter(
    ({ owner }) => owner.boot === here.boot && owner.namespace === here.namespace && isStale(owner, 0, here),
  );
}

/** The page frames of this very machine that runs which are no more have left poisoned. */
export function leftPoison(folder: string = poisonDir()): bigint[] {
  return leftBehind(folder).flatMap(w => w.frames);
}

/**
 * Gives such frames back, with the consent of the user only.
 * @param unpoison throws where the kernel refuses; such a frame stays written down
 */
export function giveBackLeft(
  unpoison: (pfn: bigint) => void,
  folder: string = poisonDir(),
): { given: bigint[]; refused: bigint[] } {
  const given: bigint[] = [];
  const refused: bigint[] = [];
  for (const written of leftBehind(folder)) {
    const kept = written.frames.filter(pfn => {
      try {
        unpoison(pfn);
        given.push(pfn);
        return false;
      } catch {
        return true;
      }
    });
    refused.push(...kept);
    rewrite(folder, { ...written, frames: kept });
  }
  return { given, refused };
}

/** Page frames for people. */
export const frameList = (frames: readonly bigint[]): string => frames.map(pfn => `0x${pfn.toString(16)}`).join(', ');
