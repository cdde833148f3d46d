import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, ScalarTag } from 'yaml';
import { UsageError } from '../../common/errors.ts';
import { hex64, parseU64 } from '../../common/hex.ts';

/** A wrong place in a scenario file, as an editor shows it: `file:line:column: message`. */
export class ScenarioError extends UsageError {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  constructor(file: string, line: number, column: number, message: string, hint?: string) {
    super('E_SCENARIO', `${file}:${line}:${column}: ${message}`, hint === undefined ? {} : { hint });
    this.file = file;
    this.line = line;
    this.column = column;
  }
}

/** Decimal integers that a double would round are refused. */
const exactDecimal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?[0-9]+$/,
  resolve: (text, onError) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value)) onError(`${text} is too large a decimal number; write it as 0x…`);
    return value;
  },
};

/** Hex integers stay exact: one that a double cannot hold becomes its `0x…` text. */
const exactHex: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0x[0-9a-fA-F_]+$/,
  resolve: (text, onError) => {
    const value = parseU64(text.replaceAll('_', ''));
    if (value === undefined) {
      onError(`${text} does not fit in 64 bits`);
      return text;
    }
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? hex64(value) : Number(value);
  },
};

/** A scenario is small; an alias bomb is not. */
const MAX_ALIASES = 20;
const MAX_DEPTH = 100;
const TOO_DEEP = 'nested too deeply for a scenario';

/** A parsed YAML file that can tell where each of its values stands. */
export class YamlFile {
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /** @throws ScenarioError at the first syntax error. */
  constructor(text: string, file: string) {
    this.file = file;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      customTags: tags => [exactHex, exactDecimal, ...tags],
      version: '1.2',
      prettyErrors: false,
      stringKeys: true,
      // The package compares each key with each one before it.
      uniqueKeys: false,
    });
    const problem = this.#document.errors[0];
    if (problem) {
      // The package follows what is nested until the stack is full.
      const deep = problem.code === 'RESOURCE_EXHAUSTION';
      throw this.#errorAt(problem.pos[0], deep ? TOO_DEEP : problem.message);
    }
    this.#checkBounds();
    try {
      this.value = this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      throw this.#errorAt(0, error instanceof Error ? error.message : String(error));
    }
    if (this.value === null) throw this.#errorAt(0, 'the file is empty');
  }

  /** Every key once in its map, nothing nested without end, and no aliases in bulk: each is looked for in the whole file. */
  #checkBounds(): void {
    let aliases = 0;
    visit(this.#document, (_, node, path) => {
      const fail = (message: string, at: unknown = node): never => {
        throw this.#errorAt(isNode(at) ? (at.range?.[0] ?? 0) : 0, message);
      };
      if (path.length > MAX_DEPTH) fail(TOO_DEEP);
      if (isAlias(node) && ++aliases > MAX_ALIASES) fail(`more than ${MAX_ALIASES} aliases`);
      if (!isMap(node)) return;
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) fail(`the key "${String(key.value)}" is given twice`, key);
        seen.add(key.value);
      }
    });
  }

  /** An error at the value (or the key) that `path` leads to, or at the nearest thing that exists above it. */
  error(path: readonly PropertyKey[], message: string, hint?: string, at: 'value' | 'key' = 'value'): ScenarioError {
    let node: unknown = this.#document.contents;
    let offset = 0;
    for (const [depth, key] of path.entries()) {
      if (isNode(node) && node.range) offset = node.range[0];
      if (isMap(node)) {
        const pair = node.items.find(item => String(item.key) === String(key));
        if (!pair) break;
        if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
        if (at === 'key' && depth === path.length - 1) break;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(key)];
      } else break;
      if (isNode(node) && node.range) offset = node.range[0];
    }
    return this.#errorAt(offset, message, hint);
  }

  #errorAt(offset: number, message: string, hint?: string): ScenarioError {
    const { line, col } = this.#lines.linePos(offset);
    return new ScenarioError(this.file, Math.max(line, 1), Math.max(col, 1), message, hint);
  }
}
