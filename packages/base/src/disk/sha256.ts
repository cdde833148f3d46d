import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';

/** SHA-256 of what an open file holds from where it stands, as lower-case hex; a piece of it is in memory at a time. */
export function sha256Fd(fd: number): string {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(1 << 20);
  for (let n = readSync(fd, piece); n > 0; n = readSync(fd, piece)) hash.update(piece.subarray(0, n));
  return hash.digest('hex');
}
