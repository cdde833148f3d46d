import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { openRasDatabase } from '../testing/ras-database.ts';
import { CRASH, DMIDECODE, HOST, SERIAL, SOSREPORT, SUPPORTCONFIG, USER } from '../testing/support-bundle.ts';
import { makeTar, tarBlock } from '../testing/tar.ts';
import type { TarFile } from '../testing/tar.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const ROOT = `sosreport-${HOST}-2026-02-03-abcdefg`;
const CE =
  '[    1.000000] EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40 grain:32 syndrome:0x0)\n';

let dir = '';
const at = (name: string): string => join(dir, name);
const write = (name: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
};
const folder = (name: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [path, content] of Object.entries(files)) write(`${name}/${path}`, content);
};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'syndrome-bundle-'));
  folder(ROOT, SOSREPORT);
  openRasDatabase(at(`${ROOT}/ras-mc_event.db`), {
    memory_failure_event: [
      {
        timestamp: '2026-02-03 04:05:06 +0100',
        pfn: '0x6a47d1f',
        page_type: 'dirty LRU page',
        action_result: 'Recovered',
      },
    ],
  }).close();
  symlinkSync('sos_commands/kernel/dmesg', at(`${ROOT}/dmesg`));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Said {
  source: { input: string; firstLine?: number; copies?: { input: string; firstLine: number }[]; table?: string };
  class: string;
  count?: number;
  place?: Record<string, unknown>;
}

