/** @module What is packed, unpacked piece by piece in memory: gzip and zstd by Node, xz and bzip2 by their programs. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type FileKind, mostUnpacked, UNPACKS_TO_MORE } from '@syndrome/decode/bundle/file-kind.ts';

type Packing = Extract<FileKind, 'gzip' | 'zstd' | 'xz' | 'bzip2'>;

export const isPacking = (kind: FileKind): kind is Packing => ['gzip', 'zstd', 'xz', 'bzip2'].includes(kind);

interface Unpacking {
  /** Takes a piece, good during the call. */
  take: (bytes: Uint8Array) => Promise<void> | undefined;
  /** Bytes of what is packed. */
  size: number;
}

/**
 * Unpacks a file, or bytes of one.
 * @returns what was wrong, behind what was taken; undefined where it was whole
 * @throws {InputError} where the program that unpacks it is not there
 */
export async function unpack(
  kind: Packing,
  from: string | Uint8Array,
  { take, size }: Unpacking,
): Promise<string | undefined> {
  const source = typeof from === 'string' ? createReadStream(from) : Readable.from([from]);
  const { pass, end } =
    kind === 'gzip' || kind === 'zstd'
      ? builtIn(kind === 'gzip' ? createGunzip() : createZstdDecompress(), source)
      : (await import('./unpack-program.ts')).unpackProgram(kind, source);
  return drained(pass, end, take, mostUnpacked(size));
}

interface Passing {
  pass: Readable;
  /** Ends it, and says what was wrong. */
  end: (early: boolean) => Promise<string | undefined>;
}

function builtIn(transform: ReturnType<typeof createGunzip>, source: Readable): Passing {
  source.on('error', error => transform.destroy(error));
  source.pipe(transform);
  const end = (): Promise<undefined> => {
    source.destroy();
    transform.destroy();
    return Promise.resolve(undefined);
  };
  return { pass: transform, end };
}

async function drained(
  pass: Readable,
  end: Passing['end'],
  take: Unpacking['take'],
  limit: number,
): Promise<string | undefined> {
  let total = 0;
  let wrong: string | undefined;
  /** What is still at work on the last piece. Of a program that ended Node gives the rest whether one waits or not. */
  let tail: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const taken = (piece: Uint8Array): void => {
      const busy = tail === undefined ? take(piece) : tail.then(() => take(piece));
      if (busy === undefined) return;
      pass.pause();
      const mine: Promise<void> = busy.then(() => {
        if (tail !== mine) return;
        tail = undefined;
        pass.resume();
      });
      tail = mine;
      mine.catch(reject);
    };
    pass.on('data', (piece: Uint8Array) => {
      if (wrong !== undefined) return;
      total += piece.length;
      if (total > limit) {
        wrong = UNPACKS_TO_MORE;
        resolve();
        return;
      }
      try {
        taken(piece);
      } catch (error) {
        reject(error as Error);
      }
    });
    pass.on('end', resolve);
    // A program that cannot be started closes what it would have written.
    pass.on('close', resolve);
    pass.on('error', error => {
      wrong ??= /unexpected end/.test(error.message) ? 'it was cut' : `it is damaged: ${error.message}`;
      resolve();
    });
  })
    .then(() => tail)
    .catch(async (error: unknown) => {
      await end(true);
      throw error;
    });
  const said = await end(wrong !== undefined);
  return wrong ?? said;
}
