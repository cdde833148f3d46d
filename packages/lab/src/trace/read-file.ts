import type { Readable } from 'node:stream';
import { openInputStream } from '@syndrome/base/disk/input-file.ts';
import { TraceError } from '@syndrome/trace/errors.ts';
import { type Trace, traceOf } from '@syndrome/trace/reader.ts';
import { LabError } from '../errors.ts';

/** The text of bytes that come in pieces; the pieces are kept where that is asked for. */
async function* textOf(pieces: AsyncIterable<Uint8Array>, kept: Uint8Array[] | undefined): AsyncGenerator<string> {
  const text = new TextDecoder();
  for await (const piece of pieces) {
    kept?.push(piece);
    yield text.decode(piece, { stream: true });
  }
  yield text.decode();
}

async function read(file: string, kept?: Uint8Array[]): Promise<Trace> {
  let stream: Readable | undefined;
  try {
    stream = openInputStream(file);
    return await traceOf(textOf(stream as AsyncIterable<Uint8Array>, kept), file);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new LabError('E_LAB_TRACE_READ', `the trace ${file} could not be read`, { cause: error });
  } finally {
    stream?.destroy();
  }
}

/** Reads a trace from a file or a pipe: see {@link traceOf}. @throws also LabError E_LAB_TRACE_READ */
export const readTrace = (file: string): Promise<Trace> => read(file);

/** {@link readTrace}, and the bytes as they came: a pipe can be read only once. */
export async function readTraceBytes(file: string): Promise<{ trace: Trace; bytes: Uint8Array }> {
  const kept: Uint8Array[] = [];
  const trace = await read(file, kept);
  return { trace, bytes: Buffer.concat(kept) };
}
