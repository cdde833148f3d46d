import { SyndromeError, UsageError, messageOf } from '@syndrome/decode/common/errors.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { bodyFromJson, cperFromJson, regionFromJson } from '@syndrome/decode/cper/json.ts';
import { encodeCper, encodeCperRegion } from '@syndrome/decode/cper/region.ts';
import { SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { recordOfJson } from '@syndrome/decode/text/syndrome/json-records.ts';
import { printArm } from './encode-arm.ts';
import { encodeBody } from './encode-cper.ts';
import { printMca } from './encode-mca.ts';
import { type EncodeOptions, putBytes, readText, refuse } from './encode-options.ts';

type Data = Readonly<Record<string, unknown>>;

const HINT =
  'A record as `syndrome decode --json` prints it, its `raw` alone, a section body with its kind, or records and gaps of a region.';

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One value, or one a line. */
function valuesOf(text: string, path: string): { value: unknown; where: string }[] {
  try {
    return [{ value: JSON.parse(text), where: path }];
  } catch {
    const lines = text.split('\n');
    return lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      const where = `${path}:${i + 1}`;
      try {
        return [{ value: JSON.parse(line) as unknown, where }];
      } catch (error) {
        throw new UsageError('E_USAGE', `${where}: not JSON: ${messageOf(error)}`, { hint: HINT });
      }
    });
  }
}

/** The bytes a firmware record stands for; undefined for other records. */
function bytesOf(data: Data, options: EncodeOptions): Uint8Array | undefined {
  const { kind } = data;
  if (Array.isArray(data['records'])) return encodeCperRegion(regionFromJson(data));
  if (kind === 'raw' || SECTIONS.some(s => s.kind === kind)) return encodeBody(bodyFromJson(data), options);
  if (kind === 'cper' || (kind === undefined && Array.isArray(data['sections']))) return encodeCper(cperFromJson(data));
  return undefined;
}

/** What is inside: what decode prints carries the record in `raw`, a trace of the lab in `record`. */
function unwrapped(value: unknown, where: string): Data {
  if (isObject(value)) {
    for (const inner of [value['raw'], value['record']]) {
      if (isObject(inner) && typeof inner['kind'] === 'string') return inner;
    }
    return value;
  }
  throw new UsageError('E_USAGE', `${where}: not an object`, { hint: HINT });
}

function encodeOne(value: unknown, where: string, options: EncodeOptions): Uint8Array | undefined {
  const data = unwrapped(value, where);
  let bytes: Uint8Array | undefined;
  try {
    bytes = bytesOf(data, options);
  } catch (error) {
    const hint = error instanceof SyndromeError ? (error.hint ?? HINT) : HINT;
    throw new UsageError('E_USAGE', `${where}: ${messageOf(error)}`, { hint });
  }
  if (bytes !== undefined) return bytes;
  const { record, notes } = recordOfJson(data, true);
  if (notes.length > 0) {
    throw new UsageError('E_USAGE', `${where}: ${notes.map(n => n.message).join('; ')}`, { hint: HINT });
  }
  if (record?.kind === 'x86-mca') printMca(record, options);
  else if (record?.kind === 'arm-sea') printArm(record, options);
  else {
    const kind = data['kind'] === undefined ? 'an object without a kind' : `kind ${stringify(data['kind'])}`;
    throw new UsageError('E_USAGE', `${where}: ${kind} is no record that can be made`, { hint: HINT });
  }
  return undefined;
}

/** Makes what a JSON file describes. */
export async function encodeJson(path: string, options: EncodeOptions): Promise<void> {
  refuse(options, 'JSON', ['addr', 'misc', 'synd', 'ipid', 'gpa', 'cpu', 'bank', 'vendor']);
  const values = valuesOf(await readText(path), path);
  const made = values.flatMap(v => encodeOne(v.value, v.where, options) ?? []);
  if (values.length === 0) throw new UsageError('E_USAGE', `${path} holds no record`, { hint: HINT });
  if (options.out === undefined) {
    for (const bytes of made) await putBytes(bytes, { kind: 'cper' }, options);
    return;
  }
  if (made.length === 0) throw new UsageError('E_USAGE', '--out: only firmware records have bytes');
  await putBytes(Buffer.concat(made), {}, options);
}
