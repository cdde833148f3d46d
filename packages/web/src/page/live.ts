/** @module A run that goes on: its trace comes line by line from the server, and what is shown grows with it. */
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { TraceReader } from '@syndrome/trace/reader.ts';
import { originOfTraces } from '../view/link.ts';
import { openRun } from '../view/run.ts';
import type { TraceModel } from './model.ts';
import { eventsOf, ServerStream } from './server-stream.ts';

/** How often what is shown is drawn anew, ms; and the share of the time that this may take. */
const DRAW_MS = 120;
const SHARE = 0.2;

/**
 * Follows a run of the server and shows it, until something else is opened or the run ends.
 * @param name what the server calls its trace
 */
export function followRun(model: TraceModel, name: string): void {
  const title = name.split('/').at(-1) ?? name;
  let reader = new TraceReader(title);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cost = 0;
  const draw = (): void => {
    timer = undefined;
    const trace = reader.soFar();
    if (trace === undefined) return;
    const began = performance.now();
    model.grow(openRun(trace, title, true));
    cost = performance.now() - began;
  };
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      stop();
      const hint = error instanceof SyndromeError ? error.hint : undefined;
      model.live.value = undefined;
      model.reading.value = undefined;
      model.trouble.value = { name: title, message: messageOf(error), hint };
    }
  };
  const stream = new ServerStream(eventsOf('follow', { name }), {
    reset: () => {
      reader = new TraceReader(title);
      model.begin();
    },
    lines: data =>
      guarded(() => {
        reader.push(JSON.parse(data) as string);
        timer ??= setTimeout(() => guarded(draw), Math.max(DRAW_MS, cost / SHARE));
      }),
    end: () =>
      guarded(() => {
        stop();
        model.finish(openRun(reader.end(), title));
      }),
  });
  const stop = (): void => {
    clearTimeout(timer);
    stream.close();
  };
  model.watch(stream, title, stop, originOfTraces([name]));
}
