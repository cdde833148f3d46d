/**
 * Regular expressions in time that grows with the text alone, for patterns that somebody else wrote. What one character may
 * be (`\d`, `[^a-z]`, letters of either case) is asked of JavaScript's own engine; repetition and choice, where that one
 * goes back and tries again, are walked here, all ways at once. It answers yes or no, so it keeps no groups.
 */

/** Why a pattern is not taken, in words that follow it. */
export class PatternError extends Error {}

/** Longest pattern, in characters, and most states of one once its repetitions are written out: `a{100}` has a hundred. */
const MAX_PATTERN = 200;
const MAX_STATES = 500;

type Place = '^' | '$' | '\\b' | '\\B';
type Node =
  | { is: 'character'; test: Test }
  | { is: 'place'; place: Place }
  | { is: 'row' | 'choice'; parts: Node[] }
  | { is: 'repeat'; part: Node; min: number; max: number };

/** Whether a UTF-16 code unit is one of those an atom of the pattern stands for. */
type Test = (unit: number) => boolean;

/** Answers are kept for the characters that logs are made of. */
const KEPT = 256;

function characterTest(atom: string): Test {
  const one = new RegExp(`^(?:${atom})$`, 'i');
  const kept = new Int8Array(KEPT);
  return unit => {
    const known = kept[unit] ?? 0;
    if (known !== 0) return known > 0;
    const fits = one.test(String.fromCharCode(unit));
    if (unit < KEPT) kept[unit] = fits ? 1 : -1;
    return fits;
  };
}

/** Two digits of `\x`, four of `\u`, a letter of `\c`, or one character; what refers to groups or properties is refused. */
const ESCAPE = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|0(?!\d)|[^0-9kpPc])/y;
const CLASS = /\[(?:[^\]\\]|\\[^])*\]/y;
const GROUP = /\((?:\?:|\?<(?![=!])[^>]*>|(?!\?))/y;
const COUNT = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;

/** Reads a pattern that JavaScript takes; what it says of a character stays in JavaScript's words. */
class Parser {
  readonly #source: string;
  readonly #tests = new Map<string, Test>();
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  choice(): Node {
    const parts = [this.#row()];
    while (this.#source[this.#at] === '|') {
      this.#at++;
      parts.push(this.#row());
    }
    return { is: 'choice', parts };
  }

  #row(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source.charAt(this.#at))) {
      const part = this.#part();
      const [count, sign, least = '', comma, most = ''] = this.#take(COUNT) ?? [];
      if (count === undefined) {
        parts.push(part);
        continue;
      }
      const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0;
      const max = sign === '?' ? 1 : sign !== undefined || (comma && most === '') ? Infinity : Number(most || least);
      parts.push({ is: 'repeat', part, min, max });
    }
    return { is: 'row', parts };
  }

  #part(): Node {
    const first = this.#source.charAt(this.#at);
    if (first === '(') {
      if (this.#take(GROUP) === undefined) {
        throw new PatternError('looks ahead or behind, or changes its flags; only (…), (?:…) and (?<name>…) are taken');
      }
      const inner = this.choice();
      this.#at++;
      return inner;
    }
    if (first === '[') return this.#character(this.#take(CLASS)?.[0] ?? '');
    if (first !== '\\') {
      this.#at++;
      if (first === '^' || first === '$') return { is: 'place', place: first };
      return this.#character(/[\^$\\*+?()[\]{}|/]/.test(first) ? `\\${first}` : first);
    }
    const escape = this.#take(ESCAPE)?.[0];
    if (escape === undefined) {
      const word = this.#source.slice(this.#at, this.#at + 2);
      throw new PatternError(
        `has ${word}, which is not taken: no groups are kept to refer to, and no Unicode properties`,
      );
    }
    if (escape === '\\b' || escape === '\\B') return { is: 'place', place: escape };
    return this.#character(escape);
  }

  #character(atom: string): Node {
    let test = this.#tests.get(atom);
    if (test === undefined) this.#tests.set(atom, (test = characterTest(atom)));
    return { is: 'character', test };
  }

  #take(what: RegExp): RegExpExecArray | undefined {
    // A copy: a sticky expression remembers where it stopped.
    const here = new RegExp(what);
    here.lastIndex = this.#at;
    const found = here.exec(this.#source) ?? undefined;
    if (found !== undefined) this.#at = here.lastIndex;
    return found;
  }
}

