import { createReadStream, statSync } from 'node:fs';
import { UsageError } from '../common/errors.ts';
import { parseU64, stringify } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { SECTIONS, sectionOfKind, sectionType } from '../cper/sections.ts';
import { createDecoder } from '../decode/decoder.ts';
import { FORMS } from '../decode/form.ts';
import type { DecodedRecord } from '../decode/record.ts';
import { toRaw, toText } from '../decode/to-text.ts';
import { EXIT } from './exit-codes.ts';
import { type GlobalOptions, print, stdoutStyle } from './output.ts';

export interface DecodeOptions extends GlobalOptions {
  from?: string;
  json?: boolean;
  raw?: boolean;
  table?: boolean;
  esr?: boolean;
  vendor?: string;
  cpuid?: string;
  section?: string;
}

/** One input: a file, stdin, or the values on the command line taken together. */
type Input = { name: string; text: string } | { name: string; file: string | undefined };

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

/** Files by name, `-` for stdin; whatever is no file belongs to the values. */
function inputsOf(words: readonly string[]): Input[] {
  const inputs: Input[] = [];
  const values: string[] = [];
  for (const word of words) {
    if (word === '-') inputs.push({ name: '-', file: undefined });
    else if (isFile(word)) inputs.push({ name: word, file: word });
    else values.push(word);
  }
  if (values.length > 0) inputs.push({ name: 'argument', text: valueText(values) });
  return inputs.length > 0 ? inputs : [{ name: '-', file: undefined }];
}

/** Several lone numbers are one value each; anything else is one line. */
function valueText(words: readonly string[]): string {
  return words.every(w => /^(?:0[xX])?[0-9a-fA-F]{8,16}$/.test(w)) ? words.join('\n') : words.join(' ');
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

/** Writes everything decoded from the inputs; exit code 4 when nothing was found. */
export async function decode(words: readonly string[], options: DecodeOptions): Promise<void> {
  const from = FORMS.find(f => f === (options.from ?? 'auto'));
  if (from === undefined) {
    throw new UsageError('E_USAGE', `--from ${options.from}: expected ${FORMS.join(', ')}`);
  }
  const vendor = options.vendor;
  if (vendor !== undefined && vendor !== 'intel' && vendor !== 'amd') {
    throw new UsageError('E_USAGE', `--vendor ${vendor}: expected intel or amd`);
  }
  const cpuid = options.cpuid === undefined ? undefined : parseU64(options.cpuid);
  if (options.cpuid !== undefined && cpuid === undefined) {
    throw new UsageError('E_USAGE', `--cpuid ${options.cpuid} is not a number`, {
      hint: 'CPUID leaf 1 EAX, such as 0x50654: the number behind PROCESSOR 0: in a kernel log.',
    });
  }
  const section = options.section === undefined ? undefined : sectionGuid(options.section);
  const style = stdoutStyle(options);
  const marks = { headline: 'bold', dim: 'dim', error: 'red', warning: 'yellow' } as const;
  let found = 0;

  function show(record: DecodedRecord): void {
    if (options.json) print(stringify(record));
    else if (options.raw) print(toRaw(record));
    else {
      if (found > 0) print('');
      const table = options.table === true;
      for (const line of toText(record, { table, style: (part, text) => style(marks[part], text) })) print(line);
    }
    found++;
  }

  let evidence = '';
  for (const input of inputsOf(words)) {
    const decoder = createDecoder({
      input: input.name,
      from,
      onRecord: show,
      onDetected: d => (evidence = `${input.name}: ${d.evidence}`),
      onDiagnostic: (d, source) => {
        const line = source.firstLine === undefined ? '' : `:${source.firstLine}`;
        process.stderr.write(`${safeText(`${input.name}${line}: ${d.message} [${d.code}]`)}\n`);
      },
      ...(vendor === undefined ? {} : { vendor }),
      ...(cpuid === undefined ? {} : { cpuid }),
      ...(options.esr ? { esr: true } : {}),
      ...(section === undefined ? {} : { section }),
    });
    if ('text' in input) decoder.push(input.text);
    else {
      const stream = input.file === undefined ? process.stdin : createReadStream(input.file);
      for await (const chunk of stream as AsyncIterable<Uint8Array>) decoder.push(chunk);
    }
    decoder.end();
  }
  if (found === 0) {
    process.stderr.write(`no error record found (${safeText(evidence)})\n`);
    process.exitCode = EXIT.skip;
  }
}
