/**
 * @module A database of SQLite as one image in memory, with what its companions hold: so its file is only read, no lock is taken that its
 * writer would meet, and nothing is written. Source: SQLite, Database File Format (the rollback journal, the write-ahead log).
 */

const SQLITE_MAGIC: Uint8Array = Buffer.from('SQLite format 3\0', 'latin1');
/** Bytes of an image at most. */
export const MAX_IMAGE = 1 << 29;
const HEADER = 100;
/** First word of a write-ahead log, by the order of bytes in its checksums. */
const WAL_LITTLE = 0x377f_0682;
const WAL_BIG = 0x377f_0683;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
const JOURNAL_MAGIC = Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
const JOURNAL_HEADER = 28;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Bytes of a page; undefined for what is no database. */
function pageSize(image: Uint8Array): number | undefined {
  if (image.length < HEADER || !SQLITE_MAGIC.every((b, i) => image[i] === b)) return undefined;
  const size = viewOf(image).getUint16(16);
  return size === 1 ? 65_536 : size >= 512 && (size & (size - 1)) === 0 ? size : undefined;
}

/** Running checksum of the write-ahead log over 32-bit words. */
function checksum(bytes: Uint8Array, big: boolean, [first, second]: readonly [number, number]): [number, number] {
  const view = viewOf(bytes);
  let [a, b] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + view.getUint32(at, !big) + b) >>> 0;
    b = (b + view.getUint32(at + 4, !big) + a) >>> 0;
  }
  return [a, b];
}

/** The image with all transactions that the write-ahead log holds whole. */
export function withWal(image: Uint8Array, wal: Uint8Array): Uint8Array {
  const size = pageSize(image);
  if (size === undefined || wal.length < WAL_HEADER + FRAME_HEADER) return image;
  const view = viewOf(wal);
  const magic = view.getUint32(0);
  if ((magic !== WAL_LITTLE && magic !== WAL_BIG) || view.getUint32(8) !== size) return image;
  const big = magic === WAL_BIG;
  let sum = checksum(wal.subarray(0, 24), big, [0, 0]);
  if (sum[0] !== view.getUint32(24) || sum[1] !== view.getUint32(28)) return image;
  const [salt1, salt2] = [view.getUint32(16), view.getUint32(20)];
  /** Where the newest content of each page stands, of transactions that were finished. */
  const pages = new Map<number, number>();
  let pending: [page: number, at: number][] = [];
  let count = 0;
  for (let at = WAL_HEADER; at + FRAME_HEADER + size <= wal.length; at += FRAME_HEADER + size) {
    if (view.getUint32(at + 8) !== salt1 || view.getUint32(at + 12) !== salt2) break;
    sum = checksum(wal.subarray(at, at + 8), big, sum);
    sum = checksum(wal.subarray(at + FRAME_HEADER, at + FRAME_HEADER + size), big, sum);
    if (sum[0] !== view.getUint32(at + 16) || sum[1] !== view.getUint32(at + 20)) break;
    pending.push([view.getUint32(at), at + FRAME_HEADER]);
    const commit = view.getUint32(at + 4);
    if (commit === 0) continue;
    for (const [page, from] of pending) pages.set(page, from);
    pending = [];
    count = commit;
  }
  if (count === 0 || count * size > image.length + wal.length) return image;
  const whole = new Uint8Array(count * size);
  whole.set(image.subarray(0, whole.length));
  for (const [page, from] of pages) {
    if (page >= 1 && page <= count) whole.set(wal.subarray(from, from + size), (page - 1) * size);
  }
  return whole;
}

/** The image as it was before the transaction that a hot rollback journal began. */
export function rolledBack(image: Uint8Array, journal: Uint8Array): Uint8Array {
  const size = pageSize(image);
  if (size === undefined || journal.length < JOURNAL_HEADER || !JOURNAL_MAGIC.every((b, i) => journal[i] === b))
    return image;
  const view = viewOf(journal);
  const [said, pages, sector] = [view.getUint32(8), view.getUint32(16), view.getUint32(20)];
  if (view.getUint32(24) !== size || pages * size > image.length + journal.length) return image;
  const whole = new Uint8Array(pages * size);
  whole.set(image.subarray(0, whole.length));
  const room = Math.floor((journal.length - sector) / (size + 8));
  const count = Math.min(said === 0xffff_ffff ? room : said, room);
  for (let i = 0; i < count; i++) {
    const at = sector + i * (size + 8);
    const page = view.getUint32(at);
    if (page >= 1 && page <= pages) whole.set(journal.subarray(at + 4, at + 4 + size), (page - 1) * size);
  }
  return whole;
}

/**
 * The image as one that needs no files beside it. Of a file that was cut the pages that are missing are empty: what is whole can be read,
 * and SQLite says of the others that they are damaged.
 */
export function standAlone(image: Uint8Array): { image: Uint8Array; isCut: boolean } {
  const size = pageSize(image);
  if (size === undefined) return { image, isCut: false };
  const view = viewOf(image);
  // The number of pages counts if its writer kept it.
  const pages = view.getUint32(24) === view.getUint32(92) ? view.getUint32(28) : 0;
  const isCut = pages * size > image.length && pages * size <= MAX_IMAGE;
  const alone = new Uint8Array(isCut ? pages * size : image.length);
  alone.set(image);
  // What is deserialized has no file for a log.
  if (alone[18] === 2) alone[18] = 1;
  if (alone[19] === 2) alone[19] = 1;
  return { image: alone, isCut };
}
