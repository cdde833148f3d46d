/** A record decodes to the same in whatever people carry it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { encodeGhesBlock } from '../cper/ghes.ts';
import { SECTION_XPF_MCA } from '../cper/guid.ts';
import { encodeCper } from '../cper/region.ts';
import type { CperBody } from '../cper/record.ts';
import { decodeSection } from '../cper/sections.ts';
import { linuxMce, xpfMca } from '../cper/testing/saved.ts';
import { makeCperRecord } from '../cper/uefi-record.ts';
import { decode } from './decoder.ts';
import { toData } from './record.ts';
import { AROUND, WHOLE } from './testing/carriers.ts';

const memory: CperBody = {
  kind: 'memory',
  physicalAddress: 0x12_3456_7000n,
  physicalAddressMask: 0xffff_ffff_ffff_f000n,
  errorType: 3,
  node: 1,
  card: 2,
  module: 0,
  rank: 1,
  row: 0x1234,
  column: 0x56,
};
const xpf = decodeSection(SECTION_XPF_MCA, xpfMca(3).subarray(0, 292)).value;

const SIGNED: Readonly<Record<string, Uint8Array>> = {
  'an error record': encodeCper(makeCperRecord('recoverable', [{ body: memory, fruText: 'DIMM A1' }])),
  "Windows' machine check": encodeCper(
    makeCperRecord('corrected', [{ type: SECTION_XPF_MCA, body: xpf }, { body: memory }]),
  ),
};
const UNSIGNED: Readonly<Record<string, Uint8Array>> = {
  'a status block': encodeGhesBlock({ severity: 'corrected', sections: [{ body: memory }] }),
  "Linux's struct mce": linuxMce(),
};

/** Everything but where it was found, and when by its line. */
const said = (input: Uint8Array | string): string[] =>
  decode(input).records.map(record => stringify({ ...toData(record), source: undefined, time: undefined }));

const pairs = (records: Readonly<Record<string, Uint8Array>>, carriers: typeof WHOLE) =>
  Object.entries(records).flatMap(([name, bytes]) =>
    Object.entries(carriers).map(([as, carry]) => [name, as, bytes, carry] as const),
  );

describe('decodes to the same as its bytes alone:', () => {
  it.each([...pairs({ ...SIGNED, ...UNSIGNED }, WHOLE), ...pairs(SIGNED, AROUND)])(
    '%s as %s',
    (_name, _as, bytes, carry) => {
      const alone = said(bytes);
      expect(alone.length).toBeGreaterThan(0);
      expect(said(carry(bytes))).toEqual(alone);
    },
  );
});

describe('what is seen of each carrier', () => {
  const golden = join(import.meta.dirname, 'golden', 'carriers.golden');

  it('is as it was', () => {
    const lines = [...pairs({ ...SIGNED, ...UNSIGNED }, WHOLE), ...pairs(SIGNED, AROUND)].map(
      ([name, as, bytes, carry]) => {
        const { records, diagnostics, detection } = decode(carry(bytes));
        const found = records.map(({ kind, source }) => {
          const { from, firstLine, lastLine, firstByte, endByte } = source;
          return `${kind} of ${from}, ${firstLine === undefined ? '' : `lines ${firstLine} to ${lastLine}, `}bytes ${firstByte} to ${endByte}`;
        });
        const notes = diagnostics.map(d => d.code);
        return `${name} as ${as}: ${[`${detection?.form}, ${detection?.evidence}`, ...found, ...notes].join('; ')}`;
      },
    );
    const text = lines.map(line => `${line}\n`).join('');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});

describe('no record is made of', () => {
  it.each([
    [
      'a dump that only mentions the word',
      '00000000  43 50 45 52 20 69 73 20  61 20 77 6f 72 64 0a     |CPER is a word.|\n',
    ],
    ['base64 that begins alike', `${'x'.repeat(3)} Q1BFUgA\n`],
    ['numbers', `{"n":[67,80,69,82,1,2,3]}\n`],
    ['a list over lines', '[\n  67,\n  80,\n  69,\n  82\n]\n'],
  ])('%s', (_what, text) => {
    expect(decode(`Linux version 6.12\n${text}`).records).toEqual([]);
  });

  it('a dump of which the end is missing without saying so', () => {
    const dump = AROUND['print_hex_dump in dmesg'] ?? expect.fail('no such carrier');
    const lines = (dump(SIGNED['an error record'] as Uint8Array) as string).split('\n');
    const { records, diagnostics } = decode(lines.slice(0, 14).join('\n'));
    expect(records.flatMap(r => r.diagnostics.map(d => d.code))).toContain('E_CPER_TRUNCATED');
    expect(diagnostics).toEqual([]);
  });
});
