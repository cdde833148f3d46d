import { UsageError } from '@syndrome/decode/common/errors.ts';
import { type DecodedRecord, toData } from '@syndrome/decode/decode/record.ts';
import { decodedSchema } from '@syndrome/decode/decode/schema.ts';
import { BriefWriter } from '@syndrome/decode/decode/to-brief.ts';
import { JsonWriter } from '@syndrome/decode/decode/to-json.ts';
import { type TextStyle, TextWriter, toRaw } from '@syndrome/decode/decode/to-text.ts';
import { COLUMNS } from '@syndrome/decode/decode/wrap.ts';
import { screenJson } from '@syndrome/lab/report/json.ts';
import type { Style } from '@syndrome/trace/style.ts';
import { readCode } from './exit-codes.ts';
import { BatchedOutput, type GlobalOptions, printLines, say, stdoutStyle, terminalColumns } from './output.ts';
import { type InputOptions, eachRecord, nothingIn } from './record-inputs.ts';

interface DecodeOptions extends GlobalOptions, InputOptions {
  json?: boolean;
  raw?: boolean;
  table?: boolean;
  brief?: boolean;
  full?: boolean;
  /** True without a value: list everything. */
  explain?: string | true;
  schema?: boolean;
  outlook?: boolean;
}

const MARKS = { headline: 'bold', dim: 'dim', error: 'red', warning: 'yellow' } as const;

/** The marks of a style, asked for once: it looks at its stream each time. */
function textStyle(style: Style): TextStyle {
  const around = (part: keyof typeof MARKS): string[] => style(MARKS[part], '\0').split('\0');
  const marks = {
    headline: around('headline'),
    dim: around('dim'),
    error: around('error'),
    warning: around('warning'),
  };
  return (part, text) => `${marks[part][0] ?? ''}${text}${marks[part][1] ?? ''}`;
}

/** The width to lay out for: COLUMNS, else the terminal's. The writer bounds it. */
function columns(): number {
  const wanted = Number(process.env['COLUMNS']);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : (terminalColumns() ?? COLUMNS);
}

/** Writes everything decoded from the inputs; the exit code says whether there was anything, and whether something was lost. */
export async function decode(words: readonly string[], options: DecodeOptions): Promise<void> {
  if (options.schema) {
    printLines(decodedSchema());
    return;
  }
  if (options.explain !== undefined) {
    const { explain, listExplanations } = await import('./explain.ts');
    if (options.explain === true || options.explain === 'list') listExplanations(options);
    else await explain(options.explain, options);
    return;
  }
  const [form, other] = (['json', 'raw', 'table', 'brief'] as const).filter(name => options[name] === true);
  if (form !== undefined && other !== undefined) {
    throw new UsageError('E_USAGE', `--${form} and --${other} exclude each other`, { hint: 'Give one of them.' });
  }
  const { table = false, full = table, outlook = true } = options;
  const text = new TextWriter({ table, full, outlook, style: textStyle(stdoutStyle(options)), columns: columns() });
  const json = new JsonWriter();
  const brief = new BriefWriter();
  const out = new BatchedOutput();
  let found = 0;

  function show(record: DecodedRecord): true {
    if (options.json) {
      const line = options.outlook === true ? undefined : json.line(record);
      out.write(`${line ?? screenJson(toData(record, { outlook: options.outlook === true }))}\n`);
    } else if (options.raw) {
      // Events have no registers; JSON is what a program can read.
      out.write(`${record.raw.kind === 'event' ? screenJson(record.raw) : toRaw(record)}\n`);
    } else if (options.brief) out.write(`${brief.line(record)}\n`);
    else {
      if (found > 0) out.write('\n');
      out.write(text.text(record));
    }
    found++;
    return true;
  }

  const result = await eachRecord(words, options, show, {
    between: () => out.drain(),
    showsRemarks: options.raw !== true && options.brief !== true,
  });
  if (options.brief && found > 1) out.write(`\n${brief.summary().join('\n')}\n`);
  await out.end();
  if (found === 0 && result.inputs === 1) say(nothingIn(result.evidence));
  process.exitCode = readCode(result);
}