function syndrome(...args: string[]): { status: number | null; out: string; err: string; records: Said[] } {
  const run = spawnSync(process.execPath, [MAIN, 'decode', ...args], {
    encoding: 'utf8',
    cwd: dir,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const lines = run.stdout.split('\n').filter(line => line.startsWith('{'));
  return { status: run.status, out: run.stdout, err: run.stderr, records: lines.map(line => JSON.parse(line) as Said) };
}

const brief = (records: readonly Said[], root: string): unknown[] =>
  records.map(({ class: name, source, count, place }) => [
    name,
    `${source.input.replace(root, '')}:${source.firstLine ?? source.table ?? ''}`,
    (source.copies ?? []).map(c => `${c.input.replace(root, '')}:${c.firstLine}`).join(' '),
    count ?? 1,
    place?.['label'] ?? '',
    place?.['serial'] ?? '',
  ]);

/** What every form of this sosreport holds. */
const EXPECTED = [
  ['bmc-memory-corrected', 'sos_commands/ipmitool/ipmitool_sel_list:1', '', 1, 'DIMM_A1', SERIAL],
  [
    'corrected',
    'sos_commands/logs/journalctl_--no-pager_--boot:1',
    'sos_commands/kernel/dmesg:2 var/log/messages:2',
    1,
    'DIMM_A1',
    SERIAL,
  ],
  [
    'edac-corrected',
    'sos_commands/logs/journalctl_--no-pager_--boot:10',
    'sos_commands/kernel/dmesg:11 var/log/messages:11',
    1,
    'DIMM_A1',
    SERIAL,
  ],
  [
    'edac-corrected',
    'sos_commands/logs/journalctl_--no-pager_--boot:11',
    'sos_commands/kernel/dmesg:12 var/log/messages:12',
    1,
    'DIMM_A1',
    SERIAL,
  ],
  ['edac-corrected', 'var/log/messages:1', '', 1, 'DIMM_A1', SERIAL],
  ['memory-failure', 'ras-mc_event.db:memory_failure_event', '', 1, '', ''],
  ['edac-corrected', 'sys/devices/system/edac/mc/mc0/dimm1:', '', 5, 'DIMM_B1', ''],
  ['edac-uncorrected', 'sys/devices/system/edac/mc/mc0/dimm1:', '', 1, 'DIMM_B1', ''],
];

/** What no packing makes much shorter. */
const noiseOf = (lines: number): string =>
  Array.from({ length: lines }, (_, i) => ((i * 7919 * (i % 97)) % 65_536).toString(36)).join('\n');

const PACKERS: Readonly<Record<string, string>> = { 'tar.xz': 'xz', 'tar.zst': 'zstd', 'tar.bz2': 'bzip2' };

/** A minimal Debian has not all of them. */
function needPacker(context: { skip(reason: string): void }, program: string | undefined): void {
  if (program === undefined || spawnSync(program, ['--version']).error === undefined) return;
  skipWithout(context, 'packers', `${program} is not installed: apt-get install -y xz-utils zstd bzip2`);
}

describe('a support bundle is one input', () => {
  it('as a folder: each error once, with all its places', () => {
    const { status, records, err } = syndrome('--json', ROOT);
    expect(status).toBe(0);
    expect(brief(records, `${ROOT}:`)).toEqual(EXPECTED);
    expect(err.split('\n')).toEqual([
      `${ROOT}: 14 files read, 2 others not looked at, 1 link or device left alone, 6 copies of records in further files joined with them`,
      '  sys/devices/system/edac/mc/mc0/dimm0: 7 corrected and 0 uncorrected of DIMM_A1 since the boot, whose lines are in the logs',
      '',
    ]);
  });

  it.for(['tar', 'tar.gz', 'tgz', 'tar.xz', 'tar.zst', 'tar.bz2'])('as %s', (ending, context) => {
    needPacker(context, PACKERS[ending]);
    const name = `b.${ending}`;
    execFileSync('tar', ['--sort=name', '-caf', at(name), '-C', dir, ROOT]);
    const { status, records } = syndrome('--json', name);
    expect(status).toBe(0);
    expect(brief(records, `${name}:${ROOT}/`)).toEqual(EXPECTED);
    // The order of the files in the archive makes none.
    if (ending !== 'tar') return;
    execFileSync('tar', [
      '-cf',
      at('turned.tar'),
      '-C',
      dir,
      ...Object.keys(SOSREPORT)
        .toReversed()
        .map(p => `${ROOT}/${p}`),
      `${ROOT}/ras-mc_event.db`,
    ]);
    expect(brief(syndrome('--json', 'turned.tar').records, `turned.tar:${ROOT}/`)).toEqual(EXPECTED);
  });

  it('says in text where each record stands', () => {
    const { out } = syndrome(ROOT);
    expect(out).toContain(
      `  ${ROOT}:sos_commands/logs/journalctl_--no-pager_--boot:10 (linux)\n    also sos_commands/kernel/dmesg:11, var/log/messages:11\n`,
    );
    expect(out).toMatch(
      /SMBIOS slot DIMM_A1, SMBIOS bank NODE 0, made by\s+Samsung, part number\s+M393A2K43CB2-CTD, serial number\s+12AB34CD/,
    );
    const ticket = syndrome('--ticket', ROOT).out;
    expect(ticket).toContain(`serial number ${SERIAL}`);
    expect(ticket).toContain(`${ROOT}:var/log/messages:1`);
  });

  it('as supportconfig: sections in plain text', () => {
    folder('scc_web_260203', SUPPORTCONFIG);
    const { records, err } = syndrome('--json', 'scc_web_260203');
    expect(brief(records, 'scc_web_260203:')).toEqual([
      ['corrected', 'messages.txt:4', 'boot.txt:4', 1, 'DIMM_A1', SERIAL],
      ['edac-corrected', 'messages.txt:13', 'boot.txt:13', 1, 'DIMM_A1', SERIAL],
      ['edac-corrected', 'messages.txt:14', 'boot.txt:14', 1, 'DIMM_A1', SERIAL],
      ['edac-corrected', 'messages.txt:3', '', 1, 'DIMM_A1', SERIAL],
    ]);
    expect(err).toContain('4 files read, 1 other not looked at');
  });

  it('as a crash folder, with rotated and packed logs', () => {
    folder('127.0.0.1-2026-02-03-04:05:06', {
      ...CRASH,
      'kern.log': CE.replace('1.000000', '5.000000'),
      'kern.log.1': CE,
      'kern.log.2.gz': gzipSync(CE.replace('1.000000', '0.500000')),
      'kern.log.3.zst': zstdCompressSync(Buffer.from(CE.replace('1.000000', '0.250000'))),
    });
    const { records, status } = syndrome('--json', './127.0.0.1-2026-02-03-04:05:06');
    expect([
      status,
      records.map(r => [r.class, r.source.input.replace(/^.*06:/, ''), r.source.copies?.length ?? 0]),
    ]).toEqual([
      0,
      [
        ['edac-corrected', 'kern.log', 0],
        ['edac-corrected', 'kern.log.1', 0],
        ['edac-corrected', 'kern.log.2.gz', 0],
        ['edac-corrected', 'kern.log.3.zst', 0],
        ['SRAR', 'vmcore-dmesg.txt', 0],
        ['panic', 'vmcore-dmesg.txt', 0],
      ],
    ]);
  });

  it('a packed log alone is a log', () => {
    write('one.log.gz', gzipSync(CE));
    expect(syndrome('--brief', 'one.log.gz')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^one\.log\.gz:1 /) as string,
    });
  });

  it('a log that xz has packed, alone', context => {
    needPacker(context, 'xz');
    execFileSync('xz', ['-k', at(`${ROOT}/var/log/messages`)]);
    expect(syndrome('--json', `${ROOT}/var/log/messages.xz`).records).toHaveLength(4);
    rmSync(at(`${ROOT}/var/log/messages.xz`));
  });

  it('of two files with equal lines keeps as many errors as the fuller has', () => {
    const line = (second: number): string => CE.replace('1.000000', `${second}.000000`);
    folder('twice', { 'dmesg.txt': line(7) + line(8) + line(9), 'console.log': line(8) + line(9) + line(9) });
    const { records } = syndrome('--json', 'twice');
    expect(records.map(r => [r.source.input, r.source.firstLine, r.source.copies?.[0]?.firstLine])).toEqual([
      ['twice:console.log', 1, 2],
      ['twice:console.log', 2, undefined],
      ['twice:console.log', 3, 3],
      ['twice:dmesg.txt', 1, undefined],
    ]);
  });

  it('empty, or without a log, is said to be so', () => {
    mkdirSync(at('empty'));
    expect(syndrome('empty')).toMatchObject({
      status: 4,
      out: '',
      err: expect.stringContaining('holds no file whose name is one of a log') as string,
    });
    folder('quiet', { 'var/log/messages': 'Feb  3 03:55:00 a systemd[1]: Started.\n', 'picture.png': 'x' });
    expect(syndrome('quiet')).toMatchObject({
      status: 4,
      err: expect.stringContaining('1 file of quiet was read') as string,
    });
  });

  it('invents nothing from files that are no logs', () => {
    folder('lookalike', {
      'etc/kern.conf': CE,
      'numbers.txt': '0xbd80000000100134\n0xbe00000000800400\n',
      'id.txt': '9c00000000000135\n',
      'drivers/edac/edac_mc.c': CE,
      'kernel/mce.py': CE,
    });
    expect(syndrome('--json', 'lookalike')).toMatchObject({ status: 4, records: [] });
  });
});

