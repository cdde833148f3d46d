import { describe, expect, it } from 'vitest';
import { encodeCper } from '../cper/region.ts';
import type { CperBody } from '../cper/record.ts';
import { makeCperRecord } from '../cper/uefi-record.ts';
import { createDecoder, decode } from './decoder.ts';
import { placeOfEdac, placeText } from './place.ts';
import type { DecodedRecord } from './record.ts';
import { BriefWriter } from './to-brief.ts';
import { JsonWriter } from './to-json.ts';
import { toText } from './to-text.ts';
import { recordOf, dataOf } from './transfer.ts';
import { stringify } from '../common/hex.ts';
import { toData } from './record.ts';

function only(text: string): DecodedRecord {
  const { records } = decode(text);
  expect(records).toHaveLength(1);
  return records[0] as DecodedRecord;
}

const SB =
  '[1180532.573917] EDAC MC1: 128 CE memory read error on CPU_SrcID#1_Ha#0_Chan#1_DIMM#1 (channel:1 slot:1 page:0x2b67afa offset:0xb40 grain:32 syndrome:0x0 -  area:DRAM err_code:0001:0092 socket:1 ha:0 channel_mask:2 rank:5)\n';
const ROW =
  '24 2022-10-16 06:55:24 +0000 1 Corrected error(s): memory read error at CPU_SrcID#1_MC#1_Chan#1_DIMM#0 location: 3:1:0:-1, addr 473047662528, grain 5, syndrome 0  err_code:0x0101:0x0091 socket:1 imc:1 rank:0 bg:1 ba:3 row:0x16a3d col:0x3f8\n';
const CACHE = `Dec 13 13:46:08 host1 kernel: mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 6: cc59dec000041152
Dec 13 13:46:08 host1 kernel: mce: [Hardware Error]: TSC 0 ADDR 1422ff800 MISC 13020004086
Dec 13 13:46:08 host1 kernel: mce: [Hardware Error]: PROCESSOR 0:406e3 TIME 1702475168 SOCKET 0 APIC 1 microcode d6
`;
/** Bank 25 of Ice Lake: IMC 3, channel 0. The driver's line of the same error says row 0x3b01, column 0x380, bank group 2, rank 1. */
const IMC =
  'mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 25: ac00000200a00090\nmce: [Hardware Error]: TSC 0 ADDR 7e025e400 MISC 9000201d809c086 \nmce: [Hardware Error]: PROCESSOR 0:606a6 TIME 1628780833 SOCKET 0 APIC 0 microcode 0\n';

