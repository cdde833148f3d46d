/** @module What the page of a matrix looks at, as a hash that a person can read: `#matrix?line=1.1&version=6.19.6&find=arm64`. */

/** A cell of a table. */
export interface CellPlace {
  /** Name of its line. */
  line: string;
  version: string;
}

/** What a link restores. The matrix itself is in the file, or is dropped. */
export interface MatrixLook {
  cell?: CellPlace;
  find?: string;
  /** Versions as columns or as rows; else as it fits. */
  across?: 'versions' | 'scenarios';
}

/** The hash for a look, with `#`. */
export function hashOfMatrix({ cell, find, across }: MatrixLook): string {
  const words = new URLSearchParams();
  if (cell) {
    words.set('line', cell.line);
    words.set('version', cell.version);
  }
  if (find !== undefined && find !== '') words.set('find', find);
  if (across !== undefined) words.set('across', across);
  const text = words.toString();
  return text === '' ? '#matrix' : `#matrix?${text}`;
}

/** What a hash says; what it does not say, or says wrong, is left out. */
export function matrixLookOf(hash: string): MatrixLook {
  const words = new URLSearchParams(/^#matrix\?(.*)$/s.exec(hash)?.[1] ?? '');
  const [line, named, find, turned] = ['line', 'version', 'find', 'across'].map(word => words.get(word) ?? undefined);
  // Links from before there were other axes than kernels.
  const version = named ?? words.get('kernel') ?? undefined;
  const across = turned === 'kernels' ? 'versions' : turned;
  return {
    ...(line !== undefined && version !== undefined && /^\d{1,6}\.\d{1,6}$/.test(line)
      ? { cell: { line, version: version.slice(0, 4096) } }
      : {}),
    ...(find === undefined || find === '' ? {} : { find: find.slice(0, 200) }),
    ...(across === 'versions' || across === 'scenarios' ? { across } : {}),
  };
}

/** Words of a link to traces that were opened from cells: one, or two that are compared. */
export function originOf(places: readonly CellPlace[]): string {
  const words = new URLSearchParams();
  for (const [i, { line, version }] of places.entries()) words.set(i === 0 ? 'a' : 'b', `${line}/${version}`);
  return words.toString();
}

/** The cells that a link to traces was made of. */
export function placesOf(hash: string): CellPlace[] {
  const words = new URLSearchParams(/^#trace\?(.*)$/s.exec(hash)?.[1] ?? '');
  return ['a', 'b'].flatMap(letter => {
    const [, line, version] = /^(\d{1,6}\.\d{1,6})\/(.{0,4096})$/s.exec(words.get(letter) ?? '') ?? [];
    return line === undefined || version === undefined ? [] : [{ line, version }];
  });
}
