import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireError } from './errors.ts';
import {
  type AgentMessage,
  type ControllerMessage,
  fittingRows,
  MAX_LINE_BYTES,
  MAX_ROWS,
  messageLine,
  parseAgentMessage,
  parseControllerMessage,
  rowsLine,
  WIRE_VERSION,
} from './messages.ts';
import { rowLine } from './row.ts';
import { anyAct, anyRow } from './testing/arbitrary.ts';

test('what an agent sends comes back as it was, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: 1, maxLength: 5 }), rows => {
      const message: AgentMessage = { type: 'rows', rows };
      const lines = rows.map(rowLine);
      expect(parseAgentMessage(messageLine(message))).toEqual(message);
      expect(rowsLine(lines)).toBe(messageLine(message));
    }),
  );
});

test('what the controller sends comes back as it was', () => {
  fc.assert(
    fc.property(anyAct, act => {
      const message: ControllerMessage = { type: 'act', act };
      expect(parseControllerMessage(messageLine(message))).toEqual(message);
    }),
  );
  const others: ControllerMessage[] = [
    { type: 'welcome', version: WIRE_VERSION, now: 8, upto: 7 },
    { type: 'ack', upto: Number.MAX_SAFE_INTEGER },
    { type: 'ping', n: 0, now: 0 },
    { type: 'refused', code: 'E_WIRE_MESSAGE', reason: 'why' },
  ];
  for (const message of others) expect(parseControllerMessage(messageLine(message))).toEqual(message);
});

test('any other line is refused with a WireError, and nothing else is thrown', () => {
  const junk = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map(j => `{"type":"rows","rows":[${j}]}`),
  );
  fc.assert(
    fc.property(junk, line => {
      for (const parse of [parseAgentMessage, parseControllerMessage]) {
        expect(() => parse(line)).toThrow(WireError);
      }
    }),
  );
});

test.each([
  ['{"type":"rows","rows":[]}', 'rows: '],
  [
    `{"type":"rows","rows":[${Array<string>(MAX_ROWS + 1)
      .fill('{"seq":1,"at":1,"said":{}}')
      .join(',')}]}`,
    'rows',
  ],
  ['{"type":"hello","version":1,"host":"","spool":"s","agent":"a"}', 'host'],
  ['{"type":"hello","version":1.5,"host":"h","spool":"s","agent":"a"}', 'version'],
  ['{"type":"order"}', 'type'],
  ['[]', 'a message of an agent'],
  ['{', 'no JSON: {'],
])('the refusal of %.60s says where it is wrong', (line, where) => {
  expect(() => parseAgentMessage(line)).toThrow(where);
});

test('so many rows are sent at once as fit', () => {
  const line = 'x'.repeat(1024 * 1024);
  expect(fittingRows([line, line, line, line, line])).toBe(3);
  expect(Buffer.byteLength(rowsLine([line, line, line]))).toBeLessThanOrEqual(MAX_LINE_BYTES);
  expect(fittingRows(Array<string>(MAX_ROWS + 5).fill('{}'))).toBe(MAX_ROWS);
  expect(fittingRows(['{}'])).toBe(1);
});
