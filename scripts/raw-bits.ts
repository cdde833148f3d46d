/**
 * The rule that bits have names: what shifts or masks a value by a number, or by a place that it computes, takes a field
 * out of it, and fields stand in tables. It goes by what is done, not by where or by how the value is called; only the
 * room of the tables does it. 64-bit values (bigint) are registers and addresses, and have no exception: addresses go
 * through `registers/address.ts`. Numbers have the exceptions of {@link IS_NO_FIELD}, known by their shape.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { SOURCES } from './rooms.ts';
import type { Violation } from './imports.ts';

/** The room that reads and writes fields for all others. */
const ROOM = 'packages/decode/src/registers/';
/** What it has for places that are computed: places that are numbers belong into a table. */
const COMPUTED = ['fieldOf', 'hasBit'] as const;
const REASON = 'bits of a value have a name and a source: take them through a table (defineRegister)';

/** A node of the syntax tree, as far as it is looked at. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;
const nodeOf = (node: Node, member: string): Node => node[member] as Node;

/** Every node with those around it, the nearest last. */
function walk(node: Node, around: readonly Node[], see: (node: Node, around: readonly Node[]) => void): void {
  see(node, around);
  const inner = [...around, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, inner, see);
  }
}

/** What stands in parentheses or behind an assertion of its type. */
function bare(node: Node): Node {
  const wraps = ['ParenthesizedExpression', 'TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'];
  return wraps.includes(node.type) ? bare(nodeOf(node, 'expression')) : node;
}

const calls = (node: Node, ...names: string[]): boolean =>
  node.type === 'CallExpression' && names.includes(String(nodeOf(node, 'callee')['name']));

/** The numbers of a source by name; `members` are written `object.member`. */
type Numbers = ReadonlyMap<string, bigint | number>;

/** The value of an expression that is made of numbers alone; undefined for any other. */
function numberIn(expression: Node, numbers: Numbers): bigint | number | undefined {
  const node = bare(expression);
  switch (node.type) {
    case 'Literal': {
      const { value } = node;
      return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
    }
    case 'Identifier':
      return numbers.get(String(node['name']));
    case 'MemberExpression':
      return numbers.get(`${String(nodeOf(node, 'object')['name'])}.${String(nodeOf(node, 'property')['name'])}`);
    case 'UnaryExpression': {
      const of = numberIn(nodeOf(node, 'argument'), numbers);
      if (of === undefined) return undefined;
      if (node['operator'] === '~') return typeof of === 'bigint' ? ~of : ~of;
      return node['operator'] === '-' ? -of : undefined;
    }
    case 'CallExpression': {
      const [first] = node['arguments'] as Node[];
      const of = first !== undefined && calls(node, 'BigInt', 'Number') ? numberIn(first, numbers) : undefined;
      if (of === undefined) return undefined;
      return calls(node, 'BigInt') ? BigInt(of) : Number(of);
    }
    case 'BinaryExpression': {
      const [a, b] = [numberIn(nodeOf(node, 'left'), numbers), numberIn(nodeOf(node, 'right'), numbers)];
      if (a === undefined || b === undefined) return undefined;
      // Only which of both it is, and the bytes of a mask, are looked at.
      return typeof a === 'bigint' ? 0n : 0;
    }
    default:
      return undefined;
  }
}

/** The constants of a source that are numbers, and such members of its constant objects. */
function numbersOf(program: Node): Numbers {
  const numbers = new Map<string, bigint | number>();
  walk(program, [], (node, around) => {
    if (node.type !== 'VariableDeclarator' || around.at(-1)?.['kind'] !== 'const') return;
    const { name } = nodeOf(node, 'id');
    if (typeof name !== 'string' || !isNode(node['init'])) return;
    const init = bare(node['init']);
    const value = numberIn(init, numbers);
    if (value !== undefined) numbers.set(name, value);
    if (init.type !== 'ObjectExpression') return;
    for (const property of init['properties'] as Node[]) {
      const member = property.type === 'Property' ? numberIn(nodeOf(property, 'value'), numbers) : undefined;
      if (member !== undefined) numbers.set(`${name}.${String(nodeOf(property, 'key')['name'])}`, member);
    }
  });
  return numbers;
}

/** `x >> y`, `x & y`, `x &= y`, with what is around it. */
interface Use {
  readonly node: Node;
  readonly around: readonly Node[];
  readonly operator: string;
  readonly left: Node;
  readonly right: Node;
  /** The number of the two, or of the right one. */
  readonly by: number | undefined;
}

/** The operators that a use stands under, the nearest first. */
function under({ around }: Use): string[] {
  const found: string[] = [];
  for (const node of around.toReversed()) {
    if (node.type === 'BinaryExpression') found.push(String(node['operator']));
    else if (node.type !== 'ParenthesizedExpression' && node.type !== 'UnaryExpression') break;
  }
  return found;
}

