/** @module Server-sent events: numbered, resumed by `Last-Event-ID`, with a sign of life, and ended from either side. */
import type { Context } from 'hono';

/** An event on its way to a page. */
export interface ServerEvent {
  /** From where it can go on; what has none leaves the last one as it is. */
  id?: string;
  /** `message` where there is none. */
  event?: string;
  data: string;
}

/** How long nothing may be said, ms. A page takes three of them for a sign that nobody is there any more. */
const BEAT_MS = 2000;
/** How soon a browser comes back, ms. */
const RETRY_MS = 1000;

const oneLine = (text: string): string => text.replace(/[\r\n\0]+/g, ' ');

/** An event in the words of the protocol. Whatever is in it, it stays one event. */
export function eventText({ id, event, data }: ServerEvent): string {
  return [
    ...(id === undefined ? [] : [`id: ${oneLine(id)}`]),
    ...(event === undefined ? [] : [`event: ${oneLine(event)}`]),
    ...data.split(/\r\n|\r|\n/).map(line => `data: ${line}`),
    '\n',
  ].join('\n');
}

/** The last event that a page has: of the header, which browsers send when they come back, or of the parameter `after`. */
export const lastEventId = (c: Context): string | undefined => c.req.header('last-event-id') ?? c.req.query('after');

/**
 * Answers with events, as they come, until there are no more, the page goes or the server ends. Nothing is made that nobody
 * takes: the source is asked for the next event when the last one is on its way.
 * @param source yields events; its signal is aborted when they are no longer wanted
 * @param ending of the server
 * @param beatMs how long nothing is said before a `beat` is
 */
export function eventStream(
  c: Context,
  source: (signal: AbortSignal) => AsyncIterator<ServerEvent, void>,
  ending: AbortSignal,
  beatMs: number = BEAT_MS,
): Response {
  const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
  if (c.req.method === 'HEAD') return new Response(undefined, { headers });
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, ending]);
  const encoder = new TextEncoder();
  const events = source(signal);
  let arrived: IteratorResult<ServerEvent, void> | undefined;
  let asked = false;
  let begun = false;
  // What waits is one function that is called: a promise that lives as long as the stream keeps all that it was raced against.
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  const ask = async (): Promise<void> => {
    asked = true;
    // Whatever is wrong with the source, a stream that fails would leave the page to guess.
    arrived = await events.next().catch((): IteratorResult<ServerEvent, void> => ({ done: true, value: undefined }));
    wake();
  };
  const woken = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      wake = resolve;
      timer = setTimeout(resolve, beatMs);
    });
    clearTimeout(timer);
  };
  // What waits wakes up by the signal; what has given its last event is told that no other is wanted.
  const stop = (): void => {
    gone.abort();
    void events.return?.().catch(() => {});
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const send = (text: string): void => controller.enqueue(encoder.encode(text));
        if (!begun) {
          begun = true;
          return send(`retry: ${RETRY_MS}\n\n`);
        }
        if (!asked) void ask();
        if (arrived === undefined && !signal.aborted) await woken();
        if (signal.aborted || arrived?.done === true) {
          stop();
          return controller.close();
        }
        if (arrived === undefined) return send(eventText({ event: 'beat', data: '' }));
        const { value } = arrived;
        arrived = undefined;
        asked = false;
        send(eventText(value));
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers });
}
