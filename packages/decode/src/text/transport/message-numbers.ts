/**
 * @module Numbers for the messages that readers take. A line that holds several, such as an array of JSON, has one for each, and
 * one that only stands between messages has none, so that a reader sees them as lines one behind another; and a message may have a time of its own beside it.
 */

/** Messages of which more is known than their line; readers hold none open for longer. */
const KEPT = 4096;

interface Message {
  number: number;
  line: number;
  stamp: string | undefined;
}

export class MessageNumbers {
  /** How many numbers more were given than there are lines; below 0 where some of these hold no message. */
  #extra = 0;
  /** The last messages that share their line or have a time of their own, by number. */
  readonly #known = new Map<number, Message>();
  /** From which number on how many are to be taken off. */
  readonly #steps: { from: number; extra: number }[] = [];
  #last = 0;

  /** Whether a number may be another than that of its line, or have a time of its own. */
  get isPlain(): boolean {
    return this.#known.size === 0 && this.#steps.length === 0;
  }

  /** The number of a line, or of the first message in it. */
  of(line: number): number {
    this.#last = line + this.#extra;
    return this.#last;
  }

  /** The number of a further message of a line. */
  next(line: number): number {
    this.#extra++;
    this.#last = line + this.#extra;
    this.#steps.push({ from: this.#last + 1, extra: this.#extra });
    if (this.#steps.length > KEPT) this.#steps.shift();
    // The beginning of the line is that of another.
    this.#keep({ number: this.#last, line, stamp: '' });
    return this.#last;
  }

  /** The line that was numbered last holds no message: the next has its number, so that messages are one behind another. */
  hide(): void {
    this.#known.delete(this.#last);
    this.#less(1, this.#last);
  }

  /** Lines behind the one that was numbered last were left out, and hold no message. */
  hideSkipped(lines: number): void {
    this.#less(lines, this.#last + 1);
  }

  #less(lines: number, from: number): void {
    this.#extra -= lines;
    this.#steps.push({ from, extra: this.#extra });
    if (this.#steps.length > KEPT) this.#steps.shift();
  }

  /** Says what stands before or beside the message of a number, of which the line begins with something else. */
  stamp(number: number, line: number, stamp: string): void {
    this.#keep({ number, line, stamp });
  }

  /** What was said of the message of a number. */
  stampOf(number: number): string | undefined {
    return this.#known.get(number)?.stamp;
  }

  /** The line of a message. */
  lineOf(number: number): number {
    const known = this.#known.get(number);
    if (known !== undefined) return known.line;
    let extra = 0;
    for (const step of this.#steps) {
      if (step.from > number) break;
      extra = step.extra;
    }
    return number - extra;
  }

  #keep(message: Message): void {
    this.#known.set(message.number, message);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > KEPT) this.#known.delete(oldest);
  }
}
