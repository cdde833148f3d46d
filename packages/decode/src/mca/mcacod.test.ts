import { describe, expect, it } from 'vitest';
import { decodeMcacod, isMemoryCode } from './mcacod.ts';
import type { Mcacod, McacodClass } from './mcacod.ts';

/** Examples of every row of the SDM tables "Simple Error Codes" and "Compound Error Codes". */
const INTEL: readonly (readonly [code: number, cls: McacodClass, mnemonic: string, text: string])[] = [
  [0x0000, 'no-error', 'No Error', 'no error'],
  [0x0001, 'unclassified', 'Unclassified', 'an unclassified error'],
  [0x0002, 'microcode-rom-parity', 'Microcode ROM Parity Error', 'a parity error in the microcode ROM'],
  [0x0003, 'external', 'External Error', 'an external error that another processor or BINIT# signalled'],
  [0x0004, 'frc', 'FRC Error', 'a functional redundancy check error'],
  [0x0005, 'internal-parity', 'Internal Parity Error', 'an internal parity error'],
  [0x0006, 'smm-handler-code-access', 'SMM Handler Code Access Violation', 'an SMM handler code access violation'],
  [0x0400, 'internal-timer', 'Internal Timer Error', 'an internal timer error'],
  [0x0401, 'internal-unclassified', 'Internal Unclassified', 'an internal unclassified error'],
  [0x07ff, 'internal-unclassified', 'Internal Unclassified', 'an internal unclassified error'],
  [0x0e0b, 'io', 'I/O Error', 'a generic I/O error'],
  [0x1e0b, 'io', 'I/O Error', 'a generic I/O error'],
  [0x000c, 'generic-cache-hierarchy', 'Generic Cache Hierarchy L0', 'a generic cache hierarchy error (level 0)'],
  [0x000d, 'generic-cache-hierarchy', 'Generic Cache Hierarchy L1', 'a generic cache hierarchy error (level 1)'],
  [0x000f, 'generic-cache-hierarchy', 'Generic Cache Hierarchy LG', 'a generic cache hierarchy error (any level)'],
  [0x0010, 'tlb', 'ITLBL0_ERR', 'an instruction TLB error (level 0)'],
  [0x1016, 'tlb', 'DTLBL2_ERR', 'a data TLB error (level 2)'],
  [0x001b, 'tlb', 'GTLBLG_ERR', 'a generic TLB error (any level)'],
  [0x008f, 'memory-controller', 'GEN_CHANNELunspecified_ERR', 'an error of a generic memory request'],
  [0x0090, 'memory-controller', 'RD_CHANNEL0_ERR', 'an error of a memory read on channel 0'],
  [0x009f, 'memory-controller', 'RD_CHANNELunspecified_ERR', 'an error of a memory read'],
  [0x00a1, 'memory-controller', 'WR_CHANNEL1_ERR', 'an error of a memory write on channel 1'],
  [0x00c0, 'memory-controller', 'MS_CHANNEL0_ERR', 'an error of memory scrubbing on channel 0'],
  [0x00cf, 'memory-controller', 'MS_CHANNELunspecified_ERR', 'an error of memory scrubbing'],
  [0x00b3, 'memory-controller', 'AC_CHANNEL3_ERR', 'an error of a memory address or command transfer on channel 3'],
  [0x0291, 'extended-memory', 'RD_CHANNEL1_ERR', 'an error of a memory read of memory used as a cache on channel 1'],
  [0x02cf, 'extended-memory', 'MS_CHANNELunspecified_ERR', 'an error of memory scrubbing of memory used as a cache'],
  [0x0134, 'cache-hierarchy', 'DCACHEL0_DRD_ERR', 'a data cache error (level 0) on a data read'],
  [0x0150, 'cache-hierarchy', 'ICACHEL0_IRD_ERR', 'an instruction cache error (level 0) on an instruction fetch'],
  [0x017a, 'cache-hierarchy', 'GCACHEL2_EVICT_ERR', 'an explicit write-back of the L3 cache'],
  [0x0101, 'cache-hierarchy', 'ICACHEL1_ERR_ERR', 'an instruction cache error (level 1) on a generic request'],
  [0x0126, 'cache-hierarchy', 'DCACHEL2_WR_ERR', 'a data cache error (level 2) on a write'],
  [0x0145, 'cache-hierarchy', 'DCACHEL1_DWR_ERR', 'a data cache error (level 1) on a data write'],
  [0x016b, 'cache-hierarchy', 'GCACHELG_PREFETCH_ERR', 'a generic cache error (any level) on a prefetch'],
  [0x1189, 'cache-hierarchy', 'GCACHEL1_SNOOP_ERR', 'a generic cache error (level 1) on a snoop'],
  [
    0x0800,
    'bus-interconnect',
    'BUSL0_SRC_ERR_M_NOTIMEOUT_ERR',
    'a bus or interconnect error on a generic request of a memory access',
  ],
  [
    0x0b1b,
    'bus-interconnect',
    'BUSLG_RES_RD_IO_TIMEOUT_ERR',
    'a bus or interconnect error on a read of an I/O access, request timed out',
  ],
  [
    0x0c29,
    'bus-interconnect',
    'BUSL1_OBS_WR_IO_NOTIMEOUT_ERR',
    'a bus or interconnect error on a write of an I/O access',
  ],
  [
    0x0e0f,
    'bus-interconnect',
    'BUSLG_ERR_NOTIMEOUT_ERR',
    'a bus or interconnect error on a generic request of another access',
  ],
  // Reserved values inside a form are not given a name.
  [0x00d0, 'unknown', 'unknown (0x00d0)', 'an error with the unknown code 0x00d0'],
  [0x01f0, 'unknown', 'unknown (0x01f0)', 'an error with the unknown code 0x01f0'],
  [0x0804, 'unknown', 'unknown (0x0804)', 'an error with the unknown code 0x0804'],
  [0x2000, 'unknown', 'unknown (0x2000)', 'an error with the unknown code 0x2000'],
  // The filter bit belongs to compound codes only.
  [0x1001, 'unknown', 'unknown (0x1001)', 'an error with the unknown code 0x1001'],
  [0x1400, 'unknown', 'unknown (0x1400)', 'an error with the unknown code 0x1400'],
];

