/** @module What a register holds, and what a field is, by its name, in all registers that have it. */
import { EINJ_ERROR_TYPES } from '../acpi/einj.ts';
import * as arm from '../arm/esr.ts';
import * as aer from '../cper/aer.ts';
import { ERR_ADDR, ERR_STATUS } from '../cper/arm-ras.ts';
import { BLOCK_STATUS } from '../cper/block-status.ts';
import { CXL_CORRECTABLE_STATUS, CXL_UNCORRECTABLE_STATUS } from '../cper/cxl-protocol.ts';
import { IOMMU_EVENT, VTD_FAULT_RECORD } from '../cper/dmar.ts';
import { CPER_ERROR_STATUS, MEMORY2_STATUS } from '../cper/error-status.ts';
import * as flags from '../cper/flags.ts';
import { ARM_BUS_ERROR, ARM_CACHE_ERROR, ARM_TLB_ERROR } from '../cper/arm.ts';
import { X86_BUS_CHECK, X86_CACHE_CHECK, X86_MS_CHECK, X86_TLB_CHECK } from '../cper/x86.ts';
import * as amd from '../mca/amd-registers.ts';
import { CPUID_1_EAX } from '../mca/cpu.ts';
import * as common from '../mca/registers.ts';
import * as misc from '../mca/intel-misc.ts';
import type { Register } from '../registers/register.ts';
import type { CodeExplanation } from './explain-code.ts';

const isRegister = (value: unknown): value is Register =>
  typeof value === 'object' && value !== null && 'fields' in value && 'describe' in value;

/** In one order wherever it runs: that of a namespace is the loader's. */
const named = (namespace: Readonly<Record<string, unknown>>): unknown[] =>
  Object.entries(namespace)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value);

/** Every register that records are described with. */
export const REGISTERS: readonly Register[] = [
  ...[{ ...common, ...amd, CPUID_1_EAX }, misc, arm].flatMap(named).filter(isRegister),
  CPER_ERROR_STATUS,
  MEMORY2_STATUS,
  BLOCK_STATUS,
  ...named(flags).filter(isRegister),
  ARM_CACHE_ERROR,
  ARM_TLB_ERROR,
  ARM_BUS_ERROR,
  X86_CACHE_CHECK,
  X86_TLB_CHECK,
  X86_BUS_CHECK,
  X86_MS_CHECK,
  ...named(aer).filter(isRegister),
  CXL_UNCORRECTABLE_STATUS,
  CXL_CORRECTABLE_STATUS,
  ERR_STATUS,
  ERR_ADDR,
  VTD_FAULT_RECORD,
  IOMMU_EVENT,
  EINJ_ERROR_TYPES,
];

type Field = Register['fields'][number];

const place = ({ hi, lo }: Field): string => (hi === lo ? `${hi}` : `${hi}:${lo}`);

function textOf(field: Field): string {
  const meaning = field.meaning ?? '';
  const text = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}`;
  const values = field.kind === 'bits' ? Object.entries(field.values ?? {}) : [];
  const shown = values.map(([value, says]) => `${value} ${says}`).join(', ');
  return [text, shown].filter(part => part !== '').join(': ') || 'The name says all that the manual says.';
}

/** One explanation for each register, or place and meaning in registers of one name; `name` may be `REGISTER.FIELD`. */
export function explainField(name: string): CodeExplanation[] {
  const dot = name.lastIndexOf('.');
  const wanted = name.slice(dot + 1).toUpperCase();
  const register = dot < 0 ? undefined : name.slice(0, dot).toUpperCase();
  const found = new Map<string, CodeExplanation>();
  for (const r of REGISTERS) {
    if (register !== undefined && r.name.toUpperCase() !== register) continue;
    for (const f of r.fields) {
      if (f.name.toUpperCase() !== wanted) continue;
      const title = `${r.name} ${f.hi === f.lo ? 'bit' : 'bits'} ${place(f)}`;
      const text = `${textOf(f)}.`;
      const known = found.get(`${title} ${text}`);
      if (known === undefined) {
        found.set(`${title} ${text}`, { code: f.name, kind: 'field', title, text, source: r.source });
      } else if (known.source !== r.source) known.source += `; ${r.source}`;
    }
  }
  return [...found.values()];
}

/** The names of all fields, each once. */
export const fieldNames = (): string[] => [...new Set(REGISTERS.flatMap(r => r.fields.map(f => f.name)))];

/** The fields of each register of this name: vendors and CPU models may differ. */
export function explainRegister(name: string): CodeExplanation[] {
  return REGISTERS.filter(r => r.name.toUpperCase() === name.toUpperCase()).map(r => ({
    code: r.name,
    kind: 'register',
    title: `register of ${r.width} bits`,
    text: `Its fields: ${r.fields.map(f => `${f.name} ${place(f)}`).join(', ')}.`,
    source: r.source,
  }));
}

/** The names of all registers, each once. */
export const registerNames = (): string[] => [...new Set(REGISTERS.map(r => r.name))];
