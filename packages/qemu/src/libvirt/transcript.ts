/** The record of a connection: every message in both directions, by its header. */
import type { Header } from './framing.ts';

export interface TranscriptEntry {
  /** Monotonic time, ns (`process.hrtime.bigint()`). */
  t: bigint;
  direction: 'send' | 'receive';
  header: Header;
  /** The body as it went over the wire, cut to {@link MAX_BODY_BYTES}. */
  body: Uint8Array;
  bodyBytes: number;
}

/** Longest `body` of an entry; a domain's XML is longer and is cut. */
const MAX_BODY_BYTES = 4096;

export function transcriptEntry(
  direction: 'send' | 'receive',
  message: { header: Header; body: Uint8Array },
  t: bigint,
): TranscriptEntry {
  const { header, body } = message;
  return { t, direction, header, body: body.slice(0, MAX_BODY_BYTES), bodyBytes: body.length };
}