describe('a bundle that is damaged or hostile', () => {
  const dmesg = (path = 'x/dmesg'): TarFile => ({ path, content: CE });

  it.each([100, 600, 700, 1100, 1500])('cut at byte %i: what is there is read, the rest is said to be lost', length => {
    write('cut.tar', makeTar([{ path: 'x/kern.log', content: CE.repeat(3) }, dmesg()]).subarray(0, length));
    const { status, err } = syndrome('--json', 'cut.tar');
    if (length === 100) expect([status, err]).toEqual([4, expect.stringContaining('no error record found')]);
    else expect([status, err]).toEqual([5, expect.stringContaining('cut or damaged')]);
  });

  it('cut within its packing', () => {
    const noise = noiseOf(4000);
    const whole = gzipSync(makeTar([dmesg(), { path: 'x/noise.log', content: noise }]));
    write('cut.tar.gz', whole.subarray(0, whole.length - 200));
    expect(syndrome('--json', 'cut.tar.gz')).toMatchObject({ status: 5, records: [{ class: 'edac-corrected' }] });
  });

  it('cut within what xz has packed', context => {
    needPacker(context, 'xz');
    const noise = noiseOf(4000);
    write(
      'cut.tar.xz',
      execFileSync('xz', ['-c'], { input: makeTar([dmesg(), { path: 'x/noise.log', content: noise }]) }).subarray(
        0,
        -200,
      ),
    );
    expect(syndrome('--json', 'cut.tar.xz')).toMatchObject({
      status: 5,
      err: expect.stringContaining('[E_INPUT_ARCHIVE]') as string,
    });
  });

  it('with names that lead out of it, links and devices: nothing is followed, nothing written', () => {
    write('secret', 'kernel: EDAC MC0: 1 UE of somebody else on DIMM_S (page:0x1)\n');
    const names = ['../../escape/dmesg', '/var/dmesg', 'x/\u001b[31mdmesg', `${'a/'.repeat(90)}dmesg`];
    write(
      'paths.tar',
      makeTar([
        ...names.map(dmesg),
        { path: 'x/messages', type: '2', linkName: at('secret') },
        { path: 'x/syslog', type: '1', linkName: '../secret' },
        { path: 'x/console', type: '3' },
        { path: 'x/kmsg', type: '6' },
      ]),
    );
    const { status, records, err } = syndrome('--json', 'paths.tar');
    // Four copies of one line.
    expect([status, records.length]).toEqual([0, 1]);
    expect(records[0]?.source.copies?.map(c => c.input)).toHaveLength(3);
    expect(err).toContain('4 links and devices left alone');
    expect(syndrome('paths.tar').out).not.toContain('\u001b');
    mkdirSync(at('linked'));
    symlinkSync('../secret', at('linked/messages'));
    symlinkSync('..', at('linked/log'));
    expect(syndrome('linked')).toMatchObject({
      status: 4,
      err: expect.stringContaining('2 links and devices left alone') as string,
    });
  });

  it('with sizes that are none', () => {
    for (const size of [8 ** 11 - 1, 1 << 30]) {
      write('size.tar', Buffer.concat([tarBlock({ ...dmesg(), size }), tarBlock(dmesg('x/kern.log'))]));
      expect(syndrome('--json', 'size.tar').status).toBe(5);
    }
    const pax = (text: string): TarFile => ({ path: 'pax', type: 'x', content: text });
    write(
      'pax.tar',
      makeTar([
        pax('23 path=other/kern.log\n'),
        { path: 'short', content: CE },
        pax('999 path=x'),
        dmesg(),
        pax('11 size=-1\n'),
        dmesg(),
      ]),
    );
    expect(syndrome('--json', 'pax.tar')).toMatchObject({
      status: 5,
      records: [{ source: { input: 'pax.tar:other/kern.log' } }],
    });
  });

  it('that unpacks to what no log comes to', { timeout: 120_000 }, () => {
    // Members of gzip behind one another are one.
    const part = gzipSync(Buffer.alloc(1 << 26, 0x20));
    write('bomb.log.gz', Buffer.concat(Array.from({ length: 14 }, () => part)));
    expect(syndrome('bomb.log.gz')).toMatchObject({
      status: 5,
      err: expect.stringContaining('unpacks to more than') as string,
    });
  });

  it('with files that cannot be read, encrypted, or archives themselves', () => {
    folder('mixed', {
      'dmesg.txt': CE,
      'messages.gpg.log': '-----BEGIN PGP MESSAGE-----\n\nabc\n',
      'inner.bin': makeTar([dmesg()]),
      'kern.log.gz': gzipSync(CE.replace('1.000', '2.000')).subarray(0, 40),
      'var/log/journal/1/system.journal': 'LPKSHHRH',
      'ras-mc_event.db': 'SQLite format 3\0 and no more',
    });
    const { status, records, err } = syndrome('--json', 'mixed');
    expect([status, records.length]).toEqual([5, 1]);
    expect(err).toContain('messages.gpg.log: encrypted: decrypt it first');
    expect(err).toContain('inner.bin: an archive within this one');
    expect(err).toContain('system.journal: a journal of systemd in its own form');
    expect(err).toMatch(/mixed:kern\.log\.gz: it was cut; what stands before that was read \[E_INPUT_FILE\]/);
    expect(err).toMatch(/mixed:ras-mc_event\.db: .*damaged database.*\[E_INPUT_DATABASE\]/);
    write('all.tar.gpg', Buffer.from([0x85, 0x02, 0x0c, 3, 1, 2]));
    expect(syndrome('all.tar.gpg')).toMatchObject({
      status: 2,
      err: expect.stringContaining('is encrypted [E_INPUT]') as string,
    });
    if (process.getuid?.() === 0) return;
    chmodSync(at('mixed/dmesg.txt'), 0);
    expect(syndrome('mixed').err).toMatch(/mixed:dmesg\.txt: the file cannot be read: .* \[E_INPUT_FILE\]/);
  });

  it('needs a program that is not there', context => {
    needPacker(context, 'xz');
    write('x.tar.xz', execFileSync('xz', ['-c'], { input: makeTar([dmesg()]) }));
    const run = spawnSync(process.execPath, [MAIN, 'decode', 'x.tar.xz'], {
      cwd: dir,
      encoding: 'utf8',
      env: { PATH: '/nowhere' },
    });
    expect([run.status, run.stderr]).toEqual([
      2,
      expect.stringContaining('xz is needed to unpack this, and is not on PATH'),
    ]);
  });
});

