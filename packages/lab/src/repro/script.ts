/**
 * What a run said to its machine and waited for, as lines that anybody can say again: read off the trace, so that no
 * step of the lab is written a second time. Numbers that the machine told (an address, a page frame) become names.
 */
import { matchEvent, parseCondition } from '@syndrome/trace/expect/condition.ts';
import { showValue } from '@syndrome/trace/expect/judge.ts';
import { judgeTrace } from '@syndrome/trace/expect/verdict.ts';
import type { TraceEvent, TraceHeader } from '@syndrome/trace/event.ts';
import { TraceIndex } from '@syndrome/trace/trace-index.ts';
import type { Channel } from '../machine/channels.ts';
import { type Step, stepKind } from '../steps/registry.ts';
import { Numbers, pattern } from './numbers.ts';

/**
 * One line of a script. `send` goes to the machine, `await` has to come before the next line is said, `expect` has to be
 * seen by the end, in any order. In a text `{name}` is a number by its name; in those that come `…` is whatever stands there.
 */
interface ScriptLine {
  do: 'step' | 'mark' | 'send' | 'await' | 'expect';
  /** Absent for a step, which is a heading, and for the mark behind which comes what is expected. */
  channel?: Channel;
  text: string;
}

/** What is needed of a run. */
interface RunRecord {
  header: TraceHeader;
  events: readonly TraceEvent[];
  steps: readonly Step[];
  /** The machine has a host layer, with a VMM in it. */
  nested: boolean;
}

/** The line on which a line of the trace went; undefined for what went on none. */
function channelOf({ layer, source }: Pick<TraceEvent, 'layer' | 'source'>, nested: boolean): Channel | undefined {
  if (source === 'qmp') return layer === 'machine' || (layer === 'host' && nested) ? 'outer' : 'qmp';
  if (source === 'agent' || source === 'console') {
    const host = layer === 'host' || layer === 'machine';
    if (source === 'agent') return host ? 'hostAgent' : 'agent';
    return host ? 'hostConsole' : 'console';
  }
  return source === 'stderr' || source === 'events' || source === 'control' ? source : undefined;
}

/**
 * The number of an agent's answer, or whether QMP answers; undefined for what comes unasked.
 * @param programs that an agent was told to run: their end is an answer, too
 */
function answerTo({ source, raw = '', dir }: TraceEvent, programs: ReadonlySet<string>): string | undefined {
  if (dir !== 'receive') return undefined;
  if (source === 'agent') {
    const [end, program = ''] = /^E exit proc=(\S+)/.exec(raw) ?? [];
    return programs.has(program) ? end : /^R \d+ (?:ok|err \w+)/.exec(raw)?.[0];
  }
  return source === 'qmp' ? /"(?:return|error)": /.exec(raw)?.[0] : undefined;
}

/** What a machine says first on a line, before it can be asked anything. */
const FIRST: Partial<Record<TraceEvent['source'], string>> = { qmp: '{"QMP": …', agent: 'E ready …' };

/** The script of a run, from the start of its machine. A trace of a restored machine lacks the beginning. */
export function scriptOf({ header, events, steps, nested }: RunRecord): ScriptLine[] {
  const numbers = new Numbers(events);
  const script: ScriptLine[] = [];
  const open = new Set<Channel>();
  const programs = new Set<string>();
  const index = new TraceIndex(events);
  for (const event of events) {
    if (event.name === 'lab.step') script.push({ do: 'step', text: String(event.fields?.text) });
    if (event.name === 'lab.injected' && !script.some(line => line.do === 'mark'))
      script.push({ do: 'mark', text: '' });
    // Before its steps the lab waits until a domain of Xen has booted, too.
    if (event.name === 'domu.agent-ready') script.push({ do: 'await', channel: 'agent', text: 'E line … E%20ready …' });
    const wait = awaitedAt(event, events, steps, index.values);
    const channel = channelOf(event, nested);
    if (event.dir === 'send' && channel !== undefined && event.raw !== undefined) {
      const first = FIRST[event.source];
      if (first !== undefined && !open.has(channel)) script.push({ do: 'await', channel, text: first });
      open.add(channel);
      script.push({ do: 'send', channel, text: numbers.named(withoutId(event)) });
    }
    const program = event.dir === 'send' ? /^\d+ exec name=(\S+)/.exec(event.raw ?? '')?.[1] : undefined;
    if (program !== undefined) programs.add(program);
    const answer =
      answerTo(event, programs) ?? (numbers.isTold(event) ? /^D \d+/.exec(event.raw ?? '')?.[0] : undefined);
    if (answer !== undefined && channel !== undefined) {
      script.push({ do: 'await', channel, text: numbers.captured(answer, event) });
    }
    if (wait !== undefined) script.push(...heard('await', wait, events, numbers, nested));
  }
  for (const event of expected(header, events)) {
    for (const line of heard('expect', event, events, numbers, nested)) {
      if (
        !script.some(
          ({ do: what, channel, text }) => what === 'expect' && channel === line.channel && text === line.text,
        )
      )
        script.push(line);
    }
  }
  return script;
}

/** A request to a monitor without the name of this run in it: answers come in the order of the requests. */
const withoutId = ({ source, raw = '' }: TraceEvent): string =>
  source === 'qmp' ? raw.replace(/,"id":"[^"]*"\}$/, '}') : raw;

/** The event for which a step waited, when it begins. */
function awaitedAt(
  event: TraceEvent,
  events: readonly TraceEvent[],
  steps: readonly Step[],
  values: TraceIndex['values'],
): TraceEvent | undefined {
  if (event.name !== 'lab.step') return undefined;
  const step = steps[Number(event.fields?.index) - 1];
  const argument = step && stepKind(step.step)?.condition;
  if (argument === undefined) return undefined;
  const condition = parseCondition(String(step?.args[argument]));
  return events.find(one => one.name === condition.name && matchEvent(condition, one, values, showValue).ok);
}

/** The events that made the expectations pass, in their order. */
function expected(header: TraceHeader, events: readonly TraceEvent[]): TraceEvent[] {
  const seqs = judgeTrace(header, events).expectations.flatMap(({ evidence }) => evidence);
  return [...new Set(seqs)].toSorted((a, b) => a - b).flatMap(seq => events[seq - 1] ?? []);
}

/** The line by which an event was known: its own, or the one right before it, of which the lab or a reader made it. */
function heard(
  what: 'await' | 'expect',
  event: TraceEvent,
  events: readonly TraceEvent[],
  numbers: Numbers,
  nested: boolean,
): ScriptLine[] {
  const around = events.slice(Math.max(event.seq - 3, 0), event.seq);
  const said = around.findLast(
    e =>
      e.raw !== undefined && e.dir !== 'send' && (e === event || event.source === 'lab' || e.source === event.source),
  );
  const channel = said && channelOf(said, nested);
  return said === undefined || channel === undefined ? [] : [{ do: what, channel, text: pattern(said, numbers) }];
}

/** A script as the file `steps.txt` has it. */
export function scriptText(script: readonly ScriptLine[], channels: readonly Channel[]): string {
  const signs = { send: '>', await: '<', expect: '=' } as const;
  const rows = script.map(line => {
    if (line.do === 'step') return `\n# ${line.text}`;
    return line.do === 'mark' ? '!' : `${line.channel} ${signs[line.do]} ${line.text}`;
  });
  const firstExpected = script.findIndex(line => line.do === 'expect');
  if (firstExpected >= 0) rows.splice(firstExpected, 0, '\n# seen in the end');
  return `channels: ${channels.join(' ')}\n${rows.join('\n')}\n`;
}
