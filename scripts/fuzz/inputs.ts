/** What the fuzzers start from: the golden inputs, valid error records, and ways to spoil both. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { SECTIONS, encodeSection } from '@syndrome/decode/cper/sections.ts';
import { encodeCper } from '@syndrome/decode/cper/region.ts';
import { bodyOf, errorRecord } from '@syndrome/decode/cper/testing/arbitrary.ts';
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import type { Chance } from '../chance.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Longest input; lines and records are far shorter. */
const LONGEST = 4096;
const utf8 = new TextEncoder();

const read = (pattern: string): Uint8Array[] =>
  globSync(pattern, { cwd: ROOT })
    .toSorted()
    .map(file => readFileSync(join(ROOT, file)));

/** Golden inputs of `decode` and of the console parsers. */
const GOLDEN: readonly Uint8Array[] = [
  ...read('packages/decode/src/decode/golden/*.in'),
  ...read('packages/decode/src/text/golden/**/*.log'),
];
/** Their lines. */
export const LINES: readonly string[] = [
  ...new Set(GOLDEN.flatMap(g => Buffer.from(g).toString('latin1').split('\n'))),
].filter(line => line !== '');

const SAMPLES = 200;
/** Valid bodies by section type. */
export const BODIES: readonly { type: string; bytes: Uint8Array }[] = SECTIONS.flatMap(({ kind, type }) =>
  fc.sample(bodyOf(kind), { numRuns: SAMPLES / 4, seed: 1 }).map(body => ({ type, bytes: encodeSection(body) })),
);
/** Valid error records, and those of the golden inputs that are binary. */
export const RECORDS: readonly Uint8Array[] = [
  ...fc.sample(errorRecord, { numRuns: SAMPLES, seed: 1 }).map(encodeCper),
  ...GOLDEN.filter(g => g.includes(0)),
];

const INTERESTING = [0, 1, 0x0a, 0x0d, 0x1b, 0x20, 0x2d, 0x30, 0x5b, 0x7f, 0x80, 0x9b, 0xff];

/** Some bytes changed, cut out, doubled or taken from another input; the end cut off. */
export function spoiled(chance: Chance, seed: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let from = 0;
  if (seed.length > LONGEST) from = chance.below(seed.length - LONGEST);
  let bytes = Buffer.from(seed.subarray(from, from + LONGEST));
  for (let changes = chance.below(7); changes > 0; changes--) {
    const at = chance.below(bytes.length + 1);
    switch (chance.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = chance.pick(INTERESTING);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + chance.below(40))]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + chance.below(200)), bytes.subarray(at)]);
        break;
      case 4: {
        const other = chance.pick(others);
        const start = chance.below(other.length + 1);
        const part = other.subarray(start, start + chance.below(300));
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
        break;
      }
      default:
        if (chance.oneIn(3)) bytes = bytes.subarray(0, at);
    }
  }
  return new Uint8Array(bytes.subarray(0, LONGEST));
}

/** A line: golden, spoiled, joined from two, or anything. */
export function anyLine(chance: Chance): string {
  const line = chance.pick(LINES);
  switch (chance.below(6)) {
    case 0:
      return line;
    case 1: {
      const at = chance.below(line.length + 1);
      return (
        line.slice(0, at) + String.fromCharCode(chance.below(chance.oneIn(2) ? 0x100 : 0x10000)) + line.slice(at + 1)
      );
    }
    case 2: {
      const other = chance.pick(LINES);
      return line.slice(0, chance.below(line.length + 1)) + other.slice(chance.below(other.length + 1));
    }
    case 3: {
      // Another number where one stood.
      const digits = [...line.matchAll(/[0-9a-f]+/gi)];
      if (digits.length === 0) return line;
      const { 0: found, index } = chance.pick(digits);
      const value = chance.oneIn(2) ? chance.u64().toString(16) : chance.pick(['', '-1', '0', 'ffffffffffffffffff']);
      return line.slice(0, index) + value + line.slice(index + found.length);
    }
    case 4:
      return line.slice(0, chance.below(line.length + 1));
    default:
      return String.fromCharCode(...chance.bytes(chance.below(80)));
  }
}

/** Whole lines in another order. */
function splicedLines(chance: Chance): Uint8Array {
  const lines: string[] = [];
  for (let n = chance.below(16); n > 0; n--) lines.push(anyLine(chance));
  const text = lines.join(chance.oneIn(8) ? '\r\n' : '\n');
  return chance.oneIn(2) ? Buffer.from(text, 'latin1') : utf8.encode(text);
}

