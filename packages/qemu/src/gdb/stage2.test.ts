import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stage2Base, stage2Format, type Stage2Walk, walkStage2, withTableAddress } from './stage2.ts';
import { type Mapping, Stage2Tables, vtcrOf, type VtcrFields } from './testing/stage2-tables.ts';

/** VTCR_EL2 by its fields; what is not named is 0. */
const vtcr = (fields: VtcrFields): bigint => vtcrOf(fields);

async function walk(tables: Stage2Tables, ipa: bigint): Promise<Stage2Walk> {
  return walkStage2({ vttbr: tables.vttbr, vtcr: tables.vtcr, ipa }, pa => Promise.resolve(tables.read(pa)));
}

const page = (walked: Stage2Walk): unknown[] => [walked.output?.pa, walked.output?.size, walked.fault];

describe('stage2Format', () => {
  // T0SZ, SL0, TG0, PS → start level, bits of the start index, concatenated tables. Values as KVM and other hypervisors
  // use them, and the edges of each granule.
  test.each<[string, VtcrFields, number, number, number]>([
    ['4K, 40 bits, KVM', { t0sz: 24, sl0: 1, tg0: 0, ps: 2 }, 1, 10, 2],
    ['4K, 39 bits', { t0sz: 25, sl0: 1, tg0: 0, ps: 2 }, 1, 9, 1],
    ['4K, 48 bits', { t0sz: 16, sl0: 2, tg0: 0, ps: 5 }, 0, 9, 1],
    ['4K, 43 bits, 16 tables', { t0sz: 21, sl0: 1, tg0: 0, ps: 4 }, 1, 13, 16],
    ['4K, 34 bits, from level 2', { t0sz: 30, sl0: 0, tg0: 0, ps: 1 }, 2, 13, 16],
    ['4K, 21 bits, from level 3', { t0sz: 43, sl0: 3, tg0: 0, ps: 0 }, 3, 9, 1],
    ['4K, 52 bits, LPA2, from level -1', { t0sz: 12, sl0: 0, sl2: 1, tg0: 0, ps: 6, ds: 1 }, -1, 4, 1],
    ['4K, 52 bits, LPA2, from level 0', { t0sz: 12, sl0: 2, tg0: 0, ps: 6, ds: 1 }, 0, 13, 16],
    ['16K, 40 bits', { t0sz: 24, sl0: 1, tg0: 2, ps: 2 }, 2, 15, 16],
    ['16K, 47 bits', { t0sz: 17, sl0: 2, tg0: 2, ps: 5 }, 1, 11, 1],
    ['16K, 52 bits, LPA2', { t0sz: 12, sl0: 3, tg0: 2, ps: 6, ds: 1 }, 0, 5, 1],
    ['64K, 42 bits', { t0sz: 22, sl0: 1, tg0: 1, ps: 3 }, 2, 13, 1],
    ['64K, 48 bits', { t0sz: 16, sl0: 2, tg0: 1, ps: 5 }, 1, 6, 1],
    ['64K, 52 bits', { t0sz: 12, sl0: 2, tg0: 1, ps: 6 }, 1, 10, 1],
  ])('%s', (_name, fields, startLevel, startIndexBits, concatenated) => {
    expect(stage2Format(vtcr(fields))).toMatchObject({
      startLevel,
      startIndexBits,
      concatenated,
      inputBits: 64 - fields.t0sz,
    });
  });

  test.each<[string, VtcrFields, RegExp]>([
    ['TG0', { t0sz: 24, sl0: 1, tg0: 3, ps: 2 }, /TG0/],
    ['PS', { t0sz: 24, sl0: 1, tg0: 0, ps: 7 }, /PS = 0b111/],
    ['PS of 52 bits without DS', { t0sz: 24, sl0: 1, tg0: 0, ps: 6 }, /only with DS/],
    ['SL0 of 64K', { t0sz: 24, sl0: 3, tg0: 1, ps: 2 }, /SL0 = 3/],
    ['SL0 of 16K without DS', { t0sz: 16, sl0: 3, tg0: 2, ps: 2 }, /SL0 = 3/],
    ['SL2 without DS', { t0sz: 16, sl0: 0, sl2: 1, tg0: 0, ps: 5 }, /SL2 = 1/],
    ['SL2 with SL0', { t0sz: 12, sl0: 1, sl2: 1, tg0: 0, ps: 6, ds: 1 }, /SL2 = 1/],
    ['more than 48 bits without DS', { t0sz: 12, sl0: 2, tg0: 0, ps: 5 }, /more than 48/],
    ['more than 52 bits', { t0sz: 0, sl0: 2, tg0: 1, ps: 6 }, /more than 52/],
    ['too few bits', { t0sz: 63, sl0: 3, tg0: 0, ps: 2 }, /less than 16/],
    ['nothing to look up', { t0sz: 40, sl0: 1, tg0: 0, ps: 2 }, /nothing to look up/],
    ['32 tables', { t0sz: 20, sl0: 1, tg0: 0, ps: 5 }, /more than 16 concatenated/],
    ['128-bit descriptors', { t0sz: 24, sl0: 1, tg0: 0, ps: 2, d128: 1 }, /D128/],
  ])('refuses a reserved or impossible %s', (_name, fields, message) => {
    expect(() => stage2Format(vtcr(fields))).toThrow(message);
    expect(() => stage2Format(vtcr(fields))).toThrow(expect.objectContaining({ code: 'E_STAGE2_CONFIG' }) as Error);
  });

  test('takes any register value for a format or an error of its own', () => {
    const outcome = (value: bigint): string => {
      try {
        const f = stage2Format(value);
        return f.startIndexBits > 0 && f.concatenated <= 16 && f.startLevel <= 3 ? 'sound' : 'unsound';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), value => {
        expect(['sound', 'E_STAGE2_CONFIG']).toContain(outcome(value));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('stage2Base', () => {
  const kvm = stage2Format(vtcr({ t0sz: 24, sl0: 1, tg0: 0, ps: 2 }));

  test('leaves out VMID and CnP', () => {
    expect(stage2Base(0xabcd_0000_4100_2001n, kvm)).toBe(0x4100_2000n);
  });

  test('takes bits 51 to 48 from bits 5 to 2', () => {
    const wide = stage2Format(vtcr({ t0sz: 12, sl0: 2, tg0: 1, ps: 6 }));
    expect(stage2Base(0x0001_0000_4100_0000n | (0xan << 2n), wide)).toBe(0xa_0000_4100_0000n);
  });

  test('refuses one not aligned to its tables', () => {
    expect(() => stage2Base(0x4100_1000n, kvm)).toThrow(/8192 bytes and is not aligned/);
  });
});

describe('walkStage2', () => {
  test('walks what KVM of Linux 7.2 had on QEMU: LPA2, two concatenated tables, a page not yet mapped', async () => {
    const memory = new Map([
      [0x42c7_0008n, 0x44ba_3003n],
      [0x44ba_3008n, 0x44ba_1003n],
      [0x44ba_1008n, 0n],
    ]);
    const reads: bigint[] = [];
    const input = { vttbr: 0x0001_0000_42c7_0001n, vtcr: 0x1_802e_3558n, ipa: 0x4020_1000n };
    expect(stage2Format(input.vtcr)).toMatchObject({ ds: true, inputBits: 40, outputBits: 52, concatenated: 2 });
    const result = await walkStage2(input, pa => {
      reads.push(pa);
      return Promise.resolve(memory.get(pa)!);
    });
    expect(reads).toEqual([...memory.keys()]);
    expect(result.fault).toEqual({ level: 3, reason: 'translation' });
    expect(result.steps.map(s => [s.level, s.index, s.kind])).toEqual([
      [1, 1, 'table'],
      [2, 1, 'table'],
      [3, 1, 'invalid'],
    ]);
  });

  const kvm = { t0sz: 24, sl0: 1, tg0: 0, ps: 2 };

  test('uses the second of two concatenated tables', async () => {
    const tables = new Stage2Tables(kvm);
    tables.map({ ipa: 0xff_8000_0000n, pa: 0x5000_0000n, level: 3 });
    const walked = await walk(tables, 0xff_8000_0abcn);
    expect(walked.steps[0]).toMatchObject({ level: 1, index: 1022 });
    expect(page(walked)).toEqual([0x5000_0abcn, 0x1000n, undefined]);
  });

  test('an IPA beyond the input size is a translation fault at level 0, and nothing is read', async () => {
    const result = await walkStage2({ vttbr: 0x4100_0000n, vtcr: vtcr(kvm), ipa: 1n << 40n }, () =>
      expect.fail('nothing is to be read'),
    );
    expect(result).toEqual({ steps: [], fault: { level: 0, reason: 'translation' } });
  });

  test('a table base beyond the output size is an address size fault, and nothing is read', async () => {
    const result = await walkStage2({ vttbr: 1n << 44n, vtcr: vtcr(kvm), ipa: 0n }, () =>
      expect.fail('nothing is to be read'),
    );
    expect(result.fault).toEqual({ level: 0, reason: 'address-size' });
  });

  // Level, descriptor, and what comes of it: with 4 KiB, 40 bits, from level 1.
  test.each<[string, bigint[], object]>([
    ['invalid at level 1', [0n], { level: 1, reason: 'translation' }],
    ['0b10 is invalid', [2n], { level: 1, reason: 'translation' }],
    ['invalid at level 2', [0x4200_0003n, 0n], { level: 2, reason: 'translation' }],
    ['a block at level 3 is invalid', [0x4200_0003n, 0x4300_0003n, 0x4400_0401n], { level: 3, reason: 'translation' }],
    ['a table beyond 40 bits', [(1n << 40n) | 3n], { level: 1, reason: 'address-size' }],
    ['a block beyond 40 bits', [(1n << 44n) | 0x401n], { level: 1, reason: 'address-size' }],
    ['no access flag', [0x8000_0001n], { level: 1, reason: 'access-flag' }],
  ])('%s', async (_name, descriptors, fault) => {
    let next = 0;
    const result = await walkStage2({ vttbr: 0x4100_0000n, vtcr: vtcr(kvm), ipa: 0n }, () =>
      Promise.resolve(descriptors[next++]!),
    );
    expect(result.fault).toEqual(fault);
    expect(result.output).toBeUndefined();
    expect(result.steps).toHaveLength(descriptors.length);
  });

  test('the hardware sets the access flag where VTCR_EL2.HA says so', async () => {
    const input = { vttbr: 0x4100_0000n, vtcr: vtcr(kvm) | (1n << 21n), ipa: 5n };
    const result = await walkStage2(input, () => Promise.resolve(0x8000_0001n));
    expect(page(result)).toEqual([0x8000_0005n, 1n << 30n, undefined]);
  });

  test('blocks at the levels the granule has them', async () => {
    for (const [fields, level, allowed] of [
      [{ t0sz: 16, sl0: 2, tg0: 0, ps: 5 }, 0, false],
      [{ t0sz: 12, sl0: 2, tg0: 0, ps: 6, ds: 1 }, 0, true],
      [{ t0sz: 16, sl0: 2, tg0: 0, ps: 5 }, 1, true],
      [{ t0sz: 17, sl0: 2, tg0: 2, ps: 5 }, 1, false],
      [{ t0sz: 12, sl0: 3, tg0: 2, ps: 6, ds: 1 }, 1, true],
      [{ t0sz: 17, sl0: 2, tg0: 2, ps: 5 }, 2, true],
      [{ t0sz: 16, sl0: 2, tg0: 1, ps: 5 }, 1, false],
      [{ t0sz: 12, sl0: 2, tg0: 1, ps: 6 }, 1, true],
      [{ t0sz: 16, sl0: 2, tg0: 1, ps: 5 }, 2, true],
      [{ t0sz: 12, sl0: 0, sl2: 1, tg0: 0, ps: 6, ds: 1 }, -1, false],
    ] as const) {
      const tables = new Stage2Tables(fields);
      tables.map({ ipa: 0n, pa: 0n, level });
      const walked = await walk(tables, 0x123n);
      expect(walked.output?.pa, `${JSON.stringify(fields)} level ${level}`).toBe(allowed ? 0x123n : undefined);
      expect(walked.steps.at(-1)?.kind).toBe(allowed ? 'block' : 'invalid');
    }
  });

  test('what the reader throws passes through', async () => {
    const failing = walkStage2({ vttbr: 0x4100_0000n, vtcr: vtcr(kvm), ipa: 0n }, () =>
      Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow('no');
  });
});

/** Formats of every granule, with and without concatenation and 52 bits. */
const formats: VtcrFields[] = [
  { t0sz: 24, sl0: 1, tg0: 0, ps: 2 },
  { t0sz: 16, sl0: 2, tg0: 0, ps: 5 },
  { t0sz: 21, sl0: 1, tg0: 0, ps: 4 },
  { t0sz: 43, sl0: 3, tg0: 0, ps: 0 },
  { t0sz: 12, sl0: 0, sl2: 1, tg0: 0, ps: 6, ds: 1 },
  { t0sz: 12, sl0: 2, tg0: 0, ps: 6, ds: 1 },
  { t0sz: 24, sl0: 1, tg0: 2, ps: 2 },
  { t0sz: 17, sl0: 2, tg0: 2, ps: 5 },
  { t0sz: 12, sl0: 3, tg0: 2, ps: 6, ds: 1 },
  { t0sz: 22, sl0: 1, tg0: 1, ps: 3 },
  { t0sz: 12, sl0: 2, tg0: 1, ps: 6 },
];

describe.each(formats)('tables built for %o', fields => {
  const { inputBits, outputBits, granuleBits } = stage2Format(vtcrOf(fields));
  const aligned = (bits: number): fc.Arbitrary<bigint> =>
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits - granuleBits)) - 1n }).map(n => n << BigInt(granuleBits));

  test('lead every IPA where it was mapped, and no other anywhere', async () => {
    const pages = fc.uniqueArray(fc.record({ ipa: aligned(inputBits), pa: aligned(outputBits) }), {
      selector: m => m.ipa,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(pages, aligned(inputBits), fc.nat({ max: 4095 }), async (mapped, other, offset) => {
        const tables = new Stage2Tables(fields);
        for (const { ipa, pa } of mapped) tables.map({ ipa, pa, level: 3 } satisfies Mapping);
        for (const { ipa, pa } of mapped) {
          const walked = await walk(tables, ipa + BigInt(offset));
          expect(page(walked)).toEqual([pa + BigInt(offset), 1n << BigInt(granuleBits), undefined]);
          expect(walked.steps.length).toBeLessThanOrEqual(5);
        }
        const unmapped = !mapped.some(m => m.ipa === other);
        expect((await walk(tables, other)).fault?.reason).toBe(unmapped ? 'translation' : undefined);
      }),
      { numRuns: 40 },
    );
  });

  test('a table descriptor takes another address and keeps the rest', () => {
    const format = stage2Format(vtcrOf(fields));
    fc.assert(
      fc.property(aligned(outputBits), aligned(outputBits), fc.bigInt({ min: 0n, max: 31n }), (first, second, top) => {
        const descriptor = withTableAddress((top << 59n) | 3n, first, format);
        const changed = withTableAddress(descriptor, second, format);
        expect(changed >> 59n).toBe(top);
        expect(changed & 3n).toBe(3n);
        expect(withTableAddress(changed, first, format)).toBe(descriptor);
        expect(changed === descriptor).toBe(first === second);
      }),
    );
    expect(() => withTableAddress(3n, 0x800n, format)).toThrow(/cannot be the address/);
    expect(() => withTableAddress(3n, 1n << BigInt(outputBits), format)).toThrow(/cannot be the address/);
  });

  test('any memory at all ends the walk within five reads, at addresses that exist', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: 0n, max: (1n << BigInt(inputBits)) - 1n }),
        fc.array(
          fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(d => d | 1n),
          { minLength: 5, maxLength: 5 },
        ),
        async (ipa, descriptors) => {
          let reads = 0;
          const tables = new Stage2Tables(fields);
          const walked = await walkStage2({ vttbr: tables.vttbr, vtcr: tables.vtcr, ipa }, pa => {
            expect(pa % 8n).toBe(0n);
            expect(pa >> BigInt(outputBits)).toBe(0n);
            return Promise.resolve(descriptors[reads++]!);
          });
          expect(reads).toBe(walked.steps.length);
          expect((walked.output === undefined) !== (walked.fault === undefined)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
