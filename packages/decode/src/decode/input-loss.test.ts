/** Bytes that come as text, or behind other bytes: nothing is invented, and whatever is lost is said. */
import { describe, expect, it } from 'vitest';
import { encodeCper } from '../cper/region.ts';
import { encodeGhesBlock } from '../cper/ghes.ts';
import { encodeSection } from '../cper/sections.ts';
import { makeCperRecord } from '../cper/uefi-record.ts';
import type { CperBody } from '../cper/record.ts';
import { decode } from './decoder.ts';

const body = (physicalAddress: bigint): CperBody => ({ kind: 'memory', physicalAddress });
const cper = (i: number): Buffer =>
  Buffer.from(encodeCper(makeCperRecord('corrected', [{ body: body(BigInt(i) << 12n) }])));
const block = (i: number): Buffer =>
  Buffer.from(encodeGhesBlock({ severity: 'corrected', sections: [{ body: body(BigInt(i) << 12n) }] }));
const all = (of: (i: number) => Buffer, n = 6): Buffer => Buffer.concat(Array.from({ length: n }, (_, i) => of(i + 1)));
const lines = (text: string, width: number): string[] => text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
/** Pages of the records that come out, and the codes of what is said. */
function read(
  input: Uint8Array | string,
  options: Parameters<typeof decode>[1] = {},
): { pages: unknown[]; codes: unknown[] } {
  const { records, diagnostics } = decode(input, options);
  const address = (r: (typeof records)[number]): unknown =>
    (
      JSON.parse(JSON.stringify(r.raw, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v))) as {
        sections?: { body?: { physicalAddress?: number } }[];
      }
    ).sections?.[0]?.body?.physicalAddress;
  return {
    pages: records.map(r => Number(address(r)) / 4096),
    codes: [...records.flatMap(r => r.diagnostics), ...diagnostics].map(d => d.code).filter(c => !c.startsWith('L_')),
  };
}

describe('hex with a wrong letter', () => {
  const section = Buffer.from(encodeSection(body(0x1234000n))).toString('hex');
  it('is no base64', () => {
    const at = 100;
    const bad = `${section.slice(0, at)}g${section.slice(at + 1)}`;
    const { records, diagnostics } = decode(bad, { section: 'memory' });
    expect(diagnostics.map(d => [d.code, d.offset])).toEqual([['E_INPUT_BYTES', at]]);
    // Only what stands before it, and no address of what it never was.
    expect(records.map(r => r.raw)).toMatchObject([{ sections: [{ body: { kind: 'raw' } }] }]);
    expect(diagnostics[0]?.message).toContain('nothing behind it was read');
    const { diagnostics: of } = decode(`g${block(1).toString('hex')}`, { from: 'ghes' });
    expect(of[0]).toMatchObject({ code: 'E_INPUT_BYTES', offset: 0 });
  });
  it('is hex in a list with 0x, and base64 of zeros is base64', () => {
    const list = block(1).toString('hex').replace(/../g, '0x$& ').replace('0x00', '0xg0');
    expect(decode(list, { from: 'ghes' }).diagnostics[0]?.code).toBe('E_INPUT_BYTES');
    expect(read(block(3).toString('base64'), { from: 'ghes' })).toEqual({ pages: [3], codes: [] });
  });
});

describe('a line that lost a digit', () => {
  const hex = lines(all(block).toString('hex'), 64);
  it('joins nothing to the next', () => {
    const cut = [...hex];
    cut[7] = cut[7]?.slice(0, 31) ?? '';
    const one = decode(cut.join('\n')).diagnostics.filter(d => d.code === 'E_INPUT_BYTES');
    expect(one).toMatchObject([{ offset: 7 * 65 + 31 }]);
    const two = [...cut];
    two[0] = two[0]?.slice(0, 31) ?? '';
    two[1] = two[1]?.slice(0, 29) ?? '';
    const { diagnostics } = decode(two.join('\n'), { from: 'ghes' });
    expect(diagnostics.filter(d => d.code === 'E_INPUT_BYTES').map(d => d.offset)).toEqual([
      31,
      61,
      61 + 1 + 5 * 65 + 31,
    ]);
    expect(read(two.join('\n'), { from: 'ghes' }).pages.slice(-4)).toEqual([3, 4, 5, 6]);
  });
  it('of base64 neither', () => {
    const text = lines(all(block).toString('base64'), 76);
    text[2] = text[2]?.slice(0, 41) ?? '';
    const { pages, codes } = read(text.join('\n'));
    expect(codes).toContain('E_INPUT_BYTES');
    expect(pages.slice(-4)).toEqual([3, 4, 5, 6]);
  });
  it.each([63, 75, 77, 91])('is none where the text is wrapped at %i', width => {
    for (const form of ['hex', 'base64'] as const) {
      expect(read(lines(all(block).toString(form), width).join('\n'))).toEqual({
        pages: [1, 2, 3, 4, 5, 6],
        codes: [],
      });
      expect(read(`${lines(cper(2).toString(form), width).join('\r\n')}\r\n\r\n`)).toEqual({ pages: [2], codes: [] });
    }
  });
  it('is none in a list without zeros, and one in a list with them', () => {
    const short = [...all(cper, 2)].map(b => `0x${b.toString(16)}`);
    expect(read(short.join(', '))).toEqual({ pages: [1, 2], codes: [] });
    expect(read(lines(short.join(' '), 80).join(' \n'))).not.toMatchObject({ pages: [1, 2], codes: [] });
    expect(read(short.map((b, i) => `${b},${i % 8 === 7 ? '\n' : ' '}`).join(''))).toEqual({
      pages: [1, 2],
      codes: [],
    });
    const filled = [...all(cper, 2)].map(b => `0x${b.toString(16).padStart(2, '0')}`);
    filled[60] = '0x0';
    const { pages, codes } = read(filled.join(', '));
    expect([pages.at(-1), codes]).toEqual([2, expect.arrayContaining(['E_INPUT_BYTES'])]);
  });
});

