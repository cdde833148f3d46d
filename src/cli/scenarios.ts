import { stringify } from '../common/hex.ts';
import { bundledScenarios, findScenario, type Scenario } from '../lab/scenario/load.ts';
import { scenarioJsonSchema } from '../lab/scenario/schema.ts';
import { describeStep } from '../lab/steps/describe.ts';
import { wrap } from '../report/timeline.ts';
import { type GlobalOptions, print, stdoutStyle } from './output.ts';

interface Options extends GlobalOptions {
  explain?: string;
  json?: boolean;
  schema?: boolean;
}

/** Lists the scenarios, explains one, or prints the schema of scenario files. */
export function scenarios(name: string | undefined, options: Options): void {
  if (options.schema) {
    print(stringify(scenarioJsonSchema(), 2));
    return;
  }
  const one = options.explain ?? name;
  const chosen = one === undefined ? bundledScenarios() : [findScenario(one)];
  if (options.json) {
    for (const s of chosen) print(stringify({ schemaVersion: 1, ...s, expect: s.expect.map(e => e.text) }));
  } else if (one !== undefined && chosen[0]) explain(chosen[0], options);
  else {
    const style = stdoutStyle(options);
    for (const s of chosen)
      print(`${style('bold', s.name.padEnd(22))} ${style('dim', s.outcome.padEnd(10))} ${s.title}`);
  }
}

const flow = (text: string): string[] =>
  text
    .trim()
    .split(/\n\s*\n/)
    .flatMap(paragraph => wrap(paragraph.replace(/\s+/g, ' '), 94));

function explain(s: Scenario, options: Options): void {
  const style = stdoutStyle(options);
  const section = (head: string, lines: readonly string[]): void => {
    print(style('bold', head));
    for (const line of lines) print(`  ${line}`);
  };
  print(`${style('bold', s.name)}  ${s.title}`);
  section('What', flow(s.about));
  section('Why', flow(s.why));
  section('Machine', [
    Object.entries(s.machine)
      .filter(([, v]) => v !== '' && v !== false)
      .map(([k, v]) => `${k}=${String(v)}`)
      .join(' '),
  ]);
  section('Steps', s.steps.map(describeStep));
  section('Expected', [...s.expect.map(e => e.text), `outcome: ${s.outcome}`]);
  section('Sources', s.sources);
  print(style('dim', s.file));
}
