/**
 * @module Time stamps: eight BCD bytes, local time. Source: UEFI 2.10 N.2.1 table "Error Record Header", Timestamp:
 * seconds, minutes, hours, flag (bit 0: precise), day, month, year, century.
 */
import { byteOf, readLittleEndian } from '../registers/field.ts';
import { CperError } from './error.ts';
import { isOfWindows } from './guid.ts';
import type { CperRecordHeader } from './record.ts';

interface CperTime {
  /** `YYYY-MM-DD hh:mm:ss`, local time of the platform. */
  text: string;
  /** The time of the error itself, not of its collection. */
  precise: boolean;
}

function bcd(byte: number): number | undefined {
  const tens = Math.floor(byte / 16);
  const ones = byte % 16;
  return tens > 9 || ones > 9 ? undefined : 10 * tens + ones;
}

/** Reads a raw time stamp, of BCD or of binary bytes; undefined when it is neither or no date and time of day. */
export function decodeTimestamp(raw: bigint, binary = false): CperTime | undefined {
  const at = (i: number): number => byteOf(raw, i);
  const [second, minute, hour, day, month, year, century] = [0, 1, 2, 4, 5, 6, 7].map(i =>
    binary ? at(i) : bcd(at(i)),
  );
  if (second === undefined || minute === undefined || hour === undefined || day === undefined) return undefined;
  if (month === undefined || year === undefined || century === undefined) return undefined;
  if (
    year > 99 ||
    century > 99 ||
    second > 59 ||
    minute > 59 ||
    hour > 23 ||
    day < 1 ||
    day > 31 ||
    month < 1 ||
    month > 12
  )
    return undefined;
  const two = (n: number): string => String(n).padStart(2, '0');
  const text = `${two(century)}${two(year)}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
  return { text, precise: at(3) % 2 === 1 };
}

/**
 * The time in the header of an error record. Windows, which names itself as the creator, writes the bytes as plain numbers and not as
 * BCD (public reports: ralish/DecodeWheaRecord#7, #4).
 */
export function timeOfHeader({ timestamp, creatorId }: CperRecordHeader): CperTime | undefined {
  return timestamp === undefined ? undefined : decodeTimestamp(timestamp, isOfWindows(creatorId));
}

/** The raw time stamp of `YYYY-MM-DD hh:mm:ss`. Throws {@link CperError} for other text and for times that cannot be. */
export function encodeTimestamp(text: string, precise = false): bigint {
  const m = /^(\d\d)(\d\d)-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)$/.exec(text);
  const [, century, year, month, day, hour, minute, second] = m ?? [];
  const bytes = [second, minute, hour, precise ? '1' : '0', day, month, year, century];
  const raw =
    m === null
      ? 0n
      : readLittleEndian(
          bytes.map(b => Number(`0x${b ?? '0'}`)),
          0,
          bytes.length,
        );
  if (decodeTimestamp(raw) === undefined) {
    throw new CperError('E_CPER_RANGE', `not a time: ${text.slice(0, 32)}`, {
      hint: 'Write it as YYYY-MM-DD hh:mm:ss.',
    });
  }
  return raw;
}
