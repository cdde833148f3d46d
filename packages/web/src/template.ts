/**
 * @module The page as one HTML file, and files put into it. The published package carries the template; in a clone it is built
 * of the sources when it is first asked for.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import type { Which } from './served.ts';
import { escapeMarkup } from '@syndrome/decode/common/markup.ts';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';

/** A file that a page carries. */
export interface PageFile {
  /** What it is: the page that shows it looks for that word. */
  kind: 'trace' | 'log' | 'matrix';
  /** What it is called there. */
  name: string;
  bytes: Uint8Array;
}

/** Where the files of a page stand in its template. */
const PLACE = '<!--DATA-->';
/** Where what is shown without scripts stands. */
const STATIC_PLACE = '<!--STATIC-->';
/** In the published package, packed; a clone has none. */
const BUILT: Readonly<Record<Which, string>> = {
  page: join(import.meta.dirname, '../template.html.br'),
  fleet: join(import.meta.dirname, '../fleet.html.br'),
};

/** All that a template is made of, but for the tools of the lock file. */
const SOURCES = ['decode/src', 'trace/src', 'web/src', 'supervisor/src/client'].map(
  folder => `packages/${folder}/**/*.{ts,tsx,css}`,
);

/** Names the template of these sources. */
function sourcesHash(root: string): string {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: root })
    .filter(file => !/\.test\.ts$|\/testing\//.test(file))
    .toSorted();
  for (const file of [...files, 'package-lock.json']) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 32);
}

/** A template of this program: carried, or built and kept beside the packages of the clone. */
export async function template(which: Which = 'page'): Promise<string> {
  if (existsSync(BUILT[which])) return brotliDecompressSync(readFileSync(BUILT[which])).toString('utf8');
  const root = join(import.meta.dirname, '../../..');
  const cache = join(root, 'node_modules/.cache/syndrome-web');
  const folder = join(cache, sourcesHash(root));
  const kept = join(folder, `${which}.html`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { buildTemplate } = await import('./build.ts');
  const html = await buildTemplate(which);
  try {
    // Of older sources none is asked for again.
    if (!existsSync(folder)) rmSync(cache, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeWhole(kept, html);
  } catch {
    // A clone that cannot be written to: it is built again the next time.
  }
  return html;
}

/**
 * A page that carries files. They are packed and in base64, which has no character that HTML obeys: whatever a file holds
 * stays data.
 * @param html a template
 * @param files shown when the page is opened; of two traces the first is A
 * @param unscripted elements that are shown where scripts are not allowed, made by this program (`matrixHtml`)
 */
export function fillTemplate(html: string, files: readonly PageFile[], unscripted?: string): string {
  const blocks = files.map(({ kind, name, bytes }) => {
    const data = gzipSync(bytes, { level: 9 }).toString('base64');
    return `<script type="application/gzip;base64" data-kind="${kind}" data-name="${escapeMarkup(name)}">${data}</script>`;
  });
  // By a function: a string would obey `$&`.
  const filled = html.replace(PLACE, () => blocks.join('\n'));
  return unscripted === undefined ? filled : filled.replace(STATIC_PLACE, () => unscripted);
}
