import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { didYouMean, nearest } from '@syndrome/decode/common/nearest.ts';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { catalogEvent, eventNames } from '@syndrome/decode/events/catalog.ts';
import { parseDuration } from '@syndrome/trace/duration.ts';
import { parseCondition, references } from '@syndrome/trace/expect/condition.ts';
import { checkPatterns, type Expectation, parseExpectation } from '@syndrome/trace/expect/expectation.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { together } from './faults.ts';
import { machineFaults, type MachineSpec } from '../machines/registry.ts';
import { type Step, stepKind, stepKinds } from '../steps/registry.ts';
import type { StepKind } from '../steps/step.ts';
import { looseScenarioSchema } from './schema.ts';
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
  /** Options that the kernel under test is to lack. */
  without?: string[];
  outcome: Outcome;
  /** ns */
  timeout: number;
  /** ns */
  settle: number;
  file: string;
}

type Path = readonly PropertyKey[];
type Data = Readonly<Record<string, unknown>>;

/** Unknown keys of one map that are told one by one. */
const MAX_UNKNOWN = 10;

const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Data)[String(key)] : undefined,
    value,
  );
}

/** Tells the complaints of zod about the value that `prefix` leads to, each at its place in the file. */
function addIssues(yaml: YamlFile, error: z.ZodError, prefix: Path = []): void {
  const unknown = error.issues.filter(i => i.code === 'unrecognized_keys');
  for (const issue of error.issues) {
    const path = [...prefix, ...issue.path];
    const where = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_UNKNOWN)) {
        yaml.fault([...path, key], `${where}unknown key "${key}"`, undefined, 'key');
      }
      const more = issue.keys.length - MAX_UNKNOWN;
      if (more > 0)
        yaml.fault([...path, issue.keys[MAX_UNKNOWN] ?? ''], `${where}${more} more unknown keys`, undefined, 'key');
      continue;
    }
    // A misspelt key is both unknown and missing; the first is what the author can see.
    const name = String(issue.path.at(-1));
    const map = issue.path.slice(0, -1).join('.');
    const beside = unknown.find(u => u.path.join('.') === map)?.keys.slice(0, MAX_UNKNOWN) ?? [];
    const missing = issue.path.length > 0 && valueAt(yaml.value, path) === undefined;
    if (missing && beside.some(key => nearest(key, [name]) !== undefined)) continue;
    yaml.fault(path, where + issue.message.charAt(0).toLowerCase() + issue.message.slice(1));
  }
}

/** Checks what the steps and expectations of a file say, beyond their shape. */
class Checker {
  readonly #yaml: YamlFile;
  readonly #saved = new Set<string>();
  readonly #processes = new Set<string>();

  constructor(yaml: YamlFile) {
    this.#yaml = yaml;
  }

  machine(machine: unknown): void {
    if (!isData(machine)) return;
    for (const { key, message } of machineFaults(machine)) this.#yaml.fault(['machine', key], message);
  }

  /** A step with its arguments; undefined for one that is wrong. */
  step(raw: Data, i: number): Step | undefined {
    const keys = Object.keys(raw);
    const [step] = keys;
    const path = ['steps', i, ...(step === undefined ? [] : [step])];
    const kind = step === undefined ? undefined : stepKind(step);
    if (step === undefined || keys.length !== 1) {
      this.#yaml.fault(['steps', i], 'a step has exactly one key: its kind');
    } else if (kind === undefined) {
      const known = stepKinds.map(({ name }) => name);
      this.#yaml.fault(path, `there is no step "${step}"`, didYouMean(step, known), 'key');
    } else {
      const parsed = kind.schema.safeParse(raw[step]);
      if (parsed.success) {
        this.#arguments(kind, path, parsed.data);
        return { step, args: parsed.data } as Step;
      }
      addIssues(this.#yaml, parsed.error, path);
    }
    for (const args of Object.values(raw)) this.#mayHaveMade(args);
    return undefined;
  }

  /** An expectation; undefined for one that is wrong. */
  expectation(entry: Data, i: number): Expectation | undefined {
    const keys = Object.keys(entry);
    const when = keys[0];
    if (when === undefined || keys.length !== 1) {
      this.#yaml.fault(['expect', i], 'an expectation has exactly one key');
      return undefined;
    }
    return this.#condition(['expect', i, when], () => parseExpectation(`${when}: ${String(entry[when])}`));
  }

  /** What a wrong step names: that it was not made is no fault of the steps behind it. */
  #mayHaveMade(args: unknown): void {
    if (!isData(args)) return;
    for (const [key, value] of Object.entries(args)) {
      if (typeof value !== 'string') continue;
      if (key !== 'as') this.#processes.add(value);
      if (key !== 'process') this.#saved.add(value).add(`${value}.virt`);
    }
  }

