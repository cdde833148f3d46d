/** Fuzz targets of the room `text`: the parsers that live for a block of lines, and what monitors say. */
import {
  hmpOutputEvents,
  linuxConsoleParser,
  qemuStderrParser,
  qmpEvent,
  xenConsoleParser,
} from '../../src/text/index.ts';
import type { LineParser, LogEvent } from '../../src/text/index.ts';
import type { Chance } from '../chance.ts';
import { anyLine } from './inputs.ts';
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
function lines(name: string, make: () => LineParser): Target {
  return {
    name: `text:${name}`,
    holds: 'lines for a parser that lives long: few events, fields within their bounds, nothing after the end',
    weight: 8,
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

function anyJson(chance: Chance, depth: number): unknown {
  switch (chance.below(depth > 3 ? 5 : 7)) {
    case 0:
      return anyLine(chance);
    case 1:
      return chance.u32();
    case 2:
      return null;
    case 3:
      return chance.oneIn(2);
    case 4:
      return chance.pick(['hypervisor', 'guest', 'ignore', 'reset', 'poweroff', 'run']);
    case 5:
      return Array.from({ length: chance.below(4) }, () => anyJson(chance, depth + 1));
    default: {
      const keys = [
        'recipient',
        'action',
        'flags',
        'action-required',
        'recursive',
        'info',
        'type',
        'guest',
        'constructor',
      ];
      return Object.fromEntries(keys.filter(() => chance.oneIn(2)).map(key => [key, anyJson(chance, depth + 1)]));
    }
  }
}

export const TEXT: readonly Target[] = [
  lines('linux', linuxConsoleParser),
  lines('xen', xenConsoleParser),
  lines('qemu', qemuStderrParser),
  {
    name: 'text:hmp',
    holds: 'what a monitor command printed: fields within their bounds',
    weight: 4,
    open: () => chance =>
      eventFaults(hmpOutputEvents(`${anyLine(chance)}${chance.oneIn(2) ? '\r\n' : anyLine(chance)}`)),
  },
  {
    name: 'text:qmp',
    holds: 'QMP events with any data: fields within their bounds',
    weight: 4,
    open: () => chance => {
      const event = chance.oneIn(4) ? anyLine(chance) : chance.pick(QMP_EVENTS);
      return eventFaults([qmpEvent({ event, data: anyJson(chance, 0) })]);
    },
  },
];
