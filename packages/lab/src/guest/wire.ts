import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { agentLine, percentDecode, splitFields, WIRE_MAX } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { fieldKinds } from './protocol.ts';
import type { ArgumentValue, FieldValue } from './protocol.ts';

/** One line from the agent, split but not interpreted. `id` 0 answers a line that had no usable id. */
export type WireLine =
  | { kind: 'ok'; id: number; fields: Map<string, string> }
  | { kind: 'error'; id: number; errno: string; text: string }
  | { kind: 'data'; id: number; bytes: Buffer; continued: boolean }
  | { kind: 'event'; name: string; fields: Map<string, string> };

/** Percent-encodes everything but printable ASCII without space and `%`. */
export function percentEncode(text: string | Uint8Array): string {
  let out = '';
  for (const byte of typeof text === 'string' ? Buffer.from(text, 'utf8') : text) {
    out +=
      byte > 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return out;
}

/** A request line with its LF. Throws RangeError when it is longer than the wire allows or a number is not an integer. */
export function encodeRequest(
  id: number,
  command: string,
  args: Iterable<readonly [string, ArgumentValue | undefined]>,
): string {
  let line = `${id} ${command}`;
  for (const [key, value] of args) {
    if (value !== undefined) line += ` ${key}=${percentEncode(argumentText(key, value))}`;
  }
  if (line.length + 1 > WIRE_MAX) throw new RangeError(`${command}: request longer than ${WIRE_MAX} bytes`);
  return `${line}\n`;
}

function argumentText(key: string, value: ArgumentValue): string | Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'bigint') {
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${key}: not an unsigned 64-bit number`);
    return `0x${value.toString(16)}`;
  }
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${key}: not an integer`);
  return String(value);
}

/** Splits a line of the agent; undefined when it is not one. Never throws. */
export function parseLine(line: string): WireLine | undefined {
  if (line.length >= WIRE_MAX || !/^[\x20-\x7e]*$/.test(line)) return undefined;
  const event = agentLine(line);
  if (event !== undefined) return { kind: 'event', ...event };
  const head = /^([RDC]) ([0-9]{1,15}) (.*)$/.exec(line);
  if (head === null) return undefined;
  const [, letter, idText = '', rest = ''] = head;
  const id = Number(idText);
  if (letter !== 'R') return { kind: 'data', id, bytes: Buffer.from(percentDecode(rest)), continued: letter === 'C' };
  const error = /^err (E[A-Z0-9]{1,31}) ([^ ]*)(?: t=[0-9]+)?$/.exec(rest);
  if (error?.[1] !== undefined)
    return { kind: 'error', id, errno: error[1], text: new TextDecoder().decode(percentDecode(error[2] ?? '')) };
  if (rest !== 'ok' && !rest.startsWith('ok ')) return undefined;
  const fields = splitFields(rest.slice(2));
  return fields && { kind: 'ok', id, fields };
}

/**
 * Gives raw fields their types (see fieldKinds). Returns the name of the first field that is missing or does not have
 * its form in `wrong`, with the fields that were fine.
 */
export function typeFields(
  raw: ReadonlyMap<string, string>,
  required: readonly string[],
): { fields: Record<string, FieldValue>; wrong: string | undefined } {
  const fields: Record<string, FieldValue> = Object.create(null) as Record<string, FieldValue>;
  let wrong: string | undefined;
  for (const [key, text] of raw) {
    const value = typedValue(key, text);
    if (value === undefined) wrong ??= key;
    else fields[key] = value;
  }
  for (const key of ['t', ...required]) {
    if (!raw.has(key)) wrong ??= key;
  }
  return { fields, wrong };
}

function typedValue(key: string, text: string): FieldValue | undefined {
  const kind = Object.hasOwn(fieldKinds, key) ? fieldKinds[key as keyof typeof fieldKinds] : 'text';
  switch (kind) {
    case 'u64':
      return parseU64(text);
    case 'int': {
      if (!/^(-?[0-9]{1,16}|0x[0-9a-fA-F]{1,13})$/.test(text)) return undefined;
      const value = Number(text);
      return Number.isSafeInteger(value) ? value : undefined;
    }
    case 'flag':
      return text === '1' ? true : text === '0' ? false : undefined;
    default:
      return text;
  }
}
