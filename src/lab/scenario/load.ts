import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { UsageError } from '../../common/errors.ts';
import { didYouMean } from '../../common/nearest.ts';
import { readInput } from '../../disk/input-file.ts';
import { catalogEvent, eventNames } from '../../text/catalog.ts';
import { NAMED_MCA } from '../../mca/named.ts';
import { parseDuration } from '../duration.ts';
import { parseCondition, references } from '../expect/condition.ts';
import { type Expectation, parseExpectation } from '../expect/expectation.ts';
import type { Outcome } from '../expect/outcome.ts';
import { looseScenarioSchema, type MachineSpec } from './schema.ts';
import { type Step, type StepName, stepSchemas } from './steps.ts';
import { YamlFile } from './yaml.ts';

/** A checked scenario. */
export interface Scenario {
  name: string;
  title: string;
  about: string;
  why: string;
  sources: string[];
  machine: MachineSpec;
  steps: Step[];
  expect: Expectation[];
  outcome: Outcome;
  /** ns */
  timeout: number;
  /** ns */
  settle: number;
  file: string;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown key "${issue.keys.join('", "')}"`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

/** Maps the first complaint of zod to its place in the file. */
function firstIssue(yaml: YamlFile, error: z.ZodError, prefix: PropertyKey[] = []): Error {
  // A misspelt key is both unknown and missing; the first is what the author can see.
  const issue = error.issues.find(i => i.code === 'unrecognized_keys') ?? error.issues[0];
  if (!issue) return yaml.error(prefix, 'not a scenario');
  const path = [...prefix, ...issue.path];
  const where = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
  const message = where + describeIssue(issue);
  return issue.code === 'unrecognized_keys'
    ? yaml.error([...path, issue.keys[0] ?? ''], message, undefined, 'key')
    : yaml.error(path, message);
}

/**
 * Checks the text of a scenario.
 * @throws ScenarioError with file, line and column and what was expected.
 */
export function parseScenario(text: string, file: string): Scenario {
  const yaml = new YamlFile(text, file);
  const loose = looseScenarioSchema.safeParse(yaml.value);
  if (!loose.success) throw firstIssue(yaml, loose.error);
  const machineSpec = loose.data.machine;
  // QEMU 11.1 dies at start with ras=on and ACPI but no firmware; x86 machines have neither.
  if ('ras' in machineSpec && machineSpec.ras && !machineSpec.firmware) {
    throw yaml.error(['machine', 'ras'], 'ras: true needs firmware: true');
  }
  if (machineSpec.kind === 'linux-guest') {
    const { arch, firmware } = machineSpec;
    if (firmware && arch !== 'aarch64') throw yaml.error(['machine', 'firmware'], 'firmware: true needs arch: aarch64');
  }
  const saved = new Set<string>();
  const processes = new Set<string>();
  const names = Object.keys(stepSchemas);
  const useValue = (path: PropertyKey[], name: string): void => {
    if (!saved.has(name)) {
      const known = [...saved];
      throw yaml.error(
        path,
        `$${name} is not saved by an earlier step`,
        known.length ? didYouMean(name, known) : undefined,
      );
    }
  };
  const condition = (path: PropertyKey[], parse: () => { condition: ReturnType<typeof parseCondition> }): void => {
    try {
      const parsed = parse().condition;
      const known = eventNames();
      if (!known.includes(parsed.name)) {
        throw yaml.error(path, `no event has the name "${parsed.name}"`, didYouMean(parsed.name, known));
      }
      const fields = Object.keys(catalogEvent(parsed.name)?.fields ?? {});
      for (const { field } of parsed.terms) {
        if (!fields.includes(field)) {
          throw yaml.error(path, `${parsed.name} has no field "${field}"`, didYouMean(field, fields));
        }
      }
      for (const name of references(parsed)) useValue(path, name);
    } catch (error) {
      if (error instanceof UsageError && error.code === 'E_EXPECT_SYNTAX') {
        throw yaml.error(
          path,
          error.message,
          error.hint,
          error.message.includes('kind of expectation') ? 'key' : 'value',
        );
      }
      throw error;
    }
  };
  const steps = loose.data.steps.map((raw, i): Step => {
    const keys = Object.keys(raw);
    const step = keys[0] as StepName | undefined;
    if (step === undefined || keys.length !== 1) throw yaml.error(['steps', i], 'a step has exactly one key: its kind');
    const schema = Object.hasOwn(stepSchemas, step) ? stepSchemas[step] : undefined;
    if (!schema) throw yaml.error(['steps', i, step], `there is no step "${step}"`, didYouMean(step, names), 'key');
    const parsed = schema.safeParse(raw[step]);
    if (!parsed.success) throw firstIssue(yaml, parsed.error, ['steps', i, step]);
    const args = parsed.data as Record<string, unknown>;
    for (const [key, value] of Object.entries(args)) {
      if (typeof value === 'string' && /^\$[A-Za-z]/.test(value)) useValue(['steps', i, step, key], value.slice(1));
    }
    if (step === 'wait') condition(['steps', i, step, 'for'], () => ({ condition: parseCondition(String(args.for)) }));
    if (step === 'inject-mce') {
      const record = args.record as string | undefined;
      const known = NAMED_MCA.map(r => r.name);
      if (record !== undefined && !known.includes(record)) {
        throw yaml.error(['steps', i, step, 'record'], `there is no record "${record}"`, didYouMean(record, known));
      }
      if (record === undefined && args.status === undefined) {
        throw yaml.error(['steps', i, step], 'give a named record, or at least a status');
      }
    }
    const known = (path: string, set: ReadonlySet<string>, what: string): void => {
      const name = args[path];
      if (typeof name === 'string' && !set.has(name)) {
        throw yaml.error(
          ['steps', i, step, path],
          `no earlier step has made the ${what} "${name}"`,
          didYouMean(name, [...set]),
        );
      }
    };
    const save = (path: string): void => {
      const name = String(args[path]);
      if (saved.has(name)) throw yaml.error(['steps', i, step, path], `$${name} is saved by an earlier step already`);
      saved.add(name);
    };
    if (step === 'spawn') processes.add(String(args.process));
    else known('process', processes, 'process');
    if (step !== 'map') known('page', saved, 'page');
    if (step === 'gpa2hpa' || step === 'vmm-page') save('as');
    if (step === 'map') {
      save('as');
      saved.add(`${String(args.as)}.virt`);
    }
    return { step, args } as Step;
  });
  const expect = loose.data.expect.map((entry, i): Expectation => {
    const keys = Object.keys(entry);
    const when = keys[0];
    if (when === undefined || keys.length !== 1) throw yaml.error(['expect', i], 'an expectation has exactly one key');
    const line = `${when}: ${entry[when]}`;
    condition(['expect', i, when], () => parseExpectation(line));
    return parseExpectation(line);
  });
  const time = (key: 'timeout' | 'settle'): number => {
    const ns = parseDuration(loose.data[key]);
    if (ns === undefined) throw yaml.error([key], 'expected a duration such as 500ms, 10s or 2m');
    return ns;
  };
  const { name, title, about, why, sources, machine, outcome } = loose.data;
  return {
    name,
    title,
    about,
    why,
    sources,
    machine,
    steps,
    expect,
    outcome,
    timeout: time('timeout'),
    settle: time('settle'),
    file,
  };
}

/** A hundred times the longest that comes with the program; each wrong place of it is an error object. */
const MAX_SCENARIO_BYTES = 256 << 10;

/** Reads a scenario file. @throws UsageError when it cannot be read, ScenarioError when it is wrong. */
export function loadScenario(file: string): Scenario {
  let text: string;
  try {
    text = readInput(file, MAX_SCENARIO_BYTES).toString('utf8');
  } catch (error) {
    throw new UsageError('E_SCENARIO_READ', `the scenario ${file} cannot be read`, { cause: error });
  }
  return parseScenario(text, file);
}

/** The folder of the scenarios that come with the program. */
export const SCENARIO_DIR: string = join(import.meta.dirname, '../../../scenarios');

/** All scenarios that come with the program, by name. */
export function bundledScenarios(): Scenario[] {
  return readdirSync(SCENARIO_DIR)
    .filter(f => f.endsWith('.yaml'))
    .toSorted()
    .map(f => loadScenario(join(SCENARIO_DIR, f)));
}

/** A scenario by name, or by the path of a file. @throws UsageError E_SCENARIO_UNKNOWN with the nearest name. */
export function findScenario(nameOrFile: string): Scenario {
  if (/\.ya?ml$/.test(nameOrFile) || nameOrFile.includes('/')) return loadScenario(nameOrFile);
  const files = readdirSync(SCENARIO_DIR).filter(f => f.endsWith('.yaml'));
  const names = files.map(f => basename(f, '.yaml'));
  if (names.includes(nameOrFile)) return loadScenario(join(SCENARIO_DIR, `${nameOrFile}.yaml`));
  throw new UsageError('E_SCENARIO_UNKNOWN', `there is no scenario "${nameOrFile}"`, {
    hint: didYouMean(nameOrFile, names),
  });
}
