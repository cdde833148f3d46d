/** @module A log out of a file, read in slices so that the page stays alive. */
import { kindOf, type FileKind, SNIFFED } from '@syndrome/decode/bundle/file-kind.ts';
import { createDecoder, type DecoderOptions } from '@syndrome/decode/decode/decoder.ts';
import { breathe, unpackedWhole } from './read-trace.ts';

/** How long a slice of work may keep the page from painting, ms. */
const SLICE = 12;
const PIECE = 1 << 15;

/** A file as it is read: unpacked, and what it is. */
interface Opened {
  blob: Blob;
  /** `other`: a text, or a record in bytes. Anything else is not read here. */
  kind: FileKind;
  /** What was lost at unpacking, in words. */
  lost: string | undefined;
}

/** Unpacks a file, where gzip packed it, and finds out what it is. */
export async function openLog(given: Blob, name: string): Promise<Opened> {
  // What a page carries is packed; lines are shown out of what is in it.
  const { blob, lost } = await unpackedWhole(given);
  const head = new Uint8Array(await blob.slice(0, SNIFFED).arrayBuffer());
  return { blob, lost, kind: kindOf(head, name) };
}

/**
 * Reads a log.
 * @param onSlice between two slices of work: the share of it that is read, 0 to 1
 * @param current false once the reader is no longer wanted
 * @returns whether it was read to its end
 */
export async function readLog(
  blob: Blob,
  options: DecoderOptions,
  onSlice: (share: number) => void,
  current: () => boolean,
): Promise<boolean> {
  const decoder = createDecoder(options);
  const reader = blob.stream().getReader();
  let read = 0;
  let since = performance.now();
  for (;;) {
    const { done, value } = await reader.read();
    if (!current()) return false;
    if (done) break;
    for (let from = 0; from < value.length; from += PIECE) {
      decoder.push(value.subarray(from, from + PIECE));
      if (performance.now() - since < SLICE) continue;
      onSlice((read + from) / blob.size);
      await breathe();
      if (!current()) return false;
      since = performance.now();
    }
    read += value.length;
  }
  decoder.end();
  return true;
}
