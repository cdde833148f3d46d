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
import { OR } from '@syndrome/trace/expect/verdict.ts';
import { fill, type Path } from '../params/fill.ts';
import {
  exceptSchema,
  labelOf,
  paramsSchema,
  type Point,
  pointsOf,
  sizeOf,
  type Space,
  spaceOf,
  valuesOf,
} from '../params/space.ts';
import { together } from './faults.ts';
import { machineFaults, type MachineSpec } from '../machines/registry.ts';
import { type Step, stepKind, stepKinds } from '../steps/registry.ts';
import type { StepKind } from '../steps/step.ts';
import { looseScenarioSchema, spaceSchema } from './schema.ts';
import { YamlFile } from './yaml.ts';

/** A checked scenario. */
export interface Scenario {
  /** That of its file, with the values of its parameters behind it: `page-kinds.anon`. */
  name: string;
  /** Of one variant of a file with parameters: what its file is called, and the value of each parameter. */
  variant?: { of: string; point: Point };
  title: string;
  about: string;
  why: string;
  sources: string[];
  machine: MachineSpec;
  steps: Step[];
  expect: Expectation[];
  /** Options that the kernel under test is to lack. */
  without?: string[];
  /** One, or with ` or ` between them those that it leaves open. */
  outcome: string;
  /** ns */
  timeout: number;
  /** ns */
  settle: number;
  file: string;
}

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

/** A document to be checked, and who is told what is wrong where in it. */
interface Checked {
  readonly value: unknown;
  fault(path: Path, message: string, hint?: string, at?: 'value' | 'key'): void;
}

