/**
 * `node scripts/differential.ts [--random N]`: machine checks made up deterministically, decoded by ours and by `mcelog` (named by
 * `MCELOG=`, else on PATH; reported as absent otherwise), and each disagreement with who is right by the architecture document.
 * One that nobody judged yet is a failure.
 */
import { spawnSync } from 'node:child_process';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { Comparison } from './differential/compare.ts';
import { JUDGED } from './differential/judged.ts';
import { mcelogSays, ourFacts } from './differential/facts.ts';
import type { Said } from './differential/facts.ts';
import { mcelogOnPath } from './mcelog.ts';

interface Made {
  status: bigint;
  bank: number;
  mcgStatus: number;
  misc: bigint;
  cpuid: string;
}

const at = process.argv.indexOf('--random');
const RANDOM = at < 0 ? 100_000 : Number(process.argv[at + 1]);
const SKYLAKE = '50654';
/** Servers whose CPUs both know: Sandy Bridge to Granite Rapids. */
const CPUS = ['206d7', '306e4', '306f2', '406f1', '50663', SKYLAKE, '606a6', '806f8', 'c06f2', 'a06d1'] as const;
const CODES = [0, 0x0005, 0x0134, 0x0090, 0x009f, 0x00c0, 0x0280, 0x0400, 0x0e0b] as const;
const VAL = 1n << 63n;
const ADDR_MISC = 3n << 58n;

/** xorshift32: the same records on every machine. */
let seed = 0x2545f491;
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}
const word = (): bigint => BigInt(random(0x1_0000_0000 - 1));

function* records(): Generator<Made> {
  const plain = { bank: 7, mcgStatus: 0, misc: 0x8cn, cpuid: SKYLAKE };
  // Every error code there can be, corrected.
  for (let code = 0; code < 0x10000; code++) yield { ...plain, status: VAL | ADDR_MISC | BigInt(code) };
  // Every combination of the flags and of the threshold status, for a code of each kind.
  for (let flags = 0; flags < 0x800; flags++) {
    for (const code of CODES) yield { ...plain, status: (BigInt(flags) << 53n) | BigInt(code) };
  }
  for (let mcgStatus = 0; mcgStatus < 16; mcgStatus++) {
    yield { ...plain, mcgStatus, status: VAL | (9n << 58n) | 0x134n };
  }
  // Anything at all.
  for (let i = 0; i < RANDOM; i++) {
    const cpuid = CPUS[random(CPUS.length)] ?? SKYLAKE;
    const status = (word() << 32n) | word();
    yield { status, bank: random(24), mcgStatus: random(16), misc: (word() << 32n) | word(), cpuid };
  }
}

/** As Linux prints it; the TSC is the number of the record. */
function lines({ status, bank, mcgStatus, misc, cpuid }: Made, number: number): string {
  const tag = 'mce: [Hardware Error]: ';
  return (
    `${tag}CPU 0: Machine Check${mcgStatus === 0 ? '' : ' Exception'}: ${mcgStatus.toString(16)} Bank ${bank}: ${status.toString(16).padStart(16, '0')}\n` +
    `${tag}TSC ${number.toString(16)} ADDR 12345000 MISC ${misc.toString(16)} \n` +
    `${tag}PROCESSOR 0:${cpuid} TIME 1795167593 SOCKET 0 APIC 0 microcode 1\n`
  );
}

const mcelog = mcelogOnPath();
if (mcelog === undefined) {
  console.log('mcelog: none on PATH, and MCELOG= names none; nothing was compared');
  process.exit(0);
}

const made = [...records()];
const text = made.map((record, i) => lines(record, i + 1)).join('');
const { stdout } = spawnSync(mcelog.path, mcelog.words, {
  input: text,
  encoding: 'utf8',
  maxBuffer: 1 << 30,
});
const theirs = new Map<string, Said>();
for (const block of stdout.split(/^(?=Hardware event\.|HARDWARE ERROR\.)/m)) {
  const said = mcelogSays(block);
  if (said !== undefined) theirs.set(said.tsc, said);
}

const comparison = new Comparison(JUDGED);
let compared = 0;
for (const record of decode(text).records) {
  const { status = 0n, tsc = 0n } = record.registers;
  const said = theirs.get(tsc.toString(16));
  if (said === undefined) continue;
  compared++;
  const where = `bank ${record.bank}`;
  if (said.status === status) comparison.facts(said.facts, ourFacts(record), status, where);
  else comparison.differ('status', hex64(said.status), hex64(status), status, where);
}

console.log(`${mcelog.version}: ${compared} of ${made.length} records compared`);
for (const paragraph of comparison.report()) console.log(`\n${paragraph}`);
const { open } = comparison;
if (open.length > 0) {
  console.log(`\n${open.length} disagreements are not judged: say in scripts/differential/judged.ts who is right`);
  process.exitCode = 1;
}
