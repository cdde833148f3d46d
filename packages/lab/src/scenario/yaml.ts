import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, ScalarTag } from 'yaml';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { Faults } from './faults.ts';
import type { ScenarioFault } from './faults.ts';

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
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  /** Places of numbers that do not fit. */
  readonly #unresolved = new Set<string>();

  /** Faults of the syntax, and those that whoever reads the values finds. */
  readonly faults: Faults;

  /** @throws ScenarioError with all faults of the syntax, when it leaves no values to look at. */
  constructor(text: string, file: string) {
    this.faults = new Faults(file);
    this.#lines = new LineCounter();
    this.#document = this.#parse(text);
    for (const { code, pos, message } of this.#document.errors) {
      // The package follows what is nested until the stack is full.
      const fault = this.#faultAt(pos[0], code === 'RESOURCE_EXHAUSTION' ? TOO_DEEP : message);
      this.#unresolved.add(`${fault.line}:${fault.column}`);
      this.faults.add(fault);
    }
    // A number that does not fit is told beside the other faults; behind broken syntax anything would be one.
    if (this.#document.errors.some(e => e.code !== 'TAG_RESOLVE_FAILED')) this.faults.check();
    this.#checkBounds();
    try {
      this.value = this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      this.#giveUp(0, error instanceof Error ? error.message : String(error));
    }
    if (this.value === null) this.#giveUp(0, 'the file is empty');
  }

  #parse(text: string): Document {
    try {
      return parseDocument(text, {
        lineCounter: this.#lines,
        customTags: tags => [exactHex, exactDecimal, ...tags],
        version: '1.2',
        prettyErrors: false,
        stringKeys: true,
        // The package compares each key with each one before it.
        uniqueKeys: false,
      });
    } catch (error) {
      // Its parser follows what is nested too, and is less careful.
      if (error instanceof RangeError) this.#giveUp(0, TOO_DEEP);
      throw error;
    }
  }

  /** Every key once in its map, nothing nested without end, and no aliases in bulk: each is looked for in the whole file. */
  #checkBounds(): void {
    let aliases = 0;
    let unresolved = false;
    const anchors = new Set<string>();
    visit(this.#document, (_, node, path) => {
      const offset = (at: unknown): number => (isNode(at) ? (at.range?.[0] ?? 0) : 0);
      if (path.length > MAX_DEPTH) this.#giveUp(offset(node), TOO_DEEP);
      if (isAlias(node) && ++aliases > MAX_ALIASES) this.#giveUp(offset(node), `more than ${MAX_ALIASES} aliases`);
      if (isAlias(node) && !anchors.has(node.source)) {
        unresolved = true;
        this.faults.add(this.#faultAt(offset(node), `no anchor stands before the alias *${node.source}`));
      }
      if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) anchors.add(node.anchor);
      if (!isMap(node)) return;
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value))
          this.faults.add(this.#faultAt(offset(key), `the key "${String(key.value)}" is given twice`));
        seen.add(key.value);
      }
    });
    if (unresolved) this.faults.check();
  }

  /** Adds a fault at the value (or the key) that `path` leads to, or at the nearest thing that exists above it. */
  fault(path: readonly PropertyKey[], message: string, hint?: string, at: 'value' | 'key' = 'value'): void {
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
    const fault = this.#faultAt(offset, message, hint);
    // What does not fit was told; that it is no number then is no second fault.
    const { line, column } = fault;
    if (!this.#unresolved.has(`${line}:${column}`)) this.faults.add(fault);
  }

  #giveUp(offset: number, message: string): never {
    this.faults.add(this.#faultAt(offset, message));
    this.faults.check();
    throw new Error(message);
  }

  #faultAt(offset: number, message: string, hint?: string): ScenarioFault {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), message, hint };
  }
}
