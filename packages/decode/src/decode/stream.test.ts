/** Input of any length, in pieces of any size: the same records, and everything that is left out is said. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { encodeCper } from '../cper/region.ts';
import { errorRecord } from '../cper/testing/arbitrary.ts';
import { XEN_MCE_BYTES } from '../mca/xen-mcelog.ts';
import { createDecoder, decode } from './decoder.ts';
import type { DecoderOptions } from './decoder.ts';
import { rawData } from './record.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const STATUS = 0xbd80000000000134n;
const line = (i: number): string => `status=0x${(STATUS + BigInt(i)).toString(16)} cpuid=0x50654`;

/** Everything that is said of an input which comes in pieces of these sizes. */
function said(input: Uint8Array, sizes: readonly number[], options: Partial<DecoderOptions> = {}): string[] {
  const out: string[] = [];
  const decoder = createDecoder({
    ...options,
    onRecord: r => out.push(stringify([r.source, rawData(r), r.diagnostics])),
    onDiagnostic: (d, source) => out.push(stringify([d, source])),
  });
  for (let at = 0, i = 0; at < input.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    decoder.push(input.subarray(at, at + size));
    at += size;
  }
  decoder.end();
  return out;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 6 });

/** Firmware records behind each other, over the bytes by which the form of an input is told. */
const manyRecords = fc.array(errorRecord, { minLength: 1, maxLength: 4 }).map(records => {
  const some = Buffer.concat(records.map(r => encodeCper(r)));
  return Buffer.concat(Array.from({ length: Math.ceil(70_000 / some.length) }, () => some));
});
const wrapped = (text: string, width: number): string => text.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n');
const xxd = (bytes: Buffer): string =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => {
    const groups =
      bytes
        .subarray(16 * i, 16 * i + 16)
        .toString('hex')
        .match(/.{1,4}/g) ?? [];
    return `${(16 * i).toString(16).padStart(8, '0')}: ${groups.join(' ')}\n`;
  }).join('');
const TEXTS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  hex: bytes => wrapped(bytes.toString('hex'), 64),
  'hex with 0x': bytes => wrapped([...bytes].map(b => `0x${b.toString(16).padStart(2, '0')}, `).join(''), 96),
  'hex in one line': bytes => bytes.toString('hex'),
  base64: bytes => wrapped(bytes.toString('base64'), 76),
  'base64 in one line': bytes => bytes.toString('base64'),
  xxd,
};

