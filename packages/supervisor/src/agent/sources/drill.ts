/**
 * @module The injector of a drill as a witness: `mce` of QEMU's monitor has no address of the host, so that whoever typed it says
 * which page it was. A file of lines that only this agent's user may write; the core believes them for VMs that have opted in.
 */
import { event } from '@syndrome/decode/events/event.ts';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import type { SeenEvent } from '../../core/said.ts';
import { keepReading } from '../reconnect.ts';
import type { Sink, Source } from '../source.ts';
import { followLines } from './follow.ts';

/** `{"vm":"…","when":1700000000000,"gpa":"0x…","kind":"srao"}` as what was seen; undefined for any other line. */
function drillEvent(line: string): SeenEvent | undefined {
  const { vm, when, gpa, kind } = parseObject(line) ?? {};
  const address = typeof gpa === 'string' ? parseU64(gpa) : undefined;
  if (typeof vm !== 'string' || typeof kind !== 'string' || !Number.isSafeInteger(when) || address === undefined)
    return undefined;
  return {
    kind: 'event',
    source: 'drill',
    vm,
    when: Number(when),
    gpa: address,
    event: event('lab.injected', { kind: kind.slice(0, 100), addr: address }),
  };
}

/** Follows the lines of an injector, from the first one on. */
export class DrillSource implements Source {
  readonly name = 'drill';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    const take = (line: string): void => {
      const seen = drillEvent(line);
      if (seen !== undefined) sink(seen);
    };
    return keepReading(
      { source: 'drill' },
      ({ up, signal: ending }) =>
        followLines(this.#path, take, {
          signal: ending,
          begin: 'start',
          up: () => {
            up();
            pulse();
          },
          idle: pulse,
        }),
      sink,
      signal,
    );
  }
}
