import { once } from 'node:events';
import { read, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { SyndromeError, UsageError, messageOf } from '../common/errors.ts';
import { parseU64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { SECTIONS, sectionOfKind, sectionType } from '../cper/sections.ts';
import { createDecoder } from '../decode/decoder.ts';
import type { DecoderOptions } from '../decode/decoder.ts';
import { FORMS } from '../decode/form.ts';
import type { DecodedRecord } from '../decode/record.ts';

/** Options of the commands that read records. */
export interface InputOptions {
  from?: string;
  esr?: boolean;
  vendor?: string;
  cpuid?: string;
  section?: string;
}

/** An input file cannot be read. */
export class InputError extends SyndromeError {}

type Input = { name: string; text: string } | { name: string; file: string | undefined };

/** What is meant as a file name: no value is written like this. */
const PATH = /^\.{0,2}\/.{1,4096}$|^[^=\s]{1,128}\.[a-zA-Z]\w{0,7}$/;

/** Whether a word names something that can be read. @throws {InputError} for a folder. */
function isFile(word: string): boolean {
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true && PATH.test(word)) {
    throw new InputError('E_INPUT', `${word} is a folder`, { hint: 'Give the files in it.' });
  }
  return stat !== undefined && !stat.isDirectory();
}

/** Several lone numbers are one value each; anything else is one line. */
function valueText(words: readonly string[]): string {
  return words.every(w => /^(?:0[xX])?[0-9a-fA-F]{8,16}$/.test(w)) ? words.join('\n') : words.join(' ');
}

/** Files by name, `-` for stdin; whatever is no file belongs to the values, which are taken together. */
function inputsOf(words: readonly string[]): Input[] {
  const inputs: Input[] = [];
  const values: string[] = [];
  for (const word of words) {
    if (word === '-') inputs.push({ name: '-', file: undefined });
    else if (isFile(word)) inputs.push({ name: word, file: word });
    else if (PATH.test(word)) {
      throw new InputError('E_INPUT', `there is no file ${word}`, { hint: 'Values are written as 0x… or name=0x….' });
    } else values.push(word);
  }
  if (values.length > 0) inputs.push({ name: 'argument', text: valueText(values) });
  return inputs.length > 0 ? inputs : [{ name: '-', file: undefined }];
}

/** A section type by its GUID or by the short name of its kind. */
function sectionGuid(text: string): string {
  const guid = text.toLowerCase();
  const found = sectionType(guid) ?? sectionOfKind(text);
  if (found !== undefined) return found.type;
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(guid)) return guid;
  throw new UsageError('E_USAGE', `--section ${text} is no section type`, {
    hint: `A GUID, or one of ${SECTIONS.map(s => s.kind).join(', ')}.`,
  });
}

/** The vendor of `--vendor`; undefined when it is not given. */
export function vendorOf(text: string | undefined): 'intel' | 'amd' | undefined {
  if (text === undefined || text === 'intel' || text === 'amd') return text;
  throw new UsageError('E_USAGE', `--vendor ${text}: expected intel or amd`);
}

function decoderOptions(options: InputOptions): Omit<DecoderOptions, 'onRecord'> {
  const from = FORMS.find(f => f === options.from);
  if (options.from !== undefined && from === undefined) {
    throw new UsageError('E_USAGE', `--from ${options.from}: expected ${FORMS.join(', ')}`);
  }
  const vendor = vendorOf(options.vendor);
  const cpuid = options.cpuid === undefined ? undefined : parseU64(options.cpuid);
  if (options.cpuid !== undefined && cpuid === undefined) {
    throw new UsageError('E_USAGE', `--cpuid ${options.cpuid} is not a number`, {
      hint: 'CPUID leaf 1 EAX, such as 0x50654: the number behind PROCESSOR 0: in a kernel log.',
    });
  }
  return {
    ...(from === undefined ? {} : { from }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(cpuid === undefined ? {} : { cpuid }),
    ...(options.esr ? { esr: true } : {}),
    ...(options.section === undefined ? {} : { section: sectionGuid(options.section) }),
  };
}

const BATCH = 1 << 16;
const FILE_PIECE = 1 << 18;

/** Text for stdout, written in batches; {@link BatchedOutput.drain} waits until the reader has taken them. */
export class BatchedOutput {
  #text = '';

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= BATCH) this.#flush();
  }

  /** Called between pieces of input: so memory stays bounded however slow the reader is. */
  async drain(): Promise<void> {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }

  async end(): Promise<void> {
    this.#flush();
    await this.drain();
  }

  #flush(): void {
    if (this.#text !== '') process.stdout.write(this.#text);
    this.#text = '';
  }
}

const readFd = promisify(read);

/** Pieces of stdin, in one buffer as those of a file; where it does not wait for data, as Node's stream gives them. */
async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  // Even to look at process.stdin makes it a stream that does not wait.
  if (!isatty(0)) {
    const buffer = new Uint8Array(FILE_PIECE);
    try {
      for (;;) {
        const { bytesRead } = await readFd(0, buffer, 0, FILE_PIECE, null);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
  yield* process.stdin as AsyncIterable<Uint8Array>;
}

/** A file in pieces, all in the same buffer: a piece is only good until the next one is asked for. */
async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path);
  try {
    const buffer = new Uint8Array(FILE_PIECE);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, FILE_PIECE, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/**
 * Decodes the inputs in their order; `between` is awaited after each piece of input. Remarks about text go to stderr. Returns how the last input was read.
 * @throws {UsageError} for wrong options, {InputError} for a file that cannot be read.
 */
export async function eachRecord(
  words: readonly string[],
  options: InputOptions,
  onRecord: (record: DecodedRecord) => void,
  between: () => Promise<void> = async () => {},
): Promise<string> {
  const common = decoderOptions(options);
  let evidence = '';
  for (const input of inputsOf(words)) {
    const decoder = createDecoder({
      ...common,
      input: input.name,
      onRecord,
      onDetected: d => (evidence = `${input.name}: ${d.evidence}`),
      onDiagnostic: (d, source) => {
        const line = source.firstLine === undefined ? '' : `:${source.firstLine}`;
        process.stderr.write(`${safeText(`${input.name}${line}: ${d.message} [${d.code}]`)}\n`);
      },
    });
    if ('text' in input) decoder.push(input.text);
    else {
      const { file } = input;
      try {
        for await (const chunk of file === undefined ? stdinChunks() : fileChunks(file)) {
          decoder.push(chunk);
          await between();
        }
      } catch (error) {
        if (error instanceof SyndromeError || !(error instanceof Error && 'syscall' in error)) throw error;
        throw new InputError('E_INPUT', `cannot read ${input.name}: ${messageOf(error)}`, {
          hint: 'Give a file that can be read, or - for stdin.',
          cause: error,
        });
      }
    }
    decoder.end();
    await between();
  }
  return evidence;
}
