/** @module What the page of a matrix looks at, as a hash that a person can read: `#matrix?line=1.1&kernel=6.19.6&find=arm64`. */

/** A cell of a table. */
export interface CellPlace {
  /** Name of its line. */
  line: string;
  kernel: string;
}

/** What a link restores. The matrix itself is in the file, or is dropped. */
export interface MatrixLook {
  cell?: CellPlace;
  find?: string;
  /** Kernels as columns or as rows; else as it fits. */
  across?: 'kernels' | 'scenarios';
}

/** The hash for a look, with `#`. */
export function hashOfMatrix({ cell, find, across }: MatrixLook): string {
  const words = new URLSearchParams();
  if (cell) {
    words.set('line', cell.line);
    words.set('kernel', cell.kernel);
  }
  if (find !== undefined && find !== '') words.set('find', find);
  if (across !== undefined) words.set('across', across);
  const text = words.toString();
  return text === '' ? '#matrix' : `#matrix?${text}`;
}

/** What a hash says; what it does not say, or says wrong, is left out. */
export function matrixLookOf(hash: string): MatrixLook {
  const words = new URLSearchParams(/^#matrix\?(.*)$/s.exec(hash)?.[1] ?? '');
  const [line, kernel, find, across] = ['line', 'kernel', 'find', 'across'].map(word => words.get(word) ?? undefined);
  return {
    ...(line !== undefined && kernel !== undefined && /^\d{1,6}\.\d{1,6}$/.test(line)
      ? { cell: { line, kernel: kernel.slice(0, 4096) } }
      : {}),
    ...(find === undefined || find === '' ? {} : { find: find.slice(0, 200) }),
    ...(across === 'kernels' || across === 'scenarios' ? { across } : {}),
  };
}

/** Words of a link to traces that were opened from cells: one, or two that are compared. */
export function originOf(places: readonly CellPlace[]): string {
  const words = new URLSearchParams();
  for (const [i, { line, kernel }] of places.entries()) words.set(i === 0 ? 'a' : 'b', `${line}/${kernel}`);
  return words.toString();
}

/** The cells that a link to traces was made of. */
export function placesOf(hash: string): CellPlace[] {
  const words = new URLSearchParams(/^#trace\?(.*)$/s.exec(hash)?.[1] ?? '');
  return ['a', 'b'].flatMap(letter => {
    const [, line, kernel] = /^(\d{1,6}\.\d{1,6})\/(.{0,4096})$/s.exec(words.get(letter) ?? '') ?? [];
    return line === undefined || kernel === undefined ? [] : [{ line, kernel }];
  });
}
