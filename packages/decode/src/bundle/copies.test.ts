import { describe, expect, it } from 'vitest';
import { decode } from '../decode/decoder.ts';
import { Copies } from './copies.ts';

const CE = 'EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40 grain:32 syndrome:0x0)';
const OTHER = CE.replace('0x10', '0x11');

/** Records of logs by their names, with the places of their copies: `dmesg:1 +messages:4`. */
function joined(logs: Readonly<Record<string, readonly string[]>>): string[] {
  const copies = new Copies();
  for (const [input, lines] of Object.entries(logs)) {
    copies.file(input.replace(/\.\d$/, ''), decode(`${lines.join('\n')}\n`, { input }).records);
  }
  return copies
    .end()
    .map(({ source }) =>
      [`${source.input}:${source.firstLine}`, ...(source.copies ?? []).map(c => `+${c.input}:${c.firstLine}`)].join(
        ' ',
      ),
    );
}

const boot = (seconds: number, text = CE): string => `[${seconds.toFixed(6)}] ${text}`;
const day = (time: string, text = CE): string => `Feb  3 ${time} db1 kernel: ${text}`;

describe('copies of lines', () => {
  it('are one record by the time of day', () => {
    const b = (time: string): string => `2026-02-03T${time}.5+01:00 db1 kernel: ${CE}`;
    expect(joined({ a: [b('04:00:00'), b('04:00:10')], b: [b('04:00:01'), b('04:00:20')] })).toEqual([
      'a:1 +b:1',
      'a:2',
      'b:2',
    ]);
  });

  it('are one record by the time since boot, to the stamp', () => {
    expect(joined({ a: [boot(8), boot(9), boot(9)], b: [boot(7), boot(8), boot(9)] })).toEqual([
      'a:1 +b:2',
      'a:2',
      'a:3 +b:3',
      'b:1',
    ]);
  });

  it('of two clocks have one distance: what does not keep it is another', () => {
    expect(
      joined({
        dmesg: [boot(100, OTHER), boot(200), boot(300)],
        messages: [day('01:00:00'), day('04:01:40', OTHER), day('04:03:20'), day('04:05:00')],
      }),
    ).toEqual(['messages:2 +dmesg:1', 'messages:3 +dmesg:2', 'messages:4 +dmesg:3', 'messages:1']);
  });

  it('of a line with both clocks go by both', () => {
    const both = (time: string, seconds: number): string => day(time, `[${seconds.toFixed(6)}] ${CE}`);
    expect(joined({ dmesg: [boot(100)], messages: [both('03:00:00', 100), both('04:00:00', 101)] })).toEqual([
      'messages:1 +dmesg:1',
      'messages:2',
    ]);
  });

  it('without any time go by their order, the last first', () => {
    expect(joined({ a: [CE, OTHER, CE], b: [CE] })).toEqual(['a:1', 'a:2', 'a:3 +b:1']);
  });

  it('never stand in one log', () => {
    expect(joined({ 'messages.1': [day('04:00:00')], 'messages.2': [day('04:00:00')] })).toEqual([
      'messages.1:1',
      'messages.2:1',
    ]);
  });

  it('of three logs are one', () => {
    expect(
      joined({ a: [day('04:00:00')], b: [`2026-02-03T04:00:00+00:00 db1 kernel: ${CE}`], c: [boot(5)] }),
    ).toHaveLength(1);
  });

  it('differ where anything in them does', () => {
    expect(joined({ a: [day('04:00:00')], b: [day('04:00:00', CE.replace('1 CE', '2 CE'))] })).toHaveLength(2);
  });
});
