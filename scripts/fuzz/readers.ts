/** Fuzz targets of the room `text`: each reader of a program's lines for itself, and what carries lines. */
import type { ItemSink, TextItem } from '@syndrome/decode/text/item.ts';
import { KernelReader } from '@syndrome/decode/text/linux/kernel-reader.ts';
import { KernelTraceReader } from '@syndrome/decode/text/linux/kernel-trace-reader.ts';
import { LINUX_NEEDLES } from '@syndrome/decode/text/linux/needles.ts';
import { TRACE_NEEDLES } from '@syndrome/decode/text/linux/trace-events.ts';
import { LogReader } from '@syndrome/decode/text/log-reader.ts';
import { QEMU_NEEDLES, QemuReader } from '@syndrome/decode/text/qemu/qemu-reader.ts';
import type { Reader } from '@syndrome/decode/text/reader.ts';
import { MceInjectReader } from '@syndrome/decode/text/tools/mce-inject-reader.ts';
import { TOOLS } from '@syndrome/decode/text/tools/registry.ts';
import { CARRIED_NEEDLES, CarriedBytes } from '@syndrome/decode/text/transport/carried.ts';
import { JournalExportReader } from '@syndrome/decode/text/transport/journal-export.ts';
import { LinePlaces } from '@syndrome/decode/text/transport/line-places.ts';
import { LineScanner } from '@syndrome/decode/text/transport/line-scanner.ts';
import { LongJson } from '@syndrome/decode/text/transport/long-json.ts';
import type { LineTaker } from '@syndrome/decode/text/transport/line-scanner.ts';
import { ValueReader } from '@syndrome/decode/text/values/value-reader.ts';
import { XenReader } from '@syndrome/decode/text/xen/xen-reader.ts';
import type { Chance } from '../chance.ts';
import { anyLine, LINES, spoiled } from './inputs.ts';
import { anyJson } from './junk.ts';
import { BLOCK, type Target } from './target.ts';

/** More of a text of an item is kept by nobody. */
const LONGEST_TEXT = 4096;
/** Items that one line may make: a row of a table may hold many. */
const ITEMS_OF_LINE = 40;
const NEWLINE = 0x0a;
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function itemFaults(items: readonly TextItem[], last: number): string[] {
  return items.flatMap(item => {
    const { firstLine, lastLine } = item;
    const wrong =
      firstLine < 1 || firstLine > lastLine || lastLine > last ? [`lines ${firstLine} to ${lastLine} of ${last}`] : [];
    if (item.type !== 'event') return wrong;
    for (const [name, v] of Object.entries(item.fields)) {
      if (typeof v === 'string' && v.length > LONGEST_TEXT) wrong.push(`${item.name}.${name}: ${v.length} characters`);
      if (typeof v === 'number' && !Number.isSafeInteger(v)) wrong.push(`${item.name}.${name}: ${v}`);
    }
    return wrong;
  });
}

/** Golden lines that hold one of the words of a reader, spoiled and whole, among any others. */
function linesOf(words: readonly string[]): (chance: Chance) => string {
  const own = LINES.filter(line => words.some(word => line.includes(word)));
  const bytes = own.map(line => Buffer.from(line, 'latin1'));
  return chance => {
    if (own.length === 0 || chance.oneIn(4)) return anyLine(chance);
    return chance.oneIn(3)
      ? chance.pick(own)
      : latin1(spoiled(chance, chance.pick(bytes), bytes)).replaceAll('\n', ' ');
  };
}

/** A reader that takes lines one by one, with gaps between them. */
function reader(name: string, words: readonly string[], make: (sink: ItemSink) => Reader): Target {
  const line = linesOf(words);
  return {
    name: `text:${name}`,
    holds:
      'lines with gaps: few items, in lines that were there, their texts within bounds; nothing is open after the end',
    weight: 6,
    open() {
      const items: TextItem[] = [];
      const parser = make(item => items.push(item));
      let at = 0;
      return (chance, n) => {
        if (chance.oneIn(6)) {
          const gap = chance.below(40);
          at += gap;
          parser.skipped?.(gap);
        }
        parser.push(line(chance), ++at);
        const ends = n % BLOCK === BLOCK - 1;
        if (ends) parser.end();
        const wrong = itemFaults(items, at);
        if (items.length > ITEMS_OF_LINE * BLOCK) wrong.push(`${items.length} items`);
        items.length = 0;
        if (ends && (parser.wanted === true || (parser.since ?? Number.POSITIVE_INFINITY) !== Number.POSITIVE_INFINITY))
          wrong.push('something is open after the end');
        return wrong;
      };
    },
  };
}

/** What takes the bytes of an input line by line. */
function taker(name: string, words: readonly string[], make: (sink: ItemSink) => LineTaker & { end(): void }): Target {
  const line = linesOf(words);
  return {
    name: `text:${name}`,
    holds: 'some lines as bytes: items in lines that were there, their texts within bounds',
    weight: 6,
    open: () => chance => {
      const items: TextItem[] = [];
      const to = make(item => items.push(item));
      const scanner = new LineScanner(to);
      const lines = Array.from({ length: 1 + chance.below(12) }, () => line(chance));
      const bytes = Buffer.from(lines.join('\n'), 'latin1');
      const cut = chance.below(bytes.length + 1);
      scanner.push(bytes.subarray(0, cut));
      scanner.push(bytes.subarray(cut));
      scanner.end();
      to.end();
      return itemFaults(items, 1 + bytes.filter(b => b === NEWLINE).length);
    },
  };
}

const MESSAGE = 'Memory failure: 0x91ee: recovery action for dirty LRU page: Recovered';

