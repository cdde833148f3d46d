/**
 * @module Time stamps: eight BCD bytes, local time. Source: UEFI 2.10 N.2.1 table "Error Record Header", Timestamp:
 * seconds, minutes, hours, flag (bit 0: precise), day, month, year, century.
 */
import { CperError } from './error.ts';

interface CperTime {
  /** `YYYY-MM-DD hh:mm:ss`, local time of the platform. */
  text: string;
  /** The time of the error itself, not of its collection. */
  precise: boolean;
}

function bcd(byte: bigint): number | undefined {
  const tens = Number((byte >> 4n) & 15n);
  const ones = Number(byte & 15n);
  return tens > 9 || ones > 9 ? undefined : 10 * tens + ones;
}

/** Reads a raw time stamp; undefined when it is not BCD or no date and time of day. */
export function decodeTimestamp(raw: bigint): CperTime | undefined {
  const at = (i: number): bigint => (raw >> BigInt(8 * i)) & 0xffn;
  const [second, minute, hour, day, month, year, century] = [0, 1, 2, 4, 5, 6, 7].map(i => bcd(at(i)));
  if (second === undefined || minute === undefined || hour === undefined || day === undefined) return undefined;
  if (month === undefined || year === undefined || century === undefined) return undefined;
  if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12) return undefined;
  const two = (n: number): string => String(n).padStart(2, '0');
  const text = `${two(century)}${two(year)}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
  return { text, precise: (at(3) & 1n) !== 0n };
}

/** The raw time stamp of `YYYY-MM-DD hh:mm:ss`. Throws {@link CperError} for other text and for times that cannot be. */
export function encodeTimestamp(text: string, precise = false): bigint {
  const m = /^(\d\d)(\d\d)-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)$/.exec(text);
  const [, century, year, month, day, hour, minute, second] = m ?? [];
  const bytes = [second, minute, hour, precise ? '1' : '0', day, month, year, century];
  const raw = m === null ? 0n : bytes.reduce((sum, b, i) => sum | (BigInt(`0x${b ?? '0'}`) << BigInt(8 * i)), 0n);
  if (decodeTimestamp(raw) === undefined) {
    throw new CperError('E_CPER_RANGE', `not a time: ${text.slice(0, 32)}`, {
      hint: 'Write it as YYYY-MM-DD hh:mm:ss.',
    });
  }
  return raw;
}
