/** Thermal events that stand where machine checks do. */
import { expect, it } from 'vitest';
import { createDecoder, decode } from './decoder.ts';

const BANK = 'mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 128: 00000000087f0022\n';
const REST = [
  'mce: [Hardware Error]: TSC 30aafa6d16448 ',
  'mce: [Hardware Error]: PROCESSOR 0:106ca TIME 1641263663 SOCKET 0 APIC 1 microcode 107',
];

it('of a record of which lines are missing says so', () => {
  const codes = (text: string): (readonly string[])[] =>
    decode(text).records.map(r => [r.class, ...r.diagnostics.map(d => d.code)]);
  expect(codes(`${BANK}${REST.join('\n')}\n`)).toEqual([['thermal']]);
  expect(codes(BANK)).toEqual([['thermal', 'W_TEXT_INCOMPLETE']]);
});

it('names no CPU where none is named', () => {
  const cpus: (number | undefined)[] = [];
  const decoder = createDecoder({ onRecord: record => cpus.push(record.cpu), vendor: 'intel' });
  const row = { bank: 128n, status: 0x87f_0022n, cpuvendor: 0n };
  decoder.row('mce_record', 1, { ...row, cpu: 3n });
  decoder.row('mce_record', 2, row);
  expect(cpus).toEqual([3, undefined]);
});
