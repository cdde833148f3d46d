/** @module Acts on pages of the host (Documentation/ABI/testing/sysfs-memory-page-offline). Only where the configuration allows it. */
import { KPAGEFLAGS, PAGE_FILES } from '@syndrome/decode/registers/linux-pages.ts';
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { join, relative } from 'node:path';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Act, ActResult } from '../../core/act.ts';
import { type Actuator, resultOf } from '../actuator.ts';

/** Entry of the auxiliary vector: the page size (getauxval(3)). */
const AT_PAGESZ = 6n;

interface HostActsOptions {
  /** May this host take pages out of use at all? */
  allowed: boolean;
  sys?: string;
  proc?: string;
}

/** Bytes of a page of this kernel. @throws the error of the file system */
export function pageSize(proc = '/proc'): bigint {
  const vector = readFileSync(join(proc, 'self/auxv'));
  const word = (at: number): bigint =>
    endianness() === 'LE' ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at);
  for (let at = 0; at + 16 <= vector.length; at += 16) if (word(at) === AT_PAGESZ) return word(at + 8);
  return 4096n;
}

/** Whether the kernel has taken a page out of use; undefined where it does not say. */
export function isPoisoned(pfn: bigint, proc = '/proc'): boolean | undefined {
  const flags = Buffer.alloc(8);
  try {
    const fd = openSync(join(proc, 'kpageflags'), 'r');
    try {
      if (readSync(fd, flags, 0, 8, pfn * 8n) !== 8) return undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  return KPAGEFLAGS.read(flags.readBigUInt64LE()).HWPOISON;
}

/** These files can only be written, and sysfs opens none for more than its mode says, also not for root (fs/kernfs/file.c). */
function writeInto(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

const FILES = {
  'soft-offline': PAGE_FILES.softOffline,
  // Its content is of no use: it was bad before the host was booted, and whoever has it now can be moved away.
  're-offline': PAGE_FILES.softOffline,
  'hard-offline': PAGE_FILES.hardOffline,
} as const;

export class HostActs implements Actuator {
  readonly #options: HostActsOptions;

  constructor(options: HostActsOptions) {
    this.#options = options;
  }

  act(act: Act): Promise<ActResult> {
    return Promise.resolve(this.#do(act));
  }

  #do(act: Act): ActResult {
    const { allowed, sys = '/sys', proc = '/proc' } = this.#options;
    const file = Object.hasOwn(FILES, act.kind) ? FILES[act.kind as keyof typeof FILES] : undefined;
    if (file === undefined || act.pfn === undefined)
      return resultOf(act, { state: 'refused', reason: `${act.kind} without a page is no act on a host` });
    if (!allowed)
      return resultOf(act, {
        state: 'refused',
        reason: 'the configuration of this agent does not allow to take pages out of use',
      });
    const seen = { pfn: hex64(act.pfn) };
    if (isPoisoned(act.pfn, proc) === true)
      return resultOf(act, { state: 'confirmed', seen: { ...seen, was: 'out of use' } });
    try {
      writeInto(join(sys, relative('/sys', file)), `${hex64(act.pfn * pageSize(proc))}\n`);
    } catch (error) {
      return resultOf(act, { state: 'failed', reason: messageOf(error), seen });
    }
    const now = isPoisoned(act.pfn, proc);
    if (now === true) return resultOf(act, { state: 'confirmed', seen: { ...seen, now: 'out of use' } });
    if (now === undefined)
      return resultOf(act, {
        state: 'unknown',
        reason: 'the kernel took it, and does not say what became of it',
        seen,
      });
    return resultOf(act, { state: 'failed', reason: 'the kernel took it, and the page is in use', seen });
  }
}
