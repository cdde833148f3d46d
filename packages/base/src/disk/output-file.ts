/** Files that a command is told to write: looked at before the work, written in one way, whole or as a stream. */
import {
  accessSync,
  constants,
  createWriteStream,
  fchmodSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { followLinks, isForeign } from './follow.ts';
import { look } from './look.ts';
import { outputMode } from './umask.ts';
import { writeWhole } from './write-whole.ts';

/** Where an output goes, symbolic links followed. */
type Output =
  /** A file that is not there yet. */
  { kind: 'new'; path: string } | { kind: 'file'; path: string; stats: Stats } | Stream;

/** A device, a pipe, or whatever is open already: written to as it is. */
type Stream = { kind: 'stream'; path: string; flags: number };

/** The descriptor that a program writes to where nothing else is said. */
const STDOUT = 1;

const code = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * @param given `-` is stdout, as it is stdin where a command reads; a file of that name is `./-`
 * @throws the error of the file system, or one that says why nothing is written there
 */
function findOutput(given: string): Output {
  if (given === '' || given.endsWith('/')) throw new Error('not the name of a file');
  const { path, descriptor } = followLinks(given === '-' ? `/proc/self/fd/${STDOUT}` : given);
  const flags = descriptor ? 0 : constants.O_NOFOLLOW;
  try {
    return look(
      path,
      ({ kind, stats }): Output => {
        if (kind === 'folder') throw new Error('not the name of a file but of a folder');
        if (kind === 'regular file' && !descriptor) {
          if (!isForeign(stats, statSync(dirname(path)))) return { kind: 'file', path, stats };
          throw new Error('a file of another user in a folder that everybody may write to');
        }
        if (kind === 'regular file' || kind === 'pipe' || kind === 'character device')
          return { kind: 'stream', path, flags };
        throw new Error(`not a regular file but a ${kind}`);
      },
      flags,
    );
  } catch (error) {
    if (code(error) === 'ENOENT' || code(error) === 'ENOTDIR') return { kind: 'new', path };
    throw error;
  }
}

/** Rights alone do not tell whether a file can be made: root has them below /proc too. */
function canMakeIn(folder: string): boolean {
  try {
    rmSync(mkdtempSync(join(folder, '.syndrome-')), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder itself, or the nearest one above it that is there. */
const nearest = (folder: string): string =>
  isFolder(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));

/**
 * Looks at a place for an output before the work whose result goes there. Nothing is made or changed.
 * @param what the option that names it
 * @param options `stream` for a file that is written in the course of the work: missing folders are made for it
 * @throws UsageError E_USAGE_FILE
 */
export function checkOutput(what: string, given: string, options: { stream?: boolean } = {}): void {
  const wrong = (why: string, cause?: unknown): UsageError =>
    new UsageError('E_USAGE_FILE', `${what} ${given}: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      hint: 'Give the name of a file that can be written, or /dev/stdout.',
    });
  let output: Output;
  try {
    output = findOutput(given);
  } catch (error) {
    throw code(error) === '' ? wrong((error as Error).message) : wrong('cannot be looked at', error);
  }
  const { kind, path } = output;
  if (kind !== 'new') {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      throw wrong('cannot be written', error);
    }
    if (kind === 'stream' || options.stream) return;
  }
  const folder = options.stream ? nearest(dirname(path)) : dirname(path);
  if (!isFolder(folder)) throw wrong(`there is no folder ${dirname(given)}`);
  if (!canMakeIn(folder)) throw wrong(`nothing can be written to ${options.stream ? folder : dirname(given)}`);
}

/** An open descriptor of this program, with the place that it has in its file: the shell and others write there too. */
function descriptorStream(fd: number): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        writeFileSync(fd, chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** A pipe goes through the event loop: a write that waits for a reader in a thread would not let the program end. */
function streamTo(path: string, flags: number): Writable {
  return look(
    path,
    ({ kind, open }) => {
      const own = new RegExp(`^/proc/${process.pid}/(?:task/\\d+/)?fd/(\\d+)$`).exec(path)?.[1];
      if (kind === 'regular file' && own !== undefined) return descriptorStream(Number(own));
      const fd = open(constants.O_WRONLY | constants.O_APPEND);
      return kind === 'pipe' ? new Socket({ fd, readable: false, writable: true }) : createWriteStream(path, { fd });
    },
    flags,
  );
}

/**
 * Opens an output that is written piece by piece; a file is for its user alone.
 * @throws the error of the file system, or one that says why nothing is written there
 */
export function openOutput(given: string): Writable {
  const output = findOutput(given);
  if (output.kind === 'stream') return streamTo(output.path, output.flags);
  const { path } = output;
  if (output.kind === 'file') {
    const same = look(
      path,
      found => found.kind === 'regular file' && found.open(constants.O_WRONLY | constants.O_TRUNC),
      constants.O_NOFOLLOW,
    );
    if (same === false) throw new Error('it was replaced while it was opened');
    return createWriteStream(path, { fd: same });
  }
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  fchmodSync(fd, 0o600);
  return createWriteStream(path, { fd });
}

/**
 * Writes an output at once, if it is a file: a reader sees the old content or all of the new one. It keeps its owner and its
 * mode, and a symbolic link to it stays one.
 * @returns what else it is, and then nothing was written
 * @throws the error of the file system, or one that says why nothing is written there
 */
export function replaceOutput(given: string, content: string | Uint8Array): Stream | undefined {
  const output = findOutput(given);
  if (output.kind === 'stream') return output;
  if (output.kind === 'new') writeWhole(output.path, content, { mode: outputMode() });
  else {
    const { mode, uid, gid } = output.stats;
    writeWhole(output.path, content, { mode: mode & 0o777, owner: { uid, gid } });
  }
  return undefined;
}

/**
 * Writes an output, whatever it is: a file as {@link replaceOutput} does.
 * @param signal ends the wait for the reader of a pipe
 * @throws as {@link replaceOutput}; AbortError
 */
export async function writeOutput(given: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  const output = replaceOutput(given, content);
  if (output === undefined) return;
  const stream = streamTo(output.path, output.flags);
  try {
    stream.end(content);
    await finished(stream, signal === undefined ? {} : { signal });
  } finally {
    stream.destroy();
  }
}
