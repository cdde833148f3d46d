/** The numbers of a run that are other ones in the next: addresses and page frames that the machine told. */
import { PAGE_LSB, pfnOf, sizeOf } from '@syndrome/decode/registers/address.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';

/** Smaller numbers than a page are no addresses. */
const LEAST = sizeOf(PAGE_LSB);
const HEX = /0x[\da-f]{3,16}/gi;

/** A number that the machine told, and the line in which it did so first. */
interface Told {
  name: string;
  value: bigint;
  seq: number;
  before: string;
}

/** The names of the numbers that were told in answers, and used again in a request. */
export class Numbers {
  readonly #told: readonly Told[];

  constructor(events: readonly TraceEvent[]) {
    const names = new Map<bigint, string>();
    for (const { name, fields } of events) {
      if (name === 'lab.value') names.set(BigInt(String(fields?.value)), String(fields?.name));
    }
    const steps = events.findIndex(({ name }) => name === 'lab.step');
    const told = new Map<bigint, Told>();
    let others = 0;
    for (const { raw, dir, seq } of events.slice(Math.max(steps, 0))) {
      if (dir !== 'receive' || raw === undefined) continue;
      for (const found of raw.matchAll(HEX)) {
        const value = BigInt(found[0]);
        if (value < LEAST || told.has(value)) continue;
        const before = /\S* ?$/.exec(raw.slice(0, found.index))?.[0] ?? '';
        // Known by its name, or used later under one that is made up.
        const name = names.get(value) ?? (isUsed(value, seq, events) ? `number${++others}` : undefined);
        if (name !== undefined) told.set(value, { name, value, seq, before });
      }
    }
    this.#told = [...told.values()];
  }

  /** A request with the names of its numbers in their place. */
  named(text: string): string {
    return text.replaceAll(HEX, hex => this.nameOf(BigInt(hex), hex.length === 18) ?? hex);
  }

  /** How a number is written by its name: `{page}`, `{page>>12}` for its page frame; undefined for one that was not told. */
  nameOf(value: bigint, wide: boolean): string | undefined {
    const format = wide ? ':016x' : '';
    for (const told of this.#told) {
      if (told.value === value) return `{${told.name}${format}}`;
      if (pfnOf(told.value) === value) return `{${told.name}>>12${format}}`;
    }
    return undefined;
  }

  /** Whether a line is the first to tell a number. */
  isTold({ seq }: TraceEvent): boolean {
    return this.#told.some(told => told.seq === seq);
  }

  /** An answer, with the numbers that this line is the first to tell. */
  captured(answer: string, { seq }: TraceEvent): string {
    const here = this.#told.filter(told => told.seq === seq);
    // Data begins with the number of its request, and may be this number alone.
    const behind = (before: string): string => (answer.endsWith(` ${before.trim()}`) ? '' : before);
    return [answer.trim(), ...here.map(({ before, name }) => `${behind(before)}{${name}}`)].join(' … ').concat(' …');
  }
}

/** Whether a number, or its page frame, is said to the machine later. */
function isUsed(value: bigint, after: number, events: readonly TraceEvent[]): boolean {
  const ways = [value, pfnOf(value)].filter(way => way > 0xffn);
  return events.some(
    ({ seq, dir, raw = '' }) =>
      seq > after && dir === 'send' && [...raw.matchAll(HEX)].some(([hex]) => ways.includes(BigInt(hex))),
  );
}

/** What no two runs say alike, in a line of a kernel, an agent or a monitor. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\[(?: *\d+\.\d+|\d{4}-\d\d-\d\d [\d:.]+)\] /, '…'],
  [/^\{"timestamp": \{[^}]*\}, /, '…'],
  [/ t=\d+$/, '…'],
  [/\b(TSC|PPIN) [\da-f]+/g, '$1 …'],
  [/\bTIME \d+/g, 'TIME …'],
  [/\bpid=\d+/g, 'pid=…'],
  [/\bboot=[\da-f-]+/g, 'boot=…'],
  [/<[\da-f]{16}>/g, '<…>'],
  [/(?<=[\w)]):\d{2,}(?= due to)/g, ':…'],
  [/\biterations=\d+/g, 'iterations=…'],
];

/** A line that came, as it has to come again: its own numbers by name, and `…` for what differs in each run. */
export function pattern({ raw = '' }: Pick<TraceEvent, 'raw'>, numbers: Numbers): string {
  const bare = /\b[\da-f]{4,16}\b/g;
  let text = raw.replaceAll(HEX, hex => numbers.nameOf(BigInt(hex), false) ?? (isPointer(BigInt(hex)) ? '…' : hex));
  // `ADDR 7654000`, and addresses without 0x in the words of Xen and QEMU.
  text = text.replaceAll(bare, (hex, at: number) =>
    text[at - 1] === 'x' || insideName(text, at) ? hex : (numbers.nameOf(BigInt(`0x${hex}`), false) ?? hex),
  );
  for (const [what, instead] of VARYING) text = text.replace(what, instead);
  return text.trim();
}

/** Whether a number lies where Linux maps programs (of more than 1 TiB, so that no error code is one) or itself, on x86-64 and arm64. */
const isPointer = (value: bigint): boolean =>
  (value >= 0x100_0000_0000n && value <= 0xffff_ffff_ffffn) || value >= 0xffff_8000_0000_0000n;

/** Whether a place in a text is within `{…}`. */
function insideName(text: string, at: number): boolean {
  const open = text.lastIndexOf('{', at);
  return open >= 0 && text.indexOf('}', open) >= at;
}