describe('place, count and time of a record', () => {
  it('of a memory controller driver', () => {
    const record = only(SB);
    expect(record.place).toEqual({
      label: 'CPU_SrcID#1_Ha#0_Chan#1_DIMM#1',
      socket: 1,
      controller: 1,
      channel: 1,
      slot: 1,
      rank: 5,
    });
    expect(record.count).toBe(128);
    expect(record.time).toEqual({ text: '1180532.573917', clock: 'boot', seconds: 1180532.573917, from: 'line' });
  });

  it('of a row of ras-mc-ctl, the cell among it', () => {
    const { place, time, count } = only(ROW);
    expect(place).toMatchObject({ label: 'CPU_SrcID#1_MC#1_Chan#1_DIMM#0', controller: 1, rank: 0, bankGroup: 1 });
    expect(place).toMatchObject({ bank: 3, row: 0x16a3d, column: 0x3f8 });
    expect(count).toBe(1);
    expect(time).toEqual({ text: '2022-10-16T06:55:24Z', clock: 'utc', seconds: 1665903324, from: 'line' });
  });

  it('of an Intel cache: count and yellow status', () => {
    const { place, count, threshold, time, lineTime } = only(CACHE);
    expect([place, count, threshold]).toEqual([{ socket: 0 }, 26491, 'yellow']);
    expect(time).toMatchObject({ clock: 'utc', from: 'record', seconds: 1702475168 });
    expect(lineTime).toMatchObject({ clock: 'local-no-year', text: 'Dec 13 13:46:08', from: 'line' });
  });

  it('of MCi_MISC of a memory controller, as the driver reads it', () => {
    const { place } = only(IMC);
    expect(place).toMatchObject({ socket: 0, controller: 3, channel: 0, rank: 1 });
    expect(place).toMatchObject({ bankGroup: 2, bank: 0, row: 0x3b01, column: 0x380 });
    // Only a corrected error has a failed device.
    expect(place).not.toHaveProperty('device');
  });

  it('an uncorrected error, and one of AMD, has neither count nor status', () => {
    for (const text of ['0xbd80000000100134\n', '0xffffffc000000000\n']) {
      for (const vendor of ['intel', 'amd'] as const) {
        const [record] = decode(text, { vendor }).records;
        expect([record?.count, record?.threshold]).toEqual([undefined, undefined]);
      }
    }
    // Corrected, bits 54:38 set: AMD has other fields there.
    expect(decode('0x8c7fffc000000136\n', { vendor: 'amd' }).records[0]?.count).toBeUndefined();
    expect(decode('0x8c40004000000136\n', { vendor: 'intel' }).records[0]?.count).toBe(1);
  });

  it('a processor without CMCI counts nothing', () => {
    const core2 = { vendor: 'intel', cpuid: 0x10676n } as const;
    expect(decode('0x8c00004000000136\n', core2).records[0]?.count).toBeUndefined();
    expect(decode('status=0x8c00004000000136 mcgcap=0x806\n', { vendor: 'intel' }).records[0]?.count).toBeUndefined();
    expect(decode('status=0x8c00004000000136 mcgcap=0xc06\n', { vendor: 'intel' }).records[0]?.count).toBe(1);
  });

  it.each([
    [
      'amd64_edac',
      'Cannot decode on mc#0csrow#3channel#1 (csrow:3 channel:1 page:0x1 offset:0x0 grain:64)',
      { label: 'mc#0csrow#3channel#1', chipSelect: 3, channel: 1 },
    ],
    [
      'rasdaemon',
      'on DIMM_A1 (mc: 0 location: 0:0:-1 row: 15 column: 0x10)',
      { label: 'DIMM_A1', controller: 0, location: '0:0', row: 15, column: 16 },
    ],
    [
      'the first skx_edac, hexadecimal without 0x',
      'on X (channel:1 slot:0 page:0x1 offset:0x40 grain:32 syndrome:0x0 -  err_code:0101:0090 socket:0 imc:1 rank:0 bg:2 ba:3 row:1234 col:3f8)',
      {
        label: 'X',
        channel: 1,
        slot: 0,
        socket: 0,
        controller: 1,
        rank: 0,
        bankGroup: 2,
        bank: 3,
        row: 0x1234,
        column: 0x3f8,
      },
    ],
    [
      'a later one, with 0x',
      'on X (channel:1 slot:0 page:0x1 offset:0x40 grain:32 syndrome:0x0 -  err_code:0x0101:0x0090 socket:0 imc:1 rank:0 bg:2 ba:3 row:0x1234 col:0x3f8)',
      {
        label: 'X',
        channel: 1,
        slot: 0,
        socket: 0,
        controller: 1,
        rank: 0,
        bankGroup: 2,
        bank: 3,
        row: 0x1234,
        column: 0x3f8,
      },
    ],
    ['no label', 'memory read error on any memory ( page:0x0 offset:0x0 grain:32)', undefined],
    ['unknown label', 'on unknown label (mc: 0 location: 0:0 )', { controller: 0, location: '0:0' }],
    [
      'a row of ras-mc-ctl',
      'read error at X location: 0:18:-1:-1, grain 0',
      { label: 'X', controller: 0, location: '18' },
    ],
    ['no layer', 'read error at X location: -1:-1:-1:-1, grain 0', { label: 'X' }],
  ])('%s', (_name, message, place) => {
    expect(placeOfEdac({ message: ` ${message}` })).toEqual(place);
  });

  it.each([
    ['[Mon Mar 16 11:34:29 2026] ', { clock: 'local', text: 'Mar 16 11:34:29 2026' }],
    ['2025-04-04T18:23:55.230139+08:00 host1 kernel: ', { clock: 'utc', text: '2025-04-04T10:23:55.230Z' }],
    ['2026-03-16 11:34:29 host kernel: ', { clock: 'local', text: '2026-03-16 11:34:29' }],
    ['1710585269.123456 host kernel: ', { clock: 'utc', text: '2024-03-16T10:34:29.123Z' }],
    ['Mar 16 11:34:29 host kernel: [   12.000001] ', { clock: 'local-no-year', text: 'Mar 16 11:34:29' }],
    ['<3>[   12.000001] ', { clock: 'boot', text: '12.000001' }],
    ['/bbox/kbox.txt:2014[2454.830692] ', { clock: 'boot', text: '2454.830692' }],
  ])('reads the time of %j', (prefix, time) => {
    expect(only(prefix + SB.replace(/^\[[^\]]*\] /, '')).time).toMatchObject(time);
  });

  it('of an entry of journald as JSON', () => {
    const entry = {
      __CURSOR: 's=1',
      _TRANSPORT: 'kernel',
      MESSAGE: SB.replace(/^\[[^\]]*\] |\n/g, ''),
      __REALTIME_TIMESTAMP: '1710585269123456',
    };
    expect(only(`${JSON.stringify(entry)}\n`).time).toMatchObject({ clock: 'utc', text: '2024-03-16T10:34:29.123Z' });
  });

  it('is the same whatever the chunks are, and on the other side of a worker', () => {
    const times: unknown[] = [];
    for (const size of [1, 7, 64]) {
      const found: DecodedRecord[] = [];
      const bytes = new TextEncoder().encode(SB + ROW + CACHE);
      const decoder = createDecoder({ onRecord: r => found.push(r) });
      for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
      decoder.end();
      times.push(found.map(r => [r.place, r.count, r.time]));
      expect(found.map(r => recordOf(structuredClone(dataOf(r))).time)).toEqual(found.map(r => r.time));
    }
    expect(times[1]).toEqual(times[0]);
    expect(times[2]).toEqual(times[0]);
  });

  it('stands in JSON, brief lines and text', () => {
    const record = only(CACHE);
    expect(new TextDecoder().decode(new JsonWriter().line(record))).toBe(`${stringify(toData(record))}\n`);
    expect(toData(record)).toMatchObject({ count: 26491, threshold: 'yellow', place: { socket: 0 } });
    expect(new BriefWriter().line(record)).toContain(
      '[socket 0; 26,491 errors, threshold status yellow; 2023-12-13T13:46:08Z]',
    );
    expect(toText(record)).toContain('  errors       26,491 errors, threshold status yellow');
    expect(toText(only(ROW)).join('\n')).toContain('row 0x16a3d, column 0x3f8');
  });
});

