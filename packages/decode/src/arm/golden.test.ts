/** Tables, constants and what the lint says, held word for word; `UPDATE_GOLDEN=1` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { armPageOf, classifyArm } from './classify.ts';
import { NAMED_ESR } from './encode.ts';
import * as arm from './esr.ts';
import { EXCEPTION_CLASSES } from './exception-class.ts';
import { FAULT_STATUS, hasLoadStoreType } from './fault-status.ts';
import {
  ARM_SEA_LENGTH,
  KVM_CAP_ARM_SEA_TO_USER,
  KVM_EXIT_ARM_SEA,
  KVM_EXIT_ARM_SEA_FLAG_GPA_VALID,
} from './kvm-numbers.ts';
import { ARM_LINT_CODES } from './lint-codes.ts';
import { lintArm } from './lint.ts';
import type { ArmSeaRecord } from './record.ts';

/** The text of a golden file, after it was written anew where that was asked for. */
function golden(name: string, text: string): string {
  const file = join(import.meta.dirname, 'golden', name);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  return readFileSync(file, 'utf8');
}
const json = (value: unknown): string => `${stringify(value, 1)}\n`;

const REGISTERS = [
  arm.ESR,
  arm.ISS_DATA_ABORT,
  arm.ISS_DATA_ABORT_ISV,
  arm.ISS_INSTRUCTION_ABORT,
  arm.ISS_SERROR,
  arm.ISS_SERROR_IDS,
  arm.ISS2_DATA_ABORT,
  arm.ISS2_INSTRUCTION_ABORT,
  arm.ISS2_NONE,
  arm.HPFAR,
  arm.PFAR,
];

/** Every fault code of both aborts, every state, and each single bit, with what is known beside them. */
function records(): ArmSeaRecord[] {
  const out: ArmSeaRecord[] = [];
  const kinds: Partial<ArmSeaRecord>[] = [
    {},
    { el: 1, ras: false, far: 0x1000n },
    { el: 2, ras: true, hpfar: 0x123450n },
    { flags: 1n, gva: 0x2000n, gpa: 0x3000n },
    { flags: 2n, gpa: 0x3000n },
  ];
  for (const more of kinds) {
    for (const base of [0x92000000n, 0x82000000n]) {
      for (let code = 0n; code < 64n; code++) out.push({ kind: 'arm-sea', esr: base | code, ...more });
      for (const code of [0x10n, 0x05n]) {
        for (let bit = 5n; bit < 26n; bit++) out.push({ kind: 'arm-sea', esr: (base | code) ^ (1n << bit), ...more });
      }
    }
    for (let aet = 0n; aet < 8n; aet++) {
      for (const dfsc of [0n, 0x10n, 0x11n])
        out.push({ kind: 'arm-sea', esr: 0xbe000000n | (aet << 10n) | dfsc, ...more });
    }
    for (let ec = 0n; ec < 64n; ec++) out.push({ kind: 'arm-sea', esr: (ec << 26n) | (1n << 25n) | 0x10n, ...more });
  }
  return out;
}

describe('golden', () => {
  it('tables and constants', () => {
    const text = json({
      registers: REGISTERS.map(({ name, width, source, fields }) => ({ name, width, source, fields })),
      classes: EXCEPTION_CLASSES,
      faults: FAULT_STATUS,
      named: NAMED_ESR,
      lint: ARM_LINT_CODES,
      lst: Array.from({ length: 64 }, (_, code) => code).filter(hasLoadStoreType),
      lstRow: arm.describeEsr(0x92001005n).find(r => r.name === 'LST'),
      kvm: [KVM_EXIT_ARM_SEA, KVM_CAP_ARM_SEA_TO_USER, ARM_SEA_LENGTH, KVM_EXIT_ARM_SEA_FLAG_GPA_VALID],
    });
    expect(text).toBe(golden('tables.json', text));
  });

  it('class, page and findings of every fault, state and bit', () => {
    const examples = new Map<string, string>();
    const rows = records().map(record => {
      const { class: cls, state, stateCertain, severity, ...more } = classifyArm(record);
      const page = armPageOf(record);
      const findings = lintArm(record).map(f => {
        if (!examples.has(f.code)) examples.set(f.code, `${f.severity} ${f.message} (${f.section})`);
        const bits = f.bits?.map(b => `[${b.hi}:${b.lo}]`).join(' ') ?? '';
        return `${f.code.slice('L_ARM_'.length)}${bits}`;
      });
      const known = [record.el, record.ras, record.flags].map(v => v ?? '-').join(' ');
      const verdict = [cls, state + (stateCertain ? '' : '?'), severity, ...Object.values(more)].join(' ');
      const where = page === undefined ? '' : ` ${page.space} ${page.from} ${page.pfn}`;
      return `${record.esr.toString(16)} ${known}: ${verdict}${where} | ${findings.join(' ')}`;
    });
    const lint = json(Object.fromEntries(examples));
    expect(lint).toBe(golden('lint.json', lint));
    const text = `${rows.join('\n')}\n`;
    expect(text).toBe(golden('records.txt', text));
  });
});
