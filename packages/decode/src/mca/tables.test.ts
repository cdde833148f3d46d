/** The tables as text, so that a change of any entry shows in review. `vitest -u` rewrites the golden files. */
import { describe, expect, it } from 'vitest';
import * as amd from './amd-registers.ts';
import { legacyBank, legacyText } from './amd-legacy.ts';
import { CPUID_1_EAX } from './cpu.ts';
import { decodeMcacod } from './mcacod.ts';
import { INTEL_FAMILIES } from './intel-model.ts';
import type { IntelUnit } from './intel-model.ts';
import * as intelMisc from './intel-misc.ts';
import { LINT_CODES } from './lint-codes.ts';
import * as base from './registers.ts';
import { SMCA_BANKS } from './smca-banks.ts';
import { CS_V2_ERRATUM_1384, UMC_HBM } from './smca-codes.ts';
import type { CodeTable } from './smca-codes.ts';
import type { Register } from '../registers/register.ts';

const isRegister = (value: unknown): value is Register =>
  typeof value === 'object' && value !== null && 'fields' in value && 'decode' in value;

// By name: the order of a module's exports is not the same in every loader.
const REGISTERS: [string, Register][] = Object.entries({ ...base, ...amd, ...intelMisc, CPUID_1_EAX } as Record<
  string,
  unknown
>)
  .filter((entry): entry is [string, Register] => isRegister(entry[1]))
  .sort(([a], [b]) => (a < b ? -1 : 1));

const hex = (n: number, width = 2): string => `0x${n.toString(16).padStart(width, '0')}`;
const codeLines = (table: CodeTable): string[] =>
  Object.entries(table).map(([n, text]) => `  ${hex(Number(n))} ${text}`);

function mscodLines({ mscod }: IntelUnit, seen: Set<string>): string[] {
  const lines = mscod.flatMap(p => [
    `    ${p.hi}:${p.lo}${p.listed ? ' listed' : ''}${p.when === undefined ? '' : ` when ${p.when.hi}:${p.when.lo} ${p.when.not ? 'not ' : ''}in ${p.when.values.map(n => hex(n)).join(',')}`}`,
    ...Object.entries(p.values ?? {}).map(([n, text]) => `      ${hex(Number(n))} ${text}`),
    ...Object.entries(p.flags ?? {}).map(([n, text]) => `      bit ${n} ${text}`),
  ]);
  const key = lines.join();
  if (seen.has(key)) return ['    codes as above'];
  seen.add(key);
  return lines;
}

describe('golden tables', () => {
  it('registers', async () => {
    const lines = REGISTERS.flatMap(([id, r]) => [
      `${id} ${r.name} ${r.width} (${r.source})`,
      ...r.fields.flatMap(f => [
        `  ${f.hi === f.lo ? f.hi : `${f.hi}:${f.lo}`} ${f.kind} ${f.name}: ${f.meaning ?? ''}`,
        ...Object.entries(f.values ?? {}).map(([n, text]) => `      ${n} ${text}`),
      ]),
    ]);
    expect(REGISTERS.length).toBe(26);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/registers.txt');
  });

  it('scalable MCA banks', async () => {
    const lines = SMCA_BANKS.flatMap(b => [
      `${b.id} hwid=${hex(b.hwid, 3)} type=${hex(b.mcaType)} ${b.area}: ${b.name}`,
      ...codeLines(b.codes),
    ]);
    lines.push('CS_V2 with erratum 1384', ...codeLines(CS_V2_ERRATUM_1384), 'UMC of HBM', ...codeLines(UMC_HBM));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/smca.txt');
  });

  it('AMD banks before scalable MCA', async () => {
    const codes = { memory: 0x0151, tlb: 0x0015, bus: 0x0800, internal: 0x0400 };
    const lines: string[] = [];
    for (const family of [0x0e, 0x0f, 0x10, 0x11, 0x12, 0x14, 0x15, 0x16, 0x17]) {
      const cpu = { family, model: 0, stepping: 0 };
      for (let bank = 0; bank < 8; bank++) {
        const unit = legacyBank(bank, cpu);
        lines.push(`${family.toString(16)}h bank ${bank}: ${unit === undefined ? '-' : `${unit.id} ${unit.name}`}`);
        for (const [form, code] of Object.entries(codes)) {
          for (let xec = 0; xec < 32; xec++) {
            const text = legacyText(bank, xec, decodeMcacod(code, 'amd'), cpu);
            if (text !== undefined) lines.push(`  ${form} ${hex(xec)} ${text}`);
          }
        }
      }
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/amd-legacy.txt');
  });

  it('Intel servers', async () => {
    const seen = new Set<string>();
    const lines = INTEL_FAMILIES.flatMap(f => [
      `${f.id} ${f.name} models ${f.models.map(m => hex(m)).join(' ')} (${f.source})`,
      ...Object.entries(f.banks).flatMap(([bank, u]) => [
        `  bank ${bank}: ${u.id} ${u.name} controller=${u.controller} channel=${u.channel} misc=${u.misc?.source ?? '-'} needs=${u.miscNeeds ?? '-'} not=${u.miscNotFor?.map(n => hex(n)).join('..') ?? '-'}`,
        ...mscodLines(u, seen),
      ]),
    ]);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/intel.txt');
  });

  it('lint codes', async () => {
    const lines = Object.entries(LINT_CODES).map(
      ([code, c]) => `${code} ${c.severity}: ${c.title}\n  ${c.section}\n  ${c.explanation}`,
    );
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/lint-codes.txt');
  });

  it('names every bank type once and no field in more than one line', () => {
    const keys = SMCA_BANKS.map(b => `${b.hwid}/${b.mcaType}`);
    expect(new Set(keys).size).toBe(SMCA_BANKS.length);
    expect(new Set(SMCA_BANKS.map(b => b.id)).size).toBe(SMCA_BANKS.length);
    const texts = [
      ...SMCA_BANKS.flatMap(b => Object.values(b.codes)),
      ...Object.values(LINT_CODES).flatMap(c => [c.title, c.section, c.explanation]),
    ];
    expect(texts.filter(t => /[\r\n\t]|^\s|\s$|undefined/.test(t) || t === '')).toEqual([]);
  });
});
