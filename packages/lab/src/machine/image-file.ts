import { globSync } from 'node:fs';
import { join } from 'node:path';

/** A file that goes into an initramfs. */
export interface ImageFile {
  file: string;
  /** Its path there, without the leading slash. With `.js` for a `file` in TypeScript, its types are stripped. */
  path: string;
}

/** The files under a folder, but no tests. */
export function filesUnder(from: string, to: string): ImageFile[] {
  return globSync('**/*', { cwd: from, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
    .map(file => ({ file, path: `${to}${file.slice(from.length)}` }));
}
