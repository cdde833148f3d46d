import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { walkStage1 } from './stage1.ts';
import type { Stage1Registers } from './stage1.ts';

const VALID = 1n;
const TABLE_OR_PAGE = 3n;
const MMU_ON = 1n;

/** TCR_EL1 fields for one page size: TG0 at 15:14, TG1 at 31:30. */
const GRANULES = { 12: { tg0: 0n, tg1: 2n }, 14: { tg0: 2n, tg1: 1n }, 16: { tg0: 1n, tg1: 3n } } as const;
type Granule = keyof typeof GRANULES;

function registers(
  granule: Granule,
  inputBits: number,
  options: { ds?: boolean; tbi?: boolean } = {},
): Stage1Registers {
  const size = BigInt(64 - inputBits);
  const { tg0, tg1 } = GRANULES[granule];
  let tcr = size | (size << 16n) | (tg0 << 14n) | (tg1 << 30n);
  if (options.ds) tcr |= 1n << 59n;
  if (options.tbi) tcr |= 3n << 37n;
  return { ttbr0: 0x10_0000n, ttbr1: 0x20_0000n, tcr, sctlr: MMU_ON };
}

/** Guest memory with tables in it: what a kernel does when it maps one page or block. */
class Tables {
  readonly words = new Map<bigint, bigint>();
  #next = 0x100_0000n;
  readonly read = (gpa: bigint): bigint | undefined => this.words.get(gpa) ?? 0n;

