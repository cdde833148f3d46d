/** Fuzz targets of the room `text`: the parsers that live for a block of lines, and what monitors say. */
import { linuxEvents, qemuEvents, xenEvents, type EventReader } from '@syndrome/decode/text/event-reader.ts';
import { hmpOutputEvents } from '@syndrome/decode/text/qemu/messages.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { anyLine } from './inputs.ts';
import { anyJson } from './junk.ts';
import { BLOCK, type Target } from './target.ts';

function eventFaults(events: readonly LogEvent[]): string[] {
  return events.flatMap(({ name, fields }) =>
    Object.entries(fields).flatMap(([key, v]) => {
      if (typeof v === 'string' && v.length > 512) return [`${name}.${key}: ${v.length} characters`];
      return typeof v === 'number' && !Number.isSafeInteger(v) ? [`${name}.${key}: ${v}`] : [];
    }),
  );
}

/** A parser that lives for a block of lines. */
function lines(name: string, make: () => EventReader): Target {
  return {
    name: `text:${name}`,
    holds: 'lines for a parser that lives long: few events, fields within their bounds, nothing after the end',
    weight: 24,
    open() {
      const parser = make();
      let [pushed, seen] = [0, 0];
      return (chance, n) => {
        const events = parser.push(anyLine(chance));
        pushed++;
        if (n % BLOCK === BLOCK - 1) {
          events.push(...parser.end());
          if (parser.end().length > 0) return ['events after the end'];
        }
        seen += events.length;
        const wrong = eventFaults(events);
        if (seen > pushed * 4 + 4) wrong.push(`${seen} events of ${pushed} lines`);
        return wrong;
      };
    },
  };
}

const QMP_EVENTS = ['MEMORY_FAILURE', 'GUEST_PANICKED', 'STOP', 'RESUME', 'SHUTDOWN', 'RESET', 'WATCHDOG', '__proto__'];

/** Members of these events, and words that stand in them. */
const QMP_WORDS = ['recipient', 'action', 'flags', 'action-required', 'recursive', 'info', 'type', 'guest', 'ignore'];

export const TEXT: readonly Target[] = [
  lines('linux', linuxEvents),
  lines('xen', xenEvents),
  lines('qemu', qemuEvents),
  {
    name: 'text:hmp',
    holds: 'what a monitor command printed: fields within their bounds',
    weight: 24,
    open: () => chance =>
      eventFaults(hmpOutputEvents(`${anyLine(chance)}${chance.oneIn(2) ? '\r\n' : anyLine(chance)}`)),
  },
  {
    name: 'text:qmp',
    holds: 'QMP events with any data: fields within their bounds',
    weight: 24,
    open: () => chance => {
      const event = chance.oneIn(4) ? anyLine(chance) : chance.pick(QMP_EVENTS);
      return eventFaults([qmpEvent({ event, data: anyJson(chance, QMP_WORDS) })]);
    },
  },
];
