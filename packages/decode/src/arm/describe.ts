/** @module The registers of an abort or SError with the field tables that apply to it: for tables and strips of bits. */
import { bit, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { ESR, HPFAR, PFAR, describeEsr } from './esr.ts';
import type { ArmSeaRecord } from './record.ts';

/** `flags` of KVM_EXIT_ARM_SEA. */
const KVM_ARM_SEA_FLAGS = defineRegister({
  name: 'arm_sea.flags',
  width: 64,
  source: 'Linux Documentation/virt/kvm/api.rst, KVM_EXIT_ARM_SEA',
  fields: [bit(0, 'GPA_VALID', 'gpa is valid')],
});

/** Members that are registers, with name and layout, in the order a person reads them. */
const REGISTERS = [
  ['esr', 'ESR_ELx', undefined],
  ['far', 'FAR_ELx', undefined],
  ['hpfar', 'HPFAR_EL2', HPFAR],
  ['pfar', 'PFAR_ELx', PFAR],
  ['flags', 'arm_sea.flags', KVM_ARM_SEA_FLAGS],
  ['gva', 'arm_sea.gva', undefined],
  ['gpa', 'arm_sea.gpa', undefined],
  ['walkedGpa', 'guest physical address of the tables', undefined],
  ['elr', 'ELR_ELx', undefined],
] as const satisfies readonly (readonly [keyof ArmSeaRecord, string, Register | undefined])[];

/** A member of a record that holds a register. */
type ArmRegister = (typeof REGISTERS)[number][0];

/**
 * Every register the record has, in the order a person reads them.
 *
 * @example
 * describeArm({ kind: 'arm-sea', esr: 0x92000010n }).map(view => view.name) // ['ESR_ELx']
 */
export function describeArm(record: ArmSeaRecord): RegisterView<ArmRegister>[] {
  return REGISTERS.flatMap(([member, name, register]): RegisterView<ArmRegister>[] => {
    const value = record[member];
    if (value === undefined) return [];
    // The syndromes of an ESR have tables of their own.
    if (member === 'esr') return [{ member, name, value, width: 64, source: ESR.source, rows: describeEsr(value) }];
    if (register === undefined) return [{ member, name, value, width: 64, rows: [] }];
    return [{ member, name, value, width: 64, source: register.source, rows: register.describe(value) }];
  });
}
