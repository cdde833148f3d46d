import { z } from 'zod';
import type { SpecialPart } from '../part-choices.ts';
import { amdHost } from './amd-host.ts';
import { arm64Host } from './arm64-host.ts';
import { arm64QemuHost } from './arm64-qemu-host.ts';
import { cxlGuest } from './cxl-guest.ts';
import type { BaseSpec, MachineFault, MachineKind } from './kind.ts';
import { linuxGuest } from './linux-guest.ts';
import { xenDom0 } from './xen-dom0.ts';

/** The kinds of machine, one line each. */
const KINDS = [linuxGuest, cxlGuest, xenDom0, amdHost, arm64Host, arm64QemuHost] as const;

/** What the guest of a host layer is where this very machine is that layer: see {@link MachineKind.local}. */
export const FLAT_GUEST = linuxGuest.name;

type Kinds = typeof KINDS;
type SchemasOf<K extends readonly { schema: unknown }[]> = { readonly [I in keyof K]: K[I]['schema'] };

/** The machine of a scenario, as far as every kind has it. What else is in it only the file of its kind knows. */
export type MachineSpec = BaseSpec;

/** The machine of a scenario: one QEMU process and its layers. */
export const machineSchema: z.ZodType<MachineSpec> = z.discriminatedUnion(
  'kind',
  KINDS.map(({ schema }) => schema) as unknown as SchemasOf<Kinds>,
);

const byName: ReadonlyMap<string, MachineKind<MachineSpec>> = new Map(
  KINDS.map(kind => [kind.name, kind as unknown as MachineKind<MachineSpec>]),
);

/** All that is known of the kind of this machine. */
export function machineKind({ kind }: Pick<MachineSpec, 'kind'>): MachineKind<MachineSpec> {
  const found = byName.get(kind);
  if (found === undefined) throw new Error(`no machine is of the kind ${kind}`);
  return found;
}

/** The kinds of machine, in the order of the documentation. */
export function machineKinds(): MachineKind<MachineSpec>[] {
  return [...byName.values()];
}

/** The names of the kinds that have a use for a choice of the user, in machines of which a scenario says nothing more. */
export function kindsTaking(part: SpecialPart): string[] {
  return machineKinds()
    .filter(kind => kind.takes(kind.schema.parse({ kind: kind.name })).includes(part))
    .map(kind => kind.name);
}

/** What does not fit together in the `machine:` of a scenario, beyond its shape. Anything may stand there. */
export function machineFaults(data: Readonly<Record<string, unknown>>): MachineFault[] {
  return byName.get(String(data['kind']))?.faults?.(data) ?? [];
}
