/**
 * @module Records as JSON and back: 64-bit values as `0x…` strings, bytes as hex digits, everything else as it is.
 * Which member is which comes from the field tables.
 */
import { hex64, parseU64 } from '../common/hex.ts';
import { ARM_CONTEXT_LAYOUT, ARM_ERROR_LAYOUT, ARM_LAYOUT } from './arm.ts';
import { CperError } from './error.ts';
import { FIRMWARE_LAYOUT } from './firmware.ts';
import { bytesToHex, hexToBytes, textBytesName, VALIDATION_MEMBER } from './layout.ts';
import type { Layout } from './layout.ts';
import { MEMORY2_LAYOUT, MEMORY_LAYOUT } from './memory.ts';
import { PCIE_LAYOUT } from './pcie.ts';
import { PROCESSOR_LAYOUT } from './processor.ts';
import type { CperBody, CperRecord } from './record.ts';
import { TABLED } from './tables.ts';
import type { CperRegion } from './region.ts';
import { X86_CONTEXT_LAYOUT, X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const LAYOUTS: readonly Layout[] = [
  MEMORY_LAYOUT,
  MEMORY2_LAYOUT,
  PROCESSOR_LAYOUT,
  PCIE_LAYOUT,
  FIRMWARE_LAYOUT,
  X86_LAYOUT,
  X86_ERROR_LAYOUT,
  X86_CONTEXT_LAYOUT,
  ARM_LAYOUT,
  ARM_ERROR_LAYOUT,
  ARM_CONTEXT_LAYOUT,
  ...TABLED.flatMap(({ layout, rows }) => (rows === undefined ? [layout] : [layout, rows.layout])),
];

/** Lists of structures that a body may have; those of kinds read by a table have them always. */
const LISTS: ReadonlyMap<string, string> = new Map(
  TABLED.flatMap(({ kind, rows }) => (rows === undefined ? [] : [[kind, rows.member] as const])),
);

function namesOf(pick: (f: Layout['fields'][number]) => boolean): string[] {
  return LAYOUTS.flatMap(l => l.fields.filter(pick).map(f => f.name));
}

/** Members that are 64-bit values, of every structure. */
const WIDE: ReadonlySet<string> = new Set([
  ...namesOf(f => f.kind === 'integer' && f.hi - f.lo >= 32),
  'timestamp',
  'persistenceInfo',
  VALIDATION_MEMBER,
]);
/** Members that are bytes. */
const BYTES: ReadonlySet<string> = new Set([
  ...namesOf(f => f.kind === 'bytes'),
  ...LAYOUTS.flatMap(l => l.fields.filter(f => f.kind === 'text').map(f => textBytesName(f.name))),
  textBytesName('fruText'),
  'data',
  'vendorInfo',
  'trailing',
  'rawData',
]);

/** Members that have one value, and so no members of their own. */
const LEAVES: ReadonlySet<string> = new Set([...namesOf(() => true), VALIDATION_MEMBER]);

/** Depth of nesting that a record can have, with room to spare. */
const MAX_DEPTH = 16;

/** A record, region or section body as plain JSON data. */
export function cperToJson(value: CperRecord | CperRegion | CperBody): Json {
  return toJson(value);
}

function toJson(value: unknown): Json {
  if (typeof value === 'bigint') return hex64(value);
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, toJson(v)]),
    );
  }
  return value as Json;
}

function wrong(path: string, what: string): CperError {
  return new CperError('E_CPER_JSON', `${path}: ${what}`, {
    hint: '64-bit values are strings of 0x and hex digits (or numbers below 2^53), bytes are hex digits.',
  });
}

function fromJson(json: unknown, name: string, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw wrong(path, 'nested too deep');
  if (LEAVES.has(name) && typeof json === 'object' && json !== null)
    throw wrong(path, 'a list or an object, not a value');
  if (Array.isArray(json)) return json.map((v, i) => fromJson(v, name, `${path}[${i}]`, depth + 1));
  if (typeof json === 'object' && json !== null) {
    return Object.fromEntries(
      Object.entries(json).map(([k, v]) => [k, fromJson(v, k, path === '' ? k : `${path}.${k}`, depth + 1)]),
    );
  }
  if (WIDE.has(name)) {
    const n = typeof json === 'number' && Number.isSafeInteger(json) && json >= 0 ? BigInt(json) : undefined;
    const value = n ?? (typeof json === 'string' ? parseU64(json) : undefined);
    if (value === undefined) throw wrong(path, 'not a 64-bit value');
    return value;
  }
  if (BYTES.has(name)) {
    const bytes = typeof json === 'string' ? hexToBytes(json) : undefined;
    if (bytes === undefined) throw wrong(path, 'not hex digits');
    return bytes;
  }
  return json;
}

function object(json: unknown, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(path, 'not an object');
  return json as Record<string, unknown>;
}

function checkList(json: unknown, path: string): Record<string, unknown>[] {
  if (!Array.isArray(json)) throw wrong(path, 'not a list');
  return json.map((v, i) => object(v, `${path}[${i}]`));
}

function checkBody(json: unknown, path: string): void {
  const body = object(json, path);
  if (typeof body['kind'] !== 'string') throw wrong(`${path}.kind`, 'missing');
  if (body['kind'] === 'raw' && typeof body['data'] !== 'string') throw wrong(`${path}.data`, 'missing');
  const rows = LISTS.get(body['kind']);
  if (rows !== undefined) checkList(body[rows], `${path}.${rows}`);
  for (const list of ['errors', 'contexts']) {
    const needed = body['kind'] === 'x86-processor' || body['kind'] === 'arm-processor';
    if (body[list] === undefined && !needed) continue;
    const entries = checkList(body[list], `${path}.${list}`);
    if (list === 'contexts') {
      entries.forEach((c, i) => {
        if (typeof c['data'] !== 'string') throw wrong(`${path}.contexts[${i}].data`, 'missing');
      });
    }
  }
}

function checkRecord(json: unknown, path: string): void {
  const record = object(json, path);
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (typeof record['severity'] !== 'string') throw wrong(at('severity'), 'missing');
  if (record['header'] !== undefined) object(record['header'], at('header'));
  checkList(record['sections'], at('sections')).forEach((s, i) => checkBody(s['body'], `${at('sections')}[${i}].body`));
}

/** A section body from JSON. Throws {@link CperError} where it is none. */
export function bodyFromJson(json: unknown): CperBody {
  checkBody(json, '');
  return fromJson(json, '', '', 0) as CperBody;
}

/**
 * A record from JSON. Throws {@link CperError} where it is none; whether the values fit is seen when it is encoded.
 * What may be left out follows: block status, lengths, counts, severity and revision of sections of a status block.
 */
export function cperFromJson(json: unknown): CperRecord {
  checkRecord(json, '');
  return { kind: 'cper', ...(fromJson(json, '', '', 0) as Omit<CperRecord, 'kind'>) };
}

/** A region from JSON. Throws {@link CperError} where it is none. */
export function regionFromJson(json: unknown): CperRegion {
  const region = object(json, '');
  checkList(region['records'], 'records').forEach((r, i) => checkRecord(r['record'], `records[${i}].record`));
  checkList(region['gaps'], 'gaps');
  return fromJson(json, '', '', 0) as CperRegion;
}
