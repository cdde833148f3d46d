/** @module What a file is by its first bytes, where that decides how it is opened. */

export type FileKind = 'sqlite' | 'tar' | 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'zip' | 'encrypted' | 'other';

/** Bytes that are looked at: the header of a tar. */
export const SNIFFED = 512;

const MAGIC: readonly (readonly [kind: FileKind, at: number, magic: string])[] = [
  ['sqlite', 0, 'SQLite format 3\0'],
  ['gzip', 0, '\x1f\x8b'],
  ['xz', 0, '\xfd7zXZ\0'],
  ['zstd', 0, '\x28\xb5\x2f\xfd'],
  ['bzip2', 0, 'BZh'],
  ['zip', 0, 'PK\x03\x04'],
  ['tar', 257, 'ustar'],
  ['encrypted', 0, '-----BEGIN PGP MESSAGE-----'],
  ['encrypted', 0, 'Salted__'],
];
/** Packets that an encrypted message of OpenPGP begins with, for a public key and for a pass phrase: RFC 9580, 5.1 and 5.3. */
const PGP: ReadonlySet<number> = new Set([0x84, 0x85, 0x86, 0x8c, 0x8d, 0xc1, 0xc3]);

/** @param name its last part may say what bytes alone do not */
export function kindOf(head: Uint8Array, name = ''): FileKind {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  for (const [kind, at, magic] of MAGIC) if (text.startsWith(magic, at)) return kind;
  return /\.(?:gpg|pgp|asc)$/i.test(name) && PGP.has(head[0] ?? 0) ? 'encrypted' : 'other';
}
