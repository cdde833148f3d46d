import { describe, expect, it } from 'vitest';
import { linuxEvents } from './event-reader.ts';

describe('the severity of a firmware report', () => {
  const HEAD = '{7}[Hardware Error]: event severity: recoverable';
  const BODY = [
    '{7}[Hardware Error]:  Error 0, type: recoverable',
    '{7}[Hardware Error]:   section_type: memory error',
    '{7}[Hardware Error]:   physical_address: 0x0000000000005080',
  ];
  const told = (lines: readonly string[]): unknown[] => {
    const reader = linuxEvents('host');
    const events = [...lines.flatMap(line => reader.push(line)), ...reader.end()];
    return events.filter(({ name }) => name === 'host.cper-severity').map(({ fields }) => fields);
  };
  const said = { seq: 7, severity: 'recoverable' };

  it('is told once, also where its line is missing or joined to others', () => {
    expect(told([HEAD, ...BODY])).toEqual([said]);
    expect(told(BODY)).toEqual([said]);
    expect(told([[HEAD, ...BODY].join(' ')])).toEqual([said]);
    expect(told([HEAD, ...BODY, HEAD, ...BODY])).toEqual([said, said]);
  });
});