describe('text behind something else', () => {
  it.each(['# a record\n', '# one\n\n# two\n'])('is read behind the comment %j', comment => {
    expect(read(`${comment}${lines(cper(4).toString('hex'), 64).join('\n# more\n')}`)).toEqual({
      pages: [4],
      codes: [],
    });
    expect(read(`${comment}${cper(4).toString('base64')}`)).toEqual({ pages: [4], codes: [] });
  });
  it('is read behind a line of words, which is told', () => {
    for (const form of ['hex', 'base64'] as const) {
      expect(read(`Record (1):\n${cper(4).toString(form)}\n`)).toMatchObject({
        pages: [4],
        codes: expect.arrayContaining(['E_INPUT_BYTES']),
      });
    }
  });
});

describe('bytes behind others', () => {
  it.each([4096, 4097])('are found behind %i zeros', zeros => {
    expect(read(Buffer.concat([Buffer.alloc(zeros), cper(5)])).pages).toEqual([5]);
    if (zeros % 4 === 0) expect(read(Buffer.concat([Buffer.alloc(zeros), block(5)])).pages).toEqual([5]);
  });
  it('are found behind junk, which is told', () => {
    for (const of of [cper, block]) {
      expect(read(Buffer.concat([Buffer.from('junk\0junk, junk'), of(5)]))).toEqual({
        pages: [5],
        codes: ['E_CPER_UNKNOWN'],
      });
    }
  });
});

describe('a place', () => {
  it('in the bytes that a text stands for is told as one', () => {
    const junk = Buffer.concat([block(1), Buffer.from('junk, junk')]);
    const [direct] = decode(junk).diagnostics;
    expect(direct).toMatchObject({ code: 'E_CPER_UNKNOWN', offset: block(1).length });
    const [text] = decode(lines(junk.toString('hex'), 64).join('\n')).diagnostics;
    expect(text?.offset).toBeUndefined();
    expect(text?.message).toContain(`at byte ${block(1).length} of the decoded bytes`);
  });
});

describe('one section', () => {
  it('whose text is dumped twice ends with the first, and that is said', () => {
    const bytes = encodeSection(body(0x1000n));
    const rows = lines(Buffer.from(bytes).toString('hex'), 32).map(
      (row, i) => `${(16 * i).toString(16).padStart(8, '0')}: ${lines(row, 4).join(' ')}\n`,
    );
    const { records, diagnostics } = decode(`${rows.join('')}${rows.join('')}`, { section: 'memory' });
    expect(records).toHaveLength(1);
    expect(diagnostics).toMatchObject([{ code: 'E_INPUT_BYTES' }]);
    expect(decode(rows.join(''), { section: 'memory' }).diagnostics).toEqual([]);
  });
});

describe('a line that was cut in a log', () => {
  const FIRST = '[    1.000001] mce: [Hardware Error]: CPU 1: Machine Check Exception: 5 Bank 7: be00';
  const LINES = [
    'Nov 29 10:00:00 host kernel: nothing about errors',
    FIRST,
    '[    1.000004] [Hardware Error]: CPU:3 (17:1:1) MC2_STATUS[-|CE|-|-|AddrV|CECC]: 0x94004000',
    '(XEN) CPU0: Machine Check Exception:                5',
    '(XEN) Bank 1: b2000000000',
    '[    1.000010] mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 9: bd8000',
  ];
  it.each([1, 40])('is told with the byte where it begins, %i times', times => {
    const lines = Array.from({ length: times }, () => LINES).flat();
    const cut = new Set(LINES.filter(l => /: (?:be00|0x94004000|b2000000000|bd8000)$/.test(l)));
    let at = 0;
    const expected: number[] = [];
    for (const line of lines) {
      if (cut.has(line)) expected.push(at);
      at += line.length + 1;
    }
    const { records, diagnostics } = decode(lines.join('\n'));
    expect(records).toEqual([]);
    const told = diagnostics.filter(d => d.code === 'E_TEXT_TRUNCATED');
    expect(told.map(d => d.offset)).toEqual(expected);
    expect(expected.length).toBe(4 * times);
  });
});