  #arguments(kind: StepKind, path: Path, args: Data): void {
    for (const [key, value] of Object.entries(args)) {
      if (typeof value === 'string' && /^\$[A-Za-z]/.test(value)) this.#use([...path, key], value.slice(1));
    }
    const { condition } = kind;
    if (condition !== undefined) {
      this.#condition([...path, condition], () => ({ condition: parseCondition(String(args[condition])) }));
    }
    for (const { argument, message, hint } of kind.faults?.(args) ?? []) {
      this.#yaml.fault(argument === undefined ? path : [...path, argument], message, hint);
    }
    const started = kind.starts?.(args);
    if (started === undefined) this.#made([...path, 'process'], args['process'], this.#processes, 'process');
    else this.#processes.add(started);
    this.#made([...path, 'page'], args['page'], this.#saved, 'page');
    const [first, ...others] = kind.saves?.(args) ?? [];
    if (first !== undefined) this.#save([...path, 'as'], first);
    for (const name of others) this.#saved.add(name);
  }

  #use(path: Path, name: string): void {
    if (this.#saved.has(name)) return;
    const known = [...this.#saved];
    const hint = known.length > 0 ? didYouMean(name, known) : undefined;
    this.#yaml.fault(path, `$${name} is not saved by an earlier step`, hint);
  }

  #made(path: Path, name: unknown, set: ReadonlySet<string>, what: string): void {
    if (typeof name !== 'string' || set.has(name)) return;
    this.#yaml.fault(path, `no earlier step has made the ${what} "${name}"`, didYouMean(name, [...set]));
  }

  #save(path: Path, name: string): void {
    if (this.#saved.has(name)) this.#yaml.fault(path, `$${name} is saved by an earlier step already`);
    this.#saved.add(name);
  }

  /** What is a matter of all expectations together. */
  patterns(expectations: readonly Expectation[]): void {
    try {
      checkPatterns(expectations);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#yaml.fault(['expect'], error.message, error.hint);
    }
  }

  #condition<T extends { condition: ReturnType<typeof parseCondition> }>(path: Path, parse: () => T): T | undefined {
    let parsed: T;
    try {
      parsed = parse();
    } catch (error) {
      if (!(error instanceof UsageError) || error.code !== 'E_EXPECT_SYNTAX') throw error;
      const at = error.message.includes('kind of expectation') ? 'key' : 'value';
      this.#yaml.fault(path, error.message, error.hint, at);
      return undefined;
    }
    const { name, terms } = parsed.condition;
    const event = catalogEvent(name);
    if (event === undefined) {
      this.#yaml.fault(path, `no event has the name "${name}"`, didYouMean(name, eventNames()));
      return undefined;
    }
    const fields = Object.keys(event.fieldTypes);
    for (const { field } of terms) {
      if (!fields.includes(field)) this.#yaml.fault(path, `${name} has no field "${field}"`, didYouMean(field, fields));
    }
    for (const used of references(parsed.condition)) this.#use(path, used);
    return parsed;
  }
}

/** The entries of a list that are maps; what the others are is a matter of the shape. */
function entries(value: unknown): [number, Data][] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.flatMap((entry, i): [number, Data][] => (isData(entry) ? [[i, entry]] : []));
}