describe('--redact', () => {
  const NAMES = [
    HOST,
    USER,
    SERIAL,
    'CZ12345678',
    '31323334-3536',
    'builder',
    'build.example',
    '192.0.2',
    '52:54:00',
    'de0b295669a9fd93',
  ];
  const LOG = [
    `Feb  3 04:05:00 ${HOST} kernel: mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: bd80000000100134`,
    `Feb  3 04:05:00 ${HOST} kernel: mce: [Hardware Error]: TSC 1234 ADDR 91ee000 MISC 8c PPIN de0b295669a9fd93 `,
    `Feb  3 04:05:00 ${HOST} kernel: mce: [Hardware Error]: PROCESSOR 0:50657 TIME 1770000000 SOCKET 0 APIC 6 microcode 5003302`,
    `Feb  3 04:05:01 ${HOST} kernel: Kernel panic - not syncing: ${USER} at 192.0.2.17 (52:54:00:12:34:56) in /home/${USER}/x on ${HOST.toUpperCase()}`,
    '',
  ].join('\n');

  it.each([
    [],
    ['--json'],
    ['--json', '--outlook'],
    ['--ticket'],
    ['--triage'],
    ['--triage', '--json'],
    ['--brief'],
    ['--full', '--table'],
    ['--raw'],
  ])('of a bundle lets no name out: %j', (...options) => {
    const name = `home/${USER}/${ROOT}`;
    folder(name, { ...SOSREPORT, 'var/log/kern.log': LOG, 'var/log/kern.log.1.gz': gzipSync(LOG).subarray(0, 200) });
    const run = syndrome('--redact', ...options, name);
    expect(run.status).toBe(5);
    for (const word of NAMES) expect(`${run.out}${run.err}`.toLowerCase()).not.toContain(word.toLowerCase());
    expect(run.out).toContain(
      options[0] === '--raw' ? '0x00000000091ee000' : 'DIMM_A1'.replace('_', options[0] === '--ticket' ? '\\_' : '_'),
    );
    if (options[0] !== '--json') return;
    // All else is as it was.
    const plain = syndrome(...options, name);
    const rest = (records: Said[]): unknown[] =>
      records.map(r => [r.class, r.source.firstLine, r.source.copies?.length, r.place?.['label'], r.count]);
    expect(rest(run.records)).toEqual(rest(plain.records));
    expect(run.records.find(r => r.class === 'SRAR')).toMatchObject({
      registers: { ppin: '0x0000000000000001', status: '0xbd80000000100134', addr: '0x00000000091ee000' },
    });
  });

  it('of a log and of a pipe replaces what is known when it is written', () => {
    write(`logs/${HOST}.log`, LOG);
    const file = syndrome('--redact', '--json', `logs/${HOST}.log`);
    const piped = spawnSync(process.execPath, [MAIN, 'decode', '--redact', '--json'], { input: LOG, encoding: 'utf8' });
    for (const out of [file.out, piped.stdout])
      for (const word of NAMES) expect(out.toLowerCase()).not.toContain(word.toLowerCase());
    expect(file.out).toContain('logs/host-1.log');
    expect(piped.stdout).toContain('0x00000000091ee000');
  });
});

