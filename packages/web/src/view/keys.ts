/** @module The keys of a page: one table that binds them and that `?` shows. */

/** What a key press is known by; the part of a KeyboardEvent that counts. */
interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** A row of the table. */
export interface KeyRow<Command extends string> {
  keys: readonly string[];
  command: Command;
  /** What it does, in a few words. */
  does: string;
  group: string;
  /** Only where the page comes from a server. */
  served?: true;
}

const THEME = { keys: ['t'], command: 'theme', does: 'light, dark, or as the system', group: 'Page' } as const;
const KEYS = { keys: ['?'], command: 'keys', does: 'these keys', group: 'Page' } as const;
const ESCAPE = { keys: ['Escape'], command: 'escape', does: 'close, or clear the filter', group: 'Page' } as const;

/** What the same key does on every page. */
const EVERY_PAGE = [
  THEME,
  { keys: ['1'], command: 'decode', does: 'the page Decode', group: 'Page' },
  { keys: ['2'], command: 'trace', does: 'the page Trace', group: 'Page' },
  { keys: ['3'], command: 'matrix', does: 'the page Matrix', group: 'Page' },
  { keys: ['4'], command: 'runs', does: 'the page Runs', group: 'Page', served: true },
  KEYS,
  ESCAPE,
] as const satisfies readonly KeyRow<string>[];

export const TRACE_KEYS = [
  { keys: ['j'], command: 'next', does: 'next event', group: 'Events' },
  { keys: ['k'], command: 'previous', does: 'event before', group: 'Events' },
  { keys: ['.'], command: 'next-in-lane', does: 'next event of the same layer', group: 'Events' },
  { keys: [','], command: 'previous-in-lane', does: 'event before in the same layer', group: 'Events' },
  { keys: ['/'], command: 'filter', does: 'filter events and raw lines', group: 'Events' },
  { keys: ['r'], command: 'raw', does: 'every raw line, or only events', group: 'Events' },
  { keys: ['e'], command: 'follow', does: 'follow the end of a run that goes on', group: 'Events', served: true },
  { keys: ['n'], command: 'next-expectation', does: 'next expectation and its evidence', group: 'Expectations' },
  { keys: ['p'], command: 'previous-expectation', does: 'expectation before', group: 'Expectations' },
  { keys: ['f'], command: 'fit', does: 'from the injection to the end', group: 'Time' },
  { keys: ['0'], command: 'whole', does: 'the whole run', group: 'Time' },
  { keys: ['w', '+'], command: 'zoom-in', does: 'closer', group: 'Time' },
  { keys: ['s', '-'], command: 'zoom-out', does: 'farther', group: 'Time' },
  { keys: ['a'], command: 'left', does: 'earlier', group: 'Time' },
  { keys: ['d'], command: 'right', does: 'later', group: 'Time' },
  { keys: ['g'], command: 'first-difference', does: 'the first difference of two runs', group: 'Compare' },
  { keys: ['x'], command: 'differences', does: 'only what differs, or everything', group: 'Compare' },
  { keys: ['c'], command: 'compare', does: 'compare with another trace, or close it', group: 'Compare' },
  { keys: ['l'], command: 'link', does: 'copy a link to this moment', group: 'Page' },
  { keys: ['y'], command: 'copy', does: 'copy the run as text', group: 'Page' },
  ...EVERY_PAGE,
] as const satisfies readonly KeyRow<string>[];

export const DECODE_KEYS = [
  { keys: ['j'], command: 'next', does: 'next record', group: 'Records' },
  { keys: ['k'], command: 'previous', does: 'record before', group: 'Records' },
  { keys: ['/'], command: 'filter', does: 'filter records', group: 'Records' },
  { keys: ['g'], command: 'groups', does: 'what says the same, together', group: 'Records' },
  { keys: ['e'], command: 'new', does: 'another input', group: 'Records' },
  { keys: ['u'], command: 'undo', does: 'take the last change back', group: 'Bits' },
  { keys: ['0'], command: 'reset', does: 'the record as it was read', group: 'Bits' },
  { keys: ['l'], command: 'link', does: 'copy a link to this record', group: 'Page' },
  { keys: ['y'], command: 'copy', does: 'copy the record as text', group: 'Page' },
  ...EVERY_PAGE,
] as const satisfies readonly KeyRow<string>[];

