/**
 * Every code that the pure rooms can print is explained, and every explanation names its source as the table of manuals
 * has it. The codes are taken from the sources, not from the tables that explain them.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARM_LINT_CODES } from '../src/arm/index.ts';
import * as arm from '../src/arm/esr.ts';
import * as cper from '../src/cper/index.ts';
import { allCodes, explainCode } from '../src/decode/explain-code.ts';
import { LINT_CODES } from '../src/mca/lint-codes.ts';
import * as amd from '../src/mca/amd-registers.ts';
import * as misc from '../src/mca/intel-misc.ts';
import * as mca from '../src/mca/registers.ts';
import { RULES } from '../src/outlook/catalog.ts';
import { MANUALS } from '../src/registers/manuals.ts';

const ROOT = join(import.meta.dirname, '..');
const PURE = ['common', 'registers', 'mca', 'arm', 'cper', 'text', 'outlook', 'decode'];

/** Upper-case codes in the quotes or keys of the sources of a room. */
function codesOf(room: string): string[] {
  const files = globSync(`src/${room}/**/*.ts`, { cwd: ROOT }).filter(f => !/\.test\.ts$|\/testing\//.test(f));
  return files.flatMap(file => {
    const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '');
    return Array.from(text.matchAll(/(?<![A-Z_])[EWL]_(?:[A-Z0-9]+_)*[A-Z0-9]+(?![A-Z_])/g), m => m[0]).filter(
      code => code.split('_').length > 2,
    );
  });
}

describe('codes', () => {
  it('of the pure rooms are all explained', () => {
    const codes = [...new Set(PURE.flatMap(codesOf))];
    expect(codes.filter(c => c.startsWith('L_')).length).toBeGreaterThan(100);
    expect(codes.filter(c => c.startsWith('E_')).length).toBeGreaterThan(15);
    expect(codes.filter(c => explainCode(c) === undefined)).toEqual([]);
  });

  it('of the outlook rules are all explained', () => {
    const files = globSync('src/outlook/*.ts', { cwd: ROOT }).filter(f => !f.endsWith('.test.ts'));
    const text = files.map(f => readFileSync(join(ROOT, f), 'utf8')).join('\n');
    const areas = Array.from(text.matchAll(/defineRules\(\s*'([^']+)'/g), m => m[1] ?? '');
    expect(areas.length).toBeGreaterThan(10);
    for (const area of areas) expect(RULES.filter(r => r.id.startsWith(`${area}.`)).length).toBeGreaterThan(0);
    for (const rule of RULES) expect(explainCode(rule.id)?.text).toBe(rule.text);
  });

  it('that are explained are printed somewhere', () => {
    const printed = new Set([...PURE.flatMap(codesOf), ...RULES.map(r => r.id)]);
    expect(allCodes().filter(c => !printed.has(c))).toEqual([]);
  });
});

describe('citations', () => {
  const registers = [arm, cper, mca, amd, misc]
    .flatMap(room => Object.values(room) as unknown[])
    .filter(
      (r): r is { source: string; fields: unknown } =>
        typeof r === 'object' && r !== null && 'source' in r && 'fields' in r,
    )
    .map(r => r.source);
  const findings = [
    ...Object.values(LINT_CODES),
    ...Object.values(ARM_LINT_CODES),
    ...Object.values(cper.CPER_LINT_CODES),
  ];
  const cited = [...new Set([...registers, ...findings.map(f => f.section), ...RULES.map(r => r.source)])];
  const parts = cited.flatMap(c => c.split('; '));
  const MANUAL = new RegExp(`^(${Object.keys(MANUALS).join('|')})\\b`);
  /** Not manuals: programs, by file and function. */
  const PROGRAM =
    /^(Linux|QEMU|Xen|xen|mcelog|mce-inject|prctl\(2\)|fixed by|bit \d+: |Intel(,| Xeon| TDX)|this project|the register's own table)/;

  it('begin with a manual of the table or with a program', () => {
    expect(parts.length).toBeGreaterThan(60);
    expect(parts.filter(p => !MANUAL.test(p) && !PROGRAM.test(p))).toEqual([]);
  });

  it('have section numbers only of the editions that are named', () => {
    const byTitle = parts.filter(p => /^(SDM|APM|PPR|BKDG)\b/.test(p));
    expect(byTitle.length).toBeGreaterThan(30);
    expect(byTitle.filter(p => /\bchapter \d|\b\d+\.\d+/.test(p))).toEqual([]);
    expect(parts.filter(p => p.startsWith('DDI') && !/^DDI 0487 D24\.2(\.4[01])?(,|$)/.test(p))).toEqual([]);
    expect(parts.filter(p => /^UEFI \d/.test(p) && !p.startsWith('UEFI 2.10 '))).toEqual([]);
    expect(parts.filter(p => p.startsWith('ACPI') && !p.startsWith('ACPI 6.5 18'))).toEqual([]);
  });
});
