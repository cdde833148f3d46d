import { describe, expect, it } from 'vitest';
import { decodeMcacod } from './mcacod.ts';
import type { McacodClass } from './mcacod.ts';

/** Examples of every row of the SDM tables "Simple Error Codes" and "Compound Error Codes". */
const INTEL: readonly (readonly [code: number, cls: McacodClass, mnemonic: string])[] = [
  [0x0000, 'no-error', 'No Error'],
  [0x0001, 'unclassified', 'Unclassified'],
  [0x0002, 'microcode-rom-parity', 'Microcode ROM Parity Error'],
  [0x0003, 'external', 'External Error'],
  [0x0004, 'frc', 'FRC Error'],
  [0x0005, 'internal-parity', 'Internal Parity Error'],
  [0x0006, 'smm-handler-code-access', 'SMM Handler Code Access Violation'],
  [0x0400, 'internal-timer', 'Internal Timer Error'],
  [0x0401, 'internal-unclassified', 'Internal Unclassified'],
  [0x07ff, 'internal-unclassified', 'Internal Unclassified'],
  [0x0e0b, 'io', 'I/O Error'],
  [0x000d, 'generic-cache-hierarchy', 'Generic Cache Hierarchy L1'],
  [0x0010, 'tlb', 'ITLBL0_ERR'],
  [0x1016, 'tlb', 'DTLBL2_ERR'],
  [0x0090, 'memory-controller', 'RD_CHANNEL0_ERR'],
  [0x009f, 'memory-controller', 'RD_CHANNELunspecified_ERR'],
  [0x00c0, 'memory-controller', 'MS_CHANNEL0_ERR'],
  [0x00cf, 'memory-controller', 'MS_CHANNELunspecified_ERR'],
  [0x00b3, 'memory-controller', 'AC_CHANNEL3_ERR'],
  [0x0291, 'extended-memory', 'RD_CHANNEL1_ERR'],
  [0x0134, 'cache-hierarchy', 'DCACHEL0_DRD_ERR'],
  [0x0150, 'cache-hierarchy', 'ICACHEL0_IRD_ERR'],
  [0x017a, 'cache-hierarchy', 'GCACHEL2_EVICT_ERR'],
  [0x0151, 'cache-hierarchy', 'ICACHEL1_IRD_ERR'],
  [0x0800, 'bus-interconnect', 'BUSL0_SRC_ERR_M_NOTIMEOUT_ERR'],
  [0x0b1b, 'bus-interconnect', 'BUSLG_RES_RD_IO_TIMEOUT_ERR'],
  [0x0e0f, 'bus-interconnect', 'BUSLG_ERR_NOTIMEOUT_ERR'],
  // Reserved values inside a form are not given a name.
  [0x00d0, 'unknown', 'unknown (0x00d0)'],
  [0x01f0, 'unknown', 'unknown (0x01f0)'],
  [0x0804, 'unknown', 'unknown (0x0804)'],
  [0x2000, 'unknown', 'unknown (0x2000)'],
];

describe('decodeMcacod', () => {
  it.each(INTEL)('names 0x%s', (code, cls, mnemonic) => {
    expect(decodeMcacod(code)).toMatchObject({ class: cls, mnemonic, filtered: (code & 0x1000) !== 0 });
  });

  it('names channels, and none where the code has none', () => {
    expect(decodeMcacod(0x00c5).channel).toBe(5);
    expect(decodeMcacod(0x00cf).channel).toBeUndefined();
  });

  it('does not use the Intel-only forms for AMD', () => {
    expect(decodeMcacod(0x00c0, 'amd').class).toBe('unknown');
    expect(decodeMcacod(0x0005, 'amd').class).toBe('unknown');
    expect(decodeMcacod(0x0000, 'amd').class).toBe('no-error');
    expect(decodeMcacod(0x0151, 'amd').mnemonic).toBe('ICACHEL1_IRD_ERR');
    expect(decodeMcacod(0x1151, 'amd').class).toBe('unknown');
  });

  it('has an answer for all 65536 codes', () => {
    for (let code = 0; code < 65536; code++) {
      const found = decodeMcacod(code);
      expect(found.mnemonic).not.toMatch(/undefined/);
      expect(found.text).not.toMatch(/undefined/);
    }
  });
});
