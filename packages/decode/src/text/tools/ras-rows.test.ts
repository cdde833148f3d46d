import { describe, expect, it } from 'vitest';
import type { TextItem } from '../item.ts';
import { traceItem } from '../linux/trace-events.ts';
import { RasMcCtlReader } from './ras-mc-ctl-reader.ts';
import { RasdaemonReader } from './rasdaemon-reader.ts';
import { SMCA_BANKS, unitNamed } from '../../mca/smca-banks.ts';
import { rasRow } from './ras-rows.ts';

describe('a severity that is none', () => {
  const words = ['constructor', 'hasOwnProperty', '__proto__', 'toString', 'worse', ''];

  it.each(words)('%j in a row of rasdaemon', severity => {
    const item = rasRow('non_standard_event', { severity, error: new Uint8Array(4) });
    expect(item).toMatchObject({ type: 'cper', record: { severity: 'none', sections: [{ severity: 'none' }] } });
  });

  it.each(words)('%j in lines of traces and tools is no record', severity => {
    const items: TextItem[] = [];
    const id = '00000000-0000-0000-0000-000000000000';
    const trace = `extlog_mem_event: {1} ${severity} error: single-bit ECC physical addr: 0000000000001000 (mask lsb: c) FRU: ${id} x`;
    expect(traceItem(trace, 1)).toBeUndefined();
    const sink = (item: TextItem): number => items.push(item);
    new RasdaemonReader(sink, '-').push(
      `extlog_mem_event: 1 ${severity} error: single-bit ECC physical addr: 0x1000 mask: 0xfff x ${id}`,
      1,
    );
    const printed = new RasMcCtlReader(sink, '-');
    printed.push(
      `1 2026-02-03 04:05:06 +0100 error: type=single-bit ECC, severity=${severity}, address=0x00001000, fru_id=${id}, fru_text='x', `,
      1,
    );
    printed.end();
    expect(items).toEqual([]);
  });
});

describe('the name of a bank of AMD', () => {
  const row = (bank_name: string): TextItem | undefined =>
    rasRow('mce_record', {
      status: -0x63dfbfffffffee5n,
      cpuvendor: 2n,
      bank: 17n,
      bank_name,
      mc_location: 'memory_channel=3,csrow=2',
    });

  it('names the type of the bank, and the channel of a memory controller', () => {
    expect(row('Unified Memory Controller (bank=17)')).toMatchObject({
      record: { unit: 0x96_0030_0000n, said: { channel: 3, chipSelect: 2 } },
      notes: [],
    });
    expect(row('L3 Cache (bank=7)')).toMatchObject({ record: { unit: 0x0007_00b0_0000_0000n } });
  });

  it('is only shown where types with different codes have it', () => {
    const item = row('Coherent Slave (bank=17)');
    expect(item).toMatchObject({ notes: [{ code: 'W_TEXT_ROW' }] });
    expect(item?.type === 'mca' && item.record.unit).toBeUndefined();
  });

  it('is one of those that are known', () => {
    for (const { id } of SMCA_BANKS) expect(unitNamed(id)).toBeUndefined();
  });
});