/** The forms of the SDM as it prints them; letters are sub-fields. First match wins: simple codes come first. */
const FORMS: readonly (readonly [form: string, cls: McacodClass])[] = [
  ['0000 0000 0000 0000', 'no-error'],
  ['0000 0000 0000 0001', 'unclassified'],
  ['0000 0000 0000 0010', 'microcode-rom-parity'],
  ['0000 0000 0000 0011', 'external'],
  ['0000 0000 0000 0100', 'frc'],
  ['0000 0000 0000 0101', 'internal-parity'],
  ['0000 0000 0000 0110', 'smm-handler-code-access'],
  ['0000 0100 0000 0000', 'internal-timer'],
  ['000F 1110 0000 1011', 'io'],
  ['0000 01xx xxxx xxxx', 'internal-unclassified'],
  ['000F 0000 0000 11LL', 'generic-cache-hierarchy'],
  ['000F 0000 0001 TTLL', 'tlb'],
  ['000F 0000 1MMM CCCC', 'memory-controller'],
  ['000F 0010 1MMM CCCC', 'extended-memory'],
  ['000F 0001 RRRR TTLL', 'cache-hierarchy'],
  ['000F 1PPT RRRR IILL', 'bus-interconnect'],
];
/** Sub-field values that the manual reserves. */
const RESERVED: Readonly<Record<string, (n: number) => boolean>> = {
  TT: n => n === 3,
  II: n => n === 1,
  MMM: n => n > 4,
  RRRR: n => n > 8,
};

