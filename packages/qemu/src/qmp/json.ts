/**
 * JSON that keeps every integer exact. QMP carries u64 values as plain digits (`qom-get … ucode-rev` is
 * 12826251738751172917), which JSON.parse rounds to a double without a word.
 *
 * Integers a double holds exactly arrive as number, all others as bigint; fractions and exponents stay numbers.
 */

/** ES "JSON.parse source text access", in Node 24 but not yet in the compiler's ES2024 library. */
type ReviverContext = { source?: string };
const withSource = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: ReviverContext) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** 2^53 has 16 digits, so a text without such a run holds no integer that needs the slower reviver. */
const MAY_HOLD_UNSAFE = /[0-9]{16}/;

/** Parses one JSON text; integers beyond ±(2^53 - 1) become bigint. Throws SyntaxError (RangeError when nested absurdly deep). */
export function parseJson(text: string): unknown {
  if (!MAY_HOLD_UNSAFE.test(text)) return JSON.parse(text) as unknown;
  return withSource.parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
    return /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
  });
}

/**
 * Writes one line of JSON with every bigint as plain decimal digits. Throws TypeError on NaN and infinities, which
 * JSON.stringify would turn into null.
 */
export function stringifyJson(value: unknown): string {
  const text = JSON.stringify(value, (key, v: unknown) => {
    if (typeof v === 'bigint') return withSource.rawJSON(v.toString());
    if (typeof v === 'number' && !Number.isFinite(v)) throw new TypeError(`member '${key}' is ${v}, which JSON lacks`);
    return v;
  }) as string | undefined;
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return text;
}
