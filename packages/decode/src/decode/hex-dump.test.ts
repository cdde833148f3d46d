import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCper } from '../cper/region.ts';
import { errorRecord } from '../cper/testing/arbitrary.ts';
import { createDecoder, decode } from './decoder.ts';
import { dumpLayouts } from './hex-dump.ts';

const hexDump = (text: string): Uint8Array[] => dumpLayouts(new TextEncoder().encode(text)).map(l => l.bytes);
const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
const ascii = (bytes: readonly number[]): string =>
  bytes.map(b => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
const word = (bytes: readonly number[]): string =>
  bytes
    .toReversed()
    .map(b => hex(b, 2))
    .join('');

/** The programs' layouts, 16 bytes a row; bytes that are missing in the last word are 0 as od prints them. */
const LAYOUTS: Readonly<Record<string, (bytes: readonly number[]) => string>> = {
  'hexdump -C': bytes =>
    `${chunks(bytes, 16)
      .map((row, i) => {
        const [a = [], b = []] = chunks(
          row.map(x => hex(x, 2)),
          8,
        );
        return `${hex(16 * i, 8)}  ${`${a.join(' ')}  ${b.join(' ')}`.padEnd(48)}  |${ascii(row)}|`;
      })
      .join('\n')}\n${hex(bytes.length, 8)}\n`,
  xxd: bytes =>
    chunks(bytes, 16)
      .map((row, i) => {
        const groups = chunks(row, 2).map(g => g.map(x => hex(x, 2)).join(''));
        return `${hex(16 * i, 8)}: ${groups.join(' ').padEnd(39)}  ${ascii(row)}\n`;
      })
      .join(''),
  'od -x': bytes => od(bytes, 2),
  'od -t x1': bytes => od(bytes, 1),
  'od -t x4': bytes => od(bytes, 4),
  'od -t x8': bytes => od(bytes, 8),
  'print_hex_dump()': bytes =>
    chunks(bytes, 16)
      .map((row, i) => `${hex(16 * i, 8)}: ${chunks(row, 4).map(word).join(' ').padEnd(35)}  ${ascii(row)}\n`)
      .join(''),
};

function od(bytes: readonly number[], size: number): string {
  let before = '';
  let starred = false;
  const rows = chunks(bytes, 16).map((row, i) => {
    const words = chunks(row, size).map(w => word([...w, ...Array.from({ length: size - w.length }, () => 0)]));
    const text = words.join(' ');
    const same = text === before && row.length === 16;
    before = text;
    const out = same ? (starred ? '' : '*\n') : `${(16 * i).toString(8).padStart(7, '0')} ${text}\n`;
    starred = same;
    return out;
  });
  return `${rows.join('')}${bytes.length.toString(8).padStart(7, '0')}\n`;
}

const STAMP = 'Mar 16 11:34:29 host kernel: [   12.345678] ';
const LINE = 'mce: [Hardware Error]: Machine check events logged';

const data = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 40, maxLength: 400 });

