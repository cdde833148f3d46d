import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { decode } from './decoder.ts';
import { toData } from './record.ts';

const DIR = join(import.meta.dirname, 'golden');

describe('what decode --json printed is decoded again', () => {
  const inputs = readdirSync(DIR).filter(f => f.endsWith('.in'));
  it.each(inputs)('%s', name => {
    const first = decode(readFileSync(join(DIR, name))).records.filter(r => r.raw.kind !== 'event');
    const lines = first.map(r => `${stringify(toData(r))}\n`).join('');
    const { records, diagnostics } = decode(lines);
    expect(diagnostics).toEqual([]);
    expect(records.map(r => [r.kind, r.registers, r.class, r.cpu, r.address, r.headline])).toEqual(
      first.map(r => [r.kind, r.registers, r.class, r.cpu, r.address, r.headline]),
    );
  });

  it('and what is no record stays without one', () => {
    for (const raw of [
      { kind: 'x86-mca' },
      { kind: 'x86-mca', bank: 1, status: 5 },
      { kind: 'x86-mca', bank: 1.5, status: '0x8000000000000000' },
      { kind: 'arm-sea', esr: 'x' },
      { kind: 'cper' },
      { kind: 'cper', severity: 'fatal', sections: [{ body: { kind: 'memory', errorType: 'many' } }] },
      { kind: 'cper', severity: 'terrible', sections: [] },
    ]) {
      expect(decode(JSON.stringify({ schemaVersion: 1, kind: raw.kind, raw })).records).toEqual([]);
      expect(decode(JSON.stringify(raw)).records).toEqual([]);
    }
  });
});