export const MATRIX_KEYS = [
  { keys: ['Enter'], command: 'details', does: 'details of the cell, or close them', group: 'Cells' },
  { keys: ['n'], command: 'next-change', does: 'next change of an outcome', group: 'Cells' },
  { keys: ['p'], command: 'previous-change', does: 'change before', group: 'Cells' },
  { keys: ['b'], command: 'first-bad', does: 'the first bad version', group: 'Cells' },
  { keys: ['/'], command: 'filter', does: 'filter scenarios, parts and versions', group: 'Cells' },
  { keys: ['x'], command: 'turn', does: 'versions as columns, or as rows', group: 'Cells' },
  { keys: ['v'], command: 'axis', does: 'the next table, of several', group: 'Cells' },
  { keys: ['o'], command: 'open', does: 'the trace of the cell', group: 'Traces' },
  { keys: ['c'], command: 'compare', does: 'compare with the nearest cell of the other verdict', group: 'Traces' },
  { keys: ['l'], command: 'link', does: 'copy a link to this cell', group: 'Page' },
  { keys: ['y'], command: 'copy', does: 'copy the matrix as text', group: 'Page' },
  ...EVERY_PAGE,
] as const satisfies readonly KeyRow<string>[];

export const RUNS_KEYS = [
  { keys: ['j'], command: 'next', does: 'next file', group: 'Files' },
  { keys: ['k'], command: 'previous', does: 'file before', group: 'Files' },
  { keys: ['Enter', 'o'], command: 'open', does: 'open it on its page', group: 'Files' },
  { keys: ['c'], command: 'compare', does: 'compare it with the trace that is open', group: 'Files' },
  { keys: ['/'], command: 'filter', does: 'filter by scenario, verdict, kernel, name', group: 'Files' },
  ...EVERY_PAGE,
] as const satisfies readonly KeyRow<string>[];

/** Of the page of a fleet, which a controller serves: there is no other page beside it. */
export const FLEET_KEYS = [
  { keys: ['j'], command: 'next', does: 'the next that needs a look', group: 'What is wrong' },
  { keys: ['k'], command: 'previous', does: 'the one before', group: 'What is wrong' },
  { keys: ['/'], command: 'filter', does: 'filter by VM, host, cause', group: 'What is wrong' },
  { keys: ['['], command: 'earlier', does: 'what was known one input earlier', group: 'Time' },
  { keys: [']'], command: 'later', does: 'what was known one input later', group: 'Time' },
  { keys: ['n'], command: 'now', does: 'what is known now', group: 'Time' },
  THEME,
  KEYS,
  ESCAPE,
] as const satisfies readonly KeyRow<string>[];

export type FleetCommand = (typeof FLEET_KEYS)[number]['command'];
export type RunsCommand = (typeof RUNS_KEYS)[number]['command'];
export type MatrixCommand = (typeof MATRIX_KEYS)[number]['command'];
export type DecodeCommand = (typeof DECODE_KEYS)[number]['command'];
export type TraceCommand = (typeof TRACE_KEYS)[number]['command'];

/**
 * The command of a key press; undefined where it has none, or belongs to the browser.
 * @param typing the focus is in a field for text: only Escape is for the page
 */
export function commandOf<Command extends string>(
  rows: readonly KeyRow<Command>[],
  { key, ctrlKey, metaKey, altKey }: Press,
  typing: boolean,
): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  if (typing && key !== 'Escape') return undefined;
  return rows.find(({ keys }) => keys.includes(key))?.command;
}

/** The rows by their groups, in order. */
export function groupsOf<Command extends string>(
  rows: readonly KeyRow<Command>[],
): [group: string, rows: KeyRow<Command>[]][] {
  const groups = new Map<string, KeyRow<Command>[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return [...groups];
}
