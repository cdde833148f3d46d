/** @module What a server has in its folders, as it says it and as a page shows it. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';

export const LISTING_VERSION = 1;

/**
 * What is known of a file: the verdict of a trace; `running`: a run writes it; `cut`: it ends before the run did, and nothing
 * writes it any more; `read`: a matrix, or whatever has no verdict; `damaged`: it cannot be read; `unread`: not looked into yet.
 */
export type FileState = Verdict | 'running' | 'cut' | 'read' | 'damaged' | 'unread';

/** A file of a server. All of its texts may come from anybody. */
export interface ListedFile {
  /** What it is asked for by: the name of its folder, and the path in that. */
  name: string;
  kind: 'trace' | 'matrix' | 'other';
  state: FileState;
  /** Bytes. */
  size: number;
  /** When it was last written, ms since 1970. */
  changed: number;
  /** Of the scenario; empty where there is none. */
  scenario: string;
  /** More in a few words: outcome, kernel, what is wrong with it. */
  about: string;
}

/** All that a server offers. */
export interface Listing {
  schemaVersion: number;
  /** Where it looks, and why it cannot. */
  folders: { name: string; path: string; problem?: string }[];
  /** The last written first. */
  files: ListedFile[];
  /** How many more there are. */
  more: number;
}

/** A file in the words of its row. */
export interface ListedRow {
  file: ListedFile;
  /** In capitals, as verdicts are. */
  state: string;
  title: string;
  about: string;
  name: string;
  size: string;
  age: string;
}

/** A time that has passed, in one unit. @param ms below 0 is taken for 0: clocks differ */
export function ageWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** A size as files have it. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What is worth a look first. */
const SUMMED: readonly FileState[] = ['running', 'fail', 'error', 'cut', 'damaged', 'skip', 'pass'];

/** How many files there are of each state, in words: `1 running · 3 fail · 41 pass`. */
export function sumWords(files: readonly ListedFile[]): string {
  const counts = Map.groupBy(files, ({ state }) => state);
  return SUMMED.flatMap(state => (counts.has(state) ? `${counts.get(state)?.length} ${state}` : [])).join(' · ');
}

/** Capitals are for what is a verdict or stands in its place. */
const WORDS: Partial<Record<FileState, string>> = { read: '', unread: '…' };

/**
 * The rows of a listing.
 * @param find words that all must be in a row; letters big and small are the same
 * @param now ms since 1970
 */
export function listedRows({ files }: Listing, find: string, now: number): ListedRow[] {
  const wanted = find.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = files.map(
    (file): ListedRow => ({
      file,
      state: WORDS[file.state] ?? file.state.toUpperCase(),
      title: safeText(file.scenario === '' ? (file.name.split('/').at(-1) ?? '') : file.scenario, 120),
      about: safeText(file.kind === 'matrix' ? `matrix · ${file.about}` : file.about, 200),
      name: safeText(file.name, 200),
      size: sizeWords(file.size),
      age: ageWords(now - file.changed),
    }),
  );
  if (wanted.length === 0) return rows;
  return rows.filter(({ state, title, about, name }) => {
    const text = `${state} ${title} ${about} ${name}`.toLowerCase();
    return wanted.every(word => text.includes(word));
  });
}
