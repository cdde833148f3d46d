/**
 * Every code and term that the program prints is explained, and every explanation names its source as the table of manuals
 * has it. The codes are taken from the sources, not from the tables that explain them.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARM_LINT_CODES } from '@syndrome/decode/arm/lint-codes.ts';
import { CPER_LINT_CODES } from '@syndrome/decode/cper/lint-codes.ts';
import { EXIT_TEXT } from '@syndrome/cli/exit-codes.ts';
import { everyExplanation, explanationsOf } from '@syndrome/cli/explain.ts';
import { allCodes, explainCode } from '@syndrome/decode/decode/explain-code.ts';
import { explainField, REGISTERS } from '@syndrome/decode/decode/explain-field.ts';
import { KNOWN_CAUSES } from '@syndrome/trace/expect/causes.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import { decodeMcacod } from '@syndrome/decode/mca/mcacod.ts';
import { MCA_SEVERITIES } from '@syndrome/decode/mca/severity.ts';
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import { LINT_CODES } from '@syndrome/decode/mca/lint-codes.ts';
import { RULES } from '@syndrome/decode/outlook/catalog.ts';
import { SETTINGS } from '@syndrome/decode/outlook/context.ts';
import { OUTLOOK_OUTCOMES } from '@syndrome/decode/outlook/prediction.ts';
import { SOURCES, roomOf } from '../scripts/rooms.ts';
import { MANUALS } from '@syndrome/decode/registers/manuals.ts';

const ROOT = join(import.meta.dirname, '..');
/** Rooms that have `W_…` and `L_…` codes beside their errors. */
const PURE = [
  'common',
  'registers',
  'mca',
  'arm',
  'cper',
  'acpi',
  'events',
  'text',
  'outlook',
  'inject',
  'decode',
  'trace',
];
/** Tables that explain codes; a code that stands only there is never printed. */
const TABLES = /\/(error-codes|lint-codes|terms)\.ts$/;

const sources = globSync(SOURCES, { cwd: ROOT })
  .filter(f => !/\.test\.ts$|\/testing\//.test(f))
  .map(file => ({
    file,
    room: roomOf(file) ?? '',
    // Without comments, and without the members of union types: to declare a code is not to print it.
    text: readFileSync(join(ROOT, file), 'utf8')
      .replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '')
      .replaceAll(/^\s*\| '[EWL]_\w+'(;)?$/gm, ''),
  }));

/** Codes in quotes in the sources of some rooms, the tables that explain them left out. */
function codesOf(inRoom: (room: string) => boolean): string[] {
  const pattern = /(?<=')[EWL]_[A-Z0-9_]*[A-Z0-9](?=')/g;
  const texts = sources.filter(s => inRoom(s.room) && !TABLES.test(s.file)).map(s => s.text);
  return [...new Set(texts.flatMap(text => Array.from(text.matchAll(pattern), m => m[0])))];
}

/** Words that look like codes: in quotes or as a key. */
function declaredCodes(): string[] {
  const texts = sources.filter(s => PURE.includes(s.room)).map(s => s.text);
  const words = texts.flatMap(text =>
    Array.from(text.matchAll(/(?<![A-Z_])[WL]_(?:[A-Z0-9]+_)*[A-Z0-9]+(?![A-Z_])/g), m => m[0]),
  );
  return [...new Set(words)].filter(code => code.split('_').length > 2);
}

describe('codes', () => {
  const explained = everyExplanation();

  it('of all rooms are all explained', () => {
    const printed = codesOf(() => true);
    expect(printed.filter(c => c.startsWith('L_')).length).toBeGreaterThan(100);
    expect(printed.filter(c => c.startsWith('E_')).length).toBeGreaterThan(150);
    for (const room of ['cli', 'lab', 'qmp', 'gdb', 'supply', 'guest', 'vmm']) {
      expect(codesOf(r => r === room).length, room).toBeGreaterThan(5);
    }
    expect([...printed, ...declaredCodes()].filter(c => explanationsOf(c).length === 0)).toEqual([]);
  });

  it('are written in quotes, so that they can be found', () => {
    const built = sources.filter(s => /[`"][EWL]_[A-Z]|'[EWL]_'/.test(s.text.replaceAll(/`[^`$]*`/g, '')));
    expect(built.map(s => s.file)).toEqual([]);
  });

  it('of the outlook rules are all explained', () => {
    const text = sources.flatMap(s => (s.room === 'outlook' ? [s.text] : [])).join('\n');
    const areas = Array.from(text.matchAll(/defineRules\(\s*'([^']+)'/g), m => m[1] ?? '');
    expect(areas.length).toBeGreaterThan(10);
    for (const area of areas) expect(RULES.filter(r => r.id.startsWith(`${area}.`)).length).toBeGreaterThan(0);
    for (const rule of RULES) expect(explainCode(rule.id)?.text).toBe(rule.text);
  });

  it('that are explained are printed somewhere', () => {
    const printed = new Set([...codesOf(() => true), ...RULES.map(r => r.id)]);
    const codes = explained.flatMap(e => (['error', 'lint', 'diagnostic', 'rule'].includes(e.kind) ? [e.code] : []));
    expect(codes.length).toBeGreaterThan(allCodes().length + 120);
    expect(codes.filter(c => !printed.has(c))).toEqual([]);
  });

  it('are explained once, in sentences', () => {
    const codes = explained.flatMap(e => (/^[EWL]_/.test(e.code) ? [e.code] : []));
    expect(codes.filter((c, i) => codes.indexOf(c) !== i)).toEqual([]);
    expect(explained.filter(e => !/[.…)]$/.test(e.text) && e.kind === 'error').map(e => e.code)).toEqual([]);
  });
});

