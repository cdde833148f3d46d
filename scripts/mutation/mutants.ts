/**
 * Every small change of a source file that a test should notice. Left alone: comments, types, imports, the texts of
 * errors (what stands in a `throw`), regular expressions and optional chaining.
 */
import { parseAst } from 'vitest/node';

export interface Mutant {
  /** Relative to the repository. */
  file: string;
  line: number;
  column: number;
  operator: string;
  /** Range of the source that `replacement` stands for, in UTF-16 units. */
  start: number;
  end: number;
  replacement: string;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [member: string]: unknown;
}

/** Binary, logical, assignment and update operators: what each is changed to, and the group it counts in. */
const OPERATORS: Readonly<Record<string, readonly [group: string, ...to: string[]]>> = {
  '<': ['comparison', '<=', '>='],
  '<=': ['comparison', '<', '>'],
  '>': ['comparison', '>=', '<='],
  '>=': ['comparison', '>', '<'],
  '===': ['comparison', '!=='],
  '!==': ['comparison', '==='],
  '+': ['arithmetic', '-'],
  '-': ['arithmetic', '+'],
  '*': ['arithmetic', '/'],
  '/': ['arithmetic', '*'],
  '%': ['arithmetic', '*'],
  '**': ['arithmetic', '*'],
  '&': ['bitwise', '|'],
  '|': ['bitwise', '&'],
  '^': ['bitwise', '|'],
  '<<': ['bitwise', '>>'],
  '>>': ['bitwise', '<<'],
  '>>>': ['bitwise', '<<'],
  '&&': ['logical', '||'],
  '||': ['logical', '&&'],
  '??': ['logical', '&&'],
  '+=': ['arithmetic', '-='],
  '-=': ['arithmetic', '+='],
  '*=': ['arithmetic', '/='],
  '|=': ['bitwise', '&='],
  '&=': ['bitwise', '|='],
  '^=': ['bitwise', '|='],
  '<<=': ['bitwise', '>>='],
  '>>=': ['bitwise', '<<='],
  '++': ['arithmetic', '--'],
  '--': ['arithmetic', '++'],
};

/** Methods that have an opposite. */
const METHODS: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  padStart: 'padEnd',
  padEnd: 'padStart',
  toUpperCase: 'toLowerCase',
  toLowerCase: 'toUpperCase',
};

/** Calls whose numbers are places of bits. */
const BIT_CALLS = new Set(['bit', 'bits']);
/** Returning one of these and returning nothing is the same to a caller; `false` is changed to `true` instead. */
const FALSY = /^(?:undefined|false)$/;
/** TypeScript nodes that hold an expression. */
const WRAPPERS = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
const isText = (node: Node): boolean =>
  node.type === 'TemplateLiteral' ||
  (node.type === 'Literal' && typeof node['value'] === 'string') ||
  (node.type === 'BinaryExpression' && [node['left'], node['right']].some(side => isNode(side) && isText(side)));