describe('dmidecode', () => {
  it('given as a file names slot, serial and part number', () => {
    write('dmi.txt', DMIDECODE);
    write('ce.log', CE);
    expect(syndrome('--json', '--dmidecode', 'dmi.txt', 'ce.log').records[0]?.place).toMatchObject({
      label: 'DIMM_A1',
      locator: 'DIMM_A1',
      bankLocator: 'NODE 0',
      manufacturer: 'Samsung',
      partNumber: 'M393A2K43CB2-CTD',
      serial: SERIAL,
    });
    write('two.txt', `${DMIDECODE}\n${DMIDECODE.replaceAll('0x0011', '0x0021').replaceAll(SERIAL, '99999999')}`);
    expect(syndrome('--json', '--dmidecode', 'two.txt', 'ce.log').records[0]?.place).not.toHaveProperty('serial');
  });

  it('that is none is refused', () => {
    write('no.txt', 'nothing\n');
    expect(syndrome('--dmidecode', 'no.txt', 'ce.log')).toMatchObject({
      status: 2,
      err: expect.stringContaining('names no memory device') as string,
    });
    expect(syndrome('--dmidecode', 'nowhere.txt', 'ce.log')).toMatchObject({
      status: 2,
      err: expect.stringContaining('cannot read nowhere.txt') as string,
    });
  });
});
