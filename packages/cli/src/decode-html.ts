/** @module `decode --html FILE`: an input in a page that decodes it, without a server and without a network. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { readCode } from './exit-codes.ts';
import { writePage } from './html.ts';
import { say } from './output.ts';
import { eachRecord, type InputOptions, nothingIn } from './record-inputs.ts';

interface Options extends InputOptions {
  html: string;
}

/** Of what is longer the page carries the records. */
const MOST = 64 << 20;

/** What was given, as one text. */
interface Given {
  name: string;
  /** Undefined where it is too long. */
  bytes: Uint8Array | undefined;
}

/** A pipe, of which the text is only there while it is read. */
class Piped {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  push(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > MOST) this.#pieces.length = 0;
    else this.#pieces.push(Uint8Array.from(piece));
  }

  given(name: string): Given {
    return { name, bytes: this.#length > MOST ? undefined : Buffer.concat(this.#pieces) };
  }
}

/** Where one pipe is read, its name. */
function pipeOf(words: readonly string[]): string | undefined {
  const [word = '-', ...others] = words;
  if (others.length > 0) return undefined;
  if (word === '-') return 'stdin';
  const stat = statSync(word, { throwIfNoEntry: false });
  return stat?.isFIFO() === true || stat?.isCharacterDevice() === true ? 'pipe' : undefined;
}

/** What was given as one text or one file; undefined for anything else. */
function givenWhole(words: readonly string[]): Given | undefined {
  const [file] = words.filter(word => word === '-' || statSync(word, { throwIfNoEntry: false }) !== undefined);
  if (file === undefined) return { name: 'values', bytes: Buffer.from(words.join(' ')) };
  const stat = file === '-' || words.length > 1 ? undefined : statSync(file);
  if (stat?.isFile() !== true) return undefined;
  return { name: basename(file), bytes: stat.size > MOST ? undefined : readInput(file, MOST) };
}

/**
 * Writes the page. It carries the input as it was given, so that raw lines stand beside the records, where the page by itself
 * reads all of it; of a bundle or a database, of what is longer than {@link MOST}, and of anything that names are taken out of,
 * it carries the records.
 */
export async function decodeToPage(words: readonly string[], options: Options): Promise<void> {
  checkOutput('--html', options.html);
  const { redact = false, from, section, vendor, cpuid, esr, dmidecode } = options;
  const told = [from, section, vendor, cpuid, esr, dmidecode].some(option => option !== undefined);
  const asGiven = !redact && !told;
  const pipe = pipeOf(words);
  const piped = asGiven && pipe !== undefined ? new Piped() : undefined;
  const lines: string[] = [];
  const result = await eachRecord(
    words,
    options,
    record => {
      lines.push(`${stringify(toData(record))}\n`);
      return true;
    },
    piped === undefined ? {} : { taken: piece => piped.push(piece) },
  );
  process.exitCode = readCode(result);
  if (lines.length === 0) {
    say(nothingIn(result.evidence));
    return;
  }
  const given = piped?.given(pipe ?? '') ?? (asGiven ? givenWhole(words) : undefined);
  if (given !== undefined && given.bytes === undefined)
    say(`${given.name} is longer than ${MOST >> 20} MiB: the page carries its records, not its lines`);
  const whole = given?.bytes !== undefined && decode(given.bytes).records.length === lines.length ? given : undefined;
  const [word] = words;
  const named = redact || pipe !== undefined || word === undefined ? 'records' : basename(word);
  const { name, bytes = Buffer.from(lines.join('')) } = whole ?? { name: named };
  await writePage(options.html, [{ kind: 'log', name, bytes }]);
}
