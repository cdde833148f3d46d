import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { scenarioData } from '@syndrome/lab/run-spec.ts';
import { bundledScenarios, findScenario, scenarioNames, type Scenario } from '@syndrome/lab/scenario/load.ts';
import { scenarioJsonSchema } from '@syndrome/lab/scenario/schema.ts';
import { scenarioWord, type ScenarioWord } from '@syndrome/lab/scenario/words.ts';
import { describeStep } from '@syndrome/lab/steps/describe.ts';
import { wrap } from '@syndrome/trace/timeline.ts';
import { type GlobalOptions, print, printJson, stdoutLook, stdoutStyle } from './output.ts';

interface Options extends GlobalOptions {
  explain?: string;
  json?: boolean;
  schema?: boolean;
}

/** Lists the scenarios, explains one, or prints the schema of scenario files. */
export function scenarios(name: string | undefined, options: Options): void {
  if (name !== undefined && options.explain !== undefined && name !== options.explain) {
    throw new UsageError('E_USAGE', `explain ${name} or ${options.explain}?`, { hint: 'Name one scenario.' });
  }
  if (options.schema) {
    if (name !== undefined || options.explain !== undefined) {
      throw new UsageError('E_USAGE', '--schema takes no scenario', { hint: 'It is the schema of all of them.' });
    }
    printJson(scenarioJsonSchema(), 2);
    return;
  }
  const one = options.explain ?? name;
  const word = one === undefined || scenarioNames().includes(one) ? undefined : scenarioWord(one);
  if (word !== undefined) {
    if (options.json) printJson({ schemaVersion: 1, ...word });
    else explainWord(word, options);
    return;
  }
  const chosen = one === undefined ? bundledScenarios() : [findScenario(one)];
  if (options.json) {
    for (const s of chosen) printJson({ schemaVersion: 1, ...scenarioData(s) });
  } else if (one !== undefined && chosen[0]) explain(chosen[0], options);
  else {
    const style = stdoutStyle(options);
    for (const s of chosen)
      print(`${style('bold', s.name.padEnd(22))} ${style('dim', s.outcome.padEnd(10))} ${s.title}`);
  }
}

/** Paragraphs of a scenario file, which may be somebody else's. */
const flow = (text: string, width: number): string[] =>
  text
    .trim()
    .split(/\n\s*\n/)
    .flatMap(paragraph => wrap(safeText(paragraph.replace(/\s+/g, ' ')), width));

/** A step, a kind of machine, an event: what it is, and each of its members. */
function explainWord({ name, what, about, members }: ScenarioWord, options: Options): void {
  const { style, width } = stdoutLook(options);
  print(`${style('bold', name)}  ${what}`);
  for (const line of wrap(about, width - 2)) print(`  ${line}`);
  const column = Math.max(0, ...members.map(m => m.name.length));
  for (const { name: member, about: says, needed } of members) {
    const [first = '', ...rest] = wrap(needed ? says : `optional; ${says}`, width - column - 6);
    print(`    ${member.padEnd(column)}  ${first}`.trimEnd());
    for (const line of rest) print(`${' '.repeat(column + 6)}${line}`);
  }
}

function explain(s: Scenario, options: Options): void {
  const { style, width } = stdoutLook(options);
  const section = (head: string, lines: readonly string[]): void => {
    print(style('bold', head));
    for (const line of lines) print(`  ${line}`);
  };
  /** A list: long entries go on under themselves. */
  const items = (lines: readonly string[]): string[] =>
    lines.flatMap(line => wrap(safeText(line), width - 6).map((piece, i) => (i === 0 ? piece : `    ${piece}`)));
  const machine = Object.entries(s.machine).filter(
    ([, v]) => v !== '' && v !== false && !(Array.isArray(v) && v.length === 0),
  );
  print(`${style('bold', s.name)}  ${safeText(s.title)}`);
  section('What', flow(s.about, width - 6));
  section('Why', flow(s.why, width - 6));
  const without = s.without === undefined ? [] : [`its kernel is built without ${s.without.join(' ')}`];
  section('Machine', items([machine.map(([k, v]) => `${k}=${spec(v)}`).join(' '), ...without]));
  section('Steps', items(s.steps.map(describeStep)));
  section('Expected', items([...s.expect.map(e => e.text), `outcome: ${s.outcome}`]));
  section('Sources', items(s.sources));
  print(style('dim', safeText(s.file)));
}

/** A value of a machine: the guest of a nested machine is one itself. */
function spec(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).filter(([, v]) => v !== '' && !(Array.isArray(v) && v.length === 0));
  return `(${entries.map(([k, v]) => `${k}=${spec(v)}`).join(' ')})`;
}