interface Form {
  cls: McacodClass;
  matches: (bits: string) => boolean;
  field: (bits: string, name: string) => number;
}

const PARSED: readonly Form[] = FORMS.map(([form, cls]) => {
  const flat = form.replaceAll(' ', '');
  const fixed = new RegExp(`^${flat.replace(/[^01]/g, '.')}$`);
  const field = (bits: string, name: string): number => {
    const at = flat.indexOf(name);
    return at < 0 ? 0 : Number.parseInt(bits.slice(at, at + name.length), 2);
  };
  return {
    cls,
    matches: bits => fixed.test(bits) && Object.keys(RESERVED).every(name => !RESERVED[name]?.(field(bits, name))),
    field,
  };
});

function expected(code: number): { class: McacodClass; filtered: boolean } {
  const bits = code.toString(2).padStart(16, '0');
  const form = PARSED.find(f => f.matches(bits));
  return form === undefined
    ? { class: 'unknown', filtered: false }
    : { class: form.cls, filtered: form.field(bits, 'F') === 1 };
}

function differing(found: (code: number) => string, wanted: (code: number) => string): string[] {
  const wrong: string[] = [];
  for (let code = 0; code < 65536; code++) {
    if (found(code) !== wanted(code)) wrong.push(`${code.toString(16)}: ${found(code)} not ${wanted(code)}`);
  }
  return wrong;
}

describe('decodeMcacod, Intel', () => {
  it.each(INTEL)('names %i', (code, cls, mnemonic, text) => {
    expect(decodeMcacod(code)).toMatchObject({ class: cls, mnemonic, text });
    expect(decodeMcacod(code, 'intel')).toEqual(decodeMcacod(code));
  });

  it('gives each of the 65536 codes the class and the filter bit of its form', () => {
    const show = (m: { class: string; filtered: boolean }): string => `${m.class} ${m.filtered}`;
    expect(
      differing(
        code => show(decodeMcacod(code)),
        code => show(expected(code)),
      ),
    ).toEqual([]);
  });

  it('counts the codes of each class', () => {
    const counts: Record<string, number> = {};
    for (let code = 0; code < 65536; code++) {
      const { class: cls } = decodeMcacod(code);
      counts[cls] = (counts[cls] ?? 0) + 1;
    }
    expect(counts).toEqual({
      'no-error': 1,
      unclassified: 1,
      'microcode-rom-parity': 1,
      external: 1,
      frc: 1,
      'internal-parity': 1,
      'smm-handler-code-access': 1,
      'internal-timer': 1,
      io: 2,
      'internal-unclassified': 1023,
      'generic-cache-hierarchy': 2 * 4,
      tlb: 2 * 3 * 4,
      'memory-controller': 2 * 5 * 16,
      'extended-memory': 2 * 5 * 16,
      'cache-hierarchy': 2 * 9 * 3 * 4,
      'bus-interconnect': 2 * (4 * 2 * 9 * 3 * 4 - 1),
      unknown: 65536 - 8 - 2 - 1023 - 8 - 24 - 320 - 216 - 1726,
    });
  });

  it('splits every compound code into sub-fields that make up its mnemonic', () => {
    const rebuilt = ({ class: cls, fields: f }: Mcacod): string | undefined => {
      const channel = f.CCCC === 15 ? 'unspecified' : f.CCCC;
      switch (cls) {
        case 'generic-cache-hierarchy':
          return `Generic Cache Hierarchy ${f.LL}`;
        case 'tlb':
          return `${f.TT}TLB${f.LL}_ERR`;
        case 'memory-controller':
        case 'extended-memory':
          return `${f.MMM}_CHANNEL${channel}_ERR`;
        case 'cache-hierarchy':
          return `${f.TT}CACHE${f.LL}_${f.RRRR}_ERR`;
        case 'bus-interconnect': {
          const parts = [`BUS${f.LL}`, f.PP, f.RRRR, f.II, f.T, 'ERR'];
          return parts.filter(p => p !== 'GEN' && p !== 'OTHER').join('_');
        }
        default:
          return undefined;
      }
    };
    const wrong: string[] = [];
    for (let code = 0; code < 65536; code++) {
      const found = decodeMcacod(code);
      const want = rebuilt(found);
      if (want !== undefined && want !== found.mnemonic) wrong.push(found.mnemonic);
    }
    expect(wrong).toEqual([]);
    expect(decodeMcacod(0x0b1b).fields).toEqual({ LL: 'LG', PP: 'RES', RRRR: 'RD', II: 'IO', T: 'TIMEOUT' });
    expect(decodeMcacod(0x0c0c).fields).toEqual({ LL: 'L0', PP: 'OBS', RRRR: 'ERR', II: 'OTHER', T: 'NOTIMEOUT' });
    expect(decodeMcacod(0x0e00).fields).toEqual({ LL: 'L0', PP: 'GEN', RRRR: 'ERR', II: 'M', T: 'NOTIMEOUT' });
    expect(decodeMcacod(0x0134).fields).toEqual({ TT: 'D', LL: 'L0', RRRR: 'DRD' });
    expect(decodeMcacod(0x00c5).fields).toEqual({ MMM: 'MS', CCCC: 5 });
    expect(decodeMcacod(0x0003).fields).toEqual({});
    expect(decodeMcacod(0x0401).fields).toEqual({});
  });

  it('names channels, and none where the code has none', () => {
    expect(decodeMcacod(0x00c5).channel).toBe(5);
    expect(decodeMcacod(0x00c0).channel).toBe(0);
    expect('channel' in decodeMcacod(0x00cf)).toBe(false);
  });

  it('reads 16 bits and ignores the rest', () => {
    expect(decodeMcacod(0xabcd_0134)).toEqual(decodeMcacod(0x0134));
  });

  it('counts memory that serves as a cache as memory', () => {
    expect(isMemoryCode(decodeMcacod(0x0090))).toBe(true);
    expect(isMemoryCode(decodeMcacod(0x0291))).toBe(true);
    expect(isMemoryCode(decodeMcacod(0x0134))).toBe(false);
  });
});

