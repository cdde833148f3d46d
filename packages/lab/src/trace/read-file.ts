import type { Readable } from 'node:stream';
import { openInputStream } from '@syndrome/base/disk/input-file.ts';
import { TraceError } from '@syndrome/trace/errors.ts';
import { type Trace, traceOf } from '@syndrome/trace/reader.ts';
import { LabError } from '../errors.ts';

/** Reads a trace from a file or a pipe: see {@link traceOf}. @throws also LabError E_LAB_TRACE_READ */
export async function readTrace(file: string): Promise<Trace> {
  let stream: Readable | undefined;
  try {
    stream = openInputStream(file).setEncoding('utf8');
    return await traceOf(stream as AsyncIterable<string>, file);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new LabError('E_LAB_TRACE_READ', `the trace ${file} could not be read`, { cause: error });
  } finally {
    stream?.destroy();
  }
}
