/** The byte range of a record of a text: the bytes of its lines, as they stand in the input, wherever chunks end. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder, decode } from './decoder.ts';
import type { DecodedRecord, DecodedSource } from './record.ts';

const ROOT = join(import.meta.dirname, '..');
/** What is decoded of each, pushed at once. */
const INPUTS = globSync(['decode/golden/*.in', 'text/golden/*/*.log'], { cwd: ROOT })
  .toSorted()
  .map(file => {
    const bytes = readFileSync(join(ROOT, file));
    return { file, bytes, ...read(bytes, [bytes.length]) };
  });
const NEWLINE = 0x0a;
const LINE = 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c000000000000c0';

/** Records and what was told, of an input in pieces of the sizes given, over and over. */
function read(bytes: Uint8Array, sizes: readonly number[]): { records: DecodedRecord[]; sources: DecodedSource[] } {
  const records: DecodedRecord[] = [];
  const told: DecodedSource[] = [];
  const decoder = createDecoder({ onRecord: r => records.push(r), onDiagnostic: (_, source) => told.push(source) });
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    decoder.push(bytes.subarray(at, at + size));
    at += size;
  }
  decoder.end();
  return { records, sources: [...records.map(r => r.source), ...told] };
}

/** Gives the bytes of some lines, counted here and not by the decoder; without the line feed of the last. */
function linesOf(bytes: Uint8Array): (first: number, last: number) => Buffer {
  const feeds = [-1];
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === NEWLINE) feeds.push(at);
  feeds.push(bytes.length);
  return (first, last) => Buffer.from(bytes.subarray((feeds[first - 1] ?? Number.NaN) + 1, feeds[last]));
}

/** A text as UTF-16, half characters as they are. */
function unitsOf(text: string, big: boolean): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return big ? bytes.swap16() : bytes;
}

const rangeOf = (bytes: Uint8Array, { firstByte, endByte }: DecodedSource): Buffer =>
  Buffer.from(bytes.subarray(firstByte, endByte));

/** What is wrong with the ranges of an input. */
function faults(bytes: Uint8Array, sources: readonly DecodedSource[]): unknown[] {
  const lineRange = linesOf(bytes);
  return sources
    .filter(s => s.firstLine !== undefined)
    .filter(({ firstLine = 0, lastLine = 0, ...source }) => {
      if (source.firstByte === undefined) return true;
      const [range, lines] = [rangeOf(bytes, source), lineRange(firstLine, lastLine)];
      // A value of journald that is no plain text has lines of its own behind the one that names it.
      const longer = source.from === 'linux' && lines.equals(Buffer.from('MESSAGE'));
      return longer ? !range.subarray(0, lines.length).equals(lines) : !range.equals(lines);
    });
}

