import type { Duplex, Readable } from 'node:stream';
import { AgentClient } from './guest/client.ts';
import { ConsoleReader } from './guest/console.ts';
import type { AgentEvent } from './guest/protocol.ts';
import type { TranscriptEntry } from '@syndrome/qemu/qmp/client.ts';
import type { EventFields, EventName } from '@syndrome/decode/events/catalog.ts';
import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import { type EventReader, kernelTraceEvents, linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { hmpOutputEvents } from '@syndrome/decode/text/qemu/messages.ts';
import { agentEvent, agentLine } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import { LAYERS, type Layer, type Source, type TraceEvent } from '@syndrome/trace/event.ts';
import { DOMU_CONSOLE } from './machine/domu-image.ts';
import type { NewEvent, TraceRecorder } from './trace/recorder.ts';

/** An event belongs to the layer its name begins with, else to the layer it was heard from. */
function layerOf(name: EventName | undefined, fallback: Layer): Layer {
  const prefix = name?.split('.')[0];
  return LAYERS.find(layer => layer === prefix) ?? fallback;
}

/** Puts everything that the layers of a machine say on one trace: raw, and with what it means. */
export class Tape {
  readonly recorder: TraceRecorder;
  #ends: (() => void)[] = [];
  #consoles: ConsoleReader[] = [];

  constructor(recorder: TraceRecorder) {
    this.recorder = recorder;
  }

  record(
    event: LogEvent | undefined,
    layer: Layer,
    source: Source,
    raw?: string,
    dir?: 'send' | 'receive',
  ): TraceEvent {
    const line: Omit<NewEvent, 'name' | 'fields'> = {
      layer: layer === 'machine' ? layer : layerOf(event?.name, layer),
      source,
      ...(raw === undefined ? {} : { raw }),
      ...(dir === undefined ? {} : { dir }),
    };
    return this.recorder.record(event === undefined ? line : ({ ...line, ...event } as NewEvent));
  }

  #all(events: readonly LogEvent[], layer: Layer, source: Source): void {
    for (const event of events) this.record(event, layer, source);
  }

  /** Something the lab itself has to say. */
  note<N extends EventName>(name: N, fields: EventFields<N>): TraceEvent {
    return this.record(event(name, fields) as LogEvent, 'lab', 'lab');
  }

  /** Takes the lines of one source. */
  lines(layer: Layer, source: Source, parser: EventReader): (line: string) => void {
    this.#ends.push(() => this.#all(parser.end(), layer, source));
    return line => {
      const [first, ...more] = parser.push(line);
      this.record(first, parser.writer?.(line) ?? layer, source, line);
      this.#all(more, layer, source);
    };
  }

  /** Reads a console, within bounds whatever is written to it. */
  console(line: Readable, layer: Layer, parser: EventReader, source: Source = 'console'): void {
    const sink = this.lines(layer, source, parser);
    const reader = new ConsoleReader({
      onLine: line => sink(line.text),
      onDiagnostic: ({ code, message }) => this.note('lab.note', { text: `${layer} ${source}: ${code}: ${message}` }),
    });
    this.#consoles.push(reader);
    line.on('data', (chunk: Buffer) => reader.push(chunk));
    line.on('close', () => reader.end());
  }

  /** Whether a console is in the middle of a line. */
  get inLine(): boolean {
    return this.#consoles.some(reader => reader.pending !== '');
  }

  /**
   * Talks to the agent of a layer.
   * @param before who has talked to the same agent
   */
  agent(
    line: Duplex,
    layer: Layer,
    meaning: (event: AgentEvent) => LogEvent | undefined,
    before?: AgentClient,
  ): AgentClient {
    const agent = new AgentClient(line, {
      onLine: (direction, raw) => this.record(undefined, layer, 'agent', raw, direction === 'in' ? 'receive' : 'send'),
      onDiagnostic: ({ code, message }) => this.note('lab.note', { text: `${layer} agent: ${code}: ${message}` }),
    });
    let readyBoot = before?.boot;
    const traced = layer === 'guest' || layer === 'host' ? kernelTraceEvents(layer) : undefined;
    const domu = this.#domu();
    agent.onEvent(event => {
      if (event.name === 'line') {
        // The files that are followed are the console of a domain of Xen and the pipe of trace events.
        if (event.fields.path === DOMU_CONSOLE) domu(event.fields.text);
        else this.#all(traced?.push(event.fields.text) ?? [], layer, 'agent');
        return;
      }
      if (event.name === 'ready') {
        // Every `hello` makes an agent say `ready` again; it becomes ready once for each boot of its Linux. The line may
        // also be one that a Linux since crashed left without its end, and that the next one's first byte completed.
        if (event.fields.boot === readyBoot) return;
        readyBoot = event.fields.boot;
        agent.boot = readyBoot;
      }
      const known = meaning(event);
      if (known) this.record(known, layer, 'agent');
    });
    return agent;
  }

  /** Takes what a domain of Xen besides dom0 has on its console: the lines of its kernel and of the agent in it. */
  #domu(): (line: string) => void {
    const kernel = this.lines('domu', 'console', linuxEvents('domu'));
    return line => {
      const said = agentLine(line.trim());
      const ready = said && agentEvent(said.name, Object.fromEntries(said.fields), 'domu');
      if (ready === undefined) kernel(line);
      else this.record(ready, 'domu', 'console', line);
    };
  }

  /** Takes a QMP transcript. `meaning` says which events count, and may look at them. */
  qmp(layer: Layer, meaning: (event: LogEvent) => LogEvent | undefined): (entry: TranscriptEntry) => void {
    return entry => {
      const message = entry.message as { event?: unknown; data?: unknown } | undefined;
      const event =
        typeof message?.event === 'string' ? qmpEvent({ event: message.event, data: message.data }) : undefined;
      this.record(event === undefined ? undefined : meaning(event), layer, 'qmp', entry.raw, entry.direction);
    };
  }

  /** Takes what a monitor command printed. */
  hmp(output: string): void {
    const text = output.trim();
    if (text === '') return;
    const [first, ...more] = hmpOutputEvents(text);
    this.record(first, 'vmm', 'hmp', text);
    this.#all(more, 'vmm', 'hmp');
  }

  /** Nothing more comes: what the parsers still hold is recorded. */
  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
