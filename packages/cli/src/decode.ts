import { UsageError } from '@syndrome/decode/common/errors.ts';
import { type DecodedRecord, toData } from '@syndrome/decode/decode/record.ts';
import { decodedSchema } from '@syndrome/decode/decode/schema.ts';
import { ticketOf } from '@syndrome/decode/triage/ticket.ts';
import { Triage } from '@syndrome/decode/triage/triage.ts';
import { triageGroups, triageHead } from '@syndrome/decode/triage/triage-text.ts';
import { BriefWriter } from '@syndrome/decode/decode/to-brief.ts';
import { JsonWriter } from '@syndrome/decode/decode/to-json.ts';
import { type TextStyle, TextWriter, toRaw } from '@syndrome/decode/decode/to-text.ts';
import { COLUMNS } from '@syndrome/decode/decode/wrap.ts';
import { screenJson } from '@syndrome/lab/report/json.ts';
import type { Style } from '@syndrome/trace/style.ts';
import { readCode } from './exit-codes.ts';
import { BatchedOutput, type GlobalOptions, printLines, say, stdoutStyle, terminalColumns } from './output.ts';
import { type InputOptions, areFinished, eachRecord, nothingIn } from './record-inputs.ts';

interface DecodeOptions extends GlobalOptions, InputOptions {
  json?: boolean;
  raw?: boolean;
  table?: boolean;
  brief?: boolean;
  full?: boolean;
  inOrder?: boolean;
  triage?: boolean;
  ticket?: boolean;
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

/** Of a finished input with more records than these, what they come to is shown instead of each; of fewer before them. */
const MANY = 20;

/** Values that a person typed stand in the order in which they are meant. */
const isTyped = ({ source }: DecodedRecord): boolean => source.input === 'argument';

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
  const { ticket = false, inOrder = false } = options;
  const asked = ticket || options.triage === true;
  const shown = asked
    ? (['raw', 'table', 'brief', 'full', 'inOrder'] as const).find(name => options[name] === true)
    : undefined;
  const twice = ticket && options.json === true ? 'json' : shown;
  if (twice !== undefined) {
    const names = [ticket ? 'ticket' : 'triage', twice === 'inOrder' ? 'in-order' : twice];
    throw new UsageError('E_USAGE', `--${names.join(' and --')} exclude each other`, { hint: 'Give one of them.' });
  }
  const { table = false, full = table, outlook = true } = options;
  const text = new TextWriter({ table, full, outlook, style: textStyle(stdoutStyle(options)), columns: columns() });
  const json = new JsonWriter();
  const brief = new BriefWriter();
  const out = new BatchedOutput();
  const triage = new Triage();
  const asRecords = options.json === true || options.raw === true;
  const asText = !asRecords && options.brief !== true && !full;
  /** Records that are shown one by one if there are not more of them; undefined once that is known. */
  let few: DecodedRecord[] | undefined = asText && !inOrder && areFinished(words) ? [] : undefined;
  let summed = asked;
  let found = 0;

  function take(record: DecodedRecord): true {
    if (asked || !asRecords) triage.add(record);
    if (asked || (summed && few === undefined)) found++;
    else if (few === undefined) show(record);
    else {
      few.push(record);
      if (few.length > MANY) {
        found += few.length;
        few = undefined;
        summed = true;
      }
    }
    return true;
  }

  function show(record: DecodedRecord): void {
    if (options.json) {
      const line = options.outlook === true ? undefined : json.line(record);
      if (line === undefined) out.write(`${screenJson(toData(record, { outlook: options.outlook === true }))}\n`);
      else out.writePlain(line);
    } else if (options.raw) {
      // Events have no registers; JSON is what a program can read.
      out.write(`${record.raw.kind === 'event' ? screenJson(record.raw) : toRaw(record)}\n`);
    } else if (options.brief) out.write(`${brief.line(record)}\n`);
    else {
      if (found > 0) out.write('\n');
      out.write(text.text(record));
    }
    found++;
  }

  const result = await eachRecord(words, options, take, {
    between: () => out.drain(),
    showsRemarks: options.raw !== true && options.brief !== true,
  });
  const style = textStyle(stdoutStyle(options));
  const width = columns();
  const ranked = few === undefined || few.every(isTyped) ? undefined : triage.incidents();
  const isOne = few?.length === 1;
  // A line that only points to a record is none of an error.
  if (ranked !== undefined && !(isOne && ranked.length === 0)) {
    // What is to be done is said of one record, too; there is nothing to add up.
    if (!isOne) out.write(`${triageHead(triage.report(), { style, width, listed: true }).join('\n')}\n`);
    for (const [telling, ...others] of ranked) {
      if (telling !== undefined)
        out.write(`${isOne ? '' : '\n'}${text.text(telling.record, telling.nextStep, telling.fate)}`);
      for (const { record } of others) out.write(`\n${text.short(record)}`);
    }
    found += few?.length ?? 0;
  } else for (const record of few ?? []) show(record);
  if (ticket) {
    if (found > 0) out.write(`${ticketOf(triage.report()).join('\n')}\n`);
  } else if (asked && options.json) out.write(`${screenJson(triage.report())}\n`);
  else if (found > 0 && (summed || (asText && few === undefined && found > 1))) {
    const report = triage.report();
    const head = triageHead(report, { style, width, listed: !summed });
    // What was shown one by one ends with what it comes to.
    out.write(`${summed ? '' : '\n'}${head.join('\n')}\n`);
    if (summed) {
      const worst = triage.worst();
      if (worst !== undefined) out.write(`\n${text.text(worst.record, worst.nextStep, worst.fate)}`);
      const groups = triageGroups(report, width);
      if (groups.length > 0) out.write(`\n${groups.join('\n')}\n`);
    }
  } else if (options.brief && found > 1) {
    out.write(`\n${brief.summary().join('\n')}\n\n${triageHead(triage.report(), { width }).join('\n')}\n`);
  }
  await out.end();
  if (found === 0 && result.inputs === 1) say(nothingIn(result.evidence));
  process.exitCode = readCode(result);
}
