import { parseU64 } from '../../common/hex.ts';
import { UsageError } from '../../common/errors.ts';
import type { FieldValue, TraceEvent } from '../trace/event.ts';

/**
 * A condition on one event: its name and any number of comparisons of fields.
 *
 *     process.signal proc=victim code=BUS_MCEERR_AO addr=$page.virt
 *     guest.panic message~"machine check"
 */
export interface Condition {
  name: string;
  terms: Term[];
}

export type Operator = '=' | '!=' | '~' | '>=' | '<=' | '>' | '<';

export interface Term {
  field: string;
  operator: Operator;
  /** `$name` refers to a value that a step saved; anything else is the text to compare with. */
  operand: string;
}

const TERM = /^([A-Za-z][\w.]*)(!=|>=|<=|=|~|>|<)(?:"((?:[^"\\]|\\.)*)"|(\S+))$/;
const TOKEN = /[^\s"]+(?:"(?:[^"\\]|\\.)*")?|"(?:[^"\\]|\\.)*"/g;

/** Parses a condition. @throws UsageError E_EXPECT_SYNTAX naming the part that is wrong. */
export function parseCondition(text: string): Condition {
  const [name, ...rest] = text.match(TOKEN) ?? [];
  if (name === undefined || !/^[a-z][\w-]*\.[a-z][\w-]*$/.test(name)) {
    throw new UsageError('E_EXPECT_SYNTAX', `"${text}" does not begin with an event name such as guest.panic`);
  }
  const terms = rest.map((token): Term => {
    const match = TERM.exec(token);
    if (!match) {
      throw new UsageError('E_EXPECT_SYNTAX', `"${token}" is not a comparison`, {
        hint: 'Write field=value, field!=value, field~regexp, or field>=number; quote values that have blanks.',
      });
    }
    const operand = match[3] === undefined ? (match[4] ?? '') : match[3].replace(/\\(.)/g, '$1');
    if (match[2] === '~') compileRegExp(operand);
    return { field: match[1] ?? '', operator: match[2] as Operator, operand };
  });
  return { name, terms };
}

const MAX_PATTERN = 200;
const MAX_MATCHED = 2000;

/** A pattern from a scenario or from somebody's trace: short, and without repetition of repetitions, which may not end. */
function compileRegExp(source: string): RegExp {
  if (source.length > MAX_PATTERN || /[+*}]\)[+*{]/.test(source)) {
    throw new UsageError(
      'E_EXPECT_SYNTAX',
      `the pattern "${source.slice(0, 40)}" is too long, or repeats a repetition`,
    );
  }
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    throw new UsageError('E_EXPECT_SYNTAX', `"${source}" is not a regular expression`, { cause: error });
  }
}

/** The saved values a condition refers to, without the `$`. */
export function references(condition: Condition): string[] {
  return condition.terms.filter(t => t.operand.startsWith('$')).map(t => t.operand.slice(1));
}

function asNumber(value: FieldValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return parseU64(value) ?? (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined);
}

function compare(actual: FieldValue, operator: Operator, expected: FieldValue): boolean {
  if (operator === '~') return compileRegExp(String(expected)).test(String(actual).slice(0, MAX_MATCHED));
  const a = asNumber(actual);
  const b = asNumber(expected);
  if (a !== undefined && b !== undefined) {
    // Mixed bigint and number compare exactly in JavaScript; only == would be needed for equality.
    const order = a < b ? -1 : a > b ? 1 : 0;
    if (operator === '=') return order === 0;
    if (operator === '!=') return order !== 0;
    if (operator === '>=') return order >= 0;
    if (operator === '<=') return order <= 0;
    return operator === '>' ? order > 0 : order < 0;
  }
  if (operator === '=') return String(actual) === String(expected);
  if (operator === '!=') return String(actual) !== String(expected);
  return false;
}

/** How one event fares against a condition. */
export interface Match {
  /** All terms hold. */
  ok: boolean;
  /** The terms that do not, in words: `code is BUS_MCEERR_AR, not BUS_MCEERR_AO`. */
  differences: string[];
}

/** Compares an event of the condition's name with its terms. `show` renders a field value for the differences. */
export function matchEvent(
  condition: Condition,
  event: TraceEvent,
  values: ReadonlyMap<string, FieldValue>,
  show: (value: FieldValue) => string,
): Match {
  const differences: string[] = [];
  for (const { field, operator, operand } of condition.terms) {
    const expected = operand.startsWith('$') ? values.get(operand.slice(1)) : operand;
    const actual = event.fields?.[field];
    if (expected === undefined) differences.push(`${operand} has no value in this run`);
    else if (actual === undefined) differences.push(`it has no field ${field}`);
    else if (!compare(actual, operator, expected)) {
      const relation = operator === '=' ? 'not' : `and that is not ${operator}`;
      differences.push(`${field} is ${show(actual)}, ${relation} ${show(expected)}`);
    }
  }
  return { ok: differences.length === 0, differences };
}
