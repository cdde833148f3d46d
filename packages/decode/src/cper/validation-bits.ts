/** @module The validation bits of each structure as a register: a bit for each member that may be missing. */
import { maskOf } from '../registers/field.ts';
import { runsOf } from '../registers/finding.ts';
import type { FindingPlace } from '../registers/finding.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { Field, Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { ARM_ERROR_LAYOUT, ARM_LAYOUT } from './arm.ts';
import { entryLayout, ENTRY_V2, ENTRY_V3 } from './ghes.ts';
import { VALIDATION_MEMBER, strayValidation } from './layout.ts';
import type { Layout } from './layout.ts';
import { MEMORY2_LAYOUT, MEMORY_LAYOUT } from './memory.ts';
import { PCIE_LAYOUT } from './pcie.ts';
import { PROCESSOR_LAYOUT } from './processor.ts';
import { TABLED } from './tables.ts';
import type { CperRecord, CperSection } from './record.ts';
import { DESCRIPTOR_LAYOUT, HEADER_LAYOUT } from './uefi-record.ts';
import { X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

const REGISTER = 'ValidationBits';

/** A structure as it was read; one that a person or a kernel's text made has no validation bits. */
interface Marked {
  kind?: string;
  validationBits?: bigint;
}

function registerOf({ name, source, validation, fields }: Layout): Register {
  const { at, size, shared = {} } = validation ?? { at: 0, size: 8 as const };
  const rows = new Map<number, Field>();
  for (const field of fields) {
    const { valid } = field;
    if (valid !== undefined) rows.set(valid, bit(valid, shared[valid] ?? field.name, 'valid'));
    // The counts of an IA32/X64 section stand between its bits.
    else if (field.kind === 'integer' && field.at === at) rows.set(field.lo, bits(field.hi, field.lo, field.name));
  }
  return defineRegister({
    name: REGISTER,
    width: 8 * size,
    source: `${source}, validation bits of the ${name}`,
    fields: [...rows.values()],
  });
}

const REGISTERS: ReadonlyMap<Layout, Register> = new Map(
  [
    HEADER_LAYOUT,
    DESCRIPTOR_LAYOUT,
    ENTRY_V2,
    ENTRY_V3,
    MEMORY_LAYOUT,
    MEMORY2_LAYOUT,
    PROCESSOR_LAYOUT,
    PCIE_LAYOUT,
    X86_LAYOUT,
    X86_ERROR_LAYOUT,
    ARM_LAYOUT,
    ARM_ERROR_LAYOUT,
    ...TABLED.flatMap(({ layout, rows }) => (rows === undefined ? [layout] : [layout, rows.layout])).filter(
      l => l.validation !== undefined,
    ),
  ].map(layout => [layout, registerOf(layout)]),
);

/** The path of a member of the structure at `where`, which is empty for what is looked at itself. */
const inside = (where: string, member: string): string => (where === '' ? member : `${where}.${member}`);

/** The validation bits of a structure; none where it was not read from bytes. */
export function describeValidation(layout: Layout, { validationBits }: Marked, where: string): RegisterView[] {
  const register = REGISTERS.get(layout);
  if (register === undefined || validationBits === undefined) return [];
  const { name, width, source } = register;
  const member = inside(where, VALIDATION_MEMBER);
  return [{ member, name, value: validationBits, width, source, rows: register.describe(validationBits) }];
}

/** Some validation bits as a place of a finding; none where the structure was not read from bytes. */
export function validationPlaces({ validationBits }: Marked, mask: bigint, where = ''): FindingPlace[] {
  return validationBits === undefined ? [] : runsOf(inside(where, VALIDATION_MEMBER), REGISTER, mask);
}

/** What a section of a record is headed by: a section descriptor or a data entry, which has a time stamp since revision 3. */
export function sectionHead(record: CperRecord, { revision }: CperSection): Layout {
  return record.header === undefined ? entryLayout(revision) : DESCRIPTOR_LAYOUT;
}

/** The validation bits of members, by their names. */
export function validationMask(layout: Layout, names: readonly string[]): bigint {
  return layout.fields.reduce(
    (mask, { name, valid }) => (valid !== undefined && names.includes(name) ? mask | maskOf(valid, valid) : mask),
    0n,
  );
}

/** The bits that are set and mark no member, as places of a finding. */
export function strayPlaces(layout: Layout, structure: Marked, where = ''): FindingPlace[] {
  return validationPlaces(structure, strayValidation(layout, structure.validationBits ?? 0n), where);
}
