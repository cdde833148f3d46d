/** @module A trace out of a file, read in slices so that the page stays alive. */
import { kindOf, mostUnpacked, SNIFFED, UNPACKS_TO_MORE } from '@syndrome/decode/bundle/file-kind.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { isTraceText } from '@syndrome/trace/parse-header.ts';
import type { Trace } from '@syndrome/trace/reader.ts';
import { TraceReader } from '@syndrome/trace/reader.ts';
import { isMatrixText } from '../view/matrix-file.ts';

/** How long a slice of work may keep the page from painting, ms. */
const SLICE = 14;
/** Characters that are parsed before the clock is asked. */
const PIECE = 1 << 15;

/** Lets the page paint and take input. */
export const breathe = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

/** The bytes of a file as they are, or what gzip packed in it. */
export async function unpacked(blob: Blob): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const head = new Uint8Array(await blob.slice(0, SNIFFED).arrayBuffer());
  return kindOf(head) === 'gzip' ? blob.stream().pipeThrough(new DecompressionStream('gzip')) : blob.stream();
}

/** A file as it is, or what gzip packed in it; where that is cut or damaged, what stands before, and words for what is lost. */
export async function unpackedWhole(blob: Blob): Promise<{ blob: Blob; lost: string | undefined }> {
  const head = new Uint8Array(await blob.slice(0, SNIFFED).arrayBuffer());
  if (kindOf(head) !== 'gzip') return { blob, lost: undefined };
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let lost: string | undefined;
  const reader = (await unpacked(blob)).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > mostUnpacked(blob.size)) throw new Error(UNPACKS_TO_MORE);
      pieces.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    lost = `${messageOf(error)}; what stands before that was read`;
  }
  return { blob: new Blob(pieces), lost };
}

/**
 * Reads a trace.
 * @param blob as it is on disk, or gzip of it
 * @param onProgress the share of it that is read, 0 to 1; of a packed one that is not known
 * @param current false once the reader is no longer wanted
 * @returns undefined where it was not wanted any more
 * @throws TraceError where it is no trace, or a newer one
 */
export async function readTrace(
  blob: Blob,
  name: string,
  onProgress: (share: number | undefined) => void,
  current: () => boolean,
): Promise<Trace | undefined> {
  const reader = new TraceReader(name);
  const text = new TextDecoder();
  const input = (await unpacked(blob)).getReader();
  let read = 0;
  let since = performance.now();
  for (;;) {
    const { done, value } = await input.read();
    const piece = done ? text.decode() : text.decode(value, { stream: true });
    for (let from = 0; from < piece.length; from += PIECE) {
      reader.push(piece.slice(from, from + PIECE));
      if (performance.now() - since < SLICE) continue;
      onProgress(read > blob.size ? undefined : (read + from) / blob.size);
      await breathe();
      if (!current()) return undefined;
      since = performance.now();
    }
    if (done) break;
    read += value.length;
  }
  return reader.end();
}

/** Bytes that say what a file is: more than a scenario's name and the axis of a matrix. */
const HEAD = 2000;

/** The beginning of a file, unpacked; empty where that fails. */
async function headOf(blob: Blob): Promise<string> {
  try {
    const reader = (await unpacked(blob)).getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new TextDecoder().decode(value?.subarray(0, HEAD));
  } catch {
    return '';
  }
}

/** Whether a file is a trace, packed or not: its first line says so. */
export async function isTrace(blob: Blob): Promise<boolean> {
  return isTraceText(await headOf(blob));
}

/** Whether a file is a matrix, packed or not. */
export async function isMatrix(blob: Blob): Promise<boolean> {
  return isMatrixText(await headOf(blob));
}

/** A file that was put into the page when it was written: gzip in base64, which needs no escaping. */
export interface Carried {
  kind: string;
  name: string;
  blob: Blob;
}

/** The files that the page carries. */
export function carriedFiles(document: Document): Carried[] {
  return [...document.querySelectorAll<HTMLScriptElement>('script[data-kind]')].map(element => {
    const packed = atob(element.textContent.trim());
    const bytes = new Uint8Array(packed.length);
    // A report carries megabytes of it, and an iterator takes its time.
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    const { kind = '', name = '' } = element.dataset;
    element.remove();
    return { kind, name, blob: new Blob([bytes]) };
  });
}
