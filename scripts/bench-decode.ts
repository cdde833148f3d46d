/**
 * `node scripts/bench-decode.ts [--records N] [--clean-mb N] [--rounds N] [--big-gb N] [--many N] [--only many] [--json]`: how
 * fast logs are decoded, on inputs made up deterministically: a storm (few statuses, each of its bank, with ever other
 * addresses, CPUs and times) and its opposite, where no status comes twice. `mcelog`, named by `MCELOG=` or on PATH, reads
 * the same logs in the same run, and the ratios are of what it took for the same log, by the clock and of processor time;
 * of each the least of all rounds counts. Ours is measured within one process, and as a person starts it: from the clone, and as
 * `npm run build` made it, if it did; of a program also how long it takes for one record, and the ratios without that.
 * `--big-gb` also makes a log of that size and reads it with `bin/syndrome decode`
 * as a file and from a pipe; `--many` gives it so many records from a pipe while they are made (`--generate N`, with
 * `--distinct`, writes them), for the triage. Both give the resident peak of that process alone. Figures are of this machine
 * at this moment; its load stands above and below them.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { BriefWriter } from '@syndrome/decode/decode/to-brief.ts';
import { JsonWriter } from '@syndrome/decode/decode/to-json.ts';
import { TextWriter } from '@syndrome/decode/decode/to-text.ts';
import { Triage } from '@syndrome/decode/triage/triage.ts';
import { mcelogOnPath } from './mcelog.ts';
import { BIN } from './published.ts';

const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const RECORDS = argument('records', 100_000);
const CLEAN_MB = argument('clean-mb', 400);
const ROUNDS = argument('rounds', 5);
const BIG_GB = argument('big-gb', 0);
const MANY = argument('many', 0);
const GENERATE = argument('generate', 0);
const ONLY_MANY = process.argv.includes('--only');

/** xorshift32: the same numbers on every machine. */
let seed = 0x9e3779b9;
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}
const hex = (value: number, width = 0): string => value.toString(16).padStart(width, '0');

/** Status, the bank that reports it, and MCG_STATUS. */
const STORM: readonly (readonly [status: bigint, bank: number, mcgStatus: number])[] = [
  [0xbd000000000000c0n, 7, 5],
  [0xbd80000000000134n, 1, 7],
  [0x9c000000000000c0n, 13, 0],
  [0xbc00000080000136n, 3, 5],
  [0x8c00004000010090n, 7, 0],
  [0xb200000000000005n, 0, 4],
  [0xbd80000000000150n, 0, 7],
  [0x9c00180000000000n, 9, 0],
];
/** Corrected count and model-specific code. */
const VARYING = (0x7fffn << 38n) | (0xffffn << 16n);

