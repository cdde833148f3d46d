/** A trace, its header and its events of texts that a test has as a whole. */
import { type TraceEvent, type TraceHeader } from '../event.ts';
import { eventOf, parseLine } from '../parse-event.ts';
import { readHeader } from '../parse-header.ts';
import { type Trace, TraceReader } from '../reader.ts';

/** The event of one line of the newest version; undefined when it is none. */
export function parseEvent(text: string): TraceEvent | undefined {
  const line = parseLine(text);
  return line === undefined ? undefined : eventOf(line);
}

/** The header of a first line of any version. Throws TraceError. */
export const parseHeader = (line: string | undefined, file: string): TraceHeader => readHeader(line, file).header;

/** The trace of a whole text. Throws TraceError. */
export function parseTrace(text: string, file: string): Trace {
  const reader = new TraceReader(file);
  reader.push(text);
  return reader.end();
}
