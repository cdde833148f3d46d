import { createReadStream } from 'node:fs';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { bytesToHex } from '@syndrome/decode/cper/layout.ts';
import { writeOut } from './encode-output.ts';
import { type GlobalOptions, print, printJson } from './output.ts';
import { InputError } from './inputs/input-error.ts';
import { refuseEndless } from './record-inputs.ts';

export interface EncodeOptions extends GlobalOptions {
  fromJson?: string;
  addr?: string;
  misc?: string;
  synd?: string;
  ipid?: string;
  gpa?: string;
  cpu?: string;
  bank?: string;
  vendor?: string;
  broadcast?: boolean;
  severity?: string;
  record?: boolean;
  base64?: boolean;
  out?: string;
  list?: boolean;
  json?: boolean;
}

/** The value of an option. */
export function u64(option: string, text: string): bigint {
  const value = parseU64(text);
  if (value === undefined) {
    throw new UsageError('E_USAGE', `${option} ${text} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
  }
  return value;
}

/** Options that say nothing about what is made are a mistake, not to be passed over. */
export function refuse(options: EncodeOptions, what: string, names: readonly (keyof EncodeOptions)[]): void {
  const given = names.find(n => options[n] !== undefined);
  if (given !== undefined) throw new UsageError('E_USAGE', `--${given} means nothing for ${what}`);
}

/** Longest JSON input. */
const MAX_INPUT = 64 << 20;

/** The whole of a file, `-` for stdin, as text. */
export async function readText(path: string): Promise<string> {
  if (path !== '-') refuseEndless(path);
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of (path === '-' ? process.stdin : createReadStream(path)) as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_INPUT) throw new InputError('E_INPUT', `${path} is longer than ${MAX_INPUT} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString('utf8');
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('E_INPUT', `cannot read ${path}`, {
      hint: 'Give a file that can be read, or - for stdin.',
      cause: error,
    });
  }
}

/** Writes the bytes of a firmware record: to `--out`, or to stdout as JSON, base64 or hex. `about` goes into the JSON. */
export async function putBytes(
  bytes: Uint8Array,
  about: Readonly<Record<string, unknown>>,
  options: EncodeOptions,
): Promise<void> {
  if (options.out !== undefined) {
    await writeOut(options.out, bytes);
    return;
  }
  const base64 = Buffer.from(bytes).toString('base64');
  if (options.json) printJson({ schemaVersion: 1, ...about, bytes: bytes.length, hex: bytesToHex(bytes), base64 });
  else print(options.base64 ? base64 : bytesToHex(bytes));
}
