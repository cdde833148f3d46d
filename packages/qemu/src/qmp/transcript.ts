/** The record of a connection: every line in both directions, as it went over the wire. */
export type TranscriptEntry = {
  /** Monotonic time, ns (`process.hrtime.bigint()`). */
  t: bigint;
  direction: 'send' | 'receive';
  /** The JSON value, integers exact; undefined when the line is not JSON or the entry is only a note. */
  message: unknown;
  /** The line without its end, cut to {@link MAX_RAW_CHARS}; empty when the entry is only a note. */
  raw: string;
  /** What the client has to say about it: dropped, cut, a listener's exception. */
  note?: string;
};

/** Longest `raw` of a transcript entry; query-qmp-schema is longer and is cut. */
const MAX_RAW_CHARS = 64 * 1024;

export function transcriptEntry(
  direction: 'send' | 'receive',
  raw: string,
  message: unknown,
  note: string | undefined,
  t: bigint,
): TranscriptEntry {
  const cut = raw.length > MAX_RAW_CHARS ? `raw cut from ${raw.length} characters` : undefined;
  const notes = [note, cut].filter(n => n !== undefined).join('; ');
  return { t, direction, message, raw: cut ? raw.slice(0, MAX_RAW_CHARS) : raw, ...(notes && { note: notes }) };
}
