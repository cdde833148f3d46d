/** @module Matrices of a server in a link: `#matrix?line=1.1&version=6.19.6&file=matrices/amd-deferred.json`. */

/** More are never opened at once. */
const MOST = 20;

/** A link to a cell, or to its trace, that also says which matrices of the server it is of. */
export function withMatrices(hash: string, names: readonly string[]): string {
  if (names.length === 0) return hash;
  const words = new URLSearchParams();
  for (const name of names) words.append('file', name);
  return `${hash}${hash.includes('?') ? '&' : '?'}${words.toString()}`;
}

/** The matrices of the server that a link is of. */
export function matricesOf(hash: string): string[] {
  return new URLSearchParams(/^#(?:trace|matrix)\?(.*)$/s.exec(hash)?.[1] ?? '').getAll('file').slice(0, MOST);
}
