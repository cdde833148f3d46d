import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caseOf, mcaCase, passOn, valuesOf } from './case.ts';
import { predictAll } from './predict.ts';
import { named } from './testing/records.ts';

describe('a sealed machine check', () => {
  const record = named('srar-data', { cpu: 3, addr: 0x1234000n });
  const seen = mcaCase(record);

  it('has only what decides: rules that look at more do not compile', () => {
    // @ts-expect-error which CPU it was decides nothing
    expect(seen.cpu).toBeUndefined();
    // @ts-expect-error nor which page it is
    expect(() => (seen.addr ?? 0n) & 1n).toThrow(TypeError);
    // @ts-expect-error what is sealed has no members to look at
    expect(seen.sealed.addr).toBe(record.addr);
    expect(valuesOf(seen)).toBe(record);
    expect([caseOf(seen), caseOf({ kind: 'sigbus', code: 'BUS_MCEERR_AO' })]).toEqual([
      seen,
      { kind: 'sigbus', code: 'BUS_MCEERR_AO' },
    ]);
  });

  it('is passed on with changes', () => {
    expect(passOn(seen, { bank: 1, mcgStatus: undefined })).toEqual({
      ...Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'mcgStatus')),
      bank: 1,
    });
  });

  it('is opened only by what prints a line or passes a record on', () => {
    const opening = readdirSync(import.meta.dirname)
      .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter(file => /\bvaluesOf\(/.test(readFileSync(join(import.meta.dirname, file), 'utf8')));
    expect(opening).toEqual([
      'case.ts',
      'kvm.ts',
      'linux-messages.ts',
      'linux-poll.ts',
      'predict.ts',
      'qemu-inject.ts',
      'xen.ts',
    ]);
  });

  it('has the same outlook wherever it happened, but for the values that are printed', () => {
    const decided = (r: typeof record): unknown =>
      predictAll(r).map(p => [p.consumer, p.context, p.outcome, p.rule.id, p.dependsOn, p.steps.map(s => s.rule.id)]);
    for (const name of ['srar-data', 'srao', 'amd-uc', 'amd-deferred']) {
      const here = decided(named(name, { cpu: 3, addr: 0x1234000n }));
      const elsewhere = { cpu: 9, addr: 0x7_7777_7000n, time: 5n, apicId: 7n, microcode: 1n, rip: 9n, tsc: 8n };
      expect(decided(named(name, elsewhere))).toEqual(here);
    }
  });
});
