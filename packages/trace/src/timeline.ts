import { cutAt, safeText } from '@syndrome/decode/common/screen.ts';
import type { EventName } from '@syndrome/decode/events/catalog.ts';
import type { Layer, TraceEvent, TraceHeader } from './event.ts';
import { injectedAt } from './trace-index.ts';
import type { Style } from './style.ts';
import { summarize } from './summary.ts';

/** How a layer looks: the head of its lane and its colour. */
const LANES: Record<Layer, { head: string; color: 'gray' | 'cyan' | 'magenta' | 'blue' | 'yellow' | 'green' }> = {
  lab: { head: 'lab', color: 'gray' },
  machine: { head: 'mach', color: 'gray' },
  host: { head: 'host', color: 'magenta' },
  vmm: { head: 'vmm', color: 'cyan' },
  xen: { head: 'xen', color: 'magenta' },
  guest: { head: 'guest', color: 'blue' },
  domu: { head: 'domu', color: 'green' },
  process: { head: 'proc', color: 'yellow' },
};

/** What stands out: the system under test, or a part of it, goes no further. */
const DEATHS: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'guest.panic',
  'host.panic',
  'xen.panic',
  'vmm.guest-panicked',
  'xen.fatal-mce',
  'xen.domain-crashed',
  'domu.panic',
  'guest.oops',
  'host.oops',
  'xen.bug',
  'guest.silent',
  'vmm.reset',
  'vmm.triple-fault',
]);

const LANE_WIDTH = 6;

/**
 * The layers of a trace that get a lane, outermost first. The outer machine of a nested one says nothing that is shown
 * unless everything is.
 */
export function lanesOf({ layers }: Pick<TraceHeader, 'layers'>, all = false): Layer[] {
  return all ? layers : layers.filter(layer => layer !== 'machine');
}

interface TimelineOptions {
  style: Style;
  /** The layers that have a lane, outermost first: {@link lanesOf} a header. */
  layers: readonly Layer[];
  /** Also show every raw line: console, QMP, agent. */
  all?: boolean;
  /** Columns of the screen; 100 unless given. */
  width?: number;
}

/**
 * Draws a trace line by line: time, one lane a layer, what happened. Times are seconds from the start until the
 * injection, and `+` seconds after it from then on.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  #zero: number | undefined;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /** The head of the lanes. */
  head(): string {
    const lanes = this.#options.layers.map(layer => LANES[layer].head.padEnd(LANE_WIDTH)).join('');
    return this.#options.style('dim', `${'time'.padStart(9)}  ${lanes}`.trimEnd());
  }

  /** The lines for one event; none when there is nothing to show. */
  lines(event: TraceEvent): string[] {
    const { all } = this.#options;
    if (event.name === 'lab.injected') this.#zero ??= injectedAt(event);
    const summary = summarize(event);
    const raw = all && event.raw !== undefined ? safeText(event.raw, 400) : undefined;
    if (summary === undefined && raw === undefined) return [];
    const out: string[] = [];
    if (summary !== undefined) out.push(...this.#row(event, summary, this.#emphasis(event)));
    if (raw !== undefined && raw !== '') {
      const arrow = event.dir === 'send' ? '→ ' : event.dir === 'receive' ? '← ' : '';
      out.push(...this.#row(event, `${event.source}: ${arrow}${raw}`, 'dim'));
    }
    return out;
  }

  #emphasis(event: TraceEvent): Parameters<Style>[0] {
    if (event.name === 'lab.injected') return ['bold', 'red'];
    if (event.name === 'lab.step' || event.name === 'vmm.start') return 'dim';
    if (DEATHS.has(event.name)) return 'red';
    return event.name === 'process.signal' ? 'bold' : 'reset';
  }

  /** A trace may come from anybody: what it says is made safe here, whatever it is, before it is styled. */
  #row(event: TraceEvent, said: string, format: Parameters<Style>[0]): string[] {
    const { style, layers, width = 100 } = this.#options;
    const lanes = layers
      .map(layer =>
        layer === event.layer
          ? style(LANES[layer].color, '●'.padEnd(LANE_WIDTH))
          : style('dim', '·'.padEnd(LANE_WIDTH)),
      )
      .join('');
    const time = style('dim', this.#time(event.t).padStart(9));
    const margin = 11 + layers.length * LANE_WIDTH;
    const text = safeText(layers.includes(event.layer) ? said : `(${event.layer}) ${said}`);
    // Long lines wrap under their own text, so that the lanes stay readable.
    return wrap(text, Math.max(20, width - margin)).map(
      (piece, i) => (i === 0 ? `${time}  ${lanes}` : ' '.repeat(margin)) + style(format, piece),
    );
  }

  #time(t: number): string {
    const zero = this.#zero;
    return zero === undefined ? (t / 1e9).toFixed(3) : `+${((t - zero) / 1e9).toFixed(3)}`;
  }
}

/**
 * Breaks text at blanks into lines of at most `width`; a word longer than that is broken anywhere. Always one line at least.
 * For text without escape sequences: what is wrapped is styled afterwards, piece by piece.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    while (word.length > width) {
      if (line !== '') lines.push(line);
      line = '';
      const end = cutAt(word, width) || 2;
      lines.push(word.slice(0, end));
      word = word.slice(end);
    }
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}