/** JSON with messages in it at any depth, in every layout: each is found once, and a cut makes no more of them. */
const JSON_TARGET: Target = {
  name: 'text:json',
  holds:
    'arrays and objects around messages, in one line or many, whole or cut: each message is found, and none is made up',
  weight: 6,
  open: () => chance => {
    const count = 1 + chance.below(5);
    const one = (i: number): unknown => {
      const text = `Nov 30 09:00:0${i} host kernel: ${MESSAGE}`;
      const value = chance.pick([
        text,
        { message: text },
        { _source: { log: text, n: i } },
        { a: anyNumber(chance), b: text },
      ]);
      return value;
    };
    const values = Array.from({ length: count }, (_, i) => one(i));
    const whole = chance.oneIn(2) ? values : { hits: { total: count, hits: values } };
    const layout = chance.below(3);
    const text =
      layout === 0
        ? JSON.stringify(whole)
        : layout === 1
          ? JSON.stringify(whole, undefined, 1 + chance.below(4))
          : `[${values.map(v => JSON.stringify(v)).join(',\n')}]`;
    const cut = chance.oneIn(3) ? chance.below(text.length) : text.length;
    const junk = chance.oneIn(8) ? `${JSON.stringify(anyJson(chance, ['message', 'MESSAGE', 'log']))}\n` : '';
    let found = 0;
    const log = new LogReader(
      item => (found += item.type === 'event' && item.name === 'memory-failure' ? 1 : 0),
      'fuzz',
    );
    const scanner = new LineScanner(log);
    scanner.push(Buffer.from(`${junk}${text.slice(0, cut)}\n`));
    scanner.end();
    log.end();
    if (found > count) return [`${found} messages of ${count}: ${text.slice(0, cut)}`];
    return cut === text.length && found < count ? [`${found} messages of ${count}: ${text}`] : [];
  },
};

/** JSON longer than the bound, in pieces: each text in it comes once and as it stands there, or something is said to be lost. */
const LONG_JSON_TARGET: Target = {
  name: 'text:long-json',
  holds: 'JSON longer than is held, whole or cut, in pieces: its texts come once each and nothing else, or it is told',
  weight: 6,
  open: () => chance => {
    const bound = 64 + chance.below(200);
    let count = 0;
    const any = (depth: number): unknown => {
      const kind = depth > 5 ? 0 : chance.below(4);
      if (kind === 0) return chance.oneIn(3) ? chance.below(1e6) : `<${count++}>${'\\"\n'.repeat(chance.below(4))}`;
      const members = Array.from({ length: chance.below(6) }, () => any(depth + 1));
      return kind === 1 ? members : Object.fromEntries(members.map((m, i) => [`n${i}`, m]));
    };
    const text = JSON.stringify([any(0), any(0), any(0)]);
    const cut = chance.oneIn(3) ? chance.below(text.length) : text.length;
    const [bytes, seen] = [Buffer.from(text.slice(0, cut)), new Map<string, number>()];
    let lost = 0;
    const wrong: string[] = [];
    const json = new LongJson(
      bound,
      (held, end, offset) => {
        const value = Buffer.from(held.subarray(0, end)).toString();
        if (end > bound) wrong.push(`${end} bytes of ${bound}`);
        if (value[0] !== '"' && value !== text.slice(offset, offset + end)) wrong.push(`${value} at ${offset}`);
        for (const [mark] of value.matchAll(/<\d+>/g)) seen.set(mark, (seen.get(mark) ?? 0) + 1);
      },
      () => lost++,
    );
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + 1 + chance.below(90));
      json.push(bytes, at, to, at);
      at = to;
    }
    json.end();
    for (const [mark, times] of seen) if (times !== 1) wrong.push(`${mark} came ${times} times`);
    if (seen.size > count) wrong.push(`${seen.size} texts of ${count}`);
    if (cut === text.length && lost === 0 && seen.size < count) wrong.push(`${seen.size} texts of ${count}`);
    return wrong.map(w => `${w}: ${text.slice(0, cut)}`);
  },
};
const anyNumber = (chance: Chance): number => chance.below(1000);

export const READERS: readonly Target[] = [
  ...TOOLS.map(tool => reader(`tool-${tool.program}`, tool.needles, sink => tool.open(sink, 'fuzz'))),
  reader('kernel', LINUX_NEEDLES, sink => new KernelReader(sink, 'fuzz')),
  reader('kernel-trace', TRACE_NEEDLES, sink => new KernelTraceReader(sink, undefined, 'fuzz')),
  reader('xen-lines', ['(XEN) ', 'Bank '], sink => new XenReader(sink, 'fuzz', () => {})),
  reader('qemu-lines', QEMU_NEEDLES, sink => new QemuReader(sink)),
  reader('carried', [...CARRIED_NEEDLES, '00000010', '"'], sink => {
    const carried = new CarriedBytes(sink);
    return {
      push: (text, line) => carried.take(text, line),
      get wanted() {
        return carried.wanted;
      },
      get since() {
        return carried.since;
      },
      skipped: lines => carried.skipped(lines),
      end: () => carried.end(),
    };
  }),
  taker('log', ['{', '[', '<', '"'], sink => new LogReader(sink, 'fuzz')),
  taker('values', ['=0x', '0x'], sink => new ValueReader(sink, {})),
  taker('mce-inject', ['STATUS', 'CPU ', 'BANK'], sink => new MceInjectReader(sink, 'fuzz')),
  taker('journal-export', ['=', '__'], sink => new JournalExportReader(sink, 'fuzz', new LinePlaces(0, 4096))),
  JSON_TARGET,
  LONG_JSON_TARGET,
];
