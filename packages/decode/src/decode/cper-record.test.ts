import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTION_MEMORY } from '../cper/guid.ts';
import { encodeGhesBlock } from '../cper/ghes.ts';
import { encodeMemoryError } from '../cper/memory.ts';
import { bytesToHex } from '../cper/layout.ts';
import { encodeCper } from '../cper/region.ts';
import { makeCperRecord } from '../cper/uefi-record.ts';
import { decode } from './decoder.ts';
import { describe as describeRaw } from './record-rules.ts';
import { toText } from './to-text.ts';

it('a row of 18 bits is named whole', () => {
  const block = encodeGhesBlock({
    severity: 'corrected',
    sections: [{ body: { kind: 'memory', card: 1, rowLow: 0xbeef, rowExtended: 2 } }],
  });
  const [record] = decode(bytesToHex(block)).records;
  expect(record?.component?.name).toBe(`memory: card 1, row ${0x2beef}`);
});

describe('the text of a record', () => {
  const HEADER_FLAGS = 104;
  const check = { type: 'a55701f5-e3ef-43de-ac72-249b573fad2c', checkInfo: 0x04000010n };
  const bytes = encodeCper(
    makeCperRecord('recoverable', [
      { body: { kind: 'memory', errorStatus: 0x40400n, physicalAddress: 0x5000_0000n } },
      { body: { kind: 'x86-processor', errors: [check], contexts: [] } },
    ]),
  );
  bytes[HEADER_FLAGS] = 4;
  const [record] = decode(bytes).records;
  if (record === undefined) throw new Error('no record');
  const lines = toText(record, { outlook: false });

  it('draws every bit field, with a letter for each field that is set', () => {
    const at = lines.indexOf('  section 0 errorStatus 0x0000000000040400');
    expect(lines.slice(at + 1, at + 6)).toEqual([
      '    31       23       15       7',
      '    00000000 00000100 00000100 00000000',
      '    ........ .abcdefg hhhhhhhh ........',
      '    e 18     DATA             1             on the data signals',
      '    h 15:8   TYPE             0x4           storage error in memory (DRAM)',
    ]);
    expect(lines.filter(line => /^  \S.* 0x[0-9a-f]{16}$/.test(line))).toEqual([
      '  header.flags 0x0000000000000004',
      '  section 0 validationBits 0x0000000000000003',
      '  section 0 errorStatus 0x0000000000040400',
      '  section 1 validationBits 0x0000000000000004',
      '  section 1 errors[0].validationBits 0x0000000000000001',
      '  section 1 errors[0].checkInfo 0x0000000004000010',
    ]);
  });

  it('says of each bit the same as the view of the API', () => {
    for (const { member, rows } of describeRaw(record.raw)) {
      expect(record.fieldsOf(member)).toEqual(rows.map(row => ({ register: member, ...row })));
    }
  });

  it('draws the status of a block, and that of a bare section', () => {
    const block = encodeGhesBlock({ severity: 'fatal', sections: [{ body: { kind: 'memory', errorStatus: 0x400n } }] });
    const [whole] = decode(block).records;
    const [bare] = decode(encodeMemoryError({ kind: 'memory', errorStatus: 0x400n }), {
      section: SECTION_MEMORY,
    }).records;
    const MARKS = '  section 0 validationBits 0x0000000000000001';
    const heads = [whole, bare].map(r => (r === undefined ? [] : toText(r)).filter(line => / 0x0{12}/.test(line)));
    expect(heads).toEqual([
      ['  blockStatus  0x0000000000000011', expect.any(String), MARKS, '  section 0 errorStatus 0x0000000000000400'],
      [expect.any(String), MARKS, '  section 0 errorStatus 0x0000000000000400'],
    ]);
  });
});

