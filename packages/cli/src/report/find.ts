/** @module The files of a folder that a report is made of, known by how they begin. */
import { type Dirent, readdirSync, readSync, closeSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openInput } from '@syndrome/base/disk/input-file.ts';
import { isJunitText } from '@syndrome/lab/report/junit-cases.ts';
import { isTraceText } from '@syndrome/trace/parse-header.ts';
import { isMatrixText } from '@syndrome/web/view/matrix-file.ts';

type FileKind = 'trace' | 'matrix' | 'junit';

/** A file of the folder. */
export interface FoundFile {
  kind: FileKind;
  /** Its path in the folder, with `/`. */
  name: string;
  path: string;
  /** Bytes. */
  size: number;
}

/** What is in the folder. */
export interface Found {
  files: FoundFile[];
  /** Files that are something else. */
  others: number;
  /** What could not be looked at, and why. */
  unread: { name: string; why: unknown }[];
  /** There is more than is looked at. */
  cut: boolean;
}

/** More files, and folders in each other, than a job makes. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 16;
/** Bytes that say what a file is. */
const HEAD = 2000;

function headOf(path: string): string {
  const fd = openInput(path);
  try {
    const buffer = Buffer.alloc(HEAD);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, HEAD, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whether the file was to be a trace: a run that is killed at once leaves an empty file, or a part of a header. */
const isTraceBegun = (head: string, name: string): boolean =>
  // NDJSON that is whole and no trace is another report.
  name.endsWith('.ndjson') && !/^\s*[{[]\s*["{[\]}]/.test(head);

function kindOf(path: string, name: string): FileKind | undefined {
  const head = headOf(path);
  if (isTraceText(head) || isTraceBegun(head, name)) return 'trace';
  if (isMatrixText(head)) return 'matrix';
  return isJunitText(head) ? 'junit' : undefined;
}

/**
 * Looks through a folder and those in it; symbolic links are not followed.
 * @param skip the real path of a folder that is left out: where the report goes
 * @throws the error of the file system for the folder itself
 */
export function findFiles(folder: string, skip: string | undefined): Found {
  const found: Found = { files: [], others: 0, unread: [], cut: false };
  let seen = 0;
  const walk = (path: string, prefix: string, depth: number): void => {
    for (const entry of entriesOf(path, prefix, found)) {
      const [inner, name] = [join(path, entry.name), `${prefix}${entry.name}`];
      if (entry.isDirectory()) {
        if (inner === skip) continue;
        if (depth === MAX_DEPTH) found.cut = true;
        else walk(inner, `${name}/`, depth + 1);
      } else if (entry.isFile()) {
        if (++seen > MAX_FILES) {
          found.cut = true;
          return;
        }
        try {
          const kind = kindOf(inner, name);
          if (kind === undefined) found.others++;
          else found.files.push({ kind, name, path: inner, size: statSync(inner).size });
        } catch (why) {
          found.unread.push({ name, why });
        }
      } else found.others++;
    }
  };
  walk(folder, '', 0);
  return found;
}

function entriesOf(path: string, prefix: string, found: Found): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (why) {
    if (prefix === '') throw why;
    found.unread.push({ name: prefix, why });
    return [];
  }
}