/** All mutants of one TypeScript source, in the order of the source. Throws when it does not parse. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const found: Mutant[] = [];
  const lineStarts = [0, ...[...source.matchAll(/\n/g)].map(m => m.index + 1)];

  function add(operator: string, start: number, end: number, replacement: string): void {
    const line = lineStarts.findLastIndex(at => at <= start);
    found.push({
      file,
      line: line + 1,
      column: start - (lineStarts[line] ?? 0) + 1,
      operator,
      start,
      end,
      replacement,
    });
  }
  const replace = (operator: string, node: Node, replacement: string): void =>
    add(operator, node.start, node.end, replacement);

  function symbol(node: Node, from: number, to: number): void {
    const operator = String(node['operator']);
    const [group, ...others] = OPERATORS[operator] ?? [];
    if (group === undefined || (operator === '+' && isText(node))) return;
    const at = source.indexOf(operator, from);
    if (at < 0 || at + operator.length > to) return;
    for (const other of others) add(group, at, at + operator.length, other);
  }

  function literal(node: Node, operator: string, isKey: boolean): void {
    const { value } = node;
    if (typeof value === 'boolean') replace('boolean', node, String(!value));
    else if (typeof value === 'string' && value !== '' && !isKey) replace('string', node, "''");
    else if (typeof value === 'number' || typeof value === 'bigint') {
      const suffix = typeof value === 'bigint' ? 'n' : '';
      const one = (typeof value === 'bigint' ? 1n : 1) as number;
      for (const other of [(value as number) + one, (value as number) - one]) {
        if (other >= 0) replace(operator, node, `${other}${suffix}`);
        else if (!isKey) replace(operator, node, `(${other}${suffix})`);
      }
    }
  }

  /** Each element of an array or member of an object left out. */
  function rows(elements: readonly Node[]): void {
    if (elements.length < 2) return;
    elements.forEach((element, i) => {
      const next = elements[i + 1];
      if (next !== undefined) add('row', element.start, next.start, '');
      else add('row', elements[i - 1]?.end ?? element.start, element.end, '');
    });
  }

  function each(node: Node, skip: readonly string[] = []): void {
    for (const [name, value] of Object.entries(node)) {
      if (skip.includes(name)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child);
    }
  }

  function condition(test: unknown, loop = false): void {
    if (!isNode(test)) return;
    if (!loop) replace('condition', test, 'true');
    replace('condition', test, 'false');
  }

  function walk(node: Node): void {
    const [left, right] = [node['left'], node['right']];
    if (node.type.startsWith('TS') && !WRAPPERS.has(node.type)) return;
    if (WRAPPERS.has(node.type)) {
      if (isNode(node['expression'])) walk(node['expression']);
      return;
    }
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ExportNamedDeclaration':
        if (isNode(node['declaration'])) walk(node['declaration']);
        return;
      case 'ThrowStatement':
        replace('statement', node, ';');
        return;
      case 'ExpressionStatement':
        if (node['directive'] !== undefined && node['directive'] !== null) return;
        replace('statement', node, ';');
        break;
      case 'BreakStatement':
      case 'ContinueStatement':
        replace('statement', node, ';');
        return;
      case 'ReturnStatement':
        if (isNode(node['argument']) && !FALSY.test(source.slice(node['argument'].start, node['argument'].end))) {
          replace('return', node, 'return;');
        }
        break;
      case 'ArrowFunctionExpression': {
        const body = node['body'];
        if (!isNode(body) || body.type === 'BlockStatement') break;
        // The range of a parenthesised body is that of what is inside.
        replace('return', body, 'undefined');
        break;
      }
      case 'IfStatement':
      case 'ConditionalExpression':
        condition(node['test']);
        break;
      case 'WhileStatement':
      case 'ForStatement':
        condition(node['test'], true);
        break;
      case 'BinaryExpression':
      case 'LogicalExpression':
      case 'AssignmentExpression':
        if (!isNode(left) || !isNode(right)) break;
        symbol(node, left.end, right.start);
        if (['<<', '>>', '>>>'].includes(String(node['operator'])) && right.type === 'Literal') {
          walk(left);
          literal(right, 'bit position', false);
          return;
        }
        break;
      case 'UpdateExpression':
        symbol(node, node.start, node.end);
        break;
      case 'UnaryExpression':
        if (isNode(node['argument']) && ['!', '~', '-'].includes(String(node['operator']))) {
          add('unary', node.start, node['argument'].start, String(node['operator']) === '!' ? '!!' : '');
        }
        break;
      case 'ArrayExpression': {
        const elements = (node['elements'] as unknown[]).filter(isNode);
        if (elements.length > 0) replace('row', node, '[]');
        rows(elements);
        break;
      }
      case 'ObjectExpression':
        rows((node['properties'] as unknown[]).filter(isNode));
        break;
      case 'Property':
      case 'PropertyDefinition':
      case 'MethodDefinition':
        if (node['computed'] === true) break;
        if (isNode(node['key']) && node['key'].type === 'Literal' && node.type === 'Property') {
          literal(node['key'], 'number', true);
        }
        each(node, ['key']);
        return;
      case 'MemberExpression':
        if (node['computed'] === true) break;
        if (isNode(node['object'])) walk(node['object']);
        return;
      case 'CallExpression': {
        const callee = node['callee'];
        if (!isNode(callee)) break;
        const property = callee['property'];
        if (callee.type === 'MemberExpression' && isNode(property) && isNode(callee['object'])) {
          const opposite = METHODS[String(property['name'])];
          if (opposite !== undefined) replace('method', property, opposite);
          if (property['name'] === 'filter') add('method', callee['object'].end, node.end, '');
        }
        if (BIT_CALLS.has(String(callee['name']))) {
          for (const argument of node['arguments'] as Node[]) {
            if (argument.type === 'Literal' && typeof argument['value'] === 'number')
              literal(argument, 'bit position', false);
            else walk(argument);
          }
          return;
        }
        break;
      }
      case 'TemplateLiteral':
        if ((node['quasis'] as Node[]).some(q => q.end > q.start)) replace('string', node, "''");
        break;
      case 'Literal':
        literal(node, 'number', false);
        return;
    }
    each(node);
  }

  walk(parseAst(source, { lang: 'ts' }) as unknown as Node);
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The source with the mutant's change. */
export function applyMutant(source: string, { start, end, replacement }: Mutant): string {
  return `${source.slice(0, start)}${replacement}${source.slice(end)}`;
}

/** The change in one line: `before -> after`, long texts cut. */
export function describeMutant(source: string, { start, end, replacement }: Mutant): string {
  const short = (text: string): string => {
    const line = text.replace(/\s+/g, ' ');
    return line.length > 70 ? `${line.slice(0, 67)}…` : line;
  };
  return `${short(source.slice(start, end))} -> ${replacement === '' || replacement === ';' ? 'removed' : short(replacement)}`;
}