describe('the byte range of a record', () => {
  it('of every golden input is that of its lines', () => {
    const wrong = INPUTS.map(({ file, bytes, sources }) => [file, faults(bytes, sources)] as const);
    expect(wrong.filter(([, found]) => found.length > 0)).toEqual([]);
    const ranges = INPUTS.flatMap(i => i.sources);
    expect(ranges.filter(s => s.firstLine !== undefined).length).toBeGreaterThan(250);
  });

  it('holds a status that is decoded from it alone', () => {
    const missing = INPUTS.flatMap(({ file, bytes, records }) =>
      records.flatMap(({ kind, source, registers: { status = 0n } }) => {
        if (kind !== 'x86-mca' || source.from !== 'linux' || source.bytesOf !== undefined) return [];
        const range = rangeOf(bytes, source);
        // Lines that a mail program broke are told by those before them (RFC 2045, 6.7).
        if (/=\r?\n/.test(range.toString('latin1'))) return [];
        const alone = decode(range, { from: 'log' }).records;
        return alone.some(r => r.registers['status'] === status) ? [] : [[file, source, status.toString(16)]];
      }),
    );
    expect(missing).toEqual([]);
  });

  it('is the same wherever the chunks end', () => {
    const small = INPUTS.filter(i => i.bytes.length < 20_000);
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.constantFrom(...small), sizes, (one, cut) => {
        expect(read(one.bytes, cut).sources).toEqual(one.sources);
      }),
    );
    for (const { bytes, sources } of small.filter(i => i.file.endsWith('linux-interleaved.in'))) {
      expect(sources.length).toBeGreaterThan(1);
      for (let at = 1; at < bytes.length; at++) expect(read(bytes, [at, bytes.length]).sources).toEqual(sources);
    }
  });

  it('counts every byte between the records: CRLF, NUL, what is no UTF-8, a byte order mark, lines that are cut', () => {
    const other = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map(b => Buffer.from(b.filter(x => x !== NEWLINE))),
      fc.constantFrom('', '\r', '\0\0', 'täglich €', '\u{1f4a5}', 'y'.repeat(70_000)).map(s => Buffer.from(s)),
    );
    const record = fc
      .constantFrom(
        LINE,
        `[    1.000001] ${LINE}\r`,
        `tä\0g ${LINE}`,
        `${LINE} ${'x'.repeat(70_000)}`,
        '(XEN) Bank 3: 9',
      )
      .map(s => Buffer.from(s));
    const lines = fc.array(fc.oneof(other, record), { maxLength: 12 });
    const mark = fc.constantFrom('', '\ufeff');
    fc.assert(
      fc.property(mark, lines, fc.boolean(), fc.integer({ min: 1, max: 5000 }), (bom, some, ended, size) => {
        const all = [Buffer.from(LINE), ...some, Buffer.from(LINE)];
        const text = all.flatMap((l, i) => (i === 0 ? [l] : [Buffer.from('\n'), l]));
        const bytes = Buffer.concat([Buffer.from(bom), ...text, ...(ended ? [Buffer.from('\n')] : [])]);
        const { records, sources } = read(bytes, [size]);
        const lineRange = linesOf(bytes);
        // The mark is no part of the first line.
        const wrong = sources.filter(s => {
          const whole = lineRange(s.firstLine ?? 0, s.lastLine ?? 0);
          return !rangeOf(bytes, s).equals(s.firstLine === 1 ? whole.subarray(Buffer.byteLength(bom)) : whole);
        });
        expect(wrong).toEqual([]);
        expect(records.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  it('of journald holds the whole value, also where that has lines and bytes of its own', () => {
    const length = Buffer.alloc(8);
    const value = Buffer.from(`${LINE}\n${LINE.replace('CPU 3', 'CPU 10')} \x07`);
    length.writeBigUInt64LE(BigInt(value.length));
    const before = Buffer.from('__CURSOR=1\n_TRANSPORT=kernel\n');
    const field = Buffer.concat([Buffer.from('MESSAGE\n'), length, value]);
    const bytes = Buffer.concat([before, field, Buffer.from('\n\n')]);
    for (const size of [1, 7, bytes.length]) {
      const { records } = read(bytes, [size]);
      expect(records.map(r => r.cpu)).toEqual([3]);
      expect(records.map(r => rangeOf(bytes, r.source).equals(field))).toEqual([true]);
    }
  });

  it('of a string counts its bytes as UTF-8', () => {
    const [record] = decode(`zürich €\n${LINE}\n`).records;
    expect(record?.source).toMatchObject({ firstLine: 2, firstByte: 12, endByte: 12 + LINE.length });
  });

  it('of UTF-16 is that of its units, with a mark or without one, wherever chunks end, also where a unit is half a character', () => {
    const other = fc.constantFrom('', '\r', 'täglich €', '\u{1f4a5}', '\ud83d', '\udca5', '\ufeff', 'y'.repeat(40_000));
    const record = fc.constantFrom(LINE, `[    1.000001] ${LINE}\r`, `\u{1f4a5}\ud83d ${LINE} €`, '(XEN) Bank 3: 9');
    const lines = fc.array(fc.oneof(other, record), { maxLength: 12 });
    const form = fc.record({ big: fc.boolean(), mark: fc.boolean(), ended: fc.boolean(), odd: fc.boolean() });
    fc.assert(
      fc.property(form, lines, fc.integer({ min: 1, max: 5000 }), ({ big, mark, ended, odd }, some, size) => {
        const all = [LINE, ...some, LINE];
        const bytes = Buffer.concat([
          unitsOf(`${mark ? '\ufeff' : ''}${all.join('\n')}${ended ? '\n' : ''}`, big),
          Buffer.alloc(odd ? 1 : 0, 0x20),
        ]);
        const { records, sources } = read(bytes, [size]);
        // Half a unit behind the last status makes it none.
        expect(records.length).toBeGreaterThanOrEqual(odd && !ended ? 1 : 2);
        const wrong = sources.filter(s => {
          const text = all.slice((s.firstLine ?? 0) - 1, s.lastLine).join('\n');
          // What is left of a unit at the end belongs to the last line.
          const rest = odd && !ended && s.lastLine === all.length ? bytes.subarray(-1) : Buffer.alloc(0);
          return !rangeOf(bytes, s).equals(Buffer.concat([unitsOf(text, big), rest]));
        });
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('of every golden log that is text is the same range in UTF-16', () => {
    const logs = INPUTS.filter(i => i.bytes.length < 20_000 && i.sources.some(s => s.firstLine !== undefined));
    const texts = logs
      .map(i => ({ ...i, text: i.bytes.toString('utf8') }))
      .filter(i => Buffer.from(i.text).equals(i.bytes));
    expect(texts.length).toBeGreaterThan(20);
    for (const { text, bytes, sources } of texts) {
      const place = (at: number): number => 2 + 2 * bytes.toString('utf8', 0, at).length;
      const moved = sources.map(s =>
        s.firstByte === undefined || s.endByte === undefined || s.bytesOf !== undefined
          ? s
          : { ...s, firstByte: place(s.firstByte), endByte: place(s.endByte) },
      );
      for (const size of [1, 7, 100_000])
        expect(read(unitsOf(`\ufeff${text}`, size === 7), [size]).sources).toEqual(moved);
    }
  });

  it('is left out of a record that many lines are read in', () => {
    // Nothing of another caller makes the first block old.
    const line = (caller: string, text: string): string =>
      `[    1.000001][   ${caller}] mce: [Hardware Error]: ${text}\n`;
    const block = (caller: string, cpu: number): string =>
      line(caller, `CPU ${cpu}: Machine Check: 0 Bank 9: 9c000000000000c0`) +
      line(caller, 'PROCESSOR 0:50654 TIME 1 SOCKET 0 APIC 0 microcode 1');
    const long = `${line('T1', 'CPU 1: Machine Check: 0 Bank 9: 9c000000000000c0')}${block('T2', 2).repeat(3000)}`;
    const found = decode(long + line('T1', 'PROCESSOR 0:50654 TIME 1 SOCKET 0 APIC 1 microcode 1')).records;
    const first = found.find(r => r.cpu === 1);
    expect(first?.source).toEqual({ input: '-', from: 'linux', firstLine: 1, lastLine: 6002 });
    expect(found.filter(r => r.source.firstByte === undefined)).toEqual([first]);
  });

  it('of bytes that are written as text counts those bytes, and says so', () => {
    const text = readFileSync(join(ROOT, 'decode/golden/cper-ghes.in'), 'utf8');
    const [record] = decode(text).records;
    expect(record?.source).toMatchObject({ firstByte: 0, bytesOf: 'decoded' });
    const direct = decode(Buffer.from(text, 'base64')).records[0];
    expect(direct?.source).toEqual({ ...record?.source, bytesOf: undefined });
    expect(Object.keys(direct?.source ?? {})).not.toContain('bytesOf');
  });
});
