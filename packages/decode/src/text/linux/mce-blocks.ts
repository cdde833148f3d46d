/** @module Linux's raw machine check blocks as events of the lab: `mce` at a header, `mce-record` at a block's end. */
import { classify } from '../../mca/classify.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import type { LogEvent } from '../event.ts';
import { MceAssembler } from './mce-assembler.ts';
import { mceLineOf } from './mce-lexer.ts';

/** The event of a record, complete (all its lines were seen) or not. */
export function recordEvent(name: string, record: X86McaRecord, extra: LogEvent['fields'] = {}): LogEvent {
  const fields: LogEvent['fields'] = { bank: record.bank, status: record.status, class: classify(record), ...extra };
  if (record.cpu !== undefined) fields['cpu'] = record.cpu;
  if (record.mcgStatus !== undefined) fields['mcgStatus'] = record.mcgStatus;
  if (record.addr !== undefined) fields['addr'] = record.addr;
  if (record.misc !== undefined) fields['misc'] = record.misc;
  return { name, fields, record };
}

interface MceBlocks {
  /** Takes one stripped kernel line; undefined when the line is not part of a block. */
  take(text: string, caller: string | undefined, lineNumber: number): LogEvent[] | undefined;
  /** Another kernel line passed: ages open blocks; `close` ends them at once. */
  other(close: boolean): LogEvent[];
  end(): LogEvent[];
}

/** Builds records out of raw block lines; `prefix` is the layer in front of event names, `source` goes into origins. */
export function mceBlocks(prefix: string, source: string): MceBlocks {
  let events: LogEvent[] = [];
  const assembler = new MceAssembler(source, {
    header: ({ cpu, exception, mcgStatus, bank, status }) => {
      events.push({ name: `${prefix}.mce`, fields: { cpu, exception, mcgStatus, bank, status } });
    },
    record: ({ record, exception }, complete) => {
      events.push(recordEvent(`${prefix}.mce-record`, record, { exception, complete }));
    },
    unattributed: () => {},
    cut: () => {},
  });
  const taken = (): LogEvent[] => {
    const out = events;
    events = [];
    return out;
  };

  return {
    take(text, caller, lineNumber) {
      if (!text.includes('[Hardware Error]: ')) return undefined;
      const line = mceLineOf(text);
      if (line === undefined) return undefined;
      assembler.take(line, caller ?? '', lineNumber);
      return taken();
    },
    other(close) {
      if (!assembler.busy) return [];
      assembler.other(close);
      return taken();
    },
    end() {
      assembler.end();
      return taken();
    },
  };
}