describe('the device of a firmware record of PCIe', () => {
  const body = {
    kind: 'pcie',
    segment: 5,
    bus: 1,
    device: 0,
    function: 0,
    vendorId: 0x12d8,
    deviceId: 0xc008,
  } as const;
  const decoded = (b: CperBody): DecodedRecord =>
    decode(encodeCper(makeCperRecord('corrected', [{ body: b }]))).records[0] as DecodedRecord;

  it('is its place and its component', () => {
    const { place, component } = decoded(body);
    expect(place).toEqual({ label: 'PCIe 0005:01:00.0' });
    expect(component).toMatchObject({ area: 'io', name: 'PCIe device 0005:01:00.0 (12d8:c008)' });
  });

  it('is none where the record does not say which', () => {
    const { place, component } = decoded({ kind: 'pcie', portType: 0 });
    expect([place, component?.name]).toEqual([undefined, 'PCIe error']);
  });
});

describe('a chip of a CXL module', () => {
  it('is of the place and no device of the headline', () => {
    const { headline, place } = only(
      "[    1.000000] cxl_general_media: memdev=mem1 host=0000:0e:00.0 serial=5 log=Warning : time=1 uuid=fbcd0a77-c260-417f-85a9-088b1621eba6 len=128 flags='0x1' handle=0 related_handle=0 maint_op_class=0 : dpa=7c0 dpa_flags='0x10' descriptor='UNCORRECTABLE_EVENT' type='0x3' transaction_type='0xc0' channel=3 rank=33 device=5 comp_id=69 validity_flags='CHANNEL|RANK|DEVICE|COMPONENT'\n",
    );
    expect(headline).toMatch(/^CXL memory: uncorrected error: mem1, dpa=7c0 /);
    expect(place).toEqual({ label: 'CXL mem1', channel: 3, rank: 33, device: 5 });
  });
});

describe('a place in words', () => {
  it('goes from the part down to the cell', () => {
    expect(placeText({ column: 0x10, label: 'DIMM_A1', rank: 1, bankGroup: 2 })).toBe(
      'DIMM_A1, rank 1, bank group 2, column 0x10',
    );
  });
});

