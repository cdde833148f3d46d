/** @module Files of the kernel that give a record a read, and nothing while there is none (/dev/kmsg, trace_pipe). */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { pause } from '../reconnect.ts';

/** Longer than any record of either (CONSOLE_EXT_LOG_MAX, a page of trace). */
const RECORD_BYTES = 16_384;
/** Records between two looks at other work. */
const AT_ONCE = 256;

/**
 * Reads records until `signal` aborts. A read never blocks, so that no thread waits in it for ever.
 * @param alive called after each batch, also while there is always more
 * @param idle called when all that there is was read
 * @param lost called where the kernel says that records were overwritten before they were read (EPIPE)
 * @throws the error of the file system
 */
export async function readRecords(
  path: string,
  take: (text: string) => void,
  {
    signal,
    pollMs,
    alive,
    idle,
    lost,
  }: { signal: AbortSignal; pollMs: number; alive: () => void; idle?: () => void; lost: () => void },
): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(RECORD_BYTES);
  try {
    while (!signal.aborted) {
      let isDry = false;
      for (let n = 0; n < AT_ONCE && !isDry; n++) {
        try {
          const length = readSync(fd, buffer, 0, RECORD_BYTES, null);
          if (length === 0) isDry = true;
          else take(buffer.toString('utf8', 0, length));
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === 'EAGAIN') isDry = true;
          else if (code === 'EPIPE') lost();
          else throw error;
        }
      }
      alive();
      if (isDry) idle?.();
      await pause(isDry ? pollMs : 0, signal);
    }
  } finally {
    closeSync(fd);
  }
}
