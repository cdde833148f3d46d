import { event } from '@syndrome/decode/events/event.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Said } from '../core/said.ts';
import { WireError } from './errors.ts';
import { parseRow, rowLine } from './row.ts';
import { anyRow } from './testing/arbitrary.ts';

const failure = event('host.memory-failure', { pfn: 0x1234n, page: 'dirty LRU page', result: 'Recovered' });
const said: Said = { kind: 'event', source: 'kmsg', event: failure, pfn: 0xffff_ffff_ffff_ffffn };

test('a row comes back as it was, also out of a line that was parsed before', () => {
  fc.assert(
    fc.property(anyRow, row => {
      const line = rowLine(row);
      const back = parseRow(line, 'host', 'spool');
      expect(back).toEqual({ ...row, host: 'host', spool: 'spool' });
      // Its members may stand in another order at first.
      expect(rowLine(parseRow(rowLine(back), 'host', 'spool'))).toBe(rowLine(back));
    }),
  );
});

test('addresses, registers and page frames are 16 hex digits', () => {
  const line = rowLine({ seq: 1, at: 2, said });
  expect(line).toContain('"pfn":"0x0000000000001234"');
  expect(line).toContain('"pfn":"0xffffffffffffffff"');
});

test.each<[string, object]>([
  ['of 65 bits', { ...said, pfn: 1n << 64n }],
  ['below zero', { ...said, gpa: -1n }],
  ['that is infinite', { ...said, when: Infinity }],
  ['of a field that is missing', { ...said, event: { name: 'host.memory-failure', fields: { pfn: 1n } } }],
  ['of a field of another type', { ...said, event: { ...failure, fields: { ...failure.fields, pfn: 'many' } } }],
  ['of a source that there is not', { ...said, source: 'rumour' }],
  ['of a record that is none', { ...said, event: { ...failure, record: { kind: 'x86-mca' } } }],
  ['that is too long', { ...said, raw: 'x'.repeat(20_000) }],
])('a value %s gets into no spool', (_what, wrong) => {
  expect(() => rowLine({ seq: 1, at: 1, said: wrong as Said })).toThrow(WireError);
});

test('an event of a later catalogue passes as it is', () => {
  const row = {
    seq: 1,
    at: 1,
    said: { ...said, event: { name: 'host.new-thing', fields: { a: 1, b: 2n } } } as unknown as Said,
  };
  expect(parseRow(rowLine(row), 'h', 's').said).toEqual(row.said);
});

test('a firmware record goes with its bytes', () => {
  const line = (record: object): string =>
    JSON.stringify({
      seq: 1,
      at: 1,
      said: { ...said, pfn: undefined, event: { name: 'host.later', fields: {}, record } },
    });
  const record = {
    kind: 'cper',
    severity: 'corrected',
    blockStatus: 16,
    sections: [
      {
        type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
        severity: 'corrected',
        revision: 768,
        flags: 0,
        body: { kind: 'memory', physicalAddress: '0x0000000000001000', row: 3 },
      },
    ],
  };
  const first = parseRow(line(record), 'h', 's');
  expect(parseRow(rowLine(first), 'h', 's')).toEqual(first);
  expect(rowLine(first)).toContain('"physicalAddress":"0x0000000000001000"');
  expect(() => parseRow(line({ ...record, sections: 3 }), 'h', 's')).toThrow('record: ');
});
