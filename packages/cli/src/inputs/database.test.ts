import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex } from '@syndrome/decode/cper/layout.ts';
import { guidToBytes, SECTION_MEMORY } from '@syndrome/decode/cper/guid.ts';
import { encodeMemoryError } from '@syndrome/decode/cper/memory.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { RAS_TABLES, addRasRow, bound, openRasDatabase } from '../testing/ras-database.ts';
import type { RasRows, RasTable } from '../testing/ras-database.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const AT = '2026-02-03 04:05:06 +0100';

let dir = '';
const at = (name: string): string => join(dir, name);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'syndrome-ras-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Said {
  source: { input: string; from: string; table?: string; row?: number };
  kind: string;
  class: string;
  severity: string;
  registers: Record<string, string>;
  place?: Record<string, unknown>;
  address?: { value: string };
  time?: { text: string };
  count?: number;
  component?: { name: string };
  diagnostics: { code: string; message: string }[];
  headline: string;
  raw: { fields?: Record<string, unknown> };
}

function syndrome(...args: string[]): { status: number | null; out: string; err: string; records: Said[] } {
  const run = spawnSync(process.execPath, [MAIN, 'decode', ...args], {
    encoding: 'utf8',
    cwd: dir,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const records = args.includes('--json')
    ? run.stdout
        .trim()
        .split('\n')
        .filter(l => l !== '')
        .map(l => JSON.parse(l) as Said)
    : [];
  return { status: run.status, out: run.stdout, err: run.stderr, records };
}

const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** struct cper_mem_err_compact of what firmware said: UEFI N.2.5 without what stands in columns of its own. */
function compact(): Uint8Array {
  const whole = encodeMemoryError({
    kind: 'memory',
    node: 1,
    card: 2,
    module: 3,
    bank: 4,
    row: 0x1234,
    column: 0x56,
    rank: 1,
    cardHandle: 0x1000,
    moduleHandle: 0x1100,
  });
  const out = new Uint8Array(54);
  out.set(whole.subarray(0, 8), 0);
  out.set(whole.subarray(32, 72), 8);
  out.set(whole.subarray(74, 76), 48);
  out.set(whole.subarray(76, 80), 50);
  return out;
}

const ROWS: RasRows = {
  mc_event: [
    {
      timestamp: AT,
      err_count: 3,
      err_type: 'Corrected',
      err_msg: 'memory read error',
      label: 'CPU_SrcID#0_MC#1_Chan#0_DIMM#1',
      mc: 1,
      top_layer: 0,
      middle_layer: 1,
      lower_layer: -1,
      address: bound(0x1_2345_6780n),
      grain: 32,
      syndrome: 0,
      driver_detail: 'err_code:0x0101:0x0090 socket:0 imc:1 rank:1 bg:2 ba:3 row:0x1a2b col:0x10',
    },
    {
      timestamp: AT,
      err_count: 1,
      err_type: 'Uncorrected',
      err_msg: 'memory scrubbing error',
      label: 'DIMM_B2',
      mc: 0,
      top_layer: 1,
      middle_layer: 0,
      lower_layer: -1,
      address: bound(0xffff_ffff_8000_0000n),
      grain: 64,
      syndrome: 5,
      driver_detail: '',
    },
  ],
  mce_record: [
    {
      timestamp: AT,
      mcgcap: 0xf000c14,
      mcgstatus: 0,
      status: bound(0x8c00_0040_0001_0091n),
      addr: 0x12_3456_7000,
      misc: bound(0x9000_0000_0000_008cn),
      ip: 0,
      tsc: 12345,
      walltime: 1_770_000_000,
      ppin: 0,
      cpu: 17,
      cpuid: 0x50657,
      apicid: 34,
      socketid: 1,
      cs: 0,
      bank: 13,
      cpuvendor: 0,
      microcode: 0x5003302,
      bank_name: 'bank=13',
      error_msg: 'MEMORY CONTROLLER RD_CHANNEL1_ERR',
    },
    {
      timestamp: AT,
      mcgcap: 0x11c,
      mcgstatus: 0,
      status: bound(0xdc20_4000_0000_011bn),
      addr: 0x4000_0000,
      misc: 0,
      ip: 0,
      tsc: 0,
      walltime: 1_770_000_001,
      ppin: 0,
      cpu: 0,
      cpuid: 0xa20f12,
      apicid: 0,
      socketid: 0,
      cs: 0,
      bank: 17,
      cpuvendor: 2,
      microcode: 0,
      bank_name: 'Unified Memory Controller (bank=17)',
      error_msg: 'DRAM ECC error',
      mc_location: 'memory_channel=1,csrow=0',
    },
  ],
  aer_event: [{ timestamp: AT, dev_name: '0000:3b:00.0', err_type: 'Corrected', err_msg: 'Replay Timer Timeout' }],
  extlog_event: [
    {
      timestamp: AT,
      etype: 2,
      error_count: 7,
      severity: 2,
      address: 0x7_6543_2100,
      fru_id: new Uint8Array(16),
      fru_text: 'P1-DIMMA1',
      cper_data: compact(),
    },
  ],
  non_standard_event: [
    {
      timestamp: AT,
      sec_type: guidToBytes(SECTION_MEMORY),
      fru_id: new Uint8Array(16),
      fru_text: 'DIMM 4',
      severity: 'Recoverable',
      error: encodeMemoryError({ kind: 'memory', physicalAddress: 0x9000n, errorType: 3 }),
    },
    {
      timestamp: AT,
      sec_type: null,
      fru_id: new Uint8Array(16),
      fru_text: '',
      severity: 'Fatal',
      error: new Uint8Array([1, 2, 3]),
    },
  ],
  arm_event: [
    {
      timestamp: AT,
      error_count: 1,
      affinity: 0,
      mpidr: bound(0x8100_0000n),
      running_state: 1,
      psci_state: 0,
      error_type: 'cache error',
      error_flags: 'First error captured',
      error_info: 0,
      virt_fault_addr: 0,
      phy_fault_addr: 0x8000_1000,
    },
  ],
  memory_failure_event: [{ timestamp: AT, pfn: '0x123456', page_type: 'dirty LRU page', action_result: 'Recovered' }],
  signal_event: [
    { timestamp: AT, sig: 7, errorno: 0, code: 4, comm: 'mysqld', pid: 42, grp: 0, res: 0 },
    { timestamp: AT, sig: 9, errorno: 0, code: 0, comm: 'sh', pid: 43, grp: 0, res: 0 },
  ],
  cxl_general_media_event: [
    {
      timestamp: AT,
      memdev: 'mem1',
      host: '0000:35:00.0',
      serial: bound(0x1234n),
      log_type: 'Fatal',
      hdr_uuid: 'fbcd0a77-c260-417f-85a9-088b1621eba6',
      dpa: 0x7c0,
      dpa_flags: 0,
      descriptor: 7,
      type: 0,
      transaction_type: 1,
      channel: 3,
      rank: 33,
      device: 5,
      hpa: -1,
      region: '',
    },
  ],
  cxl_poison_event: [
    {
      timestamp: AT,
      memdev: 'mem0',
      host: '0000:35:00.0',
      serial: 1,
      trace_type: 'List',
      region: 'region0',
      hpa: 0x5000,
      dpa: 0x1000,
      dpa_length: 64,
      source: 'Internal',
    },
  ],
  devlink_event: [
    {
      timestamp: AT,
      bus_name: 'pci',
      dev_name: '0000:03:00.0',
      driver_name: 'mlx5_core',
      reporter_name: 'fw',
      msg: 'assert',
    },
  ],
  disk_errors: [
    { timestamp: AT, dev: '259:0', sector: 2048, nr_sector: 8, error: 'critical medium error', rwbs: 'R', cmd: '' },
  ],
  amp_payload0_event: [
    {
      timestamp: AT,
      type: 'MCU',
      subtype: 'ERR0',
      instance: 3,
      socket_num: 0,
      status_reg: 5,
      addr_reg: 6,
      misc0: 0,
      misc1: 0,
      misc2: 0,
      misc3: 0,
    },
  ],
  reri_event: [
    {
      timestamp: AT,
      err_src_id: 1,
      source_type: 2,
      severity: 1,
      hart_id: 0,
      cluster_id: 0,
      status: 3,
      addr_info: 4,
      info: 0,
      suppl_info: 0,
      timestamp_val: 0,
    },
  ],
};

/** The same rows as `ras-mc-ctl --errors` prints them. */
const PRINTED = `Memory controller events:
1 ${AT} 3 Corrected error(s): memory read error at CPU_SrcID#0_MC#1_Chan#0_DIMM#1 location: 1:0:1:-1, addr 4886718336, grain 32, syndrome 0 err_code:0x0101:0x0090 socket:0 imc:1 rank:1 bg:2 ba:3 row:0x1a2b col:0x10
2 ${AT} 1 Uncorrected error(s): memory scrubbing error at DIMM_B2 location: 0:1:0:-1, addr -2147483648, grain 64, syndrome 5

PCIe AER events:
1 ${AT} 0000:3b:00.0 Corrected error: Replay Timer Timeout

Memory failure events:
1 ${AT} error: pfn=0x123456, page_type=dirty LRU page, action_result=Recovered

CXL general media events:
1 ${AT} error: memdev=mem1, host=0000:35:00.0, serial=0x1234, log=Fatal, dpa=0x7c0, descriptor_flags: 'UNCORRECTABLE EVENT' 'THRESHOLD EVENT' 'POISON LIST OVERFLOW' , channel=3, rank=33, device=0x5
`;

describe("rasdaemon's database", () => {
  it('is known by its content, and every table of it is read', () => {
    openRasDatabase(at('renamed'), ROWS).close();
    const before = hash(at('renamed'));
    const { status, records, err } = syndrome('./renamed', '--json');
    expect([status, err]).toEqual([0, '']);
    const shown = records.map(r => [
      `${r.source.table} ${r.source.row}`,
      r.class,
      r.severity,
      r.address?.value ?? '',
      r.count ?? '',
      r.place ?? {},
    ]);
    expect(shown).toEqual([
      ['mce_record 1', 'CE', 'corrected', '0x0000001234567000', 1, expect.anything()],
      ['mce_record 2', 'CE', 'corrected', '0x0000000040000000', '', { socket: 0, channel: 1, chipSelect: 0 }],
      [
        'mc_event 1',
        'edac-corrected',
        'corrected',
        '0x0000000123456780',
        3,
        {
          label: 'CPU_SrcID#0_MC#1_Chan#0_DIMM#1',
          socket: 0,
          controller: 1,
          location: '0:1',
          rank: 1,
          bankGroup: 2,
          bank: 3,
          row: 0x1a2b,
          column: 0x10,
        },
      ],
      [
        'mc_event 2',
        'edac-uncorrected',
        'uncorrected',
        '0xffffffff80000000',
        1,
        { label: 'DIMM_B2', controller: 0, location: '1:0' },
      ],
      [
        'extlog_event 1',
        'corrected',
        'corrected',
        '0x0000000765432100',
        '',
        { fru: 'P1-DIMMA1', node: 1, card: 2, module: 3, bank: 4, rank: 1, row: 0x1234, column: 0x56 },
      ],
      ['non_standard_event 1', 'recoverable', expect.any(String), '0x0000000000009000', '', { fru: 'DIMM 4' }],
      ['non_standard_event 2', 'fatal', 'fatal', '', '', {}],
      ['arm_event 1', 'arm-event', 'unknown', '0x0000000080001000', '', {}],
      ['memory_failure_event 1', 'memory-failure', expect.any(String), '0x0000000123456000', '', {}],
      ['signal_event 1', 'ras-sigbus', 'uncorrected', '', '', {}],
      ['signal_event 2', 'ras-signal', 'info', '', '', {}],
      ['cxl_poison_event 1', 'cxl-uncorrected', 'uncorrected', '0x0000000000005000', '', { label: 'CXL mem0' }],
      ['cxl_general_media_event 1', 'cxl-uncorrected', 'uncorrected', '', '', expect.anything()],
      ['aer_event 1', 'pcie-corrected', 'corrected', '', '', { label: 'PCIe 0000:3b:00.0' }],
      ['devlink_event 1', 'devlink-error', 'unknown', '', '', {}],
      ['disk_errors 1', 'disk-error', 'unknown', '', '', {}],
      ['amp_payload0_event 1', 'ras-vendor', 'unknown', '', '', {}],
      ['reri_event 1', 'ras-vendor', 'unknown', '', '', {}],
    ]);
    expect(records.every(r => r.time?.text === '2026-02-03T03:05:06Z' || r.source.table === 'mce_record')).toBe(true);
    const [intel, amd] = records;
    expect(intel?.registers).toMatchObject({
      status: '0x8c00004000010091',
      misc: '0x900000000000008c',
      mcgCap: '0x000000000f000c14',
      microcode: '0x0000000005003302',
    });
    expect(amd?.diagnostics).toEqual([]);
    expect(amd?.component).toMatchObject({ area: 'memory', name: 'UMC channel 1', detail: 'DRAM ECC error' });
    expect(hash(at('renamed'))).toBe(before);
    expect(readdirSync(dir)).toEqual(['renamed']);
  });

  it('says of a row where it stands', () => {
    openRasDatabase(at('text.db'), { mc_event: ROWS.mc_event ?? [] }).close();
    const { out } = syndrome('text.db');
    expect(out).toContain('text.db:mc_event 2 (rasdaemon)');
    expect(syndrome('--brief', 'text.db').out).toMatch(/^text\.db:mc_event 1  /);
    expect(syndrome('--ticket', 'text.db').out).toContain('text.db:mc\\_event 2');
  });

  it('says the same as the text of ras-mc-ctl about the same rows', () => {
    const { records } = syndrome('./renamed', '--json');
    const said = decode(PRINTED).records.map(r => toData(r) as unknown as Said);
    expect(said).toHaveLength(5);
    for (const other of said) {
      const same = records.find(
        r =>
          r.class === other.class &&
          // Flags of CXL are words there and a number here.
          (r.class.startsWith('cxl') || r.headline.slice(0, 60) === other.headline.slice(0, 60)) &&
          JSON.stringify(r.place) === JSON.stringify(other.place),
      );
      expect([other.class, same?.severity, same?.count]).toEqual([other.class, other.severity, other.count]);
    }
  });

  it('of an older rasdaemon lacks columns and tables', () => {
    const without = [
      'ppin',
      'microcode',
      'mcastatus_msg',
      'mc_location',
      'driver_detail',
      'middle_layer',
      'error_type',
      'error_flags',
      'phy_fault_addr',
      'virt_fault_addr',
      'err_info',
      'context_info',
      'vendor_info',
      'error_info',
      'hpa_alias0',
      'pldm_entity_id',
      'pldm_resource_id',
      'sub_type',
    ];
    const kept = (rows: readonly Readonly<Record<string, unknown>>[] = []): never =>
      rows.map(row => Object.fromEntries(Object.entries(row).filter(([name]) => !without.includes(name)))) as never;
    const some = { mc_event: kept(ROWS.mc_event), mce_record: kept(ROWS.mce_record), arm_event: kept(ROWS.arm_event) };
    openRasDatabase(at('old.db'), some, {
      without,
      missing: ['signal_event', 'reri_event', 'disk_errors', 'cxl_dram_event'],
    }).close();
    const { status, records } = syndrome('old.db', '--json');
    expect([status, records.map(r => r.class)]).toEqual([
      0,
      ['CE', 'CE', 'edac-corrected', 'edac-uncorrected', 'arm-event'],
    ]);
  });

  it.each(['delete', 'wal', 'persist', 'truncate'])('is read while rasdaemon writes to it, journal mode %s', mode => {
    const path = at(`live-${mode}.db`);
    const live = openRasDatabase(path);
    live.exec(`PRAGMA journal_mode=${mode}; PRAGMA wal_autocheckpoint=0`);
    const [row] = ROWS.mc_event ?? [];
    addRasRow(live, 'mc_event', row ?? {});
    live.exec('BEGIN IMMEDIATE');
    addRasRow(live, 'mc_event', row ?? {});
    const files = readdirSync(dir).filter(f => f.startsWith(`live-${mode}`) && !f.endsWith('-shm'));
    const before = files.map(f => hash(at(f)));
    // What is not committed is not there yet, and the writer is not held up.
    expect(syndrome(path, '--json').records).toHaveLength(1);
    expect(files.map(f => hash(at(f)))).toEqual(before);
    live.exec('COMMIT');
    expect(syndrome(path, '--json').records).toHaveLength(2);
    expect(readdirSync(dir).filter(f => f.startsWith(`live-${mode}`) && !f.endsWith('-shm'))).toEqual(
      mode === 'wal' || mode === 'persist' || mode === 'truncate'
        ? expect.arrayContaining([`live-${mode}.db`])
        : [`live-${mode}.db`],
    );
    live.close();
  });

  it.each(['wal', 'delete'])(
    'that a crash left in the middle of a transaction holds what was finished, journal mode %s',
    mode => {
      const path = at(`torn-${mode}.db`);
      const live = openRasDatabase(path);
      live.exec(`PRAGMA journal_mode=${mode}; PRAGMA cache_size=1; PRAGMA cache_spill=1`);
      const [row = {}] = ROWS.mc_event ?? [];
      for (let i = 0; i < 50; i++) addRasRow(live, 'mc_event', row);
      live.exec('BEGIN');
      for (let i = 0; i < 2000; i++) addRasRow(live, 'mc_event', row);
      // As the power failed: what SQLite wrote of it lies there.
      for (const more of ['', '-wal', '-journal']) {
        if (statSync(path + more, { throwIfNoEntry: false }) !== undefined)
          copyFileSync(path + more, at(`crash-${mode}.db${more}`));
      }
      live.close();
      expect(syndrome(`crash-${mode}.db`, '--json').records).toHaveLength(50);
    },
  );

  it('that is foreign, empty, cut or damaged is said to be so', () => {
    const foreign = new DatabaseSync(at('foreign.db'));
    foreign.exec('CREATE TABLE mc_events (id INTEGER)');
    foreign.close();
    expect(syndrome('foreign.db')).toMatchObject({
      status: 2,
      out: '',
      err: expect.stringMatching(/none of the tables that rasdaemon makes \[E_INPUT\]/) as string,
    });

    openRasDatabase(at('empty.db')).close();
    expect(syndrome('empty.db')).toMatchObject({
      status: 4,
      out: '',
      err: expect.stringContaining('without a row') as string,
    });

    openRasDatabase(at('cut.db'), ROWS).close();
    truncateSync(at('cut.db'), 150);
    expect(syndrome('cut.db')).toMatchObject({
      status: 2,
      out: '',
      err: expect.stringMatching(/is a damaged database: .*\[E_INPUT\]/) as string,
    });

    const [row = {}] = ROWS.mc_event ?? [];
    const missing = (Object.keys(RAS_TABLES) as RasTable[]).filter(t => t !== 'mc_event');
    openRasDatabase(at('half.db'), { mc_event: Array.from({ length: 500 }, () => row) }, { missing }).close();
    truncateSync(at('half.db'), Math.floor(statSync(at('half.db')).size / 2));
    const half = syndrome('half.db', '--brief');
    expect([half.status, half.err]).toEqual([
      5,
      expect.stringMatching(/table mc_event could not be read to its end: .*\[E_INPUT_DATABASE\]/),
    ]);
  });

  it('with damage anywhere never ends in a fault of the program', () => {
    openRasDatabase(at('seed.db'), ROWS).close();
    const good = readFileSync(at('seed.db'));
    const files = Array.from({ length: 6 }, (_, i) => {
      const bad = Buffer.from(good);
      for (let n = 0; n < 20; n++) bad[(i * 7919 + n * 104_729) % bad.length] = (i * 31 + n * 17) & 0xff;
      bad.set(good.subarray(0, 16));
      writeFileSync(at(`bad-${i}.db`), bad);
      return `bad-${i}.db`;
    });
    for (const file of files) {
      const { status, err } = syndrome(file, '--brief');
      expect([0, 2, 4, 5]).toContain(status);
      expect(err).not.toMatch(/unexpected error|\n\s+at /);
    }
  });

  it('larger than any screen goes out row by row', async () => {
    const [row = {}] = ROWS.mc_event ?? [];
    const big = openRasDatabase(at('big.db'));
    big.exec('BEGIN');
    for (let i = 0; i < 20_000; i++) addRasRow(big, 'mc_event', row);
    big.exec('COMMIT');
    big.close();
    const child = spawn(process.execPath, [MAIN, 'decode', '--json', at('big.db')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let lines = 0;
    for await (const piece of child.stdout) lines += (piece as Buffer).toString('latin1').split('\n').length - 1;
    expect(lines).toBe(20_000);
  });
});

it('bytes in tests are what they are called', () => {
  expect(bytesToHex(compact()).slice(0, 2)).not.toBe('00');
});
