/** @module Linux console or log → events. */
import { edacAmd } from './edac-amd.ts';
import type { LineParser, LogEvent } from '../event.ts';
import { linuxLine } from '../transport/line.ts';
import { LINUX_LINES, LINUX_OOPSES, LINUX_SEA } from './linux-lines.ts';
import { mceBlocks } from './mce-blocks.ts';
import { matchPattern } from '../patterns.ts';

interface LinuxParserOptions {
  /** Layer in front of every event name; `host` for the outer Linux of a nested machine. Default `guest`. */
  layer?: 'guest' | 'host';
  /** Name of the source in record origins. Default `console`. */
  source?: string;
}

/** Parses Linux output line by line: kernel messages with or without time stamps, syslog and journald prefixes. */
export function linuxConsoleParser(options: LinuxParserOptions = {}): LineParser {
  const layer = options.layer ?? 'guest';
  const source = options.source ?? 'console';
  let blocks = mceBlocks(layer, source);
  const edac = edacAmd(layer, source);
  let lineNumber = 0;

  function oneLine(text: string): LogEvent[] {
    const event = matchPattern(LINUX_LINES, layer, text);
    if (event !== undefined) {
      if (event.name.endsWith('.msr-error')) event.fields['unchecked'] = event.fields['unchecked'] !== undefined;
      return [event];
    }
    const events: LogEvent[] = [];
    const sea = matchPattern(LINUX_SEA, layer, text);
    if (sea !== undefined) events.push(sea);
    const oops = matchPattern(LINUX_OOPSES, layer, text);
    if (oops !== undefined) events.push(oops);
    return events;
  }

  return {
    push(raw) {
      lineNumber++;
      const { text, caller, kernel } = linuxLine(raw);
      if (!kernel || text === '') return [];
      const part = blocks.take(text, caller, lineNumber);
      if (part !== undefined) return [...edac.other(), ...part];
      const decoded = edac.take(text, lineNumber);
      if (decoded !== undefined) return decoded;
      const events = oneLine(text);
      const first = events[0]?.name;
      if (first === `${layer}.boot`) {
        // Another boot: nothing of the old one continues, and the CPU may be another.
        const rest = [...blocks.end(), ...edac.end()];
        blocks = mceBlocks(layer, source);
        return [...rest, ...events];
      }
      const ends = first === `${layer}.panic` || first === `${layer}.mce-severity`;
      return [...blocks.other(ends), ...edac.other(), ...events];
    },
    end() {
      return [...blocks.end(), ...edac.end()];
    },
  };
}
