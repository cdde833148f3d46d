import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlLines, MAX_CONTROL_LINE, parseControl } from './control.ts';

describe('parseControl', () => {
  test('requests', () => {
    expect(parseControl('{"cmd":"page","gpa":"0x0000000044403456"}')).toEqual({ cmd: 'page', gpa: 0x4440_3456n });
    expect(parseControl('{"cmd":"quarantine","gpa":"1144"}')).toEqual({ cmd: 'quarantine', gpa: 1144n });
    expect(parseControl('{"cmd":"stop"}')).toEqual({ cmd: 'stop' });
  });

  test.each([
    ['stop', /not JSON/],
    ['[]', /not an object/],
    ['null', /not an object/],
    ['{"cmd":"reboot"}', /cmd is/],
    ['{"cmd":"page"}', /gpa is/],
    ['{"cmd":"page","gpa":1144}', /gpa is/],
    ['{"cmd":"page","gpa":"0x1ffffffffffffffff"}', /gpa is/],
  ])('%s is refused', (line, reason) => {
    expect(parseControl(line)).toMatch(reason);
  });

  test('any line is a request or a refusal of bounded length without control characters', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), line => {
        const result = parseControl(line);
        const refusal = typeof result === 'string' ? result : '';
        expect(refusal.length).toBeLessThan(1000);
        expect(refusal).not.toMatch(/[\u0000-\u0008\u000a-\u001f]/);
      }),
    );
  });
});

describe('ControlLines', () => {
  test('lines are the same however the bytes are cut', () => {
    const lines = fc.array(fc.stringMatching(/^[!-~]{1,60}$/), { maxLength: 10 });
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 20 })), (written, cuts) => {
        const bytes = Buffer.from(written.map(line => `${line}\r\n`).join(''));
        const reader = new ControlLines();
        const read: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          read.push(...reader.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        expect(read).toEqual(written);
      }),
    );
  });

  test('a line that is too long is dropped, the next one is read', () => {
    const reader = new ControlLines();
    expect(reader.push(Buffer.alloc(MAX_CONTROL_LINE + 1, 0x41))).toEqual([]);
    expect(reader.push(Buffer.from('AAAA\n\n{"cmd":"stop"}\n'))).toEqual(['{"cmd":"stop"}']);
  });
});
