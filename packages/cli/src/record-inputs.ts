import { closeSync, fstatSync, openSync, readSync, readlinkSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { SECTIONS, sectionOfKind, sectionType } from '@syndrome/decode/cper/sections.ts';
import { KIND_WORDS, kindOf, SNIFFED } from '@syndrome/decode/bundle/file-kind.ts';
import { Redactor } from '@syndrome/decode/bundle/redact.ts';
import { MemoryDevices } from '@syndrome/decode/bundle/smbios.ts';
import type { DmidecodeText } from '@syndrome/decode/bundle/smbios.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecoderOptions } from '@syndrome/decode/decode/decoder.ts';
import { FORMS } from '@syndrome/decode/decode/form.ts';
import { dataOf, recordOf } from '@syndrome/decode/decode/transfer.ts';
import type { DecodedRecord, DecodedSource, Diagnostic } from '@syndrome/decode/decode/record.ts';
import { VALUE_FORMS, plainValues, values } from '@syndrome/decode/text/values/values.ts';
import { isEndless } from './device.ts';
import type { ReadResult } from './exit-codes.ts';
import { devicesOf, learnFromFile, readAny, readFolder } from './inputs/any-file.ts';
import type { Target } from './inputs/bundle.ts';
import { InputError } from './inputs/input-error.ts';
import { say } from './output.ts';

/** Options of the commands that read records. */
export interface InputOptions {
  from?: string;
  esr?: boolean;
  vendor?: string;
  cpuid?: string;
  section?: string;
  dmidecode?: string;
  redact?: boolean;
}

type Input =
  | { name: string; text: string }
  | { name: string; file: string | undefined }
  | { name: string; folder: string };

/** What is meant as a file name: no value is written like this. */
const PATH = /^\.{0,2}\/.{1,4096}$|^[^=\s]{1,128}\.[a-zA-Z]\w{0,7}$/;

/** What a word names; undefined for what can be no file: a word may be values, or bytes in base64 of any length. */
function statOf(word: string): Stats | undefined {
  try {
    return statSync(word, { throwIfNoEntry: false });
  } catch (error) {
    // Too long, a file taken for a folder, a loop of links, a byte that no name has.
    if (!(error instanceof Error && 'code' in error) || (error.code !== 'EACCES' && error.code !== 'EPERM')) {
      return undefined;
    }
    throw new InputError('E_INPUT', `cannot read ${word}`, {
      hint: 'A folder on the way to it may not be entered.',
      cause: error,
    });
  }
}

/** Said where other words stand beside it that are no values either. */
function isFolder(word: string): InputError {
  return new InputError('E_INPUT', `${word} is a folder, and not all else is a file`, {
    hint: 'Give folders and files, or values.',
  });
}

/** @throws {InputError} for a device that says nothing, for ever, or where nobody may look. */
export function refuseEndless(word: string, stat = statOf(word)): void {
  if (stat === undefined || !isEndless(stat)) return;
  throw new InputError('E_INPUT', `${word} is a device`, { hint: 'Give a file, a pipe, or - for stdin.' });
}

/** Several lone numbers are one value each; anything else is one line. */
function valueText(words: readonly string[]): string {
  const plain = words.map(plainValues);
  // What was typed ends where it ends: with a line end nothing looks as if it had been cut.
  return plain.every(w => /^(?:0[xX])?[0-9a-fA-F]{8,16}$/.test(w)) ? `${plain.join('\n')}\n` : words.join(' ');
}

/** Files by name, `-` for stdin; whatever is no file belongs to the values, which are taken together. */
function inputsOf(words: readonly string[]): Input[] {
  const inputs: Input[] = [];
  const typed: string[] = [];
  const folders: string[] = [];
  for (const word of words) {
    const stat = word === '-' ? undefined : statOf(word);
    if (word === '-') inputs.push({ name: '-', file: undefined });
    else if (stat?.isDirectory() === false) {
      refuseEndless(word, stat);
      inputs.push({ name: word, file: word });
    } else if (PATH.test(word)) {
      if (stat !== undefined) {
        inputs.push({ name: word, folder: word });
        continue;
      }
      throw new InputError('E_INPUT', `there is no file ${word}`, { hint: 'Values are written as 0x… or name=0x….' });
    } else {
      if (stat !== undefined) folders.push(word);
      typed.push(word);
    }
  }
  if (typed.length > 0) {
    const text = valueText(typed);
    // A word of QEMU's command may be the name of a folder too; what is no value at all was meant as one.
    if (folders.length > 0 && text.split('\n').every(line => values(line) === undefined)) {
      if (folders.length < typed.length) throw isFolder(folders[0] ?? '');
      return [...inputs, ...folders.map(folder => ({ name: folder, folder }))];
    }
    inputs.push({ name: 'argument', text });
  }
  return inputs.length > 0 ? inputs : [{ name: '-', file: undefined }];
}

/** Whether all inputs are whole already: values and files, and no pipe whose end nobody knows. */
export function areFinished(words: readonly string[]): boolean {
  if (words.length > 0 && !words.includes('-')) return words.every(word => statOf(word)?.isFIFO() !== true);
  try {
    return fstatSync(0).isFile();
  } catch {
    return false;
  }
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
  // As the kernel prints it: hex, with 0x or without.
  const cpuid =
    options.cpuid === undefined ? undefined : parseU64(options.cpuid.replace(/^(?:0x)?(?=[0-9a-f]{1,8}$)/i, '0x'));
  if (options.cpuid !== undefined && cpuid === undefined) {
    throw new UsageError('E_USAGE', `--cpuid ${options.cpuid} is not a number`, {
      hint: 'CPUID leaf 1 EAX in hex, such as 50654: the number behind PROCESSOR 0: in a kernel log.',
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

const latin1 = new TextDecoder('latin1');
const utf8 = new TextEncoder();
const PIECE = 1 << 18;
const STDIN = '/proc/self/fd/0';

/** After so many pieces what else waits gets its turn: signals, a reader that went away. */
const TURN = 64;

/** Takes pieces of input; a piece is only good during the call. What it returns is waited for. */
type Take = (piece: Uint8Array) => Promise<void> | undefined;

/**
 * Reads a descriptor to its end, all pieces in the same buffer. Without a promise for each: over a long input these
 * fill more memory than its decoding needs.
 */
async function readAll(fd: number, take: Take): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  for (let n = 1; ; n++) {
    const length = readSync(fd, buffer, 0, PIECE, null);
    if (length === 0) return;
    const busy = take(buffer.subarray(0, length));
    if (busy !== undefined) await busy;
    if (n % TURN === 0) await setImmediate();
  }
}

/**
 * A descriptor of the pipe that is stdin which waits for data; undefined where stdin is something else. Node makes stdin
 * itself one that does not wait as soon as anything looks at `process.stdin`, as a `require('node:process')` does.
 */
function waitingStdin(): number | undefined {
  try {
    // A named pipe is left alone: to open one waits for a writer, who may be gone.
    return readlinkSync(STDIN).startsWith('pipe:') ? openSync(STDIN, 'r') : undefined;
  } catch {
    return undefined;
  }
}

/** Stdin; where it can only be read without waiting, as Node's stream gives it. */
async function readStdin(take: Take): Promise<void> {
  const pipe = waitingStdin();
  try {
    if (pipe !== undefined || !isatty(0)) {
      await readAll(pipe ?? 0, take);
      return;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  } finally {
    if (pipe !== undefined) closeSync(pipe);
  }
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) await take(piece);
}

async function readFile(path: string, take: Take): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await readAll(fd, take);
  } finally {
    closeSync(fd);
  }
}

/** Reads something into who takes it. */
async function readInto(target: Target, read: (take: Take) => Promise<void>): Promise<void> {
  await read(piece => target.push(piece));
  await target.end();
}

/** Stdin is read once from its beginning on: what is read at several places, or unpacked, is refused with a word about it. */
function textOnly(target: Target): Target {
  let head: Uint8Array | undefined = new Uint8Array(0);
  const looked = async (): Promise<void> => {
    const bytes = head;
    head = undefined;
    if (bytes === undefined || bytes.length === 0) return;
    const kind = kindOf(bytes);
    if (kind === 'other') {
      await target.push(bytes);
      return;
    }
    const { what, first = 'Give it by its path: `syndrome decode FILE`. Of a pipe write it to a file first.' } =
      KIND_WORDS[kind];
    throw new InputError('E_INPUT', `stdin is ${what}`, { hint: first });
  };
  return {
    async push(piece) {
      if (head === undefined) {
        await target.push(piece);
        return;
      }
      head = Buffer.concat([head, piece]);
      // The header of a tar has zeros before what tells it; a text has none, and whoever waits for a line of it gets it.
      if (head.length >= SNIFFED || !head.includes(0)) await looked();
    },
    async end() {
      await looked();
      await target.end();
    },
  };
}

/** What to say of an input in which nothing was found. @param typed of the command line, where values are meant */
function whyNothing(name: string, evidence: string, typed: boolean): string {
  const word = /^log: (`.*`)$/.exec(evidence)?.[1];
  const why =
    word === undefined
      ? `${name}: ${evidence}`
      : `${name} looks like a log because of ${word}, but none of its lines could be read as one of an error`;
  return typed && !why.includes(VALUE_FORMS) ? `${why}; ${VALUE_FORMS}` : why;
}

/** Diagnostics told of one input with one code; how many more there are is said at its end. */
const MAX_TOLD = 200;

/** Tells what is odd or lost about one input, on stderr. */
class Remarks {
  readonly #tell: (line: string) => void;
  readonly #count = new Map<string, number>();

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  tell({ code, message, offset }: Diagnostic, { input, firstLine }: DecodedSource): void {
    const count = (this.#count.get(code) ?? 0) + 1;
    this.#count.set(code, count);
    if (count > MAX_TOLD) return;
    const line = firstLine === undefined ? '' : `:${firstLine}`;
    const byte = offset === undefined ? '' : ` (byte ${offset})`;
    this.#tell(`${input}${line}: ${message}${byte} [${code}]`);
  }

  /** What is neither. */
  say(lines: string): void {
    for (const line of lines.split('\n')) this.#tell(line);
  }

  end(input: string): void {
    for (const [code, count] of this.#count) {
      if (count > MAX_TOLD) this.#tell(`${input}: ${count - MAX_TOLD} more like these [${code}]`);
    }
  }
}

const isLoss = (d: Diagnostic): boolean => d.code.startsWith('E_');

/** How the records of some inputs are taken. */
interface Taking {
  /** Awaited after each piece of input. */
  between?: () => Promise<void> | undefined;
  /** What is made of a record has its remarks in it: of them only losses are told again. */
  showsRemarks?: boolean;
  /** Given each piece of what is read as it is, once from its beginning on: of files that are looked into it may miss some. */
  taken?: (piece: Uint8Array) => void;
}

/**
 * Decodes the inputs in their order. Remarks about the text and about a record go to stderr, and a line for each of
 * several inputs of which no record was used.
 * @param onRecord says whether it used the record
 * @returns what came of it, how many inputs there were, and how the last was read
 * @throws {UsageError} for wrong options, {InputError} for a file that cannot be read.
 */
export async function eachRecord(
  words: readonly string[],
  options: InputOptions,
  onRecord: (record: DecodedRecord) => boolean,
  { between = () => undefined, showsRemarks = false, taken }: Taking = {},
): Promise<ReadResult & { inputs: number; evidence: string }> {
  const common = decoderOptions(options);
  const inputs = inputsOf(words);
  // Who says what it is, is believed.
  const looksInside = (common.from ?? 'auto') === 'auto' && common.section === undefined;
  const result = { found: 0, typedNothing: false, lost: 0, inputs: inputs.length, evidence: '' };
  const names = options.redact === true ? new Redactor() : undefined;
  const clean = (text: string): string => names?.text(text) ?? text;
  /** What was printed about the machine's DIMMs, by the user's own file or within the input. */
  let devices = new MemoryDevices(options.dmidecode === undefined ? [] : devicesOf(options.dmidecode, names));
  /** Lines that wait until all names are known. */
  const waiting: string[] = [];
  for (const input of inputs) names?.learnFromName(input.name);

  for (const [i, input] of inputs.entries()) {
    const before = result.found;
    let read = 0;
    const remarks = new Remarks(line => {
      if (names === undefined) say(line);
      else waiting.push(line);
    });
    const use = {
      options: common,
      tell(d: Diagnostic, source: DecodedSource) {
        if (isLoss(d)) result.lost++;
        remarks.tell(d, source);
      },
      devices(text: DmidecodeText) {
        for (const { kind, value } of text.identities) names?.learn(kind, value);
        if (text.devices.length > 0) devices = new MemoryDevices([...devices.all, ...text.devices]);
      },
      host: (path: string, text: string) => names?.learnFromHost(path, text),
      bytes: names === undefined ? undefined : (piece: Uint8Array) => names.learnFrom(latin1.decode(piece)),
      record(found: DecodedRecord) {
        read++;
        const dimm = devices.size === 0 ? undefined : devices.of(found);
        const located = dimm === undefined ? found : recordOf({ ...dataOf(found), dimm });
        const record = names === undefined ? located : names.record(located);
        if (record.diagnostics.some(isLoss)) result.lost++;
        for (const d of record.diagnostics) if (!showsRemarks || isLoss(d)) remarks.tell(d, record.source);
        if (onRecord(record)) result.found++;
      },
      between,
    };
    const stream = (): Target => {
      const decoder = createDecoder({
        ...common,
        input: input.name,
        onRecord: record => use.record(record),
        onDetected: d => (result.evidence = whyNothing(input.name, d.evidence, 'text' in input)),
        onDiagnostic: (diagnostic, source) => use.tell(diagnostic, source),
      });
      return {
        push(piece) {
          taken?.(piece);
          use.bytes?.(piece);
          decoder.push(piece);
          return between();
        },
        end() {
          names?.learnFrom('\n');
          decoder.end();
          return between();
        },
      };
    };
    try {
      if ('text' in input) {
        const typed = stream();
        await typed.push(utf8.encode(input.text));
        await typed.end();
      } else if ('folder' in input) result.evidence = await readFolder(input, use, line => remarks.say(line));
      else if (input.file === undefined) {
        const target = looksInside ? textOnly(stream()) : stream();
        await readInto(target, take => readStdin(take));
      } else if (!looksInside || statOf(input.file)?.isFile() !== true) {
        const { file } = input;
        await readInto(stream(), take => readFile(file, take));
      } else {
        const { file } = input;
        if (names !== undefined) await learnFromFile(file, names);
        const evidence = await readAny(input.name, file, {
          use,
          stream,
          plain: take => readFile(file, take),
          say: line => remarks.say(line),
        });
        if (evidence !== undefined) result.evidence = evidence;
      }
    } catch (error) {
      if (error instanceof SyndromeError || !(error instanceof Error && 'syscall' in error)) throw error;
      const unread = inputs.slice(i + 1).map(other => other.name);
      const behind = unread.length === 0 ? '' : ` What stands behind it was not read either: ${unread.join(', ')}.`;
      throw new InputError('E_INPUT', `cannot read ${input.name}`, {
        hint: `Give a file that can be read, or - for stdin.${behind}`,
        cause: error,
      });
    }
    await between();
    remarks.end(input.name);
    for (const line of waiting.splice(0)) say(clean(line));
    if (result.found > before) continue;
    if (read > 0) result.evidence = `${input.name} was read, and holds nothing but events: ${read} of them`;
    result.evidence = clean(result.evidence);
    if ('text' in input) result.typedNothing = true;
    if (inputs.length > 1) say(nothingIn(result.evidence));
  }
  return result;
}

/** What to say of inputs that hold no record. */
export function nothingIn(evidence: string): string {
  return `no error record found (${evidence})`;
}