/**
 * Checks the text of a scenario.
 * @throws ScenarioError with every fault: file, line and column and what was expected.
 */
export function parseScenario(text: string, file: string): Scenario {
  const yaml = new YamlFile(text, file);
  const loose = looseScenarioSchema.safeParse(yaml.value);
  if (!loose.success) addIssues(yaml, loose.error);
  const raw = isData(yaml.value) ? yaml.value : {};
  const checker = new Checker(yaml);
  checker.machine(loose.data?.machine ?? raw['machine']);
  const steps = entries(raw['steps']).flatMap(([i, entry]) => checker.step(entry, i) ?? []);
  const expect = entries(raw['expect']).flatMap(([i, entry]) =>
    Object.values(entry).every(v => typeof v === 'string') ? (checker.expectation(entry, i) ?? []) : [],
  );
  checker.patterns(expect);
  const time = (key: 'timeout' | 'settle'): number => {
    const value = loose.data?.[key] ?? raw[key] ?? '0s';
    const ns = typeof value === 'string' ? parseDuration(value) : 0;
    if (ns === undefined) yaml.fault([key], 'expected a duration such as 500ms, 10s or 2m');
    return ns ?? 0;
  };
  const timeout = time('timeout');
  const settle = time('settle');
  yaml.faults.check();
  if (!loose.success) throw loose.error;
  const { name, title, about, why, sources, machine, outcome, without } = loose.data;
  return {
    name,
    title,
    about,
    why,
    sources,
    machine,
    steps,
    expect,
    ...(without === undefined ? {} : { without }),
    outcome,
    timeout,
    settle,
    file,
  };
}

/** A hundred times the longest that comes with the program; each wrong place of it is an error object. */
const MAX_SCENARIO_BYTES = 256 << 10;

/** Reads a scenario file. @throws UsageError when it cannot be read, ScenarioError when it is wrong. */
function loadScenario(file: string): Scenario {
  let text: string;
  try {
    text = readInput(file, MAX_SCENARIO_BYTES).toString('utf8');
  } catch (error) {
    throw new UsageError('E_SCENARIO_READ', `the scenario ${file} cannot be read`, { cause: error });
  }
  return parseScenario(text, file);
}

/** The folder of the scenarios that come with the program. */
export const SCENARIO_DIR: string = join(import.meta.dirname, '../../../../scenarios');

/** The names of the scenarios that come with the program. */
export function scenarioNames(): string[] {
  return readdirSync(SCENARIO_DIR)
    .filter(f => f.endsWith('.yaml'))
    .toSorted()
    .map(f => basename(f, '.yaml'));
}

/** All scenarios that come with the program, by name. */
export function bundledScenarios(): Scenario[] {
  return scenarioNames().map(name => loadScenario(join(SCENARIO_DIR, `${name}.yaml`)));
}

/** A scenario by name, or by the path of a file. @throws UsageError E_SCENARIO_UNKNOWN with the nearest name. */
export function findScenario(nameOrFile: string): Scenario {
  if (/\.ya?ml$/.test(nameOrFile) || nameOrFile.includes('/')) return loadScenario(nameOrFile);
  const names = scenarioNames();
  if (names.includes(nameOrFile)) return loadScenario(join(SCENARIO_DIR, `${nameOrFile}.yaml`));
  throw new UsageError('E_SCENARIO_UNKNOWN', `there is no scenario "${nameOrFile}"`, {
    hint: didYouMean(nameOrFile, names),
  });
}

/** {@link findScenario} of several. @throws UsageError with what is wrong with all of them. */
export function findScenarios(namesOrFiles: readonly string[]): Scenario[] {
  const found: Scenario[] = [];
  const wrong = new Map<string, UsageError>();
  for (const name of namesOrFiles) {
    if (wrong.has(name)) continue;
    try {
      found.push(findScenario(name));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.set(name, error);
    }
  }
  const [first, ...others] = wrong.values();
  if (first !== undefined) throw together([first, ...others]);
  return found;
}
