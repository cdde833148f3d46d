/**
 * Golden files: `golden/<name>.in` is an input, `<name>.golden` what it is decoded to, one JSON object a line.
 * `UPDATE_GOLDEN=1` rewrites them. The words of explanations are not held here, only what is decoded.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { cperToJson } from '../cper/json.ts';
import { createDecoder } from './decoder.ts';
import type { DecoderOptions } from './decoder.ts';
import { COLUMNS } from './wrap.ts';
import type { DecodedRecord } from './record.ts';
import { toRaw, toText } from './to-text.ts';

const DIR = join(import.meta.dirname, 'golden');
const TEXT = join(import.meta.dirname, '..', 'text', 'golden');
const OPTIONS: Readonly<Record<string, Partial<DecoderOptions>>> = {
  esr: { esr: true },
  'xen-mcelog': { from: 'xen-mcelog' },
};

function summary(r: DecodedRecord): unknown {
  return {
    source: r.source,
    kind: r.kind,
    cpu: r.cpu,
    bank: r.bank,
    registers: r.registers,
    flags: r.flags,
    class: r.class,
    severity: r.severity,
    mcacod: r.mcacod?.mnemonic,
    address: r.address,
    lint: r.lint.map(l => l.code),
    diagnostics: r.diagnostics.map(d => d.code),
    vendor: r.kind === 'x86-mca' ? (r.raw as { vendor?: string }).vendor : undefined,
    raw: r.raw.kind === 'x86-mca' ? undefined : r.raw.kind === 'cper' ? cperToJson(r.raw) : r.raw,
  };
}

/** Everything that comes out of an input that is pushed in pieces of the sizes given, over and over. */
function run(bytes: Uint8Array, options: Partial<DecoderOptions>, sizes: readonly number[]): string[] {
  const out: string[] = [];
  const decoder = createDecoder({
    ...options,
    input: 'golden',
    onRecord: r => out.push(stringify(summary(r))),
    onDetected: d => out.push(stringify({ form: d.form, evidence: d.evidence })),
    onDiagnostic: (d, source) => out.push(stringify({ diagnostic: d.code, message: d.message, source })),
  });
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    decoder.push(bytes.subarray(at, at + size));
    at += size;
  }
  decoder.end();
  return out;
}

function records(bytes: Uint8Array, options: Partial<DecoderOptions> = {}): DecodedRecord[] {
  const out: DecodedRecord[] = [];
  const decoder = createDecoder({ ...options, onRecord: r => out.push(r) });
  decoder.push(bytes);
  decoder.end();
  return out;
}

const inputs = readdirSync(DIR)
  .filter(f => f.endsWith('.in'))
  .map(f => f.slice(0, -'.in'.length));

describe('golden inputs', () => {
  it.each(inputs)('%s', name => {
    const bytes = readFileSync(join(DIR, `${name}.in`));
    const options = OPTIONS[name] ?? {};
    const out = run(bytes, options, [bytes.length]);
    const text = out.map(l => `${l}\n`).join('');
    const golden = join(DIR, `${name}.golden`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    // The same whatever the chunks are.
    for (const sizes of [[1], [7, 1, 64], [4096], [3, 1000]]) expect(run(bytes, options, sizes)).toEqual(out);
  });

  it.each(inputs)('%s as text: at most 100 columns, nothing that a terminal obeys', name => {
    for (const record of records(readFileSync(join(DIR, `${name}.in`)), OPTIONS[name])) {
      for (const line of toText(record, { table: true })) {
        expect(line.length).toBeLessThanOrEqual(COLUMNS);
        expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f]*$/);
      }
      expect(toRaw(record)).not.toBe('');
    }
  });
});

describe('no false alarm', () => {
  it.each(inputs.filter(f => f.startsWith('no-')))('finds nothing in %s, alone and behind a record', name => {
    const bytes = readFileSync(join(DIR, `${name}.in`));
    expect(records(bytes)).toEqual([]);
    const one = 'mce: Uncorrected hardware memory error in user-access at 91ee000\n';
    expect(records(Buffer.concat([Buffer.from(one), bytes]))).toHaveLength(1);
  });

  const quiet = ['linux', 'xen', 'qemu'].flatMap(kind =>
    readdirSync(join(TEXT, kind))
      .filter(f => f.startsWith('no-') && f.endsWith('.log') && !f.includes('mcelog'))
      .map(f => join(kind, f)),
  );
  it.each(quiet)('finds nothing in the real log %s', file => {
    expect(records(readFileSync(join(TEXT, file)))).toEqual([]);
  });
});

describe('raw values', () => {
  it('of a firmware record are its bytes', () => {
    const [record] = records(readFileSync(join(DIR, 'cper-ghes.in')));
    expect(record?.kind).toBe('cper');
    const [again] = records(new TextEncoder().encode(record === undefined ? '' : toRaw(record)));
    expect(again?.raw).toEqual(record?.raw);
  });

  it('of a firmware record that was put together from text make bytes that say the same', () => {
    for (const record of records(readFileSync(join(DIR, 'linux-cper.in'))).filter(r => r.kind === 'cper')) {
      const [again] = records(new TextEncoder().encode(toRaw(record)));
      expect([again?.class, again?.address, again?.component?.area]).toEqual([
        record.class,
        record.address,
        record.component?.area,
      ]);
    }
  });

  it('decode to the same record again', () => {
    for (const name of ['value-pairs', 'value-qemu-line', 'linux-old', 'mcelog']) {
      for (const record of records(readFileSync(join(DIR, `${name}.in`)))) {
        if (record.kind !== 'x86-mca') continue;
        const [again] = records(new TextEncoder().encode(toRaw(record)));
        expect(again?.registers).toEqual(record.registers);
        expect([again?.class, again?.bank, again?.cpu]).toEqual([record.class, record.bank, record.cpu]);
      }
    }
  });
});