/** Records, blocks and parts of them behind each other, with gaps. */
export function splicedRecords(chance: Chance): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let n = 1 + chance.below(3); n > 0; n--) {
    if (chance.oneIn(4)) parts.push(new Uint8Array(chance.below(64)));
    parts.push(spoiled(chance, chance.pick(RECORDS), RECORDS));
  }
  return new Uint8Array(Buffer.concat(parts).subarray(0, LONGEST));
}

/** An input of the front door. */
export function anyInput(chance: Chance): Uint8Array {
  switch (chance.below(8)) {
    case 0:
      return chance.bytes(chance.below(300));
    case 1:
    case 2:
      return spoiled(chance, chance.pick(GOLDEN), GOLDEN);
    case 3:
      return splicedRecords(chance);
    case 4:
      return utf8.encode(anyLine(chance));
    default:
      return splicedLines(chance);
  }
}

/** A register: any, few bits, or all but few. */
function register(chance: Chance): bigint {
  const how = chance.below(4);
  if (how < 2) return chance.u64();
  let value = 0n;
  for (let n = chance.below(8); n > 0; n--) value |= 1n << BigInt(chance.below(64));
  return how === 2 ? value : ~value & 0xffff_ffff_ffff_ffffn;
}

const CPUIDS = [0x50657n, 0x606a6n, 0x806f8n, 0xa06d0n, 0xa10f11n, 0xb00f21n, 0x600f20n, 0x100f42n, 0x306e4n];
const IPIDS = SMCA_BANKS.map(b => (BigInt(b.mcaType) << 48n) | (BigInt(b.hwid) << 32n));
/** MCi_STATUS of memory, cache, TLB, bus, I/O and internal errors; the flags are drawn on top. */
const CODES = [
  0x0n,
  0x9fn,
  0xc0n,
  0x80n,
  0x134n,
  0x135n,
  0x17an,
  0x151n,
  0x10n,
  0xe0bn,
  0x400n,
  0x405n,
  0x279n,
  0x5n,
  0x11bn,
];

/** Any machine check record, with the values that decide something more often than chance would give them. */
export function anyMcaRecord(chance: Chance): X86McaRecord {
  const record: X86McaRecord = {
    kind: 'x86-mca',
    bank: chance.oneIn(8) ? chance.pick([-1, 255]) : chance.below(64),
    status: chance.oneIn(2) ? register(chance) : (register(chance) & ~0xffffn) | chance.pick(CODES),
  };
  if (!chance.oneIn(4)) record.vendor = chance.pick(['intel', 'amd']);
  const members = ['mcgStatus', 'mcgCap', 'addr', 'misc', 'synd', 'synd1', 'synd2', 'ipid', 'config'] as const;
  for (const member of members) if (chance.oneIn(2)) record[member] = register(chance);
  for (const member of ['destat', 'deaddr', 'ppin', 'tsc', 'time', 'microcode', 'rip', 'cs', 'apicId'] as const) {
    if (chance.oneIn(8)) record[member] = register(chance);
  }
  if (chance.oneIn(2)) record.cpuid = chance.oneIn(4) ? register(chance) : chance.pick(CPUIDS);
  if (chance.oneIn(2)) record.ipid = chance.pick(IPIDS) | (chance.u64() & 0xf000_0000_ffffn);
  if (chance.oneIn(4)) record.misc = chance.pick([0x8cn, 0x86n, 0n]);
  if (chance.oneIn(4)) record.mcgStatus = BigInt(chance.below(16));
  if (chance.oneIn(3)) record.cpu = chance.below(4096);
  if (chance.oneIn(8)) record.socket = chance.below(16);
  return record;
}

/** Any record of an Arm abort or SError. */
export function anyArmRecord(chance: Chance): ArmSeaRecord {
  const aborts = [0x20n, 0x21n, 0x24n, 0x25n, 0x2fn];
  const esr = chance.oneIn(3) ? register(chance) : (register(chance) & ~0xfc00_0000n) | (chance.pick(aborts) << 26n);
  const record: ArmSeaRecord = { kind: 'arm-sea', esr };
  for (const member of ['far', 'hpfar', 'pfar', 'gva', 'gpa', 'elr'] as const) {
    if (chance.oneIn(3)) record[member] = register(chance);
  }
  if (chance.oneIn(2)) record.el = chance.pick([1, 2, 3]);
  if (chance.oneIn(2)) record.ras = chance.oneIn(2);
  if (chance.oneIn(2)) record.flags = chance.oneIn(2) ? BigInt(chance.below(4)) : register(chance);
  return record;
}