  map(
    va: bigint,
    pa: bigint,
    regs: Stage1Registers,
    granule: Granule,
    inputBits: number,
    leafLevel: number,
    ds: boolean,
  ): void {
    const stride = granule - 3;
    const upper = ((va >> 55n) & 1n) === 1n;
    const address = va & ((1n << BigInt(inputBits)) - 1n);
    let table = upper ? regs.ttbr1 : regs.ttbr0;
    const levels = Math.ceil((inputBits - granule) / stride);
    for (let level = 4 - levels; ; level++) {
      const shift = BigInt(granule + stride * (3 - level));
      const index = level === 4 - levels ? address >> shift : (address >> shift) & ((1n << BigInt(stride)) - 1n);
      const at = table + index * 8n;
      if (level === leafLevel) {
        this.words.set(at, descriptor(pa, granule, ds) | (level === 3 ? TABLE_OR_PAGE : VALID));
        return;
      }
      const known = this.words.get(at);
      table = known === undefined ? (this.#next += 0x1_0000n) : addressOf(known);
      this.words.set(at, descriptor(table, granule, ds) | TABLE_OR_PAGE);
    }
  }
}

/** High address bits lie low in a descriptor: 51:50 in 9:8 (LPA2), 51:48 in 15:12 (64 KiB pages). */
function descriptor(pa: bigint, granule: Granule, ds: boolean): bigint {
  const low48 = pa & 0xffff_ffff_ffffn;
  if (granule === 16) return low48 | ((pa >> 48n) << 12n);
  if (!ds) return low48;
  return (pa & 0x3_ffff_ffff_ffffn) | ((pa >> 50n) << 8n);
}
const addressOf = (d: bigint): bigint => d & 0xffff_ffff_f000n;

describe('walkStage1', () => {
  const cases: [Granule, number, boolean, number][] = [
    [12, 48, false, 3],
    [12, 48, false, 2],
    [12, 48, false, 1],
    [12, 39, false, 3],
    [12, 52, true, 3],
    [12, 52, true, 2],
    [14, 47, false, 3],
    [14, 52, true, 3],
    [16, 48, false, 3],
    [16, 52, false, 3],
    [16, 42, false, 2],
  ];
  test.each(cases)(
    'log2 page %i, %i address bits, LPA2 %s, leaf at level %i: any address',
    (granule, bits, ds, leaf) => {
      const regs = registers(granule, bits, { ds });
      const leafShift = BigInt(granule + (granule - 3) * (3 - leaf));
      const offsetMask = (1n << leafShift) - 1n;
      const paBits = ds || granule === 16 ? 52n : 48n;
      const input = fc.record({
        low: fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
        upper: fc.boolean(),
        pa: fc.bigInt({ min: 0n, max: (1n << paBits) - 1n }),
      });
      fc.assert(
        fc.property(input, ({ low, upper, pa }) => {
          const va = upper ? BigInt.asUintN(64, ~((1n << BigInt(bits)) - 1n)) | low : low;
          const tables = new Tables();
          tables.map(va, pa & ~offsetMask, regs, granule, bits, leaf, ds);
          expect(walkStage1(va, regs, tables.read)).toEqual({
            ok: true,
            gpa: (pa & ~offsetMask) | (va & offsetMask),
            blockBytes: offsetMask + 1n,
          });
        }),
      );
    },
  );

  const regs = registers(12, 48);

  test('an address that is not mapped faults at the level where the walk ends', () => {
    const tables = new Tables();
    tables.map(0x1000n, 0x4000_0000n, regs, 12, 48, 3, false);
    expect(walkStage1(0x2000n, regs, tables.read)).toEqual({ ok: false, reason: 'fault', level: 3 });
    expect(walkStage1(0x7f_0000_0000_0000n >> 8n, regs, tables.read)).toEqual({ ok: false, reason: 'fault', level: 0 });
  });

  test('a table outside of memory, or in a page that must not be read, ends the walk', () => {
    expect(walkStage1(0x1000n, regs, () => undefined)).toEqual({ ok: false, reason: 'no-memory', level: 0 });
  });

  test('an address in the gap between the halves', () => {
    expect(walkStage1(0x0001_0000_0000_0000n, regs, () => 0n)).toEqual({ ok: false, reason: 'out-of-range' });
  });

  test('the top byte counts only where TBI does not take it out', () => {
    const tables = new Tables();
    tables.map(0x1000n, 0x4000_0000n, regs, 12, 48, 3, false);
    expect(walkStage1(0xab00_0000_0000_1008n, regs, tables.read)).toMatchObject({ ok: false });
    expect(walkStage1(0xab00_0000_0000_1008n, registers(12, 48, { tbi: true }), tables.read)).toMatchObject({
      ok: true,
      gpa: 0x4000_0008n,
    });
  });

  test('with the MMU off addresses are physical; a disabled half does not walk', () => {
    expect(walkStage1(0x4000_1234n, { ...regs, sctlr: 0n }, () => 0n)).toMatchObject({ ok: true, gpa: 0x4000_1234n });
    expect(walkStage1(0x1000n, { ...regs, tcr: regs.tcr | (1n << 7n) }, () => 0n)).toEqual({
      ok: false,
      reason: 'walk-disabled',
    });
  });

  test('no registers and no memory make it throw or walk for ever', () => {
    const any = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(any, any, any, any, any, any, (va, ttbr0, ttbr1, tcr, sctlr, word) => {
        expect(typeof walkStage1(va, { ttbr0, ttbr1, tcr, sctlr }, () => word).ok).toBe('boolean');
      }),
    );
  });

  test.each<[number, number, number[]]>([
    [3, 3, [0, 1, 2]],
    [3, 0, []],
    [2, 1, [0]],
  ])('leaf at level %i, aborted at level %i: only the levels above are read', (leaf, suspect, levels) => {
    const regs = registers(12, 48);
    const tables = new Tables();
    const va = 0x1234_5678_9000n;
    tables.map(va, 0x4000_0000n, regs, 12, 48, leaf, false);
    const path: bigint[] = [];
    walkStage1(va, regs, gpa => (path.push(gpa), tables.read(gpa)));
    const read: bigint[] = [];
    const result = walkStage1(va, regs, gpa => (read.push(gpa), tables.read(gpa)), suspect);
    expect(result).toEqual({ ok: false, reason: 'suspect', level: suspect, descriptor: path[suspect] });
    expect(read).toEqual(levels.map(level => path[level]));
  });

  test('an abort below the leaf was one of stage 2: the walk goes to its end', () => {
    const regs = registers(12, 48);
    const tables = new Tables();
    tables.map(0x20_0000n, 0x4020_0000n, regs, 12, 48, 2, false);
    expect(walkStage1(0x20_1000n, regs, tables.read, 3)).toMatchObject({ ok: true, gpa: 0x4020_1000n });
  });
});
