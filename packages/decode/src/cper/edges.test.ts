/** What no ordinary record reaches: limits, members that are missing, values that no specification has. */
import { describe, expect, it } from 'vitest';
import { explainCper } from './explain.ts';
import { decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { NOTIFICATION_NAMES, SECTION_MEMORY, SECTION_NAMES } from './guid.ts';
import { decodeCperRecord, encodeCperRecord, makeCperRecord } from './uefi-record.ts';
import { decodeMemoryError, encodeMemoryError, rowOf } from './memory.ts';
import { describeSection } from './describe.ts';
import { pagesOfBody } from './page.ts';
import { sectionName } from './sections.ts';
import { hexToBytes } from './layout.ts';
import { lintCper } from './lint.ts';
import type { CperMemoryError, CperRecord } from './record.ts';
import { encodeTimestamp } from './timestamp.ts';
import { unmarked } from './testing/arbitrary.ts';

const memory: CperMemoryError = { kind: 'memory', physicalAddress: 0x1000n };
const codes = (record: CperRecord): string[] => lintCper(record).map(f => f.code);

describe('a row of 18 bits', () => {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 1 << 18, true);
  view.setUint16(42, 0xbeef, true);
  view.setUint8(73, 0b10);

  it('is read whole when only its own validation bit is set, as UEFI asks', () => {
    const { value, diagnostics } = decodeMemoryError(bytes);
    expect(value).toEqual({ kind: 'memory', validationBits: 0x40000n, rowLow: 0xbeef, rowExtended: 2 });
    expect(diagnostics).toEqual([]);
    expect(value && rowOf(value)).toBe(0x2beef);
    expect(encodeMemoryError({ kind: 'memory', rowLow: 0xbeef, rowExtended: 2 })).toEqual(bytes);
  });

  it('may stand under both validation bits, and has one place', () => {
    const both = bytes.slice();
    both[1] = 1;
    expect(unmarked(decodeMemoryError(both).value)).toEqual({
      kind: 'memory',
      row: 0xbeef,
      rowLow: 0xbeef,
      rowExtended: 2,
    });
    expect(encodeMemoryError({ kind: 'memory', row: 0xbeef, rowLow: 0xbeef, rowExtended: 2 })).toEqual(both);
    expect(() => encodeMemoryError({ kind: 'memory', row: 1, rowLow: 2 })).toThrow('row disagrees with rowLow');
  });

  it('is 0 in its low bits when only the high ones are given, and nothing when none are', () => {
    expect(rowOf({ kind: 'memory', rowExtended: 1 })).toBe(0x10000);
    expect(rowOf({ kind: 'memory', row: 7 })).toBe(7);
    expect(rowOf(memory)).toBeUndefined();
    expect(rowOf({ kind: 'memory2', row: 0x12345678 })).toBe(0x12345678);
  });
});

describe('names', () => {
  it('are those of UEFI 2.10 N.2.2, N.2.12 to N.2.14 and N.2.1.1', () => {
    expect(sectionName('91335ef6-ebfb-4478-a6a6-88b728cf75d7')).toBe('CCIX error log');
    expect(sectionName('601dcbb3-9c06-4eab-b8af-4e9bfb5c9624')).toBe('CXL component event, DRAM');
    expect(NOTIFICATION_NAMES['69293bc9-41df-49a3-b4bd-4fb0db3041f6']).toBe('event of a CXL component');
    for (const guid of [...Object.keys(SECTION_NAMES), ...Object.keys(NOTIFICATION_NAMES)]) {
      expect(guid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
    expect(
      explainCper(
        decodeGhesBlock(
          encodeGhesBlock({
            severity: 'corrected',
            sections: [
              { type: 'fe927475-dd59-4339-a586-79bab113b774', body: { kind: 'raw', data: new Uint8Array(3) } },
            ],
          }),
        ).value as CperRecord,
      ),
    ).toContain('CXL component event, memory module: 3 bytes that are not taken apart.');
  });
});

describe('limits', () => {
  it('of the sections of a block and a record', () => {
    const sections = Array.from({ length: 1024 }, () => ({ body: memory }));
    expect(() => encodeGhesBlock({ severity: 'corrected', sections })).toThrow('at most 1023 sections');
    const bytes = new Uint8Array(128 + 1024 * 72);
    bytes.set(encodeCperRecord(makeCperRecord('corrected', [])).subarray(0, 128));
    const view = new DataView(bytes.buffer);
    view.setUint16(10, 1024, true);
    view.setUint32(20, bytes.length, true);
    const { value, diagnostics } = decodeCperRecord(bytes);
    expect(diagnostics.map(d => d.code)).toContain('E_CPER_TOO_MANY');
    expect(value?.header?.sectionCount).toBe(1024);
    expect(value?.sections.length).toBeLessThanOrEqual(1023);
  });

  it('of hex digits and times', () => {
    expect(hexToBytes('0')).toBeUndefined();
    expect(hexToBytes('zz')).toBeUndefined();
    expect(hexToBytes('')).toEqual(new Uint8Array());
    expect(() => encodeTimestamp('2026-13-01 00:00:00')).toThrow('not a time');
    expect(() => encodeTimestamp('yesterday')).toThrow('not a time');
  });

  it('of a record without a header', () => {
    const { header: _, ...rest } = makeCperRecord('fatal', []);
    expect(() => encodeCperRecord(rest)).toThrow('needs a header');
  });
});

describe('members that are missing', () => {
  it('leave the rest readable', () => {
    expect(pagesOfBody({ kind: 'x86-processor', errors: [], contexts: [] })).toEqual([]);
    const said = (body: CperRecord['sections'][number]['body']): string =>
      explainCper({
        kind: 'cper',
        severity: 'recoverable',
        sections: [{ type: SECTION_MEMORY, severity: 'recoverable', revision: 0x300, flags: 0, body }],
      });
    expect(said({ kind: 'memory' })).toContain('of a type that is not given, without a physical address');
    expect(said({ kind: 'processor' })).toContain('Processor error: error of unknown type.');
    expect(said({ kind: 'x86-processor', errors: [{}], contexts: [] })).toContain('Processor error: unknown check.');
    expect(said({ kind: 'arm-processor', errors: [{}], contexts: [], runningState: 0 })).toContain(
      'The processor was not running (PSCI state 0x0).',
    );
    expect(said({ kind: 'pcie', bus: 1 })).toContain('0000:01:00.0');
    const rows = describeSection({
      kind: 'x86-processor',
      errors: [{ checkInfo: 1n }],
      contexts: [{ data: new Uint8Array() }],
    });
    expect(rows.some(r => r.name === 'errors[0].checkInfo')).toBe(true);
    expect(
      describeSection({
        kind: 'arm-processor',
        errors: [{ errorInfo: 1n, flags: 0 }],
        contexts: [{ data: new Uint8Array(8) }],
      }).map(r => r.name),
    ).toContain('contexts[0].data');
  });

  it('of a header are found', () => {
    const record = makeCperRecord('corrected', [{ body: memory }]);
    const { header } = record;
    if (header === undefined) throw new Error('no header');
    expect(codes({ ...record, header: { ...header, signatureEnd: 1 } })).toContain('L_CPER_SIGNATURE');
    expect(codes({ ...record, header: { ...header, timestamp: 0xffn } })).toContain('L_CPER_TIMESTAMP');
  });
});
