/** mcelog's text as people have it: words left out, first lines cut off, records behind each other. */
import { describe, expect, it } from 'vitest';
import { decode } from './decoder.ts';

const STATUS = 'STATUS bc0000000008040e MCGSTATUS 7';
const HEAD = ['Hardware event. This is not a software error.', 'MCE 0', 'CPU 3 BANK 4 TSC 1a2b3c '];
const REST = [
  'MISC 8c ADDR 1234000 ',
  'TIME 1608654000 Tue Dec 22 08:20:00 2020',
  'MCG status:RIPV EIPV MCIP ',
  'MCi status:',
  'Uncorrected error',
  'Error enabled',
  'MCA: Internal unclassified error: 40e',
];
const TAIL = ['MCGCAP f000c14 APICID 6 SOCKETID 1 ', 'PPIN 8badf00d', 'CPUID Vendor Intel Family 6 Model 85 Step 4'];

/** CPU, bank and some registers of each record, and the codes of what else was said. */
function read(lines: readonly string[]): unknown[] {
  const { records, diagnostics } = decode(`${lines.join('\n')}\n`);
  return [
    ...records.map(r => {
      const { status, mcgStatus, addr, misc, ppin } = r.registers;
      return [r.cpu, r.bank, status?.toString(16), mcgStatus, addr?.toString(16), misc, ppin?.toString(16)];
    }),
    ...diagnostics.map(d => d.code),
  ];
}

const ALL = [3, 4, 'bc0000000008040e', 7n, '1234000', 0x8cn, '8badf00d'];
const NO_HEAD = [undefined, undefined, ...ALL.slice(2)];

