/** @module A file or a folder as an input, whatever it is: a log, packed or not, a database, an archive. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { type FileKind, KIND_WORDS, kindOf, SNIFFED } from '@syndrome/decode/bundle/file-kind.ts';
import { DmidecodeText } from '@syndrome/decode/bundle/smbios.ts';
import type { MemoryDevice } from '@syndrome/decode/bundle/smbios.ts';
import type { Redactor } from '@syndrome/decode/bundle/redact.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import { Bundle } from './bundle.ts';
import type { BundleUse, Target } from './bundle.ts';
import { eachRow, readDatabase } from './database.ts';
import { InputError } from './input-error.ts';
import { bySniffing } from './inside.ts';
import { MAX_IMAGE } from './sqlite-image.ts';
import { isPacking, unpack } from './unpack.ts';

/** Reads all pieces of something. */
type Read = (take: (piece: Uint8Array) => Promise<void> | undefined) => Promise<void>;

interface Ways {
  use: BundleUse;
  /** Who takes a log, or a record in bytes. */
  stream: () => Target;
  /** Reads the file as it is. */
  plain: Read;
  /** A line on stderr about the whole. */
  say: (line: string) => void;
}

const MAX_DMIDECODE = 1 << 26;
const latin1 = new TextDecoder('latin1');

function refuse(name: string, kind: FileKind): void {
  const { what, first } = kind === 'other' ? {} : KIND_WORDS[kind];
  if (first !== undefined) throw new InputError('E_INPUT', `${name} is ${what}`, { hint: first });
}

/** What a regular file is by its beginning. */
function kindOfFile(path: string): FileKind {
  const fd = openSync(path, 'r');
  try {
    const head = new Uint8Array(SNIFFED);
    return kindOf(head.subarray(0, readSync(fd, head, 0, SNIFFED, 0)), path);
  } finally {
    closeSync(fd);
  }
}

async function finish(bundle: Bundle, say: (line: string) => void): Promise<string> {
  say(await bundle.end());
  return bundle.evidence;
}

/** Reads a folder as one input. */
export async function readFolder(
  { name, folder }: { name: string; folder: string },
  use: BundleUse,
  say: (line: string) => void,
): Promise<string> {
  const bundle = new Bundle(name, use);
  await bundle.folder(folder);
  return finish(bundle, say);
}

/** Reads a regular file, whatever it is; what it was where that is no stream. */
export async function readAny(
  name: string,
  path: string,
  { use, stream, plain, say }: Ways,
): Promise<string | undefined> {
  const kind = kindOfFile(path);
  refuse(name, kind);
  const lost = (code: 'E_INPUT_DATABASE' | 'E_INPUT_ARCHIVE', message: string): void =>
    use.tell({ code, message }, { input: name, from: 'linux' });
  const rows = async (image: Parameters<typeof eachRow>[1]): Promise<string> => {
    const decoder = createDecoder({ ...use.options, input: name, onRecord: record => use.record(record) });
    await eachRow(
      name,
      image,
      decoder,
      message => lost('E_INPUT_DATABASE', message),
      () => use.between(),
    );
    return `${name} is a database of rasdaemon without a row`;
  };
  if (kind === 'sqlite') return rows(await readDatabase(path));

  let evidence: (() => Promise<string>) | undefined;
  const target = bySniffing(inner => {
    refuse(name, inner);
    if (inner === 'tar') {
      const bundle = new Bundle(name, use);
      evidence = () => finish(bundle, say);
      return bundle.tar();
    }
    if (inner !== 'sqlite') return stream();
    const parts: Uint8Array[] = [];
    let length = 0;
    evidence = () => rows({ main: Buffer.concat(parts) });
    return {
      push(piece) {
        if ((length += piece.length) > MAX_IMAGE)
          throw new InputError('E_INPUT', `${name} is larger than a database that is read`, {
            hint: 'Print it with ras-mc-ctl --errors.',
          });
        parts.push(piece.slice());
        return undefined;
      },
      end: () => undefined,
    };
  });
  if (isPacking(kind)) {
    const wrong = await unpack(kind, path, { size: statSync(path).size, take: piece => target.push(piece) });
    if (wrong !== undefined) lost('E_INPUT_ARCHIVE', `${wrong}; what stands before that was read`);
  } else await plain(piece => target.push(piece));
  await target.end();
  return evidence?.();
}

/** The memory devices that a file with the output of dmidecode names. */
export function devicesOf(path: string, names: Redactor | undefined): readonly MemoryDevice[] {
  const text = new DmidecodeText();
  try {
    if (statSync(path).size > MAX_DMIDECODE)
      throw new InputError('E_INPUT', `${path} is too long for the output of dmidecode`, {
        hint: 'Give what `dmidecode` printed.',
      });
    text.push(readFileSync(path, 'latin1'));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('E_INPUT', `cannot read ${path}`, {
      hint: 'Give a file with what `dmidecode` printed.',
      cause: error,
    });
  }
  text.end();
  for (const { kind, value } of text.identities) names?.learn(kind, value);
  if (text.devices.length === 0) {
    throw new InputError('E_INPUT', `${path} names no memory device`, {
      hint: 'Give what `dmidecode` or `dmidecode -t memory` printed, as root.',
    });
  }
  return text.devices;
}

/** Looks for names in a log before any of it is shown. */
export async function learnFromFile(path: string, names: Redactor): Promise<void> {
  const kind = kindOfFile(path);
  // A bundle is read whole before any of it is shown.
  if (kind !== 'other' && !isPacking(kind)) return;
  const take = (piece: Uint8Array): undefined => {
    names.learnFrom(latin1.decode(piece));
    return undefined;
  };
  if (isPacking(kind)) await unpack(kind, path, { size: statSync(path).size, take });
  else {
    const fd = openSync(path, 'r');
    try {
      const buffer = new Uint8Array(1 << 18);
      for (
        let n = readSync(fd, buffer, 0, buffer.length, null);
        n > 0;
        n = readSync(fd, buffer, 0, buffer.length, null)
      )
        take(buffer.subarray(0, n));
    } finally {
      closeSync(fd);
    }
  }
  names.learnFrom('\n');
}
