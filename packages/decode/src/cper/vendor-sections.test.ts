/** Sections of vendors and of CXL, from bytes that were logged in public. */
import { describe, expect, it } from 'vitest';

import type { CperRecord } from './record.ts';
import { SECTION_AMPERE, SECTION_CXL_DRAM, SECTION_CXL_MEDIA, SECTION_NVIDIA_GRACE } from './guid.ts';
import { describeSection } from './describe.ts';
import { explainBody, explainCper } from './explain.ts';
import { decodeSection } from './sections.ts';

/** Words as Linux dumps them: 32 bits each, little endian. */
const dump = (words: string): Uint8Array => {
  const view = new DataView(new ArrayBuffer(4 * words.split(' ').length));
  words.split(' ').forEach((word, i) => view.setUint32(4 * i, Number.parseInt(word, 16), true));
  return new Uint8Array(view.buffer);
};
const recordOf = (type: string, data: Uint8Array): CperRecord => ({
  kind: 'cper',
  severity: 'recoverable',
  sections: [{ type, severity: 'recoverable', revision: 0x300, flags: 0, body: decodeSection(type, data).value }],
});
/** What a section says behind its name; nothing where it is not taken apart. */
const words = (type: string, data: Uint8Array): string[] => explainBody(decodeSection(type, data).value, type).slice(1);
const explained = (type: string, data: Uint8Array): string => {
  return explainCper(recordOf(type, data));
};

describe('sections that UEFI leaves to others', () => {
  // linux-acpi, February 2024; the kernel's own line: dpa=7c0, uncorrectable, threshold, poison list overflow, channel 3, rank 33, device 5.
  it('a general media event of CXL', () => {
    const data = dump(
      '00000090 00000007 00000000 0d938086 000e0000 00000000 00000005 00000000 00000180 00000000 1626fa24 17b3b158 00000000 00000000 00000000 00000000 000007d0 00000000 0fc00307 05210300 72690000 6d207361 00326d65 00000000',
    );
    const said = explained(SECTION_CXL_MEDIA, data);
    expect(said).toContain('Device physical address 0x00000000000007c0');
    expect(said).toContain('(uncorrectable, threshold reached, poison list overflow)');
    expect(said).toContain('Place: channel 3, rank 33, device 5.');
    expect(said).not.toContain('not taken apart');
  });

  it('a DRAM event of CXL names what its validity bits allow', () => {
    const data = new Uint8Array(144);
    const view = new DataView(data.buffer);
    data[4] = 4;
    view.setBigUint64(64, 0x1000n, true);
    data[74] = 1;
    view.setUint16(75, 0b111_1011, true);
    data.set([1, 2, 0, 0, 0, 3, 4, 0x10, 0x20, 0x01, 0x34, 0x12], 77);
    expect(words(SECTION_CXL_DRAM, data)).toStrictEqual([
      'Device physical address 0x0000000000001000, which is no address of the host: the CXL driver of the kernel translates it.',
      'Event: ECC error on host read.',
      'Place: channel 1, rank 2, bank group 3, bank 4, row 73744, column 4660.',
    ]);
    view.setUint16(75, 0, true);
    expect(words(SECTION_CXL_DRAM, data)).toHaveLength(2);
  });

  // nodejs/build issue 2894, an Altra.
  it("Ampere's", () => {
    const data = dump('40010003 00000000 00400000 00462030 00000001 0000e000 00000000 00000000');
    expect(words(SECTION_AMPERE, data)).toStrictEqual([
      'Type 3: link between the sockets (2P, Altra), subtype 0, instance 1 of socket 1.',
      'ERR<n>STATUS 0x0: not valid.',
      'Registers: ERR_ADDR 0x0046203000400000.',
    ]);
    expect(explained(SECTION_AMPERE, data)).toContain('Ampere processor error');
    const names = (bytes: Uint8Array) => describeSection(decodeSection(SECTION_AMPERE, bytes).value).map(r => r.name);
    // What the registers hold is shown once, and what lies behind them as bytes.
    const whole = new Uint8Array(48);
    whole.set(data);
    expect(names(whole)).toContain('ERR_MISC3');
    expect(names(whole)).not.toContain('trailing');
    expect(names(new Uint8Array([...whole, 1, 2]))).toContain('trailing');
  });

  it("NVIDIA's, with its registers", () => {
    const data = new Uint8Array(48);
    data.set(new TextEncoder().encode('DCC-ECC'), 0);
    data.set([1, 0, 2, 0, 3, 1, 2, 0], 16);
    data[32] = 0x10;
    data[40] = 0x20;
    expect(words(SECTION_NVIDIA_GRACE, data)).toStrictEqual([
      'DCC-ECC: error type 1, instance 2, severity 3, socket 1, 2 registers.',
      'Registers: MMIO_0x10 0x0000000000000020.',
    ]);
  });

  it('what is too short or not public stays whole under its own GUID', () => {
    for (const type of [SECTION_AMPERE, SECTION_CXL_MEDIA, SECTION_CXL_DRAM, SECTION_NVIDIA_GRACE]) {
      expect(words(type, new Uint8Array(3))).toEqual([]);
    }
    expect(explained('c8b328a8-9917-4af6-9a13-2e08ab2e7586', new Uint8Array(8))).toContain(
      'HiSilicon error: 8 bytes that are not taken apart',
    );
    expect(explained('01234567-89ab-cdef-0123-456789abcdef', new Uint8Array(8))).toContain(
      'Section of unknown type 01234567-89ab-cdef-0123-456789abcdef',
    );
  });
});