describe('decodeMcacod, AMD', () => {
  it('has the forms of the APM and no filter bit', () => {
    const forms: [RegExp, McacodClass][] = [
      [/^0{16}$/, 'no-error'],
      [/^000000000001(00|01|10)..$/, 'tlb'],
      [/^00000001(0...|1000)(00|01|10)..$/, 'cache-hierarchy'],
      [/^000001..00000000$/, 'internal-unclassified'],
      [/^00001...(0...|1000)(00|10|11)..$/, 'bus-interconnect'],
    ];
    expect(
      differing(
        code => `${decodeMcacod(code, 'amd').class} ${decodeMcacod(code, 'amd').filtered}`,
        code => {
          const bits = code.toString(2).padStart(16, '0');
          return `${forms.find(([form]) => form.test(bits))?.[1] ?? 'unknown'} false`;
        },
      ),
    ).toEqual([]);
  });

  it('does not use the Intel-only forms', () => {
    expect(decodeMcacod(0x00c0, 'amd').class).toBe('unknown');
    expect(decodeMcacod(0x0005, 'amd').class).toBe('unknown');
    expect(decodeMcacod(0x0000, 'amd')).toEqual({
      class: 'no-error',
      mnemonic: 'No Error',
      text: 'no error',
      fields: {},
      filtered: false,
    });
    expect(decodeMcacod(0x0151, 'amd').mnemonic).toBe('ICACHEL1_IRD_ERR');
    expect(decodeMcacod(0x0700, 'amd').fields).toEqual({ UU: 3 });
    expect(decodeMcacod(0x1151, 'amd').class).toBe('unknown');
  });
});
