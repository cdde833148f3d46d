/** A run writes no longer ones: what it takes from a peer is bounded below that (QMP: 10 MiB, doubled by its escapes). */
export const MAX_LINE = 32 << 20;

/** Makes lines of a text that comes in pieces. Of a line longer than {@link MAX_LINE} nothing is kept. */
export class LineSplitter {
  #parts: string[] = [];
  #length = 0;

  /** The lines that end in this piece; undefined for one that is too long. */
  *push(piece: string): Generator<string | undefined> {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      this.#add(piece.slice(from, end));
      yield this.#take();
      from = end + 1;
    }
    this.#add(piece.slice(from));
  }

  /** The last line, where the text does not end with a line feed. */
  *end(): Generator<string | undefined> {
    if (this.#length > 0) yield this.#take();
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length > MAX_LINE) this.#parts = [];
    else this.#parts.push(part);
  }

  #take(): string | undefined {
    const line = this.#length > MAX_LINE ? undefined : this.#parts.join('').replace(/\r$/, '');
    [this.#parts, this.#length] = [[], 0];
    return line;
  }
}
