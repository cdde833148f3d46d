/** @module `decode --html FILE`: an input in a page that decodes it, without a server and without a network. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { type DecodedRecord, toData } from '@syndrome/decode/decode/record.ts';
import type { RecordOrigin } from '@syndrome/decode/registers/origin.ts';
import { MOST_WHOLE } from '@syndrome/web/view/most.ts';
import { readCode } from './exit-codes.ts';
import { writePage } from './html.ts';
import { say } from './output.ts';
import { eachRecord, type InputOptions, nothingIn } from './record-inputs.ts';

interface Options extends InputOptions {
  html: string;
}

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
    if (this.#length > MOST_WHOLE) this.#pieces.length = 0;
    else this.#pieces.push(Uint8Array.from(piece));
  }

  given(name: string): Given {
    return { name, bytes: this.#length > MOST_WHOLE ? undefined : Buffer.concat(this.#pieces) };
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

/** What was given as one text, or as files; undefined for anything else. */
function givenWhole(words: readonly string[]): Given[] | undefined {
  const stats = words.map(word => (word === '-' ? undefined : statSync(word, { throwIfNoEntry: false })));
  if (!words.includes('-') && stats.every(stat => stat === undefined))
    return [{ name: 'values', bytes: Buffer.from(words.join(' ')) }];
  if (!stats.every(stat => stat?.isFile() === true)) return undefined;
  const fits = stats.reduce((sum, stat) => sum + (stat?.size ?? 0), 0) <= MOST_WHOLE;
  return words.map(word => ({ name: basename(word), bytes: fits ? readInput(word, MOST_WHOLE) : undefined }));
}

/** Records without the names of the files that they are of: `input 1`, `input 2`. */
class Unnamed {
  readonly #numbers = new Map<string, number>();

  #name(input: string): string {
    const number = this.#numbers.get(input) ?? this.#numbers.size + 1;
    this.#numbers.set(input, number);
    return `input ${number}`;
  }

  /** A record as data, wherever a name stands in it. */
  data(record: DecodedRecord): Record<string, unknown> {
    const { source } = record;
    const { copies } = source;
    const data = toData(record);
    const { origin, ...raw } = data['raw'] as { origin?: RecordOrigin };
    return {
      ...data,
      source: {
        ...source,
        input: this.#name(source.input),
        ...(copies && { copies: copies.map(copy => ({ ...copy, input: this.#name(copy.input) })) }),
      },
      raw: origin === undefined ? raw : { ...raw, origin: { ...origin, source: this.#name(origin.source) } },
    };
  }
}

/**
 * Writes the page. It carries the input as it was given, so that raw lines stand beside the records, where the page by itself
 * reads all of it; of a bundle or a database, of what is longer than {@link MOST_WHOLE}, and of anything that names are taken out of,
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
  const unnamed = redact ? new Unnamed() : undefined;
  const result = await eachRecord(
    words,
    options,
    record => {
      lines.push(`${stringify(unnamed?.data(record) ?? toData(record))}\n`);
      return true;
    },
    piped === undefined ? {} : { taken: piece => piped.push(piece) },
  );
  process.exitCode = readCode(result);
  if (lines.length === 0) {
    say(nothingIn(result.evidence));
    return;
  }
  const given = piped ? [piped.given(pipe ?? '')] : asGiven ? givenWhole(words) : undefined;
  const texts = given?.flatMap(({ name, bytes }) => (bytes ? [{ kind: 'log' as const, name, bytes }] : []));
  if (given && texts && texts.length < given.length) {
    const which = given.map(({ name }) => name).join(', ');
    const longer = given.length === 1 ? 'is longer' : 'are longer together';
    say(`${which} ${longer} than ${MOST_WHOLE / 2 ** 20} MiB: the page carries the records, not the lines`);
  }
  const found = texts?.reduce((sum, { bytes }) => sum + decode(bytes).records.length, 0);
  const [word] = words;
  const name = redact || pipe !== undefined || word === undefined ? 'records' : basename(word);
  const records = { kind: 'log' as const, name, bytes: Buffer.from(lines.join('')) };
  await writePage(options.html, texts && found === lines.length ? texts : [records]);
}