describe('values', () => {
  it.each(['auto', 'value'] as const)('of 4,096 lines are 4,096 records, read as %s', from => {
    const input = Array.from({ length: 4096 }, (_, i) => `${line(i)}\n`).join('');
    const { records, diagnostics } = decode(input, { from });
    expect(records.map(r => r.registers['status'])).toEqual(Array.from({ length: 4096 }, (_, i) => STATUS + BigInt(i)));
    expect(diagnostics).toEqual([]);
  });

  it('are the same in pieces of any size, and a line that is none is told with its place', () => {
    const other = fc.constantFrom('', 'what is this?', 'addr=0x1000', `${line(1)} `.repeat(60), 'x'.repeat(70_000));
    const lines = fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat(4000).map(line) }, other), { maxLength: 30 });
    fc.assert(
      fc.property(lines, sizes, (some, cut) => {
        const input = utf8([line(0), ...some, ...some.map((_, i) => line(i)), line(7)].join('\n'));
        const whole = said(input, [input.length]);
        expect(said(input, cut)).toEqual(whole);
        const { records, diagnostics } = decode(input);
        const good = some.filter(l => l.startsWith('status') && l.length < 100).length;
        expect(records).toHaveLength(good + some.length + 2);
        expect(diagnostics).toHaveLength(some.filter(l => l !== '').length - good);
      }),
      { numRuns: 30 },
    );
  });

  it('of a line that is too long are none, and the line is told with its byte', () => {
    const bad = `${line(1)} ${'x'.repeat(2100)}`;
    for (const long of [bad, `${line(1)}${' '.repeat(100_000)}`]) {
      const input = `${line(0)}\n${long}\n${line(2)}\n`;
      const found: unknown[] = [];
      const decoder = createDecoder({
        onRecord: r => found.push(r.registers['status']),
        onDiagnostic: (d, source) => found.push([d.code, source.firstLine, d.offset]),
      });
      decoder.push(input);
      decoder.end();
      expect(found).toEqual([STATUS, ['E_TEXT_LONG', 2, line(0).length + 1], STATUS + 2n]);
    }
  });

  it('make no record of a line that the end of the head would have cut', () => {
    for (let shift = 0; shift < line(0).length; shift += 4) {
      const input = `${'\n'.repeat(shift)}${Array.from({ length: 1700 }, (_, i) => `${line(i)}\n`).join('')}`;
      const statuses = decode(input).records.map(r => r.registers['status']);
      expect([shift, statuses.length, statuses.find((s, i) => s !== STATUS + BigInt(i))]).toEqual([
        shift,
        1700,
        undefined,
      ]);
    }
  });

  const log = 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c000000000000c0';
  const told = (input: string): unknown[] => {
    const { records, diagnostics, detection } = decode(input);
    const bytes = utf8(input);
    for (const size of [1, 50, 4096]) expect(said(bytes, [size])).toEqual(said(bytes, [bytes.length]));
    return [detection?.form, records.length, [...new Set(diagnostics.map(d => d.code))], diagnostics.length];
  };

  it.each([1, 30, 3000])('of %i lines are read with a line of a log behind or among them, which is told', count => {
    const lines = Array.from({ length: count }, (_, i) => line(i));
    const half = Math.ceil(count / 2) + 1;
    for (const some of [
      [...lines, line(0), log],
      [line(0), ...lines.slice(0, half), log, ...lines.slice(half)],
    ]) {
      expect(told(`${some.join('\n')}\n`)).toEqual(['value', count + 1, ['E_TEXT_VALUE'], 1]);
    }
    expect(decode(`${line(0)}\n${line(1)}\n${log}\n`).diagnostics[0]?.message).toContain('a log');
  });

  it.each([1, 30, 3000])('of %i lines behind a line of a log are not read, and each is told', count => {
    const lines = Array.from({ length: count }, (_, i) => line(i));
    expect(told(`${[log, ...lines].join('\n')}\n`)).toEqual(['log', 1, ['E_TEXT_VALUE'], count]);
    // What the input is is decided on its beginning; the others are told either way.
    const logs = Array.from({ length: count + 1 }, () => log);
    const form =
      count < 3000 ? ['log', count + 1, ['E_TEXT_VALUE'], count] : ['value', count, ['E_TEXT_VALUE'], count + 1];
    expect(told(`${[...lines, ...logs].join('\n')}\n`)).toEqual(form);
  });

  it('are none in records of logs and of mce-inject, of which half the lines are like them', () => {
    const bank = 'Bank 4: b200000000070f0f[0000000000000000] at 0000000000001000';
    expect(told(`CPU 0: Machine Check Exception: 0000000000000004\n${bank}\n${bank}\n`)).toEqual(['log', 2, [], 0]);
    const mcelog = 'CPU 0 BANK 9\nSTATUS bd80000000000134 MCGSTATUS 7\n';
    expect(told(`${mcelog}STATUS bd80000000000134 MCGSTATUS 7\n`)[0]).toBe('log');
    const inject = 'CPU 0 BANK 9\nSTATUS 0xbd80000000000134\nSTATUS=0xbd80000000000134\nSTATUS=0xbd80000000000134\n';
    expect(told(inject)[0]).toBe('mce-inject');
  });

  it('are read behind and between comments, and behind a line of words, which is told', () => {
    const three = [line(0), line(1), line(2)];
    expect(told(`# registers\n${line(0)}\n`)).toEqual(['value', 1, [], 0]);
    expect(told(`${three.map(l => `# one\n\n  # two\n${l}\n`).join('')}`)).toEqual(['value', 3, [], 0]);
    expect(told(`registers\n${three.join('\n')}\n`)).toEqual(['value', 3, ['E_TEXT_VALUE'], 1]);
    // Numbers that are no valid status are none of an error.
    expect(told('addresses\n0x1000\n0x2000\n')).toEqual(['log', 0, [], 0]);
  });

  it.each([200, 5000])('of which %i stand in one line are told', count => {
    const one = Array.from({ length: count }, (_, i) => `0x${(STATUS + BigInt(i)).toString(16)}`);
    expect(told(`${one.join(' ')}\n`)).toEqual(['value', 0, ['E_TEXT_LONG'], 1]);
    expect(told(one.join(', '))).toEqual(['value', 0, ['E_TEXT_LONG'], 1]);
  });

  it('make no record of one that the end of the input cut, where others show it', () => {
    const lone = '0xbd80000000000134';
    const named = `status=${lone} addr=0x1234000`;
    for (const cut of [4, 10, 17]) {
      expect(told(`${named}\nstatus=${lone.slice(0, cut)}`)).toEqual(['value', 1, ['E_TEXT_TRUNCATED'], 1]);
      expect(told(`${lone}\n${lone}\n${lone.slice(0, cut)}`)).toEqual(['value', 2, ['E_TEXT_TRUNCATED'], 1]);
    }
    // With a line end it was meant, and so it is where others are as short.
    expect(told(`${lone}\n0xbd8\n`)).toEqual(['value', 2, [], 0]);
    expect(told(`${lone}\n0xbd8\n0xbd80`)).toEqual(['value', 3, [], 0]);
    const short = decode(`${named}\nstatus=${lone} addr=0x1234`).records;
    expect(short.map(r => r.diagnostics.map(d => d.code))).toEqual([[], ['W_TEXT_INCOMPLETE']]);
    expect(decode(`${named}\n${named}`).records.flatMap(r => r.diagnostics)).toEqual([]);
  });

  it('behind a mark have the places of the file, in UTF-8 and in UTF-16', () => {
    const text = `${line(0)}\n${line(1)}\nnothing\n`;
    const [first] = decode(utf8(`\ufeff${text}`)).diagnostics;
    expect(first?.offset).toBe(3 + 2 * (line(0).length + 1));
    const [second] = decode(new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'))).diagnostics;
    expect([second?.code, second?.offset]).toEqual(['E_TEXT_VALUE', 2 + 2 * (2 * (line(0).length + 1))]);
  });
});

describe('firmware records as text', () => {
  it.each(Object.keys(TEXTS))('%s of any length are the records of the bytes, in pieces of any size', name => {
    fc.assert(
      fc.property(manyRecords, sizes, (bytes, cut) => {
        const direct = decode(bytes);
        const text = utf8(TEXTS[name]?.(bytes) ?? '');
        expect(text.length).toBeGreaterThan(65_536);
        const { records, diagnostics } = decode(text);
        expect(records.map(r => [r.source.firstByte, rawData(r)])).toEqual(
          direct.records.map(r => [r.source.firstByte, rawData(r)]),
        );
        expect(diagnostics).toEqual([]);
        expect(said(text, cut)).toEqual(said(text, [text.length]));
      }),
      { numRuns: 4 },
    );
  });

  it('and bytes are the same in pieces of any size, damaged or not', () => {
    const damaged = fc
      .tuple(manyRecords, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
      .map(([bytes, at]) => {
        const out = new Uint8Array(bytes);
        for (const [where, value] of at) out[where % out.length] = value;
        return out;
      });
    fc.assert(
      fc.property(damaged, sizes, fc.boolean(), (bytes, cut, asHex) => {
        const input = asHex ? utf8(TEXTS['hex']?.(Buffer.from(bytes)) ?? '') : bytes;
        expect(said(input, cut)).toEqual(said(input, [input.length]));
      }),
      { numRuns: 8 },
    );
  });

  const record = encodeCper(
    fc.sample(errorRecord, { seed: 7, numRuns: 1 })[0] ?? { kind: 'cper', severity: 'none', sections: [] },
  );
  const one = Buffer.from(record);
  const codes = (text: string): unknown[] => {
    const { records, diagnostics } = decode(text);
    return [records.length, ...records.flatMap(r => r.diagnostics), ...diagnostics].map(d =>
      typeof d === 'number' ? d : [d.code, d.offset],
    );
  };

  it('whose last hex digit is cut off are told with its byte', () => {
    const hex = one.toString('hex');
    expect(codes(hex)).toEqual([1]);
    expect(codes(hex.slice(0, -1))).toContainEqual(['E_INPUT_BYTES', hex.length - 1]);
    expect(
      codes(
        one
          .toString('base64')
          .replace(/=*$/, '')
          .slice(0, 4 * 30 + 1),
      ),
    ).toContainEqual(['E_INPUT_BYTES', 121]);
    const dump = xxd(one).trimEnd();
    expect(codes(dump.replace(/[0-9a-f]$/, ''))).toContainEqual(['E_INPUT_BYTES', dump.lastIndexOf('\n') + 1]);
  });

  it('are not joined over what could not be read', () => {
    const lines = TEXTS['hex']?.(Buffer.concat([one, one])).split('\n') ?? [];
    const bad = [...lines.slice(0, 5), 'not hex at all', ...lines.slice(5)].join('\n');
    const { records, diagnostics } = decode(bad);
    expect(diagnostics.map(d => d.code)).toContain('E_INPUT_BYTES');
    // The first is cut where the text is; the second begins with its signature, and is whole.
    expect(records.at(-1)?.raw).toEqual(decode(one).records[0]?.raw);
    expect(records[0]?.diagnostics.map(d => d.code)).toContain('E_CPER_TRUNCATED');
    const rows = xxd(Buffer.concat([one, one])).split('\n');
    const missing = decode([...rows.slice(0, 9), ...rows.slice(10)].join('\n'));
    expect(missing.diagnostics.map(d => d.message)).toContain('16 bytes are missing before the row');
    expect(missing.records.at(-1)?.raw).toEqual(decode(one).records[0]?.raw);
  });

  it('behind each other, each padded or dumped for itself, are all read', () => {
    const base64 = `${one.toString('base64')}\n`;
    expect(codes(base64.repeat(3))).toEqual([3]);
    expect(codes(xxd(one).repeat(3))).toEqual([3]);
  });

  it('of which only one is too long lose only that, and it is said', () => {
    const long = Buffer.alloc(17 << 20, 7);
    one.copy(long);
    long.writeUInt32LE(long.length, 20);
    const { records, diagnostics } = decode(Buffer.concat([long, one]));
    expect(records.map(r => r.source.firstByte)).toEqual([0, long.length]);
    expect(records[0]?.diagnostics.map(d => [d.code, d.offset])).toContainEqual(['E_CPER_LIMIT', 16 << 20]);
    expect(diagnostics.map(d => [d.code, d.offset])).toEqual([['E_CPER_UNKNOWN', 16 << 20]]);
  });
});

describe('/dev/mcelog of Xen', () => {
  it('is read in pieces of any size, and what is no whole record is told', () => {
    const mce = new Uint8Array(XEN_MCE_BYTES);
    new DataView(mce.buffer).setBigUint64(0, STATUS, true);
    mce[67] = 1;
    const unfinished = mce.slice();
    unfinished[67] = 0;
    const bytes = Buffer.concat([mce, new Uint8Array(XEN_MCE_BYTES), unfinished, mce, mce.subarray(0, 50)]);
    const out = said(bytes, [bytes.length], { from: 'xen-mcelog' });
    expect(out).toHaveLength(4);
    const { diagnostics } = decode(bytes, { from: 'xen-mcelog' });
    expect(diagnostics.map(d => [d.code, d.offset])).toEqual([
      ['E_INPUT_XEN', 2 * XEN_MCE_BYTES],
      ['E_INPUT_XEN', 4 * XEN_MCE_BYTES],
    ]);
    for (const size of [1, 50, 113]) expect(said(bytes, [size], { from: 'xen-mcelog' })).toEqual(out);
    const hex = decode(wrapped(bytes.subarray(0, 4 * XEN_MCE_BYTES).toString('hex'), 64).repeat(200), {
      from: 'xen-mcelog',
    });
    expect([hex.records.length, hex.diagnostics.length]).toEqual([400, 200]);
  });
});

describe('logs', () => {
  const error = 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c000000000000c0';

  it('tell of a long line that mentions an error beyond what is read of it, and of no other', () => {
    const lines = ['x'.repeat(200_000), `${'y '.repeat(3000)}${error}`, error, `${'z'.repeat(70_000)}${error}`];
    const found: unknown[] = [];
    const decoder = createDecoder({
      onRecord: r => found.push(r.source.firstLine),
      onDiagnostic: (d, source) => found.push([d.code, source.firstLine, d.offset]),
    });
    decoder.push(`${lines.join('\n')}\n`);
    decoder.end();
    expect(found).toEqual([
      ['E_TEXT_LONG', 2, 200_001],
      3,
      ['E_TEXT_LONG', 4, 200_001 + 6000 + 2 * error.length + 2 + 65_536],
    ]);
  });

  it('of journald keep what stands behind a long binary field, and make nothing of what is in it', () => {
    const field = (name: string, value: string): Buffer => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(value.length));
      return Buffer.concat([Buffer.from(`${name}\n`), length, Buffer.from(`${value}\n`)]);
    };
    const within = `${'c'.repeat(100_000)}\nMESSAGE=${error}\n_TRANSPORT=kernel\n\n${'d'.repeat(100)}`;
    const entry = Buffer.concat([
      Buffer.from('__CURSOR=1\n'),
      field('COREDUMP', within),
      Buffer.from(`_TRANSPORT=kernel\nMESSAGE=${error.replace('CPU 3', 'CPU 5')}\n\n`),
    ]);
    const { records, diagnostics } = decode(entry);
    expect(records.map(r => r.cpu)).toEqual([5]);
    expect(diagnostics).toEqual([]);
    for (const size of [1, 4096]) expect(said(entry, [size])).toEqual(said(entry, [entry.length]));
    const message = decode(Buffer.concat([Buffer.from('__CURSOR=1\n'), field('MESSAGE', within), Buffer.from('\n')]));
    expect(message.diagnostics.map(d => [d.code, d.offset])).toEqual([['E_TEXT_LONG', 11]]);
    const cut = decode(entry.subarray(0, 5000));
    expect(cut.diagnostics.map(d => d.code)).toEqual(['E_TEXT_TRUNCATED']);
  });

  it('of mce-inject tell what belongs to no record', () => {
    const input = `STATUS CORRECTED\nCPU 0 BANK 1\nSTATUS 0x9c00000000000000\nADDR 0x1000 ${'# '.repeat(3000)}\n`;
    const { records, diagnostics } = decode(input, { from: 'mce-inject' });
    expect(records.map(r => r.registers)).toEqual([{ status: 0x9c00000000000000n, mcgStatus: 0n }]);
    expect(diagnostics.map(d => [d.code, d.offset])).toEqual([
      ['E_TEXT_VALUE', 0],
      ['E_TEXT_LONG', input.indexOf('ADDR')],
    ]);
  });

  it('of a trace tell of streams that are too many', () => {
    const event = (i: number): string => JSON.stringify({ t: i, layer: `l${i}`, source: 'console', raw: error });
    const { records, diagnostics } = decode(Array.from({ length: 40 }, (_, i) => `${event(i)}\n`).join(''));
    expect(records).toHaveLength(32);
    expect(diagnostics.map(d => d.code)).toEqual(['E_TEXT_STREAMS']);
  });
});
