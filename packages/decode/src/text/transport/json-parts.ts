/**
 * @module The values of JSON that a line holds where it is no object by itself: the elements of an array (`jq -c`, an export of a log
 * store), with what opens and closes the array around them; and the strings of a text that was cut. Source: RFC 8259.
 */

/** What begins a line of an array, or one of its elements. A kernel begins lines with `[` and a digit, a blank or a capital. */
const BEGINS = /^[[,\s]{0,64}["{]/;
/** Values of one line. */
const MAX_PARTS = 4096;

interface JsonParts {
  /** In the order of the line; only objects and strings. */
  values: unknown[];
  /** What stands behind the last of them and is no whole value; empty where nothing does. */
  rest: string;
}

/** Where the string that begins at `at` ends; -1 where it does not. */
function endOfString(text: string, at: number): number {
  let i = at + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i < text.length ? i + 1 : -1;
}

/** Where the string or the object that begins at `at` ends; -1 where it does not. */
function endOf(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const end = endOfString(text, i);
      if (end < 0 || depth === 0) return end;
      i = end - 1;
    } else if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth === 0) return i + 1;
  }
  return -1;
}

/**
 * The objects and strings that stand one after another in a line, whatever array they are of; undefined for a line that is none of JSON,
 * or a member of an object that goes over lines.
 * @example jsonParts('[{"a":1},{"a":2}]')?.values // [{ a: 1 }, { a: 2 }]
 */
export function jsonParts(text: string): JsonParts | undefined {
  if (!BEGINS.test(text)) return undefined;
  const values: unknown[] = [];
  let at = 0;
  while (at < text.length && values.length < MAX_PARTS) {
    if (/[[\]{}",]/.test(text[at] ?? '') === false) {
      if (!/\s/.test(text[at] ?? '')) break;
      at++;
      continue;
    }
    if (text[at] !== '{' && text[at] !== '"') {
      at++;
      continue;
    }
    const end = endOf(text, at);
    if (end < 0) break;
    // A name: the object around it goes over lines.
    if (text[at] === '"' && /^\s{0,8}:/.test(text.slice(end, end + 16))) break;
    try {
      values.push(JSON.parse(text.slice(at, end)));
    } catch {
      break;
    }
    at = end;
  }
  return values.length === 0 ? undefined : { values, rest: text.slice(at).trim() };
}

/** The strings of a piece of JSON that is no whole value, up to a bound; never throws. */
export function stringsIn(text: string): string[] {
  const out: string[] = [];
  let at = text.indexOf('"');
  while (at >= 0 && out.length < MAX_PARTS) {
    const end = endOf(text, at);
    // Behind one without an end the others are out of step.
    if (end < 0) break;
    try {
      out.push(JSON.parse(text.slice(at, end)) as string);
    } catch {
      // Escapes that are none.
    }
    at = text.indexOf('"', end);
  }
  return out;
}