describe('dumps', () => {
  it.each(Object.keys(LAYOUTS))('%s gives the bytes back', name => {
    const print = LAYOUTS[name] ?? (() => '');
    fc.assert(
      fc.property(data, fc.boolean(), (random, zeros) => {
        const bytes = zeros ? random.map((b, i) => (i > 20 && i < 300 ? 0 : b)) : random;
        // The kernel's dump is of whole words.
        const whole = name.startsWith('print') ? bytes.slice(0, bytes.length & ~3) : bytes;
        expect(hexDump(print(whole)).map(b => [...b])).toContainEqual(whole);
      }),
    );
  });

  it.each(Object.keys(LAYOUTS))('%s of a firmware record is decoded as the record', name => {
    fc.assert(
      fc.property(errorRecord, record => {
        const bytes = encodeCper(record);
        if (bytes.length % 4 !== 0 && name.startsWith('print')) return;
        const direct = decode(bytes);
        const dumped = decode(LAYOUTS[name]?.([...bytes]) ?? '');
        expect(dumped.records.map(r => r.raw)).toEqual(direct.records.map(r => r.raw));
      }),
      { numRuns: 40 },
    );
  });

  it.each(Object.keys(LAYOUTS))('%s among the lines of a log is decoded as the record', name => {
    fc.assert(
      fc.property(errorRecord, record => {
        const bytes = encodeCper(record);
        if (bytes.length % 4 !== 0 && name.startsWith('print')) return;
        const rows =
          LAYOUTS[name]?.([...bytes])
            .split('\n')
            .filter(row => row !== '') ?? [];
        // How many rows such a mark stands for depends on the base of the offsets, which may be open that early.
        if (rows.includes('*')) return;
        const log = [LINE, ...rows, LINE, ''].map(row => (row === '' ? row : `${STAMP}${row}`)).join('\n');
        const found = decode(log).records.filter(r => r.kind === 'cper');
        expect(found.map(r => r.raw)).toEqual(
          decode(bytes)
            .records.filter(r => r.kind === 'cper')
            .map(r => r.raw),
        );
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    '',
    '*\n*\n',
    '00000000  43 50\n00000004  45 52\n',
    '00000010 0000\n00000000 0000\n',
    'bd80000000000134 9c00000000000000 0000000000000000\nbd80000000000134 9c00000000000000 0000000000000000\n',
    '0000000 1234 5678\n*\nfffffff0 1\n',
    '[    0.000000] 1234: 00 11\n',
  ])('%j is none', text => {
    expect(hexDump(text)).toEqual([]);
  });
});

describe('a dump of a status block with a row missing among its first', () => {
  const blockOf = (fru: { fruText?: string }): Uint8Array =>
    encodeCper({
      kind: 'ghes',
      severity: 'corrected',
      sections: [
        {
          type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
          severity: 'corrected',
          revision: 0x300,
          flags: 0,
          ...fru,
          body: { kind: 'memory', physicalAddress: 0x12345000n },
        },
      ],
    } as never);
  // So that no two rows are the same, and od leaves none out.
  const block = blockOf({ fruText: 'DIMM_A1 of node 0' });

  it('makes no record of the zeros where no FRU is named', () => {
    const rows = LAYOUTS['hexdump -C']?.([...blockOf({})]).split('\n') ?? [];
    const { detection, records } = decode(rows.toSpliced(1, 1).join('\n'));
    expect([detection?.form, records]).toEqual(['ghes', []]);
  });

  it.each(Object.keys(LAYOUTS).flatMap(name => [0, 1, 2, 3, 4, 5].map(row => [name, row] as const)))(
    '%s, row %i, is known as a dump, and told',
    (name, row) => {
      const bytes = [...block].slice(0, block.length & ~3);
      const rows = LAYOUTS[name]?.(bytes).split('\n') ?? [];
      const { detection, diagnostics, records } = decode(rows.toSpliced(row, 1).join('\n'));
      expect(detection).toMatchObject({ form: 'ghes', evidence: expect.stringMatching(/^dump text/) as string });
      expect(records).toEqual([]);
      const missing = diagnostics.filter(d => d.message === '16 bytes are missing before the row');
      expect(missing).toHaveLength(row === 0 ? 0 : 1);
      expect(diagnostics.map(d => d.message).join('\n')).toContain('neither an error record nor a status block');
    },
  );

  it('is none where most lines are of something else', () => {
    const rows =
      LAYOUTS.xxd?.([...block])
        .split('\n')
        .slice(0, 5) ?? [];
    const text = [...rows.toSpliced(1, 1), ...Array.from({ length: 6 }, (_, i) => `a line ${i}`)].join('\n');
    expect(decode(text).detection?.form).toBe('log');
  });
});

describe('text with a byte order mark', () => {
  const log = 'naïve 日本\nMemory failure: 0x91ee: recovery action for dirty LRU page: Recovered\n';
  const plain = log.replace('naïve 日本', 'a line');
  const utf16 = (text: string, big: boolean, mark = '\ufeff'): Uint8Array => {
    const bytes = Buffer.from(`${mark}${text}`, 'utf16le');
    return new Uint8Array(big ? bytes.swap16() : bytes);
  };

  it.each([
    ['UTF-16LE', utf16(log, false)],
    ['UTF-16BE', utf16(log, true)],
    ['UTF-16LE without a mark', utf16(plain, false, '')],
    ['UTF-16BE without a mark', utf16(plain, true, '')],
    ['UTF-8', new TextEncoder().encode(`\ufeff${log}`)],
  ])('%s is read, whatever the pieces are', (_, bytes) => {
    expect(decode(bytes).records.map(r => r.raw)).toMatchObject([{ name: 'memory-failure', fields: { pfn: 0x91een } }]);
    expect(decode(utf16('{"a":1}\n0xbd80000000000134\n'.slice(8), false)).records).toHaveLength(1);
    for (const size of [1, 2, 3, 7]) {
      const found: unknown[] = [];
      const decoder = createDecoder({ onRecord: r => found.push(r.source.firstLine) });
      for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
      decoder.end();
      expect(found).toEqual([2]);
    }
  });
});
