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
    const first = decode(readFileSync(join(DIR, name))).records;
    const lines = first.map(r => `${stringify(toData(r))}\n`).join('');
    const { records, diagnostics } = decode(lines);
    expect(diagnostics).toEqual([]);
    expect(records.map(r => [r.kind, r.registers, r.class, r.cpu, r.address, r.headline, r.severity])).toEqual(
      first.map(r => [r.kind, r.registers, r.class, r.cpu, r.address, r.headline, r.severity]),
    );
  });

  it('and what is no record stays without one', () => {
    for (const raw of [
      { kind: 'event' },
      { kind: 'event', name: 'Memory Failure', fields: {} },
      { kind: 'event', name: 'memory-failure', fields: [] },
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

  /** The codes that are told of a text of JSON, and how many records it has. */
  function told(text: string): [number, string[]] {
    const { records, diagnostics } = decode(text);
    return [records.length, [...records.flatMap(r => r.diagnostics), ...diagnostics].map(d => d.code)];
  }
  const STATUS = '0xbd80000000000134';
  const line = (raw: object): string => JSON.stringify({ schemaVersion: 1, kind: 'x86-mca', bank: 1, raw });
  const WHOLE = line({ kind: 'x86-mca', bank: 1, status: STATUS });

  it('and what was cut or damaged is told, wherever it was', () => {
    expect(told(`${WHOLE}\n${WHOLE.slice(0, -30)}`)).toEqual([1, ['E_TEXT_TRUNCATED']]);
    expect(told(`${WHOLE.slice(0, -30)}\n${WHOLE}\n`)).toEqual([1, ['E_TEXT_TRUNCATED']]);
    expect(told(`${WHOLE.slice(9)}\n${WHOLE}\n`)).toEqual([1, ['E_TEXT_TRUNCATED']]);
    expect(told(`${WHOLE.replace(':', '')}\n${WHOLE}\n`)).toEqual([1, ['E_TEXT_TRUNCATED']]);
    const qmp = '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MEMORY_FAILURE", "data": {"recip';
    expect(told(qmp)).toEqual([0, ['E_TEXT_TRUNCATED']]);
    const journal = '{"_TRANSPORT":"kernel","MESSAGE":"mce: [Hardware Error]: Machine check events logg';
    expect(told(journal)).toEqual([0, ['E_TEXT_TRUNCATED']]);
    // What is about something else may be cut as it likes, and a record of the firmware's begins with a brace too.
    expect(told('{"MESSAGE":"all is we')).toEqual([0, []]);
    expect(told('{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 1\n')[1]).not.toContain(
      'E_TEXT_TRUNCATED',
    );
  });

  it('and a line that is too long for all of it says that nothing of it was read', () => {
    const long = line({ kind: 'x86-mca', bank: 1, status: STATUS, more: 'x'.repeat(1 << 17) });
    const { records, diagnostics } = decode(`${WHOLE}\n${long}\n${WHOLE}\n`);
    expect(records.length).toBe(2);
    expect(diagnostics).toEqual([
      {
        code: 'E_TEXT_LONG',
        message: 'an object or a text in the line of JSON is too long for what it should be; nothing of it was read',
        offset: WHOLE.length + 1,
      },
    ]);
  });

  it('and a member that cannot be read is told, with the record or without', () => {
    const mca = { kind: 'x86-mca', bank: 1, status: STATUS };
    expect(told(line({ ...mca, addr: '0x0000000000001000' }))).toEqual([1, []]);
    expect(told(line({ ...mca, addr: '0xqq' }))).toEqual([1, ['E_TEXT_VALUE']]);
    expect(told(line({ ...mca, cpu: 1.5, vendor: 'other' }))).toEqual([1, ['E_TEXT_VALUE', 'E_TEXT_VALUE']]);
    expect(told(line({ ...mca, addr: '0x1000' }))).toEqual([1, ['E_TEXT_TRUNCATED']]);
    expect(told(line({ ...mca, status: '0xbd8000000000013' }))).toEqual([0, ['E_TEXT_TRUNCATED']]);
    expect(told(line({ ...mca, status: Number(STATUS) }))).toEqual([0, ['E_TEXT_VALUE']]);
    expect(told(line({ ...mca, status: undefined }))).toEqual([0, []]);
    expect(told('{"kind":"arm-sea","esr":"0x"}')).toEqual([0, ['E_TEXT_VALUE']]);
    expect(told('{"kind":"arm-sea","esr":"0x0000000092000410","el":7}')).toEqual([1, ['E_TEXT_VALUE']]);
    expect(told('{"kind":"cper","severity":"terrible","sections":[]}')).toEqual([0, ['E_TEXT_VALUE']]);
    // Everybody's objects have a kind.
    expect(told('{"kind":"Pod","status":"0xqq"}')).toEqual([0, []]);
  });
});
