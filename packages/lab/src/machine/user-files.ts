/** What a user adds to an initramfs: a folder, or an archive of their own. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CpioEntry } from '../guest/newc.ts';
import { LabSkip } from '../errors.ts';

/** An initramfs of the user's own, as the kernel unpacks it: several archives, packed or not, one behind another. */
interface UserFiles {
  entries: CpioEntry[];
  /** Unpacked before the entries; what stands in both is the entries'. */
  archive?: Uint8Array;
}

/** A part begins at a multiple of so many bytes: Documentation/driver-api/early-userspace/buffer-format.rst. */
const ALIGN = 4;
/** Permission bits of st_mode. */
const PERMISSIONS = 0o7777;

/** The files and links under a folder; what is neither is left out. */
function entriesUnder(folder: string, at = ''): CpioEntry[] {
  return readdirSync(join(folder, at))
    .toSorted()
    .flatMap((name): CpioEntry[] => {
      const path = at === '' ? name : `${at}/${name}`;
      const file = join(folder, path);
      const stat = lstatSync(file);
      if (stat.isSymbolicLink()) return [{ type: 'symlink', path, target: readlinkSync(file) }];
      const mode = stat.mode % (PERMISSIONS + 1);
      if (stat.isDirectory()) return [{ type: 'directory', path, mode }, ...entriesUnder(folder, path)];
      return stat.isFile() ? [{ type: 'file', path, mode, data: readFileSync(file) }] : [];
    });
}

/**
 * Reads what a user adds to the image of a guest.
 * @param path of a folder, whose content goes under `/`, or of a file: an initramfs, packed as the kernel can unpack it
 * @throws LabSkip E_LAB_FILES
 */
export function userFiles(path: string): UserFiles {
  try {
    if (statSync(path).isDirectory()) return { entries: entriesUnder(resolve(path)) };
    const archive = readFileSync(path);
    const padding = (ALIGN - (archive.length % ALIGN)) % ALIGN;
    return { entries: [], archive: Buffer.concat([archive, Buffer.alloc(padding)]) };
  } catch (cause) {
    throw new LabSkip('E_LAB_FILES', `the files for the guest cannot be read: ${path}`, { cause });
  }
}
