import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cursor, U64Joiner } from './bytes.ts';
import { cpuidOf, edacFlagBits, edacFlagMismatch } from './linux/edac-flags.ts';
import { jsonLine } from './transport/json-lines.ts';
import { LineScanner } from './transport/line-scanner.ts';
import { MceLexer } from './linux/mce-lexer.ts';
import { looksLikeMceInject } from './tools/mce-inject-reader.ts';
import { NeedleSet } from './needles.ts';
import { mceCommand, values } from './values/values.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('numbers out of bytes', () => {
  it('reads every u64 in hex, and puts it together from its halves', () => {
    const c = new Cursor();
    fc.assert(
      fc.property(u64, v => {
        const b = bytes(`${v.toString(16)} `);
        c.set(b, 0, b.length);
        expect(c.hex()).toBe(v);
        expect(c.at).toBe(b.length - 1);
        expect(new U64Joiner().of(Number(v >> 32n), Number(v & 0xffff_ffffn))).toBe(v);
      }),
    );
  });

  it('takes no number that is too long, and none where there is none', () => {
    const read = (text: string, how: (c: Cursor) => unknown): unknown => {
      const c = new Cursor();
      const b = bytes(text);
      c.set(b, 0, b.length);
      return how(c);
    };
    expect(read('11112222333344445', c => c.hex())).toBeUndefined();
    expect(read('x1', c => c.hex())).toBeUndefined();
    expect(read('', c => c.hex())).toBeUndefined();
    expect(read('12345', c => c.decimal(4))).toBe(-1);
    expect(read('1234', c => c.decimal(4))).toBe(1234);
    expect(read('', c => c.decimal(4))).toBe(-1);
    expect(read('999999999999999', c => c.decimal(15))).toBe(999_999_999_999_999);
  });
});

describe('needles', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '[', ' '), minLength: 5, maxLength: 10 });
  const NONE = Number.POSITIVE_INFINITY;
  const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

  it('are found where a plain search finds one, in the first line that holds any', () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '[', ' ', 'x', '\n'), maxLength: 200 }),
        fc.nat(9),
        fc.nat(9),
        (words, text, from, cut) => {
          const end = Math.max(from, text.length - cut);
          const within = text.slice(from, end);
          const first = Math.min(...words.map(w => (within.includes(w) ? from + within.indexOf(w) : NONE)));
          const found = new NeedleSet(words).find(bytes(text), from, end);
          if (first === NONE) expect(found).toBe(-1);
          else {
            expect(words.some(w => found + w.length <= end && text.startsWith(w, found))).toBe(true);
            expect(lineOf(text, found)).toBe(lineOf(text, first));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('are none that are too short to be found', () => {
    expect(() => new NeedleSet(['needle', 'four'])).toThrow(RangeError);
  });
});

