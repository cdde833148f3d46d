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

/**
 * What a file is.
 * @param head its first bytes, {@link SNIFFED} of them where it has so many
 * @param name its last part may say what bytes alone do not
 * @example kindOf(new Uint8Array([0x1f, 0x8b, 8])) // 'gzip'
 */
export function kindOf(head: Uint8Array, name = ''): FileKind {
  const text = String.fromCharCode(...head.subarray(0, SNIFFED));
  for (const [kind, at, magic] of MAGIC) if (text.startsWith(magic, at)) return kind;
  return /\.(?:gpg|pgp|asc)$/i.test(name) && PGP.has(head[0] ?? 0) ? 'encrypted' : 'other';
}

/** What such files are called, and what has to be done to those that the program does not open either. */
export const KIND_WORDS: Readonly<Record<Exclude<FileKind, 'other'>, { what: string; first?: string }>> = {
  sqlite: { what: 'a SQLite database, such as that of rasdaemon' },
  tar: { what: 'a tar' },
  gzip: { what: 'a file that gzip packed' },
  xz: { what: 'a file that xz packed' },
  zstd: { what: 'a file that zstd packed' },
  bzip2: { what: 'a file that bzip2 packed' },
  zip: { what: 'a zip', first: 'Unpack it first, and give the folder.' },
  encrypted: {
    what: 'encrypted',
    first: 'Decrypt it first, as in `gpg --output bundle.tar.xz --decrypt FILE`.',
  },
};

/** What something packed may come to: no log shrinks more, and what does was made to fill a disk. */
const RATIO = 400;

/**
 * Bytes that something packed may come to.
 * @param size of what is packed
 */
export const mostUnpacked = (size: number): number => (1 << 28) + RATIO * size;

/** Said of what comes to more. */
export const UNPACKS_TO_MORE: string = `it unpacks to more than ${RATIO} times its size`;
