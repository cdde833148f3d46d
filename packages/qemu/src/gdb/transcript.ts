/** The record of a connection: every packet in both directions, with its runs expanded and its escapes removed. */
export type TranscriptEntry = {
  /** Monotonic time, ns (`process.hrtime.bigint()`). */
  t: bigint;
  direction: 'send' | 'receive';
  /** The payload, byte for character, cut to {@link MAX_PAYLOAD_CHARS}; `^C` for an interrupt; empty for a mere note. */
  payload: string;
  /** What the client has to say about it: dropped, cut, damaged. */
  note?: string;
};

/** Longest `payload` of a transcript entry; a chunk of memory may be longer and is cut. */
const MAX_PAYLOAD_CHARS = 64 * 1024;

export function transcriptEntry(
  direction: 'send' | 'receive',
  payload: string,
  note: string | undefined,
  t: bigint,
): TranscriptEntry {
  const cut = payload.length > MAX_PAYLOAD_CHARS ? `cut from ${payload.length} characters` : undefined;
  const notes = [note, cut].filter(n => n !== undefined).join('; ');
  return { t, direction, payload: cut ? payload.slice(0, MAX_PAYLOAD_CHARS) : payload, ...(notes && { note: notes }) };
}