/** One machine check of three or four lines, as Linux prints it: registers that are not valid are left out. */
function record(i: number, distinct: boolean): string {
  const stamp = `[${(i * 0.001).toFixed(6).padStart(12)}] mce: [Hardware Error]: `;
  const [base, bank, mcgStatus] = STORM[random(STORM.length)] as (typeof STORM)[number];
  const other = (BigInt(i & 0x7fff) << 38n) | (BigInt((i * 7919) & 0xffff) << 16n);
  const status = distinct ? (base & ~VARYING) | other : base;
  const cpu = random(256);
  const rip = `${stamp}RIP !INEXACT! 33:<${hex(random(0x7fffffff), 16)}> \n`;
  const addr = (base >> 58n) & 1n ? ` ADDR ${hex(random(0x7fffffff))}000` : '';
  const misc = (base >> 59n) & 1n ? ' MISC 8c' : '';
  return (
    `${stamp}CPU ${cpu}: Machine Check${mcgStatus === 0 ? '' : ' Exception'}: ${mcgStatus} Bank ${distinct ? random(32) : bank}: ${status.toString(16)}\n` +
    `${(mcgStatus & 3) === 0 ? '' : rip}` +
    `${stamp}TSC ${hex(random(0x7fffffff))}${hex(i, 6)}${addr}${misc} \n` +
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
  /** Processor time of the round that took least of it. */
  cpuSeconds?: number;
  /** Records per second over those of mcelog on the same log: of both by the clock, and of processor time. */
  ofMcelog?: number;
  ofMcelogCpu?: number;
  /** What is aimed at: times mcelog, or MB/s where there is no mcelog to be compared with. */
  goal?: number;
  detail: string;
}
const rows: Row[] = [];
const CHUNK = 1 << 16;
const SYNDROME = join(import.meta.dirname, '../bin/syndrome');
const PUBLISHED = join(import.meta.dirname, '../dist/syndrome/bin/syndrome.js');
/** As the first line of the published program starts it. */
const FLAGS = /^#!.*? node (.*)$/m.exec(BIN)?.[1]?.split(' ') ?? [];
/** Ours as programs: the name of each, its command. */
const OURS: readonly (readonly [name: string, command: readonly [string, ...string[]]])[] = [
  ['decode', [SYNDROME]],
  ...(existsSync(PUBLISHED) ? [['published', [process.execPath, ...FLAGS, PUBLISHED]] as const] : []),
];
interface Took {
  seconds: number;
  cpu: number;
  records: number;
}

/** Decodes in chunks of 64 KiB, as they come out of a file. */
function run(log: Uint8Array, use: (record: DecodedRecord) => void, end: () => void = () => {}): Took {
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
  end();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.threadCpuUsage(before);
  return { seconds, cpu: (user + system) / 1e6, records };
}

/** What ours are measured against on one log. */
interface Peer {
  recordsPerSecond: number;
  recordsPerCpuSecond: number;
}

/** Other programs on the machine only ever make it more. */
const least = (values: readonly number[]): number => Math.min(...values);

/** What a program is asked for, and what it is called within one process. */
const FORMS = [
  ['--triage', 'triage'],
  ['--json', 'JSON'],
  ['--in-order', 'text'],
] as const;

/** By the name of a row: what is aimed at on two cores, in times of mcelog, or MB/s. */
const GOALS: Readonly<Record<string, number>> = {
  'storm: triage': 2,
  'storm: text': 2,
  'storm: JSON': 2,
  'distinct: triage': 2,
  'distinct: text': 0.2,
  'distinct: JSON': 0.5,
  'log without errors': 500,
};
/** That of a row of its own name, or of what a program prints. */
function goalOf(name: string): number | undefined {
  const [kind = '', what = ''] = name.split(': ');
  const form = FORMS.find(([option]) => what.endsWith(` ${option}`))?.[1];
  return GOALS[form === undefined ? name : `${kind}: ${form}`];
}

/** @param use is made for each round, and says at the end what it has to */
function measure(
  name: string,
  log: Uint8Array,
  detail: string,
  use: () => { take: (record: DecodedRecord) => void; end?: () => void },
  peer?: Peer,
): void {
  const round = (): Took => {
    const { take, end } = use();
    return run(log, take, end);
  };
  // The first round, in which V8 still compiles, is given by itself.
  const first = round();
  const runs = Array.from({ length: ROUNDS }, round);
  const [seconds, cpu] = [least(runs.map(t => t.seconds)), least(runs.map(t => t.cpu))];
  add(
    { name, detail: `${detail}; least of ${ROUNDS}, after a first of ${(first.cpu * 1000).toFixed(0)} ms of CPU` },
    { seconds, cpu, records: first.records },
    log,
    peer,
  );
}

function add(row: Pick<Row, 'name' | 'detail'>, { seconds, cpu, records }: Took, log: Uint8Array, peer?: Peer): void {
  const [rate, rateOfCpu] = [records / seconds, records / cpu];
  const goal = goalOf(row.name);
  rows.push({
    ...row,
    detail: records === 0 ? row.detail : `${row.detail}; ${records} records`,
    ...(records === 0 ? {} : { recordsPerSecond: rate, recordsPerCpuSecond: rateOfCpu }),
    ...(peer === undefined
      ? {}
      : { ofMcelog: rate / peer.recordsPerSecond, ofMcelogCpu: rateOfCpu / peer.recordsPerCpuSecond }),
    ...(goal === undefined ? {} : { goal }),
    cpuSeconds: cpu,
    megabytesPerSecond: log.length / 1e6 / seconds,
    megabytesPerCpuSecond: log.length / 1e6 / cpu,
  });
}

/** A program that reads the log on its input and throws away what it writes, and the CPU time of it. */
function runProgram(command: string, words: readonly string[], file: string): Omit<Took, 'records'> {
  const started = process.hrtime.bigint();
  const script = '"$@" > /dev/null 2>&1; times';
  const { stdout } = spawnSync('sh', ['-c', `{ ${script}; } < "$0"`, file, command, ...words], { encoding: 'utf8' });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  // POSIX: the second line is of the children, in minutes and seconds of user and system.
  const [user = NaN, system = NaN] = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return { seconds, cpu: user + system };
}

/** Ratios to mcelog, by the clock and of processor time, where what a program takes for one record is left off. */
function withoutStart(took: Took, start: Took, peer: Peer): string {
  const times = (seconds: number, rate: number): string =>
    seconds > 0 ? `${(took.records / seconds / rate).toFixed(2)}×` : 'too little to be told';
  const wall = times(took.seconds - start.seconds, peer.recordsPerSecond);
  return `${wall} and ${times(took.cpu - start.cpu, peer.recordsPerCpuSecond)}`;
}

/** Programs as a person runs them, on one log: mcelog where there is one, and ours. */
function programs(kind: string, bytes: Buffer, records: number): Peer | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  try {
    const file = join(dir, 'log');
    writeFileSync(file, bytes);
    const several = (command: string, words: readonly string[], input = file): Took => {
      const runs = Array.from({ length: ROUNDS }, () => runProgram(command, words, input));
      return { seconds: least(runs.map(t => t.seconds)), cpu: least(runs.map(t => t.cpu)), records };
    };
    let peer: Peer | undefined;
    if (mcelog !== undefined) {
      const took = several(mcelog.path, [...mcelog.words, '--cpu', 'skylake_server']);
      peer = { recordsPerSecond: records / took.seconds, recordsPerCpuSecond: records / took.cpu };
      add({ name: `${kind}: mcelog --ascii`, detail: `${mcelog.version}, a process` }, took, bytes, peer);
    }
    const one = join(dir, 'one');
    writeFileSync(one, bytes.subarray(0, bytes.indexOf('\n[', bytes.indexOf('PROCESSOR')) + 1));
    for (const [name, [command, ...words]] of OURS) {
      for (const [form] of FORMS) {
        const start = several(command, [...words, 'decode', form, '-'], one);
        const took = several(command, [...words, 'decode', form, '-']);
        const without = peer === undefined ? '' : `; without it ${withoutStart(took, start, peer)}`;
        const detail = `a process, with its start of ${start.seconds.toFixed(2)} s, ${start.cpu.toFixed(2)} of CPU${without}`;
        add({ name: `${kind}: ${name} ${form}`, detail }, took, bytes, peer);
      }
    }
    return peer;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const made = (records: number, distinct: boolean): Buffer =>
  Buffer.from(Array.from({ length: records }, (_, i) => record(i, distinct)).join(''), 'latin1');
let sink = 0;

/** What is done with each record, by name; new for each round. */
const USES: readonly (readonly [
  name: string,
  detail: string,
  use: () => { take: (record: DecodedRecord) => void; end?: () => void },
])[] = [
  [
    'fields',
    'class, severity and address of each',
    () => ({ take: r => (sink += r.class.length + r.severity.length + Number((r.address?.value ?? 0n) & 1n)) }),
  ],
  [
    'all members',
    'with flags, headline, explanation, lint, next step',
    () => ({
      take: r =>
        (sink += r.explanation.length + r.flags.length + r.lint.length + r.headline.length + r.nextStep.length),
    }),
  ],
  [
    'triage',
    'what they come to',
    () => {
      const triage = new Triage();
      return { take: r => triage.add(r), end: () => (sink += triage.report().parts.length) };
    },
  ],
  [
    'brief',
    'as decode --brief prints it',
    () => {
      const brief = new BriefWriter();
      return { take: r => (sink += bytesOf(brief.line(r))) };
    },
  ],
  ['text', 'as decode --in-order prints it', () => written(new TextWriter())],
  ['text, full', 'as decode --full prints it', () => written(new TextWriter({ full: true }))],
  ['table', 'as decode --table prints it', () => written(new TextWriter({ table: true }))],
  [
    'JSON',
    'as decode --json prints it',
    () => {
      const json = new JsonWriter();
      return { take: r => (sink += json.line(r)?.length ?? bytesOf(stringify(toData(r)))) };
    },
  ],
];
const written = (text: TextWriter): { take: (record: DecodedRecord) => void } => ({
  take: r => (sink += bytesOf(text.text(r))),
});
/** Text is only a plan to join strings until somebody needs its bytes. */
const page = Buffer.alloc(1 << 16);
const bytesOf = (text: string): number => page.write(text);

/** Writes records as fast as somebody reads them, and holds none. */
function generate(records: number, distinct: boolean): void {
  const AT_ONCE = 1000;
  for (let i = 0; i < records; i += AT_ONCE) {
    let text = '';
    for (let k = i; k < Math.min(records, i + AT_ONCE); k++) text += record(k, distinct);
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  }
}

if (GENERATE > 0) {
  generate(GENERATE, process.argv.includes('--distinct'));
  process.exit();
}

const load = (): string =>
  `load ${loadavg()
    .map(n => n.toFixed(2))
    .join(' ')} on ${availableParallelism()} processors`;
const loadBefore = load();
const mcelog = mcelogOnPath();
if (mcelog === undefined) console.error('mcelog: none on PATH, and MCELOG= names none; nothing is compared with it');
if (!ONLY_MANY) {
  for (const [kind, distinct] of [
    ['storm', false],
    ['distinct', true],
  ] as const) {
    const bytes = made(RECORDS, distinct);
    const peer = programs(kind, bytes, RECORDS);
    for (const [name, detail, use] of USES) measure(`${kind}: ${name}`, bytes, detail, use, peer);
  }
  const clean = cleanChunk(CLEAN_MB << 20);
  measure('log without errors', clean, `${(clean.length / 1e6).toFixed(0)} MB`, () => ({ take: () => {} }));
}

/** `syndrome decode` on a log, its peak of resident memory measured by the kernel in that process alone. */
function resident(name: string, command: string, file: string, megabytes: number, ...more: string[]): void {
  const started = process.hrtime.bigint();
  // VmHWM is of this program; the peak of getrusage() counts what its parent had before it was started, too.
  const script = `import { readFileSync, writeSync } from 'node:fs';
    process.on('exit', () => writeSync(2, readFileSync('/proc/self/status')));`;
  const { stderr, status } = spawnSync('sh', ['-c', command, 'sh', SYNDROME, file, ...more], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(stderr)?.[1] ?? NaN) / 1024;
  rows.push({
    name,
    megabytesPerSecond: megabytes / seconds,
    detail: status === 0 ? `at most ${peak.toFixed(0)} MiB resident, in ${seconds.toFixed(1)} s` : `failed: ${stderr}`,
  });
}

if (BIG_GB > 0) {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  try {
    // A thousand records among ordinary lines.
    const file = join(dir, 'log');
    const piece = cleanChunk((BIG_GB * 1e9) / 1000);
    const fd = openSync(file, 'w');
    for (let i = 0; i < 1000; i++) {
      writeSync(fd, piece);
      writeSync(fd, record(i, true));
    }
    closeSync(fd);
    resident(`${BIG_GB} GB file`, 'exec "$1" decode "$2"', file, BIG_GB * 1000);
    resident(`${BIG_GB} GB pipe`, 'cat "$2" | "$1" decode -', file, BIG_GB * 1000);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (MANY > 0) {
  for (const distinct of [false, true]) {
    const command = `NODE_OPTIONS= "$2" "$3" --generate ${MANY} ${distinct ? '--distinct' : ''} | "$1" decode --triage -`;
    const megabytes = (made(1000, distinct).length / 1e9) * MANY;
    const name = `${distinct ? 'distinct' : 'storm'}: ${MANY / 1e6} million`;
    resident(name, command, process.execPath, megabytes, import.meta.filename);
  }
}

if (process.argv.includes('--json')) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  const rate = (n: number | undefined): string => (n === undefined ? '' : Math.round(n).toLocaleString('en'));
  const times = (n: number | undefined): string => (n === undefined ? '' : `${n.toFixed(2)}×`);
  const cells = (...texts: readonly string[]): string =>
    texts.map((text, i) => text.padStart([12, 12, 8, 9, 9, 7, 8, 8][i] ?? 0)).join('');
  console.log(`before: ${loadBefore}; after: ${load()}`);
  console.log(''.padEnd(28) + cells('records/s', 'of CPU', 'CPU s', '/ mcelog', 'of CPU', 'goal', 'MB/s', 'of CPU'));
  for (const row of rows) {
    const { recordsPerSecond, recordsPerCpuSecond, cpuSeconds, ofMcelog, ofMcelogCpu, goal } = row;
    const records = [rate(recordsPerSecond), rate(recordsPerCpuSecond), cpuSeconds?.toFixed(2) ?? ''];
    const aim = goal === undefined ? '' : goal > 10 ? `${goal}` : `${goal}×`;
    const compared = [times(ofMcelog), times(ofMcelogCpu), aim];
    const line = cells(...records, ...compared, rate(row.megabytesPerSecond), rate(row.megabytesPerCpuSecond));
    console.log(`${row.name.padEnd(28)}${line}  ${row.detail}`);
  }
}
if (sink < 0) console.error(sink);
