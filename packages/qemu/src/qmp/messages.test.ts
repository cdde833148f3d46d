import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringifyJson } from './json.ts';
import { readMessage } from './messages.ts';

const kinds = ['greeting', 'event', 'return', 'error', 'bad'];

describe('readMessage', () => {
  test('reads the greeting of QEMU 11.1.3', () => {
    const line =
      '{"QMP": {"version": {"qemu": {"micro": 3, "minor": 1, "major": 11}, "package": "Debian 1:11.1.3+ds-1~bpo13+1"}, "capabilities": ["oob"]}}';
    expect(readMessage(line).message).toEqual({
      kind: 'greeting',
      greeting: {
        version: { major: 11, minor: 1, micro: 3 },
        package: 'Debian 1:11.1.3+ds-1~bpo13+1',
        capabilities: ['oob'],
      },
    });
  });

  test('reads an event with and without data', () => {
    const stamp = '"timestamp": {"seconds": 1795166863, "microseconds": 690996}';
    expect(
      readMessage(`{${stamp}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}`).message,
    ).toEqual({
      kind: 'event',
      event: 'RESET',
      data: { guest: true, reason: 'guest-reset' },
      timestamp: { seconds: 1795166863, microseconds: 690996 },
    });
    expect(readMessage(`{${stamp}, "event": "STOP"}`).message).toMatchObject({
      kind: 'event',
      event: 'STOP',
      data: {},
    });
  });

  test.each([
    ['null', 'a message that is not an object'],
    ['[1]', 'a message that is not an object'],
    ['"x"', 'a message that is not an object'],
    ['{}', 'a message that is neither greeting, event, return nor error'],
    ['{"return": 1, "error": {"class": "a", "desc": "b"}}', "a message with both 'return' and 'error'"],
    ['{"error": "no"}', "an error without the strings 'class' and 'desc'"],
    ['{"error": {"class": 1, "desc": "b"}}', "an error without the strings 'class' and 'desc'"],
    ['{"event": 1}', 'an event without a name'],
    ['{"event": "X", "data": []}', 'an event whose data is not an object'],
    ['{"QMP": {}}', 'a greeting without version and capabilities'],
    ['{"QMP": {"version": {"qemu": {}}, "capabilities": []}}', 'a greeting without a numeric version'],
  ])('%s is %s', (line, reason) => {
    expect(readMessage(line).message).toEqual({ kind: 'bad', reason });
  });

  test('a null return is a return', () => {
    expect(readMessage('{"return": null, "id": 1}').message).toEqual({ kind: 'return', id: 1, value: null });
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), line => {
        expect(kinds).toContain(readMessage(line).message.kind);
      }),
    );
  });

  test('never throws, whatever the JSON under the names that matter', () => {
    const name = fc.constantFrom('QMP', 'event', 'data', 'timestamp', 'return', 'error', 'id', 'version', '__proto__');
    const { value } = fc.letrec(tie => ({
      value: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.dictionary(name, tie('value'), { noNullPrototype: true })),
    }));
    fc.assert(
      fc.property(value, v => {
        expect(kinds).toContain(readMessage(stringifyJson(v)).message.kind);
      }),
    );
  });

  test('absurd nesting is refused, not a crash', () => {
    const line = `${'['.repeat(200_000)}9007199254740993${']'.repeat(200_000)}`;
    expect(readMessage(line).message.kind).toBe('bad');
  });
});
