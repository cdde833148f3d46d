/** @module `policy check`: the faults of a policy file, each at its place, with what was most likely meant. */
import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import type { Policy } from '../core/policy.ts';
import { policySchema } from './schema.ts';
import { inVain } from './sense.ts';

interface PolicyFault {
  line: number;
  column: number;
  message: string;
  hint?: string;
}

/** A policy file that is none. Its code is E_POLICY. */
export class PolicyError extends UsageError {
  readonly faults: readonly PolicyFault[];

  constructor(file: string, faults: readonly PolicyFault[]) {
    const lines = faults.map(
      f => `${file}:${f.line}:${f.column}: ${f.message}${f.hint === undefined ? '' : ` (${f.hint})`}`,
    );
    super('E_POLICY', lines.join('\n'), { hint: 'Mend the file, then `syndrome fleet policy check FILE`.' });
    this.faults = faults;
  }
}

const MAX_TEXT = 256 * 1024;
const MAX_FAULTS = 20;
/** Of a fault; a file that is none has lines of kilobytes. */
const MAX_MESSAGE = 300;
const MAX_WORD = 80;

type Checked = { policy: Policy } | { faults: PolicyFault[] };

/** A policy, or all faults of its text. Nothing is thrown for what a file says. */
export function checkPolicy(text: string): Checked {
  if (text.length > MAX_TEXT)
    return { faults: [at1(`a policy of ${text.length} characters; at most ${MAX_TEXT} are read`)] };
  const lines = new LineCounter();
  let document: Document;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, version: '1.2', prettyErrors: false, stringKeys: true });
    if (document.errors.length > 0) {
      const faults = document.errors.map(e => ({ ...place(lines, e.pos[0]), message: e.message }));
      return { faults: short(faults) };
    }
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { faults: short([at1(error instanceof Error ? error.message : String(error))]) };
  }
  const parsed = policySchema.safeParse(value);
  const faults = parsed.success
    ? rulesFaults(parsed.data, document, lines)
    : parsed.error.issues.flatMap(issue => faultsOf(issue, document, lines));
  if (!parsed.success || faults.length > 0) return { faults: short(faults) };
  return { policy: parsed.data };
}

/**
 * The policy of a text.
 * @throws PolicyError E_POLICY with all its faults
 * @example parsePolicy(readFileSync('protect.yaml', 'utf8'), 'protect.yaml').mode // 'act'
 */
export function parsePolicy(text: string, file: string): Policy {
  const checked = checkPolicy(text);
  if ('faults' in checked) throw new PolicyError(file, checked.faults);
  return checked.policy;
}

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);
const short = (faults: readonly PolicyFault[]): PolicyFault[] =>
  faults.slice(0, MAX_FAULTS).map(fault => ({ ...fault, message: cut(fault.message, MAX_MESSAGE) }));

const at1 = (message: string): PolicyFault => ({ line: 1, column: 1, message });

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Where the value that a path leads to stands, or its key, or the nearest thing above it. */
function offsetOf(document: Document, path: readonly PropertyKey[], key: boolean): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [depth, name] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(item => String(item.key) === String(name));
      if (pair === undefined) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      if (key && depth === path.length - 1) break;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(name)];
    } else break;
    if (isNode(node) && node.range) offset = node.range[0];
  }
  return offset;
}

function faultsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): PolicyFault[] {
  const where = issue.path.length === 0 ? '' : `${issue.path.map(part => cut(String(part), MAX_WORD)).join('.')}: `;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path, document);
    return issue.keys.map(key => ({
      ...place(lines, offsetOf(document, [...issue.path, key], true)),
      message: `${where}unknown key "${cut(key, MAX_WORD)}"`,
      hint: didYouMean(key, known),
    }));
  }
  const message = `${where}${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`;
  return [{ ...place(lines, offsetOf(document, issue.path, false)), message }];
}

interface Shaped {
  shape?: Record<string, unknown>;
  def?: { innerType?: unknown; element?: unknown; options?: readonly unknown[]; discriminator?: string };
}

/** The keys that the schema knows where a path leads. */
function keysAt(path: readonly PropertyKey[], document: Document): string[] {
  let schema = policySchema as unknown as Shaped;
  const inner = (s: Shaped): Shaped => (s.def?.innerType === undefined ? s : inner(s.def.innerType as Shaped));
  for (const [depth, name] of path.entries()) {
    schema = inner(schema);
    if (schema.def?.element !== undefined) schema = schema.def.element as Shaped;
    else schema = (schema.shape?.[String(name)] ?? {}) as Shaped;
    schema = inner(schema);
    if (schema.def?.options !== undefined) {
      const of = document.getIn([...path.slice(0, depth + 1), 'of']);
      const options = schema.def.options as Shaped[];
      schema = options.find(o => (o.shape?.['of'] as { value?: unknown } | undefined)?.value === of) ?? {};
    }
  }
  return Object.keys(inner(schema).shape ?? {});
}

/** Two rules of one name could not be told apart in a decision. */
function twice(policy: Policy, document: Document, lines: LineCounter): PolicyFault[] {
  const seen = new Set<string>();
  return policy.rules.flatMap(({ name }, i) => {
    const again = seen.has(name);
    seen.add(name);
    const fault = {
      ...place(lines, offsetOf(document, ['rules', i, 'name'], false)),
      message: `two rules are named ${name}`,
    };
    return again ? [fault] : [];
  });
}

function rulesFaults(policy: Policy, document: Document, lines: LineCounter): PolicyFault[] {
  const same = twice(policy, document, lines);
  if (same.length > 0) return same;
  return inVain(policy).map(({ path, ...said }) => ({ ...place(lines, offsetOf(document, path, false)), ...said }));
}
