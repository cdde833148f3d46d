import { describe, expect, it } from 'vitest';
import { qemuEvents } from '../event-reader.ts';
import { emittedEvent } from './trace-log.ts';

describe('monitor_protocol_event_emit', () => {
  it('is read as QEMU 7.2 and 11.1 write it, with and without a time', () => {
    const emitted = (number: number, us?: number): object => ({
      name: 'vmm.event-emitted',
      fields: us === undefined ? { number } : { number, us },
    });
    const old = '23915@1795914984.562398:monitor_protocol_event_emit event=11 data=0x55d0';
    const iso = '2026-11-29T13:50:44.806336Z monitor_protocol_event_emit event=4 data=0x5';
    expect(emittedEvent(old)).toEqual(emitted(11, 1_795_914_984_562_398));
    expect(emittedEvent(iso)).toEqual(emitted(4, Date.UTC(2026, 10, 29, 13, 50, 44) * 1000 + 806_336));
    expect(emittedEvent('monitor_protocol_event_emit event=11 data=0x1')).toEqual(emitted(11));
    for (const line of [old, iso]) expect(qemuEvents().push(`${line}\r\n`)).toEqual([emittedEvent(line)]);
  });

  it('is nothing else', () => {
    for (const line of [
      'qemu: monitor_protocol_event_emit event=11 data=0x1',
      'monitor_protocol_event_emit event=x data=0x1',
      '1@2.3:monitor_protocol_event_emit event=11 data=0x1',
    ])
      expect(emittedEvent(line)).toBeUndefined();
    expect(emittedEvent('2026-99-29T13:50:44.806336Z monitor_protocol_event_emit event=4 data=0x5')?.fields).toEqual({
      number: 4,
    });
  });
});