/** Tells the complaints of zod about the value that `prefix` leads to, each at its place in the file. */
function addIssues(yaml: Checked, error: z.ZodError, prefix: Path = []): void {
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
  readonly #yaml: Checked;
  readonly #saved = new Set<string>();
  readonly #processes = new Set<string>();

  constructor(yaml: Checked) {
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

/** A file has no more variants: one of them is meant to be looked at. */
const MAX_VARIANTS = 1000;
/** A space has no more points, before some are left out: their places in it are whole numbers. */
const MAX_POINTS = 1e9;

/**
 * Checks the text of a scenario file.
 * @returns the scenario, or with `params:` one for each combination of values, in their order
 * @throws ScenarioError with every fault: file, line and column and what was expected.
 */
export function parseScenarios(text: string, file: string): [Scenario, ...Scenario[]] {
  const yaml = new YamlFile(text, file);
  const space = spaceIn(yaml, MAX_VARIANTS);
  const scenarios =
    space === undefined
      ? [check(yaml, file)]
      : [...pointsOf(space)].map(point => check(filled(yaml, space, point), file, point));
  yaml.faults.check();
  const [first, ...others] = scenarios.flatMap(scenario => scenario ?? []);
  if (first === undefined) throw new Error(`${file}: nothing is left of its parameters`);
  return [first, ...others];
}

/** The first scenario of a text. @throws ScenarioError */
export const parseScenario = (text: string, file: string): Scenario => parseScenarios(text, file)[0];

/** A file whose variants are looked at one by one, as they are needed: there may be more of them than anyone holds. */
export interface Template {
  name: string;
  title: string;
  about: string;
  why: string;
  sources: string[];
  file: string;
  space: Space;
  /** The scenario of a point; it expects nothing. @throws ScenarioError */
  at: (point: Point) => Scenario;
}

/**
 * Checks the text of a file of a space: a scenario with `params:` that states neither `expect:` nor `outcome:`. The scenario of
 * its first point is looked at, and of each that differs from it in one value.
 * @throws ScenarioError with every fault
 */
export function parseTemplate(text: string, file: string): Template {
  const yaml = new YamlFile(text, file);
  const space = spaceIn(yaml, MAX_POINTS);
  if (space === undefined) yaml.fault([], 'a space has `params:`, the axes that are varied');
  yaml.faults.check();
  if (space === undefined) throw new Error(`${file}: no space`);
  const looked = (point: Point): Scenario | undefined => check(filled(yaml, space, point), file, point, spaceSchema);
  const at = (point: Point): Scenario => {
    const scenario = looked(point);
    yaml.faults.check();
    if (scenario === undefined) throw new Error(`${file}: the point ${labelOf(point)} is wrong`);
    return scenario;
  };
  const first: Point = pointsOf(space).next().value ?? {};
  for (const { name, values } of space.axes) for (const { label } of values) looked({ ...first, [name]: label });
  const { title, about, why, sources } = at(first);
  const { name } = yaml.value as { name: string };
  return { name, title, about, why, sources, file, space, at };
}

/** The space of a file with parameters. @throws ScenarioError where it is none: what refers to it would be wrong everywhere. */
function spaceIn(yaml: YamlFile, most: number): Space | undefined {
  if (!isData(yaml.value) || !Object.hasOwn(yaml.value, 'params')) return undefined;
  const { params, except = [] } = yaml.value;
  const axes = paramsSchema.safeParse(params);
  const left = exceptSchema.safeParse(except);
  if (!axes.success) addIssues(yaml, axes.error, ['params']);
  if (!left.success) addIssues(yaml, left.error, ['except']);
  if (!axes.success || !left.success) {
    yaml.faults.check();
    return undefined;
  }
  const space = spaceOf(axes.data, left.data);
  for (const { name, values } of space.axes) {
    const labels = values.map(value => value.label);
    for (const [i, label] of labels.entries())
      if (labels.indexOf(label) < i) yaml.fault(['params', name, i], `${name} has the value ${label} already`);
  }
  for (const [i, entry] of space.except.entries()) {
    for (const [name, labels] of entry) {
      const known = space.axes.find(one => one.name === name)?.values.map(value => value.label);
      const path = ['except', i, name];
      if (known === undefined) yaml.fault(path, `there is no parameter "${name}"`, undefined, 'key');
      for (const label of known === undefined ? [] : labels.filter(one => !known.includes(one)))
        yaml.fault(path, `${name} has no value ${label}`, didYouMean(label, known ?? []));
    }
  }
  const size = sizeOf(space);
  if (size > most) yaml.fault(['params'], `these are ${size} combinations; at most ${most} are taken`);
  else if (pointsOf(space).next().done === true) yaml.fault(['except'], 'nothing is left of the parameters');
  yaml.faults.check();
  return space;
}

/** A file with the values of one point in it; what is wrong is told where it stands in the file. */
function filled(yaml: YamlFile, space: Space, point: Point): Checked {
  const { params: _, except: __, ...document } = yaml.value as Data;
  const values = valuesOf(space, point);
  const { value, placeOf } = fill(document, {
    value: name => values.get(name),
    origin: name => {
      const [axis = '', field] = name.split('.');
      return ['params', axis, point[axis] ?? '', ...(field === undefined ? [] : [field])];
    },
    fault: (path, message, name) => yaml.fault(path, message, didYouMean(name, [...values.keys()])),
  });
  return { value, fault: (path, message, hint, at) => yaml.fault(placeOf(path), message, hint, at) };
}

/** Checks one scenario; undefined where it is wrong, which is told. */
function check(
  yaml: Checked,
  file: string,
  point?: Point,
  schema: typeof looseScenarioSchema | typeof spaceSchema = looseScenarioSchema,
): Scenario | undefined {
  const loose = schema.safeParse(yaml.value);
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
  if (!loose.success) return undefined;
  const { name, title, about, why, sources, machine, without } = loose.data;
  const outcome = 'outcome' in loose.data ? (loose.data.outcome as string | readonly string[]) : 'none';
  return {
    name: point === undefined ? name : [name, ...Object.values(point)].join('.'),
    ...(point === undefined ? {} : { variant: { of: name, point } }),
    title,
    about,
    why,
    sources,
    machine,
    steps,
    expect,
    ...(without === undefined ? {} : { without }),
    outcome: [outcome].flat().join(OR),
    timeout,
    settle,
    file,
  };
}

/** A hundred times the longest that comes with the program; each wrong place of it is an error object. */
const MAX_SCENARIO_BYTES = 256 << 10;

/** Reads a scenario file. @throws UsageError when it cannot be read, ScenarioError when it is wrong. */
function loadScenarios(file: string): [Scenario, ...Scenario[]] {
  let text: string;
  try {
    text = readInput(file, MAX_SCENARIO_BYTES).toString('utf8');
  } catch (error) {
    throw new UsageError('E_SCENARIO_READ', `the scenario ${file} cannot be read`, { cause: error });
  }
  return parseScenarios(text, file);
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

/** All scenarios that come with the program, by name: of a file with parameters each variant. */
export function bundledScenarios(): Scenario[] {
  return scenarioNames().flatMap(name => loadScenarios(bundledFile(name)));
}

const bundledFile = (name: string): string => join(SCENARIO_DIR, `${name}.yaml`);

/**
 * Scenarios by a name, or by the path of a file: one, or all variants of a file with parameters; `page-kinds.anon` is one
 * of these. @throws UsageError E_SCENARIO_UNKNOWN with the nearest name.
 */
function scenariosOf(nameOrFile: string): [Scenario, ...Scenario[]] {
  if (/\.ya?ml$/.test(nameOrFile) || nameOrFile.includes('/')) return loadScenarios(nameOrFile);
  const names = scenarioNames();
  const [family = ''] = nameOrFile.split('.');
  if (names.includes(family)) {
    const all = loadScenarios(bundledFile(family));
    if (nameOrFile === family) return all;
    const one = all.find(({ name }) => name === nameOrFile);
    if (one !== undefined) return [one];
    throw unknown(
      nameOrFile,
      all.map(({ name }) => name),
    );
  }
  throw unknown(nameOrFile, names);
}

const unknown = (name: string, names: readonly string[]): UsageError =>
  new UsageError('E_SCENARIO_UNKNOWN', `there is no scenario "${name}"`, { hint: didYouMean(name, names) });

/** A scenario by name, or by the path of a file. @throws UsageError E_SCENARIO_UNKNOWN; E_SCENARIO_VARIANTS where it is several. */
export function findScenario(nameOrFile: string): Scenario {
  const [one, ...others] = scenariosOf(nameOrFile);
  if (others.length === 0) return one;
  const names = [one, ...others].map(({ name }) => name);
  throw new UsageError(
    'E_SCENARIO_VARIANTS',
    `${nameOrFile} stands for ${names.length} scenarios, and this takes one`,
    {
      hint: `Name one of them: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`,
    },
  );
}

/** {@link findScenario} of several, with all variants. @throws UsageError with what is wrong with all of them. */
export function findScenarios(namesOrFiles: readonly string[]): Scenario[] {
  const found: Scenario[] = [];
  const wrong = new Map<string, UsageError>();
  for (const name of namesOrFiles) {
    if (wrong.has(name)) continue;
    try {
      found.push(...scenariosOf(name));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.set(name, error);
    }
  }
  const [first, ...others] = wrong.values();
  if (first !== undefined) throw together([first, ...others]);
  return found;
}

/**
 * The variants whose parameters have one of the chosen values; scenarios without such a parameter are not among them.
 * @param chosen values by parameter
 * @throws UsageError E_SCENARIO_PARAM for a parameter or value that none of them has
 */
export function narrowed(scenarios: readonly Scenario[], chosen: ReadonlyMap<string, readonly string[]>): Scenario[] {
  const points = scenarios.flatMap(({ variant }) => (variant === undefined ? [] : [variant.point]));
  for (const [name, values] of chosen) {
    const known = [...new Set(points.flatMap(point => point[name] ?? []))];
    const names = [...new Set(points.flatMap(point => Object.keys(point)))];
    if (known.length === 0) {
      throw new UsageError('E_SCENARIO_PARAM', `no chosen scenario has the parameter "${name}"`, {
        hint: names.length === 0 ? 'Only scenarios with `params:` have some.' : didYouMean(name, names),
      });
    }
    const value = values.find(one => !known.includes(one));
    if (value !== undefined) {
      throw new UsageError('E_SCENARIO_PARAM', `the parameter ${name} has no value "${value}"`, {
        hint: didYouMean(value, known),
      });
    }
  }
  return scenarios.filter(({ variant }) =>
    [...chosen].every(([name, values]) => values.includes(variant?.point[name] ?? '')),
  );
}
