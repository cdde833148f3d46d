import { describe, expect, it } from 'vitest';
import { decode } from './decoder.ts';
import { detect } from './detect.ts';

const bytes = (...head: number[]): Uint8Array => Uint8Array.from([...head, ...Array.from({ length: 64 }, () => 7)]);
const evidence = (input: string | Uint8Array): string =>
  detect(typeof input === 'string' ? new TextEncoder().encode(input) : input, true, 'auto').evidence;

describe('what is said of an input that holds nothing', () => {
  it.each([
    ['gzip', bytes(0x1f, 0x8b, 8), /zcat/],
    ['xz', bytes(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /xzcat/],
    ['zstd', bytes(0x28, 0xb5, 0x2f, 0xfd), /zstdcat/],
    ['bzip2', bytes(0x42, 0x5a, 0x68, 0x39), /bzcat/],
    ['journal', new TextEncoder().encode(`LPKSHHRH${'\0'.repeat(64)}`), /journalctl --file/],
    ['BERT', new TextEncoder().encode(`BERT\u0030\0\0\0${'\0'.repeat(64)}`), /acpi\/tables\/data\/BERT/],
    ['HEST', new TextEncoder().encode(`HEST\u0030\0\0\0${'\0'.repeat(64)}`), /holds no record/],
  ])('%s', (_name, input, words) => {
    expect(evidence(input)).toMatch(words);
  });

  it.each([
    ['status=0xbd80000000000134 status=0x9c00000000000134', /status is given twice/],
    ['mcgcap=0xf000c14', /mcgcap without a status= or an esr=/],
    ['status=0xbd8000000000013400', /status=0xbd8000000000013400 is no 64-bit value/],
    ['status=0xbd80000000000134 vendor=via', /the vendor via is not known/],
    ['0x1 0x2 0x3', /not understood as values/],
  ])('%s', (input, words) => {
    expect(evidence(input)).toMatch(words);
    expect(evidence(input)).toContain('esr=');
    expect(decode(input).records).toEqual([]);
  });

  it.each(['nothing of interest', 'user: root', 'time: 12:00 and all is well', 'BERT and ERNIE', ''])(
    '%j is a log',
    input => {
      expect(evidence(input)).toBe('read as a log; nothing known in its beginning');
    },
  );

  it.each(['0x92000410 addr=0x1000', '0xbd80000000000134 status=0xbe00000000800400', '0x1 of 2'])(
    '%s is no status beside names',
    input => {
      expect(decode(input).records).toEqual([]);
    },
  );

  it('reads short hex as bytes where bytes were asked for', () => {
    expect(detect(new TextEncoder().encode('00 ff'), true, 'cper').binary).toEqual(Uint8Array.of(0, 0xff));
  });

  it('takes a fragment of mcelog for mcelog', () => {
    const [record] = decode('CPU 0 BANK 9\nMISC 8c ADDR 1000\nSTATUS bd80000000000134 MCGSTATUS 7\n').records;
    expect([record?.source.from, record?.bank, record?.registers['status']]).toEqual([
      'mcelog',
      9,
      0xbd80000000000134n,
    ]);
    const [injected] = decode('CPU 0 BANK 9\nSTATUS UNCORRECTED ADDRV\nADDR 0x1000\n').records;
    expect(injected?.source.from).toBe('mce-inject');
  });
});