describe('what to do next', () => {
  const log = (severity: string, lines: readonly string[], prefix = '{1}'): string =>
    [`event severity: ${severity}`, ` Error 0, type: ${severity}`, ...lines]
      .map(l => `${prefix}[Hardware Error]: ${l}\n`)
      .join('');
  const PCIE = ['  section_type: PCIe error', '  port_type: 4, root port'];
  const MEMORY = ['  section_type: memory error', '  error_type: 3, multi-bit ECC'];

  it('depends on the kind of section', () => {
    expect(decode(log('corrected', PCIE)).records[0]?.nextStep).toMatch(/Count them by device/);
    expect(decode(log('recoverable', PCIE)).records[0]?.nextStep).toMatch(/AER/);
    expect(decode(log('corrected', MEMORY)).records[0]?.nextStep).toMatch(/node, card, module/);
    expect(decode(log('corrected', ['  section_type: general processor error'])).records[0]?.nextStep).toMatch(/core/);
  });

  it('of the boot before is nothing that this kernel does', () => {
    const [record] = decode(log('fatal', MEMORY, '')).records;
    expect(record?.headline).toMatch(/of the previous boot, fatal/);
    expect(record?.nextStep).toMatch(/boot before/);
    expect(record?.outlook).toEqual([]);
  });

  it('of a machine check that the firmware kept is not what #MC would do', () => {
    const bert = readFileSync(join(import.meta.dirname, 'golden', 'linux-bert.in'), 'utf8');
    const [report, check] = decode(bert).records;
    expect(report?.headline).toMatch(/of the previous boot, fatal/);
    expect(check?.headline).toMatch(
      /^AMD machine check, .*, kept by the firmware from the previous boot \(APIC ID 0x0, bank 5\)$/,
    );
    expect(check?.nextStep).toMatch(/boot before this one: Linux only prints it/);
    expect(check?.outlook).toEqual([]);
    const now = bert.replaceAll(/(?<=kernel: )(?=\[Hardware Error\])/g, '{3}');
    expect(decode(now).records.map(r => r.headline)).toEqual([
      expect.stringMatching(/^Firmware error record, fatal/),
      expect.stringMatching(/, kept by the firmware \(APIC ID 0x0, bank 5\)$/),
    ]);
  });

  it('of the extended log is nothing: Linux acts on the machine check beside it', () => {
    const [, record] = decode(readFileSync(join(import.meta.dirname, 'golden', 'linux-extlog.in'), 'utf8')).records;
    expect(record?.headline).toBe('Firmware error record, recoverable: memory error at 0x0000000012345040');
    expect(record?.nextStep).toMatch(/acpi_extlog/);
    expect(record?.outlook).toEqual([]);
  });

  it('names the DIMM that Linux named', () => {
    const [record] = decode(log('corrected', [...MEMORY, '  DIMM location: P0_Node0_Channel1_Dimm0 DIMM_A1'])).records;
    expect(record?.component?.name).toBe('memory: DIMM P0_Node0_Channel1_Dimm0 DIMM_A1');
    expect(record?.explanation).toContain('DIMM P0_Node0_Channel1_Dimm0');
  });
});

describe('a severity that is not known', () => {
  const memory = encodeMemoryError({ kind: 'memory', physicalAddress: 0x50000000n, errorType: 3 });

  it('is unknown for a section alone', () => {
    const [record] = decode(memory, { section: SECTION_MEMORY }).records;
    expect([record?.severity, record?.class]).toEqual(['unknown', 'unknown']);
    expect(record?.headline).toBe('Section of a firmware error record: memory error at 0x0000000050000000');
    expect(record?.explanation).not.toMatch(/information only/);
    expect(record?.outlook).toEqual([]);
  });

  it('is unknown for a number that does not exist, and the rest is decoded', () => {
    const section = { type: SECTION_MEMORY, body: { kind: 'memory', physicalAddress: 0x50000000n } } as const;
    const block = encodeGhesBlock({ severity: 'fatal', sections: [section] });
    block[16] = 9;
    const [record] = decode(block).records;
    expect([record?.severity, record?.address?.value]).toEqual(['unknown', 0x50000000n]);
    expect(record?.lint.map(l => l.code)).toContain('L_CPER_SEVERITY_RANGE');
    expect(record?.nextStep).toMatch(/severity 9/);
  });
});