describe('terms', () => {
  it('of all registers of records are explained, in each register that has them', () => {
    // Those of records. The debugger and the VMM have tables of a CPU's state, and Linux of its pages, which nobody prints.
    const pages = 'packages/decode/src/registers/linux-pages.ts';
    const decoding = sources.filter(s => s.file.startsWith('packages/decode/') && s.file !== pages);
    expect(decoding.length).toBe(sources.filter(s => s.file.startsWith('packages/decode/')).length - 1);
    const text = decoding.map(s => s.text).join('\n');
    const defined = Array.from(text.matchAll(/^export const \w+ = defineRegister\(/gm)).length;
    expect(REGISTERS.length).toBe(defined);
    for (const r of REGISTERS) {
      expect(
        explanationsOf(r.name).some(e => e.kind === 'register' && e.source === r.source),
        r.name,
      ).toBe(true);
      for (const f of r.fields) {
        const places = explainField(`${r.name}.${f.name}`);
        const place = f.hi === f.lo ? `bit ${f.hi}` : `bits ${f.hi}:${f.lo}`;
        expect(
          places.some(p => p.title === `${r.name} ${place}` && p.source?.includes(r.source)),
          f.name,
        ).toBe(true);
      }
    }
  });

  it('of error codes come back from their mnemonics', () => {
    for (const vendor of ['intel', 'amd'] as const) {
      for (const code of [0, 5, 0x0f, 0x19, 0x9f, 0x291, 0x134, 0x150, 0x400, 0x403, 0x800, 0x90a, 0xe0b, 0xe0f]) {
        const { class: cls, mnemonic, text } = decodeMcacod(code, vendor);
        if (cls === 'unknown') continue;
        const says = explanationsOf(mnemonic).map(e => e.text.toLowerCase());
        expect(
          says.some(s => s.startsWith(text.toLowerCase())),
          mnemonic,
        ).toBe(true);
      }
    }
    expect(explanationsOf('RD_CHANNEL1_ERR').map(e => e.title)).toEqual(['error code 0x0091', 'error code 0x0291']);
    expect(explanationsOf('XCACHEL0_DRD_ERR')).toEqual([]);
  });

  it('that commands print are explained', () => {
    const outcomes = [...OUTLOOK_OUTCOMES, ...OUTCOMES];
    const exits = EXIT_TEXT.flatMap(([codes]) => codes.split(', '));
    const words = [...outcomes, ...exits, ...MCA_SEVERITIES, ...SETTINGS, ...SMCA_BANKS.map(b => b.id)];
    for (const word of [...words, 'SRAO', 'sea-walk', 'UEO', 'pass', 'skip', 'TCC', 'BUS_MCEERR_AR', 'DABT_CUR']) {
      expect(
        explanationsOf(word).map(e => e.code),
        word,
      ).toContain(word);
    }
    for (const cause of KNOWN_CAUSES) expect(explanationsOf(cause.id)[0]?.text).toBe(cause.text);
  });

  it('with several meanings give all of them', () => {
    const kinds = new Set(explanationsOf('UC').map(e => e.kind));
    expect([...kinds].toSorted()).toEqual(['class', 'field', 'state']);
    expect(explanationsOf('srar')).toEqual(explanationsOf('SRAR'));
  });

  it('that are listed are found by their names', () => {
    for (const one of everyExplanation()) expect(explanationsOf(one.code), one.code).toContainEqual(one);
  });
});

describe('citations', () => {
  const registers = REGISTERS.map(r => r.source);
  const findings = [...Object.values(LINT_CODES), ...Object.values(ARM_LINT_CODES), ...Object.values(CPER_LINT_CODES)];
  const cited = [...new Set([...registers, ...findings.map(f => f.section), ...RULES.map(r => r.source)])];
  const parts = cited.flatMap(c => c.split('; '));
  const MANUAL = new RegExp(`^(${Object.keys(MANUALS).join('|')})\\b`);
  /** Not manuals: programs, by file and function, and what was met without anybody having written why. */
  const PROGRAM =
    /^(public reports: |Linux|QEMU|Xen|xen|mcelog|mce-inject|prctl\(2\)|fixed by|bit \d+: |Intel(,| Xeon| TDX)|this project|the register's own table)/;

  it('begin with a manual of the table, with a program, or say that they are reports', () => {
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