describe('the time of a message in an array', () => {
  const LINE = 'Memory failure: 0x91ee: recovery action for dirty LRU page: Recovered';
  const times = (value: unknown, space?: number): (string | undefined)[] =>
    decode(`${JSON.stringify(value, undefined, space)}\n`).records.map(r => r.time?.text);

  it.each([
    ['an own member', [0, 1].map(i => ({ message: LINE, '@timestamp': `2026-11-28T20:58:0${i}Z` }))],
    [
      'a member of what is around it',
      [0, 1].map(i => ({ '@timestamp': `2026-11-28T20:58:0${i}Z`, _source: { a: LINE } })),
    ],
    ['thousandths of seconds', [0, 1].map(i => ({ timestamp: 1_795_899_480_000 + 1000 * i, message: LINE }))],
    [
      'millionths of seconds',
      [0, 1].map(i => ({ MESSAGE: LINE, _TRANSPORT: 'kernel', __REALTIME_TIMESTAMP: `179589948${i}000000` })),
    ],
  ])('is that of %s', (_name, value) => {
    expect(times(value)).toEqual(['2026-11-28T20:58:00Z', '2026-11-28T20:58:01Z']);
    expect(times({ hits: { hits: value } })).toEqual(['2026-11-28T20:58:00Z', '2026-11-28T20:58:01Z']);
  });

  it('is that before each message', () => {
    const lines = [0, 1].map(i => `Nov 28 20:58:0${i} host kernel: ${LINE}`);
    expect(times(lines)).toEqual(['Nov 28 20:58:00', 'Nov 28 20:58:01']);
    expect(times(lines, 2)).toEqual(['Nov 28 20:58:00', 'Nov 28 20:58:01']);
  });

  it('is that of the object where it is laid out over lines', () => {
    const of = (i: number): object => ({ '@timestamp': `2026-11-28T20:58:0${i}Z`, a: 1, message: LINE });
    expect(times([of(0), of(1)], 2)).toEqual(['2026-11-28T20:58:00Z', '2026-11-28T20:58:01Z']);
    // No other object's.
    expect(times([of(0), { message: LINE }], 2)).toEqual(['2026-11-28T20:58:00Z', undefined]);
  });
});

describe('what this project printed, laid out over lines', () => {
  it('is the same again, and no line of a log', () => {
    const { records } = decode(`${ROW}mce: [Hardware Error]: Machine check: Processor context corrupt\n`);
    const printed = records.map(r => toData(r));
    const again = decode(
      `${JSON.stringify(printed, (_, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v), 2)}\n`,
    );
    expect(again.records.map(r => r.class)).toEqual(records.map(r => r.class));
  });
});

describe('what Windows says beside a record', () => {
  const RECORD = (severity: string): string => `Common Platform Error Record @ fffffa8009e66028
Record Id     : 01cd5d347afaed04
Severity      : ${severity}
Timestamp     : 7/8/2012 23:32:50
Section 2     : x86/x64 MCA
Severity      : ${severity}

Error         : DCACHEL0_DRD_ERR (Proc 2 Bank 1)
  Status      : 0xbd80000000100134
  Address     : 0x00000001f3a8c2c0
  Misc.       : 0x0000000000000086
`;

  it('makes a record that it calls fatal fatal, whatever the registers would allow', () => {
    const intel = (text: string): DecodedRecord => decode(text, { vendor: 'intel' }).records[0] as DecodedRecord;
    const fatal = intel(RECORD('Fatal (1)'));
    expect([fatal.severity, fatal.class]).toEqual(['fatal', 'SRAR']);
    expect(fatal.headline).toContain(', reported as fatal');
    expect(intel(RECORD('Recoverable (0)')).severity).toBe('uncorrected-recoverable');
    // It stays so when the record is read again.
    const again = only(`${stringify(toData(fatal))}\n`);
    expect([again.severity, again.headline]).toEqual([fatal.severity, fatal.headline]);
  });

  it('has the time of the error record, and of the event before its sentence', () => {
    expect(only(RECORD('Fatal (1)')).time?.text).toBe('2012-07-08 23:32:50');
    const event = `Source:        Microsoft-Windows-WHEA-Logger
Date:          1/12/2022 9:08:33 AM
Event ID:      18
A fatal hardware error has occurred.

Reported by component: Processor Core
Error Source: Machine Check Exception
Processor APIC ID: 4
`;
    const [first, second] = decode(event + event.replace('1/12/2022', '1/13/2022')).records;
    expect([first?.time?.text, second?.time?.text]).toEqual(['2022-01-12 09:08:33', '2022-01-13 09:08:33']);
    expect(first?.headline).toContain('APIC ID 0x4');
  });

  it('names the CPU of a bank that firmware logged by its APIC ID', () => {
    const record = only(
      '15,Critical,CPU,10/29/2021 12:28,10/29/2021 12:28,1,"Uncorrectable Machine Check Exception (Processor 1, APIC ID 0x00000010, Bank 0x00000004, Status 0xB2000000\'00070005)."\n',
    );
    expect(record.headline).toContain('(APIC ID 0x10, bank 4)');
    expect(record.time?.text).toBe('2021-10-29 12:28:00');
    expect(toText(record).join('\n')).toContain('2021-10-29 12:28:00, APIC ID 0x10, bank 4');
  });
});
