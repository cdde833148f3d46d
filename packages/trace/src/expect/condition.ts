import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { Pattern, PatternError } from '@syndrome/decode/common/pattern.ts';
import { type EventName, foreignName } from '@syndrome/decode/events/catalog.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { TraceEvent } from '../event.ts';
import { isLineEvent } from '../trace-index.ts';

/**
 * A condition on one event: its name and any number of comparisons of fields.
 *
 *     process.signal proc=victim code=BUS_MCEERR_AO addr=$page.virt
 *     guest.panic message~"machine check"
 *     guest.line ~ "Soft-offlining pfn: 0x"
 */
export interface Condition {
  /** Of a condition in somebody's trace perhaps a name that is not known here: no event has it. */
  name: EventName;
  terms: Term[];
}

type Operator = '=' | '!=' | '~' | '>=' | '<=' | '>' | '<';

interface Term {
  field: string;
  operator: Operator;
  /** `$name` refers to a value that a step saved; anything else is the text to compare with. */
  operand: string;
  /** The operand of `~`, compiled; a saved value is no pattern, it is looked for as it is. */
  pattern?: Pattern;
}

const isReference = (operand: string): boolean => operand.startsWith('$');

const TERM = /^([A-Za-z][\w.]*)(!=|>=|<=|=|~|>|<)(?:"((?:[^"\\]|\\.)*)"|(\S+))$/;
/** A word with the quoted text at its end, if it has one; no word goes on behind a quote. */
const TOKEN = /([^\s"]*(?:"(?:[^"\\]|\\.)*")?)(?:\s+|$)/y;
/** Longest condition, in characters. */
const MAX_CONDITION = 4096;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  // A copy: a sticky expression remembers where it stopped.
  const word = new RegExp(TOKEN);
  while (word.lastIndex < text.length) {
    const from = word.lastIndex;
    const token = word.exec(text)?.[1];
    if (token === undefined) {
      throw new UsageError('E_EXPECT_SYNTAX', `"${cut(text.slice(from))}" has a quote that does not end its word`);
    }
    tokens.push(token);
  }
  return tokens;
}

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Of a raw line there is one thing to say: `guest.line ~ "…"` is short for `guest.line text~"…"`. */
function ofLine(tokens: readonly string[]): string[] {
  const out: string[] = [];
  for (const token of tokens) {
    const last = out.at(-1);
    if (last !== undefined && /^text(!=|~|=)$/.test(last)) out[out.length - 1] = last + token;
    else out.push(/^(!=|~|=)/.test(token) ? `text${token}` : token);
  }
  return out;
}

/** Parses a condition. @throws UsageError E_EXPECT_SYNTAX naming the part that is wrong. */
export function parseCondition(text: string): Condition {
  if (text.length > MAX_CONDITION) {
    throw new UsageError('E_EXPECT_SYNTAX', `"${cut(text)}" is longer than ${MAX_CONDITION} characters`);
  }
  const [name, ...rest] = tokensOf(text.trim());
  if (name === undefined || !/^[a-z][\w-]*\.[a-z][\w-]*$/.test(name)) {
    throw new UsageError('E_EXPECT_SYNTAX', `"${text}" does not begin with an event name such as guest.panic`);
  }
  const terms = (isLineEvent(name) ? ofLine(rest) : rest).map((token): Term => {
    const match = TERM.exec(token);
    if (!match) {
      throw new UsageError('E_EXPECT_SYNTAX', `"${token}" is not a comparison`, {
        hint: 'Write field=value, field!=value, field~regexp, or field>=number; quote values that have blanks.',
      });
    }
    const operand = match[3] === undefined ? (match[4] ?? '') : match[3].replace(/\\(.)/g, '$1');
    const term: Term = { field: match[1] ?? '', operator: match[2] as Operator, operand };
    if (term.operator === '~' && !isReference(operand)) term.pattern = patternOf(operand);
    return term;
  });
  return { name: foreignName(name), terms };
}

/** A pattern from a scenario or from somebody's trace. */
function patternOf(source: string): Pattern {
  try {
    return new Pattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new UsageError('E_EXPECT_SYNTAX', `the pattern "${cut(source)}" ${error.message}`, {
      hint: 'A pattern is a regular expression without look-ahead, look-behind and references to its groups.',
      cause: error.cause,
    });
  }
}

/** The saved values a condition refers to, without the `$`. */
export function references(condition: Condition): string[] {
  return condition.terms.filter(t => isReference(t.operand)).map(t => t.operand.slice(1));
}

function asNumber(value: FieldValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return parseU64(value) ?? (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined);
}

function compare(actual: FieldValue, { operator, pattern }: Term, expected: FieldValue): boolean {
  if (operator === '~') {
    const text = String(actual);
    return pattern?.test(text) ?? text.toLowerCase().includes(String(expected).toLowerCase());
  }
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
interface Match {
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
  const fields: Readonly<Record<string, FieldValue>> = event.fields ?? {};
  const differences: string[] = [];
  for (const term of condition.terms) {
    const { field, operator, operand } = term;
    const expected = isReference(operand) ? values.get(operand.slice(1)) : operand;
    // A field, and not what every object inherits.
    const actual = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (expected === undefined) differences.push(`${operand} has no value in this run`);
    else if (actual === undefined) differences.push(`it has no field ${field}`);
    else if (!compare(actual, term, expected)) {
      const relation = operator === '=' ? 'not' : `and that is not ${operator}`;
      differences.push(`${field} is ${show(actual)}, ${relation} ${show(expected)}`);
    }
  }
  return { ok: differences.length === 0, differences };
}
