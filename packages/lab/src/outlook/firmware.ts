import { recordOf } from '@syndrome/decode/inject/ways.ts';
import { type Address, type Legs, type Plan, victimOf } from './scene.ts';

/** What comes of a record that the guest's kernel finds in the tables of a firmware which the lab plays. */
export function firmwareLegs(plan: Plan, { address }: { address: Address }): Legs | undefined {
  const record = recordOf(plan.injection);
  const { ghes } = plan.facts;
  if (record === undefined || ghes === undefined || ghes.qemu !== undefined) return undefined;
  const found = victimOf(address, plan);
  // A page that was only moved, or is only spoken of, is read as before.
  const victim = record.kind === 'cper' && record.severity === 'recoverable' ? found : { ...found, reads: false };
  // Of the boot before nobody is left to be told.
  const settings = plan.injection.way === 'boot-record' ? {} : victim.settings;
  const journey = { record, consumer: 'linux' as const, layers: { linux: { ...ghes.linux, ...settings } } };
  return [[{ journey, victim }]];
}
