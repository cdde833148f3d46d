/**
 * @module QEMU's trace event `monitor_protocol_event_emit`: a line for each event of the monitor, whether somebody listens or not.
 * It has the number of its kind only, which differs from QEMU to QEMU. Source: QEMU monitor/trace-events, trace/log.
 */
import type { EventFields } from '../../events/catalog.ts';
import { event } from '../../events/event.ts';
import type { LogEvent } from '../../events/event.ts';

export const EMITTED = 'monitor_protocol_event_emit';
/** With a time only where QEMU has `-msg timestamp=on`, in the form of 7.2 or that of 11.1. */
const LINE = new RegExp(
  String.raw`^(?:\d{1,10}@(\d{1,12})\.(\d{6}):|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z )?${EMITTED} event=(\d{1,4}) data=`,
);

/**
 * A line of the log: `23915@1795914984.562398:monitor_protocol_event_emit event=11 data=0x…` of QEMU 7.2,
 * `2026-11-29T13:50:44.806336Z monitor_protocol_event_emit event=4 data=0x…` of 11.1. Times are µs UTC.
 */
export function emittedEvent(line: string): LogEvent<'vmm.event-emitted'> | undefined {
  const [, seconds, fraction, iso, isoFraction, number] = LINE.exec(line) ?? [];
  if (number === undefined) return undefined;
  const fields: EventFields<'vmm.event-emitted'> = { number: Number(number) };
  const whole = iso === undefined ? seconds : String(Date.parse(`${iso}Z`) / 1000);
  const us = Number(whole) * 1e6 + Number(fraction ?? isoFraction);
  if (Number.isSafeInteger(us)) fields.us = us;
  return event('vmm.event-emitted', fields);
}
