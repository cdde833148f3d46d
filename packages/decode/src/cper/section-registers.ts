/** @module The registers of a section by name: of contexts, of error records, of capabilities. */
import { armContextRegisters, x86ContextRegisters } from './context-registers.ts';
import { cpuidRegisters } from './cpuid.ts';
import { registersOfPcie } from './pcie-words.ts';
import type { CperBody, CperRecord } from './record.ts';
import type { NamedRegister } from './tabled.ts';
import { registersOf } from './tables.ts';

/** Of one section; firmware may claim any number of them. */
const MAX_REGISTERS = 1024;

function all(body: CperBody): NamedRegister[] {
  switch (body.kind) {
    case 'arm-processor':
      return [
        ...(body.mpidr === undefined ? [] : [{ name: 'MPIDR_EL1', value: body.mpidr }]),
        ...(body.midr === undefined ? [] : [{ name: 'MIDR_EL1', value: body.midr }]),
        ...body.contexts.flatMap(armContextRegisters),
      ];
    case 'x86-processor':
      return [...cpuidRegisters(body.cpuid), ...body.contexts.flatMap(x86ContextRegisters)];
    case 'pcie':
      return registersOfPcie(body);
    default:
      return registersOf(body);
  }
}

/** The registers of a section, in its order. */
export const sectionRegisters = (body: CperBody): NamedRegister[] => all(body).slice(0, MAX_REGISTERS);

/** All registers of a record by name. A name that comes again, in another context or section, is numbered: `ESR_EL1#2`. */
export function registersOfCper({ sections }: CperRecord): Readonly<Record<string, bigint>> {
  const out: Record<string, bigint> = {};
  const times = new Map<string, number>();
  for (const { name, value } of sections.flatMap(s => sectionRegisters(s.body))) {
    const count = (times.get(name) ?? 0) + 1;
    times.set(name, count);
    out[count === 1 ? name : `${name}#${count}`] = value;
  }
  return out;
}
