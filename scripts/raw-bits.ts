/**
 * The rule that the bits of a register have names: what shifts or masks one by a number stands in a register table.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { NO_CODE, blank } from './imports.ts';
import { SOURCES } from './rooms.ts';
import type { Violation } from './imports.ts';

/** Where the bits of registers are defined. */
const TABLE = /\bdefineRegister\(/;
/** Values that are a register, by the names that they have everywhere. */
const REGISTER =
  'status|mcgStatus|mcgCap|misc|synd|ipid|config|destat|esr|far|hpfar|pfar|cpuid|eax|iss2?|pstate|spsr|sctlr|tcr|hcr(?:_el2)?|v?ttbr(?:_el2)?|vtcr';
/** A number, or one made of numbers: `0x1fn`, `(1n << 53n)`, `~(3n << 11n)`. */
const NUMBER = String.raw`~?\(?\s*\d[\da-fx_]*n?`;
/** A register, shifted or masked by a number: `(record.status >> 16n)`, `esr & 0x3fn`, `1n & (eax >>> 4)`. */
const RAW = new RegExp(
  String.raw`\b(?:${REGISTER})\)?(?:\s*\?\?\s*0n\))?\s*(?:>>>?|<<|&)(?!&)\s*${NUMBER}|(?<![\w.$])${NUMBER}\)?\s*&\s*(?:\w+\.)*(?:${REGISTER})\b`,
  'gi',
);
/** The pure rooms have no other 64-bit number with bits of its own: one that has a place by number is a register's. */
const BIT = /(?<![\w.$])\d+n\s*<<\s*\d+n(?!\s*\)\s*-)/g;
const BIT_ROOMS = 'packages/decode/src/';

/** A constant that is a number: as a mask of a register it names bits that stand in no table. */
const CONSTANT = /^const (\w+) = (?:0x)?\d[\da-fx_]*n;/gim;

/** `status & MASK` of a constant. */
function maskedBy(code: string): RegExpExecArray[] {
  const names = [...code.matchAll(CONSTANT)].map(([, name = '']) => name);
  if (names.length === 0) return [];
  return [...code.matchAll(new RegExp(String.raw`\b(?:${REGISTER})\)?\s*&\s*\(?~?(?:${names.join('|')})\b`, 'gi'))];
}

/** Where a source takes bits out of a register past its table; `file` is relative to the repository, with `/`. */
export function checkRawBits(file: string, source: string): Violation[] {
  if (file.endsWith('.test.ts') || file.includes('/testing/')) return [];
  const code = source.replace(NO_CODE, blank);
  if (file.startsWith('packages/decode/src/registers/') || TABLE.test(code)) return [];
  const found = [...(file.startsWith(BIT_ROOMS) ? code.matchAll(BIT) : []), ...maskedBy(code), ...code.matchAll(RAW)];
  const places = new Map(found.map(({ 0: specifier, index }) => [code.slice(0, index).split('\n').length, specifier]));
  return [...places].map(([line, specifier]) => ({
    file,
    line,
    specifier,
    reason: 'take bits of a register through its table (defineRegister): a field has a name and a source',
  }));
}

/** Checks every source. */
export function checkAllRawBits(root: string): Violation[] {
  return globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkRawBits(file.split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
