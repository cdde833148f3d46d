/**
 * @module An object that this project printed and somebody laid out over several lines (`jq .`): one value, in which nothing is a line
 * of a log. It is known by the member that all of them begin with.
 */

/** The member that opens one. */
export const OWN_NEEDLES: readonly string[] = ['"schemaVersion":', '"schemaVersion" :'];

const BEGINS = /^(\s{1,64})"schemaVersion"\s{0,2}:\s{0,2}\d{1,6},\s{0,4}$/;
/** Characters of one object; more are read as lines again. */
const MAX_TEXT = 1 << 20;

/** A line that belongs to such an object; `value` where it ends it. */
interface Taken {
  value?: unknown;
  firstLine: number;
}

export class OwnObject {
  #open: { indent: number; text: string; firstLine: number } | undefined;

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  get firstLine(): number {
    return this.#open?.firstLine ?? 0;
  }

  /** Takes a line; undefined for one that is of no such object. */
  take(line: string, lineNumber: number): Taken | undefined {
    const open = this.#open;
    if (open === undefined) {
      const indent = BEGINS.exec(line)?.[1]?.length;
      if (indent === undefined) return undefined;
      this.#open = { indent, text: `{${line}`, firstLine: lineNumber };
      return { firstLine: lineNumber };
    }
    const { firstLine } = open;
    if (line.search(/\S/) < open.indent && line.trimStart().startsWith('}')) {
      this.#open = undefined;
      return { firstLine, value: parse(`${open.text}}`) };
    }
    if (open.text.length + line.length > MAX_TEXT) this.#open = undefined;
    open.text += `\n${line}`;
    return { firstLine };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
