/** What carries logs puts their lines into fields, elements and members; what carries records puts their bytes there. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { TextItem } from '../item.ts';
import { LogReader } from '../log-reader.ts';
import { CarriedBytes } from './carried.ts';
import { cellsOf, partsOf } from './cells.ts';
import { LineScanner } from './line-scanner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const word = fc.string({ unit: fc.constantFrom('a', '"', '<', '>', '&', ',', ' ', 'é'), minLength: 8, maxLength: 30 });

test('what the lab foretells in a trace is no line of a log', () => {
  const message = 'Memory failure: 0xd6ad: Sending SIGBUS to victim:101 due to hardware memory corruption';
  const itemsOf = (value: unknown): TextItem[] => {
    const items: TextItem[] = [];
    const reader = new LogReader(item => items.push(item), 'log');
    const scanner = new LineScanner(reader);
    scanner.push(bytes(`${JSON.stringify(value)}\n`));
    scanner.end();
    return items;
  };
  expect(itemsOf({ deep: { message } })).not.toEqual([]);
  const event = { seq: 84, t: 5, layer: 'lab', source: 'lab', name: 'lab.outlook', fields: { message } };
  expect(itemsOf(event)).toEqual([]);
  expect(itemsOf({ type: 'trace', version: 2, expect: [message] })).toEqual([]);
});

describe('cells', () => {
  it('of CSV are what was written into them', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), words => {
        const line = words.map(w => `"${w.replaceAll('"', '""')}"`).join(',');
        expect(cellsOf(line.replaceAll('<', '(')).slice(0, words.length)).toEqual(
          words.map(w => w.replaceAll('<', '(')),
        );
      }),
    );
  });

  it('of XML are the texts of its elements', () => {
    fc.assert(
      fc.property(word, text => {
        const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        expect(cellsOf(`<m>${escaped}</m>`)).toContain(text);
      }),
    );
  });

  it('of one element alone are that text once: a line in it is one line', () => {
    expect(partsOf('<Event><Data>a line &amp; more of it</Data></Event>')).toEqual(['a line & more of it']);
    expect(partsOf('<Event><Data>the first line</Data><Data>the second line</Data></Event>')).toContain(
      'the second line',
    );
  });

  it('never throw, and are bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
        expect(cellsOf(text).length).toBeLessThanOrEqual(1024);
      }),
    );
    expect(cellsOf(`"${'a'.repeat(1 << 16)}`).length).toBe(0);
  });
});

describe('a line of a log', () => {
  const LINE = '[    1.000000] mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 9: 8c00004000010091';
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '@', '.', '_'), minLength: 1, maxLength: 8 });

  it('is found in an object under any name and at any depth', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 6 }), fc.boolean(), (keys, list) => {
        let value: unknown = LINE;
        for (const name of keys) value = list ? [{ [name]: value }] : { [name]: value };
        const items: TextItem[] = [];
        const reader = new LogReader(item => items.push(item), 'test');
        const scanner = new LineScanner(reader);
        scanner.push(bytes(`${JSON.stringify({ outer: value })}\n`));
        scanner.end();
        reader.end();
        expect(items.map(i => i.type)).toEqual(['mca']);
      }),
    );
  });
});

describe('a firmware record within a line', () => {
  const header = fc.uint8Array({ minLength: 130, maxLength: 400 }).map(b => {
    b.set([0x43, 0x50, 0x45, 0x52, 0x01, 0x01, 0xff, 0xff, 0xff, 0xff]);
    return b;
  });
  const around = fc.constantFrom('', '"DiagnosticData": "', '<Data Name="RawData">', 'RawData ', 'x=');

  it('is found in base64 and in hex, whole, whatever stands around it', () => {
    fc.assert(
      fc.property(header, around, fc.constantFrom('', ' ', '-', ':'), (record, before, separator) => {
        const hex = [...record].map(b => b.toString(16).padStart(2, '0')).join(separator);
        const base64 = btoa(String.fromCharCode(...record));
        for (const [as, text] of [['hex', hex] as const, ['base64', base64] as const]) {
          const items: TextItem[] = [];
          new CarriedBytes(item => items.push(item)).take(`${before}${text}"</Data>`, 1);
          const plain = as === 'hex' ? hex.replaceAll(separator === '' ? '\0' : separator, '') : base64;
          expect(items).toEqual([{ type: 'bytes', form: 'cper-text', firstLine: 1, lastLine: 1, as, text: plain }]);
        }
      }),
    );
  });
});
