/** @module xz and bzip2, which Node does not have, by the programs of the system. They are given bytes and no names. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { InputError } from './input-error.ts';

/** Memory that a stream may ask for: presets of xz need 65 MiB at most, and who wants more wants harm. */
const XZ = ['--decompress', '--stdout', '--memlimit-decompress=512MiB'];
const ARGUMENTS = { xz: XZ, bzip2: ['--decompress', '--stdout'] } as const;

/** Unpacks a stream by a program of the system. */
export function unpackProgram(
  kind: keyof typeof ARGUMENTS,
  source: Readable,
): { pass: Readable; end: (early: boolean) => Promise<string | undefined> } {
  const child = spawn(kind, ARGUMENTS[kind], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  let missing: Error | undefined;
  child.stderr.on('data', (piece: Buffer) => (said = `${said}${piece.toString('utf8')}`.slice(0, 512)));
  // A program that ended reads no more.
  child.stdin.on('error', () => source.destroy());
  source.on('error', () => child.stdin.end());
  source.pipe(child.stdin);
  const closed = new Promise<number | null>(resolve => {
    child.on('close', resolve);
    child.on('error', error => {
      missing = error;
      resolve(null);
    });
  });
  const end = async (early: boolean): Promise<string | undefined> => {
    source.destroy();
    if (early) child.kill();
    const code = await closed;
    if (missing !== undefined) {
      throw new InputError('E_INPUT', `${kind} is needed to unpack this, and is not on PATH`, {
        hint: `Install ${kind === 'xz' ? 'xz-utils' : kind}, or unpack the file first.`,
        cause: missing,
      });
    }
    if (early || code === 0) return undefined;
    return /unexpected end/i.test(said)
      ? 'it was cut'
      : `it is damaged: ${said.trim().replace(/^[^:]{0,32}: (?:\(stdin\): )?/, '')}`;
  };
  return { pass: child.stdout, end };
}
