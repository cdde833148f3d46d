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
const RAW =
  /\b(?:status|mcgStatus|mcgCap|misc|synd|ipid|destat|esr|hpfar|cpuid|eax|ISS)\)?\s*(?:>>\s*\d|&\s*(?:0x|\d|\(\s*1n\s*<<))[\da-fx_]*n?/g;

/** Where a source takes bits out of a register past its table; `file` is relative to the repository, with `/`. */
export function checkRawBits(file: string, source: string): Violation[] {
  if (file.endsWith('.test.ts') || file.includes('/testing/')) return [];
  const code = source.replace(NO_CODE, blank);
  if (file.startsWith('packages/decode/src/registers/') || TABLE.test(code)) return [];
  return [...code.matchAll(RAW)].map(({ 0: specifier, index }) => ({
    file,
    line: code.slice(0, index).split('\n').length,
    specifier,
    reason: 'take bits of a register through its table (defineRegister): a field has a name and a source',
  }));
}

/** Places that are older than the rule. The number only becomes smaller: who mends one, lowers it. */
const OLDER = 46;

/** Checks every source; as long as there are no more places than of old, they are passed over. */
export function checkAllRawBits(root: string): Violation[] {
  const found = globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkRawBits(file.split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
  return found.length > OLDER ? found : [];
}