describe('a record of mcelog', () => {
  it.each(['PCU', 'MemCtrl', 'UPI', 'IMH0 Punit', 'ecc mode', 'MCG status', 'PCU: MemCtrl'])(
    'keeps its STATUS behind “%s: ” without words',
    unit => {
      expect(read([...HEAD, ...REST, `${unit}: ${STATUS}`, ...TAIL])).toEqual([ALL]);
      expect(read([...HEAD, ...REST, `${unit}:${STATUS}`, ...TAIL])).toEqual([ALL]);
      expect(read([`${unit}: ${STATUS}`])).toEqual([[undefined, undefined, 'bc0000000008040e', 7n, ...Array(3)]]);
    },
  );

  it.each(HEAD.map((_, i) => i + 1))('without its first %i lines keeps what the others say', cut => {
    const said = read([...HEAD.slice(cut), ...REST, STATUS, ...TAIL]);
    expect(said).toEqual([cut < HEAD.length ? ALL : NO_HEAD]);
  });

  it.each(REST.map((_, i) => i))('without its head and the %i lines behind it is one still', cut => {
    const [record, ...others] = read([...REST.slice(cut), STATUS, ...TAIL]);
    expect(record).toEqual(cut === 0 ? NO_HEAD : [...NO_HEAD.slice(0, 4), undefined, undefined, '8badf00d']);
    expect(others).toEqual([]);
  });

  it('without the line of its CPU alone is of no CPU', () => {
    expect(read([...HEAD.slice(0, 2), ...REST, STATUS, ...TAIL])).toEqual([NO_HEAD]);
  });

  it('without its head ends where the next begins', () => {
    const second = STATUS.replace('bc', 'be');
    const other = [undefined, undefined, 'be0000000008040e', 7n, '5000', undefined, undefined];
    expect(read([...REST, STATUS, ...TAIL, 'ADDR 5000 ', second])).toEqual([NO_HEAD, other]);
    expect(read([STATUS, second])).toEqual([
      [undefined, undefined, 'bc0000000008040e', 7n, ...Array(3)],
      [undefined, undefined, 'be0000000008040e', 7n, ...Array(3)],
    ]);
    expect(read([...HEAD, ...REST, STATUS, ...TAIL, 'ADDR 5000 ', second])).toEqual([ALL, other]);
    expect(read([...REST, STATUS, ...TAIL, ...HEAD, ...REST, STATUS, ...TAIL])).toEqual([NO_HEAD, ALL]);
  });

  it('without its head is found in the middle of a log, in syslog with all its lines', () => {
    const noise = Array.from({ length: 100 }, (_, i) => `all is well ${i}`);
    expect(read([...noise, ...REST, STATUS, ...TAIL, ...noise])).toEqual([NO_HEAD]);
    const syslog = ['ADDR 1234000 ', 'MISC 8c ', STATUS, ...TAIL].map(l => `Dec 22 08:20:00 host mcelog[77]: ${l}`);
    const [record] = read([...noise, ...syslog, ...noise]);
    expect(record).toEqual(NO_HEAD);
  });

  it('is none when its STATUS is cut, which is said', () => {
    expect(read([...HEAD, ...REST, 'STATUS bc000000'])).toEqual(['E_TEXT_TRUNCATED']);
    expect(read([...HEAD, ...REST, 'STATUS bc000000', ...HEAD, ...REST, STATUS, ...TAIL])).toEqual([
      ALL,
      'E_TEXT_TRUNCATED',
    ]);
  });

  it.each(['STATUS be0000000008040e', 'STATUS be0000000008040e MCGSTATUS 5 and more', 'STATUS be00 MCGSTATUS 5'])(
    'ends before a second STATUS, however that is written: %s',
    second => {
      const all = read([...HEAD, ...REST, STATUS, ...TAIL, second, STATUS.replace('7', '6')]);
      const status = second.split(' ')[1];
      const mcgStatus = second.includes('MCGSTATUS') ? 5n : undefined;
      const others = Array(3).fill(undefined);
      expect(all).toEqual([
        ALL,
        [undefined, undefined, status, mcgStatus, ...others],
        [undefined, undefined, 'bc0000000008040e', 6n, ...others],
      ]);
      expect(read(['STATUS be00000000080400 MCGSTATUS 0', 'STATUS 0 MCGSTATUS 0'])).toEqual([
        [undefined, undefined, 'be00000000080400', 0n, ...others],
        [undefined, undefined, '0', 0n, ...others],
      ]);
    },
  );

  it('takes no register of the next, which begins where one has another value', () => {
    const other = [undefined, undefined, 'be0000000008040e', 7n, undefined, undefined, 'c0ffee'];
    const second = STATUS.replace('bc', 'be');
    expect(read([...HEAD, ...REST, STATUS, ...TAIL, 'PPIN c0ffee', second])).toEqual([ALL, other]);
    expect(read([...HEAD, ...REST, STATUS, ...TAIL, ...TAIL])).toEqual([ALL]);
    for (const line of ['PPIN c0ffee', 'MCGCAP 1c09 APICID 8', 'CPUID Vendor AMD Family 23 Model 1', 'MISC 8d']) {
      expect(read([...HEAD, ...REST, STATUS, ...TAIL, line])).toEqual([ALL, 'E_TEXT_INCOMPLETE']);
      // Nor does what follows a STATUS that was cut.
      expect(read([...HEAD, ...REST, STATUS, ...TAIL, 'STATUS be0000', line])).toEqual([ALL, 'E_TEXT_TRUNCATED']);
    }
  });

  it('is none without its STATUS, which is a loss', () => {
    expect(read([...HEAD, ...REST, ...TAIL])).toEqual(['E_TEXT_INCOMPLETE']);
    expect(read([...HEAD, ...REST, ...HEAD, ...REST, STATUS, ...TAIL])).toEqual([ALL, 'E_TEXT_INCOMPLETE']);
  });

  it.each([
    'PCU: Internal errors PCU internal error',
    'Intel TXT errors',
    'Ubox error',
    'MCA: Memory/CPU:',
    'MemCtrl: 2LM (far-memory) error, channel #3;',
  ])('keeps its STATUS behind words without a line end: %s', words => {
    expect(read([...HEAD, ...REST, `${words} ${STATUS}`, ...TAIL])).toEqual([ALL]);
    expect(read([...HEAD, ...REST, `${words} ${STATUS} `, ...TAIL])).toEqual([ALL]);
    expect(read([`${words} ${STATUS}`])).toEqual([[undefined, undefined, 'bc0000000008040e', 7n, ...Array(3)]]);
  });

  it('is read where its lines were joined to one', () => {
    expect(
      read([...HEAD, 'TIME 1608654000 Tue Dec 22 08:20:00 2020', `MISC 8c ADDR 1234000 ${STATUS}`, ...TAIL]),
    ).toEqual([ALL]);
    expect(read([`${HEAD[2]?.trim()} ${STATUS}`])).toEqual([[3, 4, 'bc0000000008040e', 7n, ...Array(3)]]);
  });

  it('is nothing that only looks like its first lines, and takes no line of others', () => {
    expect(read(['MISC 8c', 'ADDR 1000', 'MCG status:', 'all is well'])).toEqual([]);
    const error = 'mce: Uncorrected hardware memory error in user-access at 91ee000';
    const qemu =
      'qemu-system-x86_64: Guest MCE Memory Error at QEMU addr 0x7f0000000000 and GUEST addr 0x1000 of type BUS_MCEERR_AO injected';
    expect(decode(`ADDR 1000\n${qemu}\n${error}\n`).records).toHaveLength(2);
  });
});
