/** Cuts bytes at the given places: how a stream may arrive. */
export function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const at = [...new Set(places.map(p => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));
}
