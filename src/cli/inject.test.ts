import { describe, expect, test } from 'vitest';
import { NAMED_MCA } from '../mca/named.ts';
import { mayKillGuest } from './inject.ts';

const named = (name: string): { status: bigint; mcgStatus: bigint } => {
  const record = NAMED_MCA.find(r => r.name === name);
  if (!record) throw new Error(`no record ${name}`);
  return record;
};

describe('what needs --yes', () => {
  test.each<[string, boolean, boolean]>([
    // name, to one CPU, to all CPUs
    ['ce', false, true],
    ['xen-note-ce', false, true],
    ['amd-deferred', false, true],
    ['srao', true, false],
    ['srar-data', true, true],
    ['srar-instr', true, true],
    ['ucna', true, true],
    ['uc-fatal', true, true],
    ['amd-uc', true, true],
  ])('%s: %s, broadcast: %s', (name, one, all) => {
    expect([mayKillGuest(named(name)), mayKillGuest({ ...named(name), broadcast: true })]).toEqual([one, all]);
  });

  test('every named record is in the table above', () => {
    expect(NAMED_MCA).toHaveLength(9);
  });

  test('a broadcast action-optional error whose program cannot be restarted', () => {
    expect(mayKillGuest({ ...named('srao'), mcgStatus: 0x4n, broadcast: true })).toBe(true);
  });
});