type State =
  | { is: 'end' }
  | { is: 'character'; test: Test; next: number }
  | { is: 'place'; place: Place; next: number }
  | { is: 'fork'; next: number[] };

/** Writes the states of a pattern from its end to its beginning, so that each knows where it leads. */
class Program {
  readonly states: State[] = [{ is: 'end' }];

  #add(state: State): number {
    if (this.states.length >= MAX_STATES) {
      throw new PatternError(`is too large: with its repetitions written out it has more than ${MAX_STATES} states`);
    }
    return this.states.push(state) - 1;
  }

  /** Where to begin to find `node`, and then what begins at `next`. */
  before(next: number, node: Node): number {
    switch (node.is) {
      case 'character':
        return this.#add({ is: 'character', test: node.test, next });
      case 'place':
        return this.#add({ is: 'place', place: node.place, next });
      case 'row':
        return node.parts.reduceRight((then, part) => this.before(then, part), next);
      case 'choice':
        return node.parts.length === 1
          ? node.parts.reduce((then, part) => this.before(then, part), next)
          : this.#add({ is: 'fork', next: node.parts.map(part => this.before(next, part)) });
      case 'repeat':
        return this.#repeat(next, node.part, node.min, node.max);
    }
  }

  #repeat(next: number, part: Node, min: number, max: number): number {
    let start = next;
    if (max === Infinity) {
      const fork: { is: 'fork'; next: number[] } = { is: 'fork', next: [next] };
      start = this.#add(fork);
      fork.next.push(this.before(start, part));
    } else {
      for (let n = min; n < max; n++) start = this.#add({ is: 'fork', next: [next, this.before(start, part)] });
    }
    for (let n = 0; n < min; n++) {
      const size = this.states.length;
      start = this.before(start, part);
      // Nothing, however often, is nothing.
      if (this.states.length === size) break;
    }
    return start;
  }
}

const isWord = (unit: number): boolean => /\w/.test(String.fromCharCode(unit));

function holds(place: Place, text: string, at: number): boolean {
  if (place === '^') return at === 0;
  if (place === '$') return at === text.length;
  const edge = (at > 0 && isWord(text.charCodeAt(at - 1))) !== (at < text.length && isWord(text.charCodeAt(at)));
  return edge === (place === '\\b');
}

/** A compiled pattern. Letters match in either case, and anywhere in the text unless it is anchored. */
export class Pattern {
  readonly #states: readonly State[];
  readonly #start: number;

  /** @throws PatternError when it is no regular expression of JavaScript, or one that is not taken. */
  constructor(source: string) {
    if (source.length > MAX_PATTERN) throw new PatternError(`is longer than ${MAX_PATTERN} characters`);
    try {
      new RegExp(source, 'i');
    } catch (error) {
      throw new PatternError('is not a regular expression', { cause: error });
    }
    const program = new Program();
    this.#start = program.before(0, new Parser(source).choice());
    this.#states = program.states;
  }

  /** How many states it has: each may cost a step for each character of a text. */
  get size(): number {
    return this.#states.length;
  }

  /** Whether it is found in `text`. */
  test(text: string): boolean {
    const states = this.#states;
    /** Where each state was last reached, plus one. */
    const reached = new Uint32Array(states.length);
    const open: number[] = [];
    let [here, there]: [number[], number[]] = [[], []];
    for (let at = 0; ; at++) {
      // `here` has the states to go on from at this place; what they lead to without a character is found first.
      open.push(this.#start, ...here);
      here.length = 0;
      for (let n = open.pop(); n !== undefined; n = open.pop()) {
        if (reached[n] === at + 1) continue;
        reached[n] = at + 1;
        const state = states[n];
        if (state === undefined || state.is === 'end') return true;
        if (state.is === 'character') here.push(n);
        else if (state.is === 'fork') open.push(...state.next);
        else if (holds(state.place, text, at)) open.push(state.next);
      }
      if (at === text.length) return false;
      const unit = text.charCodeAt(at);
      for (const n of here) {
        const state = states[n];
        if (state?.is === 'character' && state.test(unit)) there.push(state.next);
      }
      [here, there] = [there, here];
      there.length = 0;
    }
  }
}
