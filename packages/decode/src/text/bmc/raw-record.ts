/**
 * @module The 16 bytes of a system event record that nobody put into words: memory and processor events. Source: IPMI 2.0 table 32-1
 * (SEL event records), 42-3 (sensor types 07h and 0Ch with their offsets).
 */

/** Event message revision and sensor type, within the row. */
export const RAW_NEEDLES: readonly string[] = [' 04 0c ', ' 04 07 ', ' 04 0C '];

/** Record id, record type 02h, time, generator, revision 04h, sensor type, sensor, event type 6Fh, three bytes of data. */
const ROW =
  /^\s{0,8}(?:[0-9a-f]{2} [0-9a-f]{2} )?[0-9a-f]{2} [0-9a-f]{2} 02 ((?:[0-9a-f]{2} ){4})[0-9a-f]{2} [0-9a-f]{2} 04 (07|0c) ([0-9a-f]{2}) (6f|ef) ([0-9a-f])([0-9a-f]) ([0-9a-f]{2}) ([0-9a-f]{2})\s*$/i;

const MEMORY = [
  'Correctable ECC',
  'Uncorrectable ECC',
  'Parity',
  'Memory Scrub Failed',
  'Memory Device Disabled',
  'Correctable ECC logging limit reached',
];
const PROCESSOR: Readonly<Record<number, string>> = {
  0: 'IERR',
  0xb: 'Uncorrectable machine check exception',
  0xc: 'Correctable machine check error',
};

interface RawEvent {
  message: string;
  type: 'memory' | 'processor';
  sensor: string;
  time: string;
  data: string;
}

/** What a row of bytes says of memory or processors; undefined for other text, for other events and for those that ended. */
export function rawEvent(text: string): RawEvent | undefined {
  const m = ROW.exec(text);
  if (m === null || (m[4] ?? '').toLowerCase() === 'ef') return undefined;
  const type = (m[2] ?? '').toLowerCase() === '0c' ? 'memory' : 'processor';
  const offset = Number.parseInt(m[6] ?? '', 16);
  const message = type === 'memory' ? MEMORY[offset] : PROCESSOR[offset];
  if (message === undefined) return undefined;
  const seconds = Number.parseInt((m[1] ?? '').trim().split(' ').toReversed().join(''), 16);
  const time = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return {
    message,
    type,
    sensor: `#0x${m[3] ?? ''}`,
    time,
    data: m.slice(5).join('').toLowerCase(),
  };
}