describe('line scanner', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'needle', '\r', ' ', 'é'), maxLength: 8 });

  it('hands on the lines with a needle, with their numbers, whatever the chunks are', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (lines, sizes) => {
          const input = bytes(lines.map(l => `${l}\n`).join(''));
          const seen: [number, string][] = [];
          let passed = 0;
          const scanner = new LineScanner(
            {
              line(b, start, end, n) {
                seen.push([n, new TextDecoder().decode(b.subarray(start, end))]);
                return false;
              },
              skipped(n) {
                passed += n;
              },
              cut: () => {},
            },
            new NeedleSet(['needle']),
          );
          for (let at = 0, i = 0; at < input.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            scanner.push(input.subarray(at, at + size));
            at += size;
          }
          scanner.end();
          expect(seen).toEqual(lines.flatMap((l, i) => (l.includes('needle') ? [[i + 1, l]] : [])));
          expect(passed + seen.length).toBe(lines.length);
          expect(scanner.lines).toBe(lines.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('cuts lines that are too long at the same place, in one chunk or many, and says what may matter of them', () => {
    const parts = [
      `${'x'.repeat(200_000)}needle\n`,
      `needle${'y'.repeat(100_000)}\n`,
      `${'z'.repeat(70_000)}\n`,
      // Over the bound itself.
      `${'x'.repeat(65_533)}needle and more\n`,
      'end needle\n',
      `${'x'.repeat(65_537)}needle`,
    ];
    const long = bytes(parts.join(''));
    const starts = parts.map((_, i) => parts.slice(0, i).join('').length);
    const run = (size: number): unknown[][] => {
      const seen: unknown[][] = [];
      const scanner = new LineScanner(
        {
          line(_b, start, end, n, offset) {
            seen.push(['line', n, end - start, offset]);
            return false;
          },
          skipped: () => {},
          cut: (n, left, offset) => seen.push(['cut', n, left, offset]),
        },
        new NeedleSet(['needle']),
      );
      for (let at = 0; at < long.length; at += size) scanner.push(long.subarray(at, at + size));
      scanner.end();
      return seen;
    };
    const expected = [
      ['cut', 1, 200_006 - 65_536, 65_536],
      ['line', 2, 65_536, starts[1]],
      ['cut', 2, 100_006 - 65_536, (starts[1] ?? 0) + 65_536],
      ['cut', 4, 12, (starts[3] ?? 0) + 65_536],
      ['line', 5, 10, starts[4]],
      ['cut', 6, 7, (starts[5] ?? 0) + 65_536],
    ];
    for (const size of [long.length, 65_536, 1000, 4097, 1]) expect(run(size)).toEqual(expected);
  });
});

describe('machine check lines', () => {
  it('are read field by field', () => {
    expect(
      new MceLexer().lineOf('mce: [Hardware Error]: CPU 12: Machine Check Exception: 5 Bank -1: bd000000000000c0'),
    ).toEqual({
      kind: 'header',
      cpu: 12,
      exception: true,
      mcgStatus: 5n,
      bank: -1,
      status: 0xbd000000000000c0n,
    });
    expect(new MceLexer().lineOf('[Hardware Error]: TSC 1f SYND 2 IPID 3 ')).toEqual({
      kind: 'tsc',
      tsc: 0x1fn,
      synd: 2n,
      ipid: 3n,
    });
    expect(new MceLexer().lineOf('mce: [Hardware Error]: RIP !INEXACT! 10:<ffffffff8006b2b0> {idle}')).toEqual({
      kind: 'rip',
      exact: false,
      cs: 0x10n,
      rip: 0xffffffff8006b2b0n,
    });
    expect(
      new MceLexer().lineOf(
        'mce: [Hardware Error]: PROCESSOR 2:a20f10 TIME 1795167593 SOCKET 1 APIC 1f microcode a201016',
      ),
    ).toEqual({
      kind: 'processor',
      vendor: 2,
      cpuid: 0xa20f10n,
      time: 1_795_167_593n,
      socket: 1,
      apicId: 0x1fn,
      microcode: 0xa201016n,
    });
  });

  it('are nothing else', () => {
    for (const text of [
      '',
      'mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 9: 9c000000000000c0 and more',
      'mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 9: 19c000000000000c00',
      'mce: [Hardware Error]: TSC 0 ADDR',
      'mce: [Hardware Error]: TSC 0 MISC 1 ADDR 2',
      'TSC 0',
      'PROCESSOR 0:50654 TIME 1 SOCKET 0 APIC 0',
    ]) {
      expect([text, new MceLexer().lineOf(text)]).toEqual([text, undefined]);
    }
    expect(new MceLexer().lineOf('mce: CPU 1: Machine Check: 0 Bank 9: 9c000000000000c0')).toMatchObject({
      cpu: 1,
      bare: true,
    });
    expect(new MceLexer().lineOf('TSC 0', true)).toEqual({ kind: 'tsc', tsc: 0n });
  });
});

describe('flags of the AMD decoder', () => {
  const WORDS = ['Over', 'UE', 'MiscV', 'AddrV', 'PCC', 'TCC', 'SyndV', 'CECC', 'UECC', 'Deferred', 'Poison', 'Scrub'];

  it('become bits, and agree with the bits they were made of', () => {
    expect(edacFlagBits('-|-|MiscV|AddrV|-|-|-|Deferred|Poison|-')).toBe(0x8c00180000000000n);
    fc.assert(
      fc.property(fc.subarray(WORDS), words => {
        const flags = ['-', ...words].join('|');
        expect(edacFlagMismatch(flags, edacFlagBits(flags))).toEqual([]);
      }),
    );
  });

  it('say where they disagree with the register', () => {
    expect(edacFlagMismatch('Over|CE|-|AddrV|-', 0xbc00080000000000n)).toEqual(['+Over', '-UE', '-MiscV', '+CE']);
  });

  it('give the signature of family, model and stepping', () => {
    expect(cpuidOf(0x17, 0x1, 0x2)).toBe(0x800f12n);
    expect(cpuidOf(0x19, 0x11, 0x1)).toBe(0xa10f11n);
    expect(cpuidOf(6, 85, 4)).toBe(0x50654n);
  });
});

describe('values', () => {
  it('reads every u64 as a status', () => {
    fc.assert(
      fc.property(u64, v => {
        const text = `0x${v.toString(16)}`;
        expect(values(text)?.record).toEqual({ kind: 'x86-mca', bank: 0, status: v });
        expect(values(text, { esr: true })?.record).toEqual({ kind: 'arm-sea', esr: v });
      }),
    );
  });

  it('reads what it wrote itself, in any order and case', () => {
    fc.assert(
      fc.property(u64, u64, u64, fc.nat(4000), fc.nat(60), (status, addr, misc, cpu, bank) => {
        const words = [`STATUS=0x${status.toString(16)}`, `addr: 0x${addr.toString(16)}`, `cpu=${cpu}`, `bank=${bank}`];
        const text = [...words, `MCi_MISC=0x${misc.toString(16)}`, 'vendor=amd'].toReversed().join(' ');
        expect(values(text)?.record).toEqual({ kind: 'x86-mca', vendor: 'amd', cpu, bank, status, addr, misc });
      }),
    );
  });

  it("takes QEMU's command with the monitor's own numbers", () => {
    expect(mceCommand('mce -b 0 9 0xbd000000000000c0 5 4096 0x8c')?.record).toEqual({
      kind: 'x86-mca',
      cpu: 0,
      bank: 9,
      status: 0xbd000000000000c0n,
      mcgStatus: 5n,
      addr: 4096n,
      misc: 0x8cn,
    });
    expect(mceCommand('mce 0 9 0xbd000000000000c0 5 4096')).toBeUndefined();
    expect(mceCommand('mce: CPU supports 10 MCE banks')).toBeUndefined();
  });

  it('takes nothing else for values', () => {
    for (const text of [
      '',
      'deadbee',
      'cafe',
      'status',
      'addr=0x1000',
      'a line of words',
      'status=xyz',
      '0x',
      'status=0x1 and words',
    ]) {
      expect([text, values(text)]).toEqual([text, undefined]);
    }
  });
});

describe('JSON lines', () => {
  it('gives what they carry', () => {
    expect(jsonLine('{"MESSAGE":[72,105],"_TRANSPORT":"kernel"}')).toEqual({
      kind: 'journal',
      value: { MESSAGE: [72, 105], _TRANSPORT: 'kernel' },
      message: 'Hi',
      program: 'kernel',
    });
    expect(jsonLine('{"event":"STOP","timestamp":{}}')?.kind).toBe('qmp');
    expect(jsonLine('{"t":1,"layer":"guest","source":"console","raw":"x","dir":"send"}')).toBeUndefined();
    for (const text of ['', '{', '[]', '{"MESSAGE":7}', '{"MESSAGE":[300]}']) {
      expect([text, jsonLine(text)]).toEqual([text, undefined]);
    }
    for (const text of ['{}', '{"event":7}']) expect([text, jsonLine(text)?.kind]).toEqual([text, 'other']);
  });
});

describe('mce-inject', () => {
  it('is told from what resembles it', () => {
    const isInject = (text: string): boolean => looksLikeMceInject(text.split('\n'));
    expect(isInject('# x\nCPU 0 BANK 1\nSTATUS CORRECTED\n')).toBe(true);
    expect(isInject('NOBROADCAST\nCPU 0 BANK 1\nSTATUS 0x9c\n')).toBe(true);
    expect(isInject('MCE 0\nCPU 0 BANK 1\nSTATUS 9c MCGSTATUS 0\n')).toBe(false);
    expect(isInject('some text\nCPU 0 BANK 1\nSTATUS 0x9c\n')).toBe(false);
  });
});
