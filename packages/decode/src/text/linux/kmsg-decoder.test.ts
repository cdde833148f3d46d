import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DISGUISES, KERNEL_LINES, NAMES, PATHS } from '../testing/forgeries.ts';
import { KmsgDecoder, kmsgRecord } from './kmsg-decoder.ts';

/** A record as /dev/kmsg gives it. Facility 0 (kernel), level 3. */
const record = (seq: number, text: string, facility = 0): string =>
  `${facility * 8 + 3},${seq},${seq * 1000},-;${text}\n`;
const FAILURE = 'Memory failure: 0x5000: recovery action for dirty LRU page: Recovered';

describe('a record of /dev/kmsg', () => {
  test('is taken apart, with its caller, its escapes and without its dictionary', () => {
    expect(kmsgRecord('6,339,5140900,-,caller=T1;NET: a\\x0ab\n SUBSYSTEM=pci\n DEVICE=+pci:0\n')).toEqual({
      facility: 0,
      level: 6,
      seq: 339,
      us: 5140900,
      caller: 'T1',
      text: 'NET: a\nb',
    });
    expect(kmsgRecord('30,1,2,-;systemd[1]: x')?.facility).toBe(3);
    for (const bad of ['', 'x', '1,2,3', '1,2;a', '-1,2,3,-;a']) expect(kmsgRecord(bad)).toBeUndefined();
  });

  test('never throws, whatever is written into the log', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), list => {
        const decoder = new KmsgDecoder();
        list.forEach((text, i) => decoder.push(record(i, text.replaceAll('\n', ''))));
        decoder.flush();
        expect(decoder.next).toBe(list.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('KmsgDecoder', () => {
  test('makes events of what the kernel says, and of nobody else', () => {
    const decoder = new KmsgDecoder();
    expect(decoder.push(record(7, FAILURE)).events).toEqual([
      { name: 'host.memory-failure', fields: { pfn: 0x5000n, page: 'dirty LRU page', result: 'Recovered' } },
    ]);
    // Written to /dev/kmsg by a user: facility 1.
    expect(decoder.push(record(8, FAILURE, 1)).events).toEqual([]);
    expect(decoder.push(record(9, 'Kernel panic - not syncing: x', 3)).events).toEqual([]);
  });

  test('makes no event of a path or a name that stands in a message, whatever it is called', () => {
    const paths = Object.values(PATHS).map(line => line.slice(line.lastIndexOf('] ') + 2).replace(/^.*kernel: /, ''));
    const forged = paths.flatMap(path =>
      Object.values(DISGUISES).flatMap(as => KERNEL_LINES.map(line => path + as(line))),
    );
    const decoder = new KmsgDecoder();
    const events = forged.flatMap((text, i) => decoder.push(record(i, text)).events);
    expect([...events, ...decoder.flush()]).toEqual([]);
    for (const text of forged.slice(0, 40)) expect(decoder.push(record(decoder.next, text)).events).toEqual([]);
  });

  test.each(NAMES)('tells of a process called %j', comm => {
    const decoder = new KmsgDecoder();
    const killed = `Memory failure: 0x5000: Sending SIGBUS to ${comm}:17 due to hardware memory corruption`;
    expect(decoder.push(record(7, killed)).events).toEqual([
      { name: 'host.sigbus-sent', fields: expect.objectContaining({ pfn: 0x5000n, comm: comm.trim(), pid: 17 }) },
    ]);
  });

  test('counts what was overwritten', () => {
    const decoder = new KmsgDecoder();
    expect(decoder.push(record(7, 'a')).lost).toBe(0);
    expect(decoder.push(record(8, 'a')).lost).toBe(0);
    expect(decoder.push(record(13, 'a')).lost).toBe(4);
  });

  test('goes on where an earlier run was: nothing twice, and the gap between is counted', () => {
    const again = new KmsgDecoder(8);
    expect(again.push(record(7, FAILURE)).events).toEqual([]);
    expect(again.push(record(8, FAILURE)).events).toHaveLength(1);
    expect(new KmsgDecoder(8).push(record(11, 'a')).lost).toBe(3);
    expect(again.next).toBe(9);
  });

  test('puts the lines of a machine check together', () => {
    const decoder = new KmsgDecoder();
    const lines = [
      'mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 9: bd000000000000c0',
      'mce: [Hardware Error]: RIP !INEXACT! 10:<ffffffff81000000> {x}',
      'mce: [Hardware Error]: TSC 1234 ADDR 300000 MISC 8c ',
      'mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1795914984 SOCKET 0 APIC 2 microcode 1',
    ];
    const events = lines.flatMap((line, i) => decoder.push(record(i, line)).events);
    events.push(...decoder.flush());
    expect(events.map(e => e.name)).toContain('host.mce-record');
    expect(events.find(e => e.name === 'host.mce-record')?.fields).toMatchObject({ bank: 9, addr: 0x300000n });
  });
});
