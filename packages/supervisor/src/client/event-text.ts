/** @module Server-sent events out of a stream of text, however it is cut, for the client and for pages. */

/** An event as it came. */
interface SaidEvent {
  id: string | undefined;
  /** `message` where it has no name. */
  event: string;
  /** Empty for a sign of life. */
  data: string;
}

/** Takes text as it comes, and gives whole events. */
export class EventText {
  #text = '';

  /** @example new EventText().push('id: 1\nevent: decision\ndata: {}\n\n') */
  push(chunk: string): SaidEvent[] {
    const blocks = (this.#text + chunk).split('\n\n');
    this.#text = blocks.pop() ?? '';
    return blocks.flatMap(block => {
      const lines = block.split('\n');
      const of = (field: string): string[] =>
        lines.flatMap(line => (line.startsWith(`${field}: `) ? [line.slice(field.length + 2)] : []));
      const [event] = of('event');
      const data = of('data').join('\n');
      return event === undefined && data === '' ? [] : [{ id: of('id')[0], event: event ?? 'message', data }];
    });
  }
}
