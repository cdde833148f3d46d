/** @module The end of a connection. */
import type { Duplex } from 'node:stream';

/** How long a peer may take to read what was written before the connection ends. */
const CLOSE_GRACE_MS = 1000;

/** Lets go of a stream: flushes what was written, but not for ever. `done` is called once it is closed. */
export function release(stream: Duplex, done: () => void): void {
  if (stream.closed) return done();
  const timer = setTimeout(() => stream.destroy(), CLOSE_GRACE_MS);
  stream.once('close', () => {
    clearTimeout(timer);
    done();
  });
  if (stream.destroyed) return;
  if (stream.writable) stream.end(() => stream.destroy());
  else stream.destroy();
}
