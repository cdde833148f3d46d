/** @module Where a playbook is found: a link for whoever reads a notice. Nothing here is ever fetched. */
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Those that come with the program. */
const SHIPPED = join(import.meta.dirname, '../../../../docs/playbooks');
const END = '.md';

/** Their names, without the end of a file name. */
export function playbookNames(): string[] {
  return readdirSync(SHIPPED)
    .filter(file => file.endsWith(END))
    .map(file => file.slice(0, -END.length))
    .toSorted();
}

/** The text of a playbook that comes with the program; undefined where there is none of that name. */
export function playbookText(name: string): string | undefined {
  const bare = name.endsWith(END) ? name.slice(0, -END.length) : name;
  // Of names that are there: none leads out of the folder.
  return playbookNames().includes(bare) ? readFileSync(join(SHIPPED, `${bare}${END}`), 'utf8') : undefined;
}

/** Why something is no place of playbooks; undefined where it is one. */
export function playbooksFault(base: string): string | undefined {
  if (isAbsolute(base)) return undefined;
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url?.protocol !== 'https:') return 'it is neither an https URL nor an absolute path';
  if (url.username !== '' || url.password !== '')
    return 'it holds a password, and every receiver of a notice would have it';
  return !/[?#]/.test(base) ? undefined : 'a file name is put behind it: leave out what begins with ? or #';
}

/**
 * Where a playbook of a notice is.
 * @param base as a site's file names it; the playbooks that come with the program where it is missing
 * @example playbookAt('unproven.md', 'https://wiki.example.org/syndrome') // 'https://wiki.example.org/syndrome/unproven.md'
 */
export function playbookAt(file: string, base: string = SHIPPED): string {
  return isAbsolute(base) ? join(base, file) : `${base.replace(/\/+$/, '')}/${file}`;
}
