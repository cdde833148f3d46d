/** Any bytes, and bytes near what the readers know: no exception, bounded output. `FUZZ_RUNS=1000000` runs longer. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { allCodes, explainCode } from './explain-code.ts';
import { decode } from './decoder.ts';
import { FORMS } from './form.ts';
import { toData } from './record.ts';
import { decodedSchema } from './schema.ts';
import { toRaw, toText } from './to-text.ts';
import { COLUMNS, wrap } from './wrap.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 400);
const DIR = join(import.meta.dirname, 'golden');
const SEEDS = readdirSync(DIR)
  .filter(f => f.endsWith('.in'))
  .map(f => readFileSync(join(DIR, f)));
const LINES = SEEDS.flatMap(s => s.toString('latin1').split('\n')).filter(l => l !== '');

const validate = new Ajv2020({ strict: false }).compile(JSON.parse(decodedSchema()) as object);

/** A seed with some bytes changed, cut out, or doubled. */
const mutated = fc
  .tuple(fc.constantFrom(...SEEDS), fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3), fc.nat(40)), { maxLength: 8 }))
  .map(([seed, changes]) => {
    let bytes = Array.from(seed.subarray(0, 4096));
    for (const [where, value, how, length] of changes) {
      const at = bytes.length === 0 ? 0 : where % bytes.length;
      if (how === 0) bytes[at] = value;
      else if (how === 1) bytes.splice(at, length);
      else if (how === 2) bytes.splice(at, 0, ...bytes.slice(at, at + length));
      else bytes = bytes.slice(0, at);
    }
    return Uint8Array.from(bytes);
  });
const shuffled = fc
  .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...LINES) }, fc.string({ unit: 'binary', maxLength: 60 })), {
    maxLength: 40,
  })
  .map(lines => new TextEncoder().encode(lines.join('\n')));
const input = fc.oneof(mutated, shuffled, fc.uint8Array({ maxLength: 600 }));

/** What is wrong with the records of an input; empty when nothing is. */
function faults(bytes: Uint8Array, form: (typeof FORMS)[number]): string[] {
  const { records, diagnostics } = decode(bytes, { from: form });
  const wrong: string[] = [];
  if (records.length + diagnostics.length > bytes.length + 8) wrong.push('more output than input');
  for (const record of records) {
    const { firstLine = 1, lastLine = firstLine } = record.source;
    if (firstLine > lastLine) wrong.push(`lines ${firstLine} to ${lastLine}`);
    const data = JSON.parse(stringify(toData(record))) as unknown;
    if (!validate(data)) wrong.push(stringify(validate.errors));
    const text = [...toText(record, { table: true, outlook: false }), toRaw(record)];
    wrong.push(...text.filter(line => /[\u0000-\u001f\u007f-\u009f]/.test(line)));
  }
  return wrong;
}

describe('any input', () => {
  it(
    'is decoded without an exception, into records that fit the schema',
    () => {
      fc.assert(
        fc.property(input, bytes => {
          expect(faults(bytes, 'auto')).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    RUNS * 100 + 20_000,
  );

  it(
    'in every form that can be asked for',
    () => {
      fc.assert(
        fc.property(input, fc.constantFrom(...FORMS), (bytes, form) => {
          expect(faults(bytes, form)).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    RUNS * 100 + 20_000,
  );
});

describe('schema', () => {
  it('takes every golden record, outlook and all', () => {
    for (const seed of SEEDS) {
      for (const record of decode(seed).records) {
        const data = JSON.parse(stringify(toData(record, { outlook: true }))) as unknown;
        expect(validate(data), stringify(validate.errors)).toBe(true);
      }
    }
  });

  it('refuses a record that lost a member or rounded a register', () => {
    const [record] = decode('0xbd80000000000134', { vendor: 'intel' }).records;
    expect(record).toBeDefined();
    if (record === undefined) return;
    const good = JSON.parse(stringify(toData(record))) as Record<string, unknown>;
    expect(validate(good)).toBe(true);
    expect(validate({ ...good, severity: undefined, class: 7 })).toBe(false);
    expect(validate({ ...good, registers: { status: 123 } })).toBe(false);
    expect(validate({ ...good, extra: 1 })).toBe(false);
  });
});

describe('codes', () => {
  it('are all explained', () => {
    const codes = allCodes();
    expect(codes.length).toBeGreaterThan(100);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) {
      const found = explainCode(code);
      expect([code, found?.code]).toEqual([code, code]);
      expect(found?.text.length).toBeGreaterThan(10);
    }
    expect(explainCode('constructor')).toBeUndefined();
  });

  it('of every golden record are among them', () => {
    const codes = new Set(allCodes());
    for (const seed of SEEDS) {
      const { records, diagnostics } = decode(seed);
      const printed = [
        ...diagnostics.map(d => d.code),
        ...records.flatMap(r => [...r.lint, ...r.diagnostics].map(f => f.code)),
        ...records.flatMap(r => r.outlook.map(o => o.rule.id)),
      ];
      expect(printed.filter(c => !codes.has(c))).toEqual([]);
    }
  });
});

describe('wrap', () => {
  it('keeps all words and the width', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 30 })), words => {
        const lines = wrap(words.join(' '), '  ');
        expect(
          lines
            .join(' ')
            .split(/\s+/)
            .filter(w => w !== ''),
        ).toEqual(words);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(COLUMNS);
      }),
    );
  });
});