describe('reports that stand mixed', () => {
  const line = (i: number, text: string): string => `{${i}}[Hardware Error]: ${text}`;
  const numbers = Array.from({ length: 17 }, (_, i) => i + 1);
  const each = (text: (i: number) => string): string[] => numbers.map(i => line(i, text(i)));
  it('are each themselves, and of one too many that is said', () => {
    const lines = [
      ...each(() => 'Hardware error from APEI Generic Hardware Error Source: 2'),
      ...each(() => 'event severity: corrected'),
      ...each(() => ' Error 0, type: corrected'),
      ...each(() => '  section_type: memory error'),
      ...each(i => `  physical_address: 0x000000000000${i.toString(16).padStart(2, '0')}00`),
    ];
    const read = (text: string): { whole: number; bounds: number } => {
      const { records, diagnostics } = decode(text);
      const codes = [...records.flatMap(r => r.diagnostics), ...diagnostics].map(d => d.code);
      return {
        whole: records.filter(r => r.address !== undefined).length,
        bounds: codes.filter(c => c === 'E_TEXT_BOUND').length,
      };
    };
    expect(read(lines.filter(l => !l.startsWith('{17}')).join('\n'))).toEqual({ whole: 16, bounds: 0 });
    const { whole, bounds } = read(lines.join('\n'));
    expect(whole).toBeLessThan(17);
    expect(bounds).toBeGreaterThanOrEqual(17 - whole);
  });
});

describe('the last register of a machine check', () => {
  const HEAD = 'mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 4: bc00000000010090\n';
  const TSC = 'mce: [Hardware Error]: TSC 1234 ADDR 12340';
  const notes = (text: string): unknown[] => {
    const { records, diagnostics } = decode(text);
    expect(records.map(r => r.registers['status'])).toEqual([0xbc00_0000_0001_0090n]);
    return diagnostics.map(d => [d.code, d.offset]);
  };
  it('may be cut where the input ends right behind it, which is said with its byte', () => {
    expect(notes(`${HEAD}${TSC}`)).toEqual([['W_TEXT_INCOMPLETE', HEAD.length]]);
    expect(notes(`${HEAD}${TSC} `)).toEqual([]);
    expect(notes(`${HEAD}${TSC}\n`)).toEqual([]);
  });
  it.each(['TSC 1234 ADDR ', 'TSC 1234 ADDR', 'TSC ', 'TSC 1234 ADDR 12340x'])('%s is no line: that is said', line => {
    const cut = `mce: [Hardware Error]: ${line}`;
    expect(notes(`${HEAD}${cut}`)).toEqual([['E_TEXT_TRUNCATED', HEAD.length]]);
    expect(notes(`${HEAD}${cut}\nsomething else\n`)).toEqual([['E_TEXT_TRUNCATED', HEAD.length]]);
  });
});

describe('a name that a process gave itself', () => {
  const names = ['\r', '\u2028', '\u2029', '\u0085', '\u000b', '\u202e', '\u00ad'];
  const lines: ((name: string) => string)[] = [
    name => `Memory failure: 0x100e: Sending SIGBUS to a${name}b:1 due to hardware memory corruption`,
    name => `Memory failure: 0x100e: Killing a${name}b:1 due to hardware memory corruption`,
    name => `MCE: Killing a${name}b:1 due to hardware memory corruption fault at 7f00`,
    name => `[Hardware Error]: GHES: a${name}b:1: synchronous unrecoverable error (SIGBUS)`,
    name => `Memory failure: 0x100e: recovery action for a${name}b: Recovered`,
    name => `Soft offline: 0x100e: a${name}b`,
    name => `Unpoison: 0x100e: a${name}b`,
    name => `Kernel panic - not syncing: Fatal machine check a${name}b`,
    name => `mce: [Hardware Error]: Machine check: a${name}b`,
  ];
  it.each(names)('hides no line: %j', name => {
    for (const line of lines) {
      const { records } = decode(`[    1.000001] ${line(name)}\n`);
      expect(
        records.map(r => r.class),
        line(name),
      ).toEqual(decode(`[    1.000001] ${line('x')}\n`).records.map(r => r.class));
      expect(records.length, line(name)).toBe(1);
    }
  });
});