const BYTE = 8;
const WORD = 32;
const SHIFTS: readonly string[] = ['<<', '>>', '>>>'];
const isShift = (operator: string): boolean => SHIFTS.includes(operator);
const REPEATED = /^(?:0x)?([\da-f]{2})\1{3}$/i;

/** A shift of a word whose other half is shifted the other way beside it: `(x << 4) | (y >>> 28)`. */
function isRotation({ node, around, by }: Use): boolean {
  const or = around.findLast(n => n.type !== 'ParenthesizedExpression');
  if (or?.['operator'] !== '|') return false;
  const sides = [bare(nodeOf(or, 'left')), bare(nodeOf(or, 'right'))];
  const other = sides.find(side => side !== node);
  const back = isNode(other?.['right']) ? numberIn(other['right'], new Map()) : undefined;
  return other !== undefined && isShift(String(other['operator'])) && by !== undefined && Number(back) + by === WORD;
}

/** What numbers are shifted and masked for without a field in it, by its shape. */
const IS_NO_FIELD: Readonly<Record<string, (use: Use, text: (node: Node) => string) => boolean>> = {
  'a number made unsigned: x >>> 0': ({ operator, by }) => operator === '>>>' && by === 0,
  'permissions of a file, which are octal': (use, text) =>
    use.operator === '&' && [use.left, use.right].some(side => /^~?0o/.test(text(bare(side)))),
  'whole bytes: (x >>> 16) & 0xff': ({ operator, by }) =>
    by !== undefined && (isShift(operator) ? by % BYTE === 0 : by === 0xff),
  'digits put one behind the other: (x << 4) | digit': use => use.operator === '<<' && under(use)[0] === '|',
  'words that are rotated': isRotation,
  'a hash: (x >>> 15) ^ y': use => under(use).includes('^'),
  'a bit of a set, by its index: (x >>> i) & 1': ({ operator, left, by }) =>
    operator === '&' && by === 1 && SHIFTS.includes(bare(left)['operator'] as string),
  'four bytes side by side: (x & 0x7f7f7f7f)': (use, text) =>
    [
      use.left,
      use.right,
      ...use.around
        .toReversed()
        .slice(0, 2)
        .flatMap(n => (n['operator'] === '&' ? [nodeOf(n, 'right')] : [])),
    ].some(side => REPEATED.test(text(bare(side)))),
};

/** Whether a mask is a number, or one that is computed: `(1n << BigInt(n)) - 1n`. */
function computed(node: Node): boolean {
  let found = false;
  walk(node, [], inner => {
    if (inner.type === 'BinaryExpression' && inner['operator'] === '<<') {
      const left = bare(nodeOf(inner, 'left'));
      found ||= left.type === 'Literal' && typeof left['value'] === 'bigint';
    }
  });
  return found;
}

/** Whether something takes bits out of a value by number. */
function takesBits(node: Node, around: readonly Node[], numbers: Numbers, text: (node: Node) => string): boolean {
  if (calls(node, ...COMPUTED)) {
    const [, ...places] = node['arguments'] as Node[];
    return places.length > 0 && places.every(place => numberIn(place, numbers) !== undefined);
  }
  if (node.type !== 'BinaryExpression' && node.type !== 'AssignmentExpression') return false;
  const operator = String(node['operator']).replace(/(?<=.)=$/, '');
  if (operator !== '&' && !isShift(operator)) return false;
  const [left, right] = [nodeOf(node, 'left'), nodeOf(node, 'right')];
  const [a, b] = [numberIn(left, numbers), numberIn(right, numbers)];
  if (a !== undefined && (b !== undefined || isShift(operator))) return false;
  const by = a ?? b;
  if (by === undefined) {
    if (isShift(operator)) return calls(bare(right), 'BigInt');
    return computed(left) || computed(right);
  }
  if (typeof by === 'bigint') return true;
  const use: Use = { node, around, operator, left, right, by };
  return !Object.values(IS_NO_FIELD).some(is => is(use, text));
}

/** Where a source takes bits out of a value past a table; `file` is relative to the repository, with `/`. */
export function checkRawBits(file: string, source: string): Violation[] {
  if (file.endsWith('.test.ts') || file.includes('/testing/') || file.startsWith(ROOM)) return [];
  if (!/<<|>>|&|\b(?:fieldOf|hasBit)\(/.test(source)) return [];
  const program = parseAst(source, { lang: file.endsWith('.tsx') ? 'tsx' : 'ts' }) as unknown as Node;
  const numbers = numbersOf(program);
  const text = (node: Node): string => source.slice(node.start, node.end);
  const places = new Map<number, string>();
  walk(program, [], (node, around) => {
    const line = source.slice(0, node.start).split('\n').length;
    if (!places.has(line) && takesBits(node, around, numbers, text)) places.set(line, text(node).split('\n')[0] ?? '');
  });
  return [...places].map(([line, specifier]) => ({ file, line, specifier, reason: REASON }));
}

/** Checks every source. */
export function checkAllRawBits(root: string): Violation[] {
  return globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkRawBits(file.split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
