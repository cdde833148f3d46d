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

/** A longer file goes into the page as its records. */
const MOST = 64 << 20;

/** What was given as one text or one file; undefined for anything else. */
function givenWhole(words: readonly string[]): { name: string; bytes: Uint8Array } | undefined {
  const files = words.filter(word => word === '-' || statSync(word, { throwIfNoEntry: false }) !== undefined);
  const [file] = files;
  if (file === undefined)
    return words.length === 0 ? undefined : { name: 'values', bytes: Buffer.from(words.join(' ')) };
  const stat = file === '-' || words.length > 1 ? undefined : statSync(file);
  if (stat?.isFile() !== true || stat.size > MOST) return undefined;
  return { name: basename(file), bytes: readInput(file, MOST) };
}

/**
 * Writes the page. It carries the input as it was given, so that raw lines stand beside the records, where the page by itself
 * reads all of it; of a bundle, a pipe or a database, and of anything that names are taken out of, it carries the records.
 */
export async function decodeToPage(words: readonly string[], options: Options): Promise<void> {
  checkOutput('--html', options.html);
  const lines: string[] = [];
  const result = await eachRecord(words, options, record => {
    lines.push(`${stringify(toData(record))}\n`);
    return true;
  });
  process.exitCode = readCode(result);
  if (lines.length === 0) {
    say(nothingIn(result.evidence));
    return;
  }
  const { redact = false, from, section, vendor, cpuid, esr, dmidecode } = options;
  const told = [from, section, vendor, cpuid, esr, dmidecode].some(option => option !== undefined);
  const whole = redact || told ? undefined : givenWhole(words);
  const same = whole !== undefined && decode(whole.bytes).records.length === lines.length;
  const [word = '-'] = words;
  const named = redact || word === '-' ? 'records' : basename(word);
  const { name, bytes } = same ? whole : { name: named, bytes: Buffer.from(lines.join('')) };
  await writePage(options.html, [{ kind: 'log', name, bytes }]);
}
