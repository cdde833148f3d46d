import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { Injection, MceInjection } from '@syndrome/decode/inject/injection.ts';
import { recordOf, settledBy } from '@syndrome/decode/inject/ways.ts';
import { QUIRKY_CPUS } from '@syndrome/decode/outlook/linux-quirks.ts';
import { type Address, type Legs, type Plan, running, those, victimOf, whoRuns } from './scene.ts';
import { pageOwner } from './xen.ts';

/**
 * What comes of a machine check that the VMM under test injects: one journey for each kind of host.
 * @param address where the error is said to be
 * @param earlier an injection that no CPU has looked at yet: they stand still since
 * @returns undefined where the rules cannot be followed
 */
export function machineCheckLegs(plan: Plan, address: Address | undefined, earlier?: Injection): Legs | undefined {
  const { facts, injection } = plan;
  if (injection.way !== 'mce' || (earlier !== undefined && !leavesMcip(earlier, injection.cpu))) return undefined;
  const record = recordOf(injection);
  const found = victimOf(address, plan);
  const victim =
    found.process === undefined
      ? { ...found, settings: { ...whoRuns(injection.cpu, plan), ...found.settings } }
      : found;
  const cpu = running(injection.cpu, plan, victim);
  if (record === undefined || facts.x86 === undefined || cpu === undefined) return undefined;
  const legs = facts.x86.flatMap(layer => signaturesOf(layer).map(cpuid => ({ layer, cpuid })));
  const journeys = legs.map(({ layer: { qemu, linux, xen, guest, up, cpuid: known }, cpuid }) => ({
    ...(cpuid === known ? {} : { differs: 'the model of the CPU' }),
    journey: {
      record: record.kind === 'x86-mca' && cpuid !== undefined ? { ...record, cpuid } : record,
      consumer: 'qemu' as const,
      layers: {
        qemu: {
          ...qemu,
          ...settledBy(injection),
          mcip: earlier !== undefined,
          ...asleep(injection, guest === undefined ? up : undefined),
        },
        linux: { ...linux, ...(guest === 'xen' && !asked(plan, address) ? {} : victim.settings) },
        ...(xen && { xen: { ...xen, ...pageOwner(plan, address) } }),
      },
      ...(guest === undefined ? {} : { guest }),
      choices: { linux: { running: cpu } },
    },
    victim,
  }));
  return [journeys];
}

/** Whether Xen was asked where the page is: it is at another address of the machine than of dom0. */
const asked = ({ before }: Plan, address: Address | undefined): boolean =>
  those(before, 'translation').some(t => `$${t.as}` === address);

/** A CPU of the host's own may be of any model: the first is one without quirks, the others are those that have some. */
function signaturesOf({ cpuid, qemu }: NonNullable<Plan['facts']['x86']>[number]): readonly (bigint | undefined)[] {
  if (cpuid !== undefined || qemu.vendor === undefined || qemu.vendor === 'arm') return [cpuid];
  return [undefined, ...QUIRKY_CPUS[qemu.vendor]];
}

/** A CPU that was never started has CR4.MCE clear: a machine check there resets the machine. */
function asleep({ cpu, broadcast }: MceInjection, up: number | undefined): { cr4Mce?: false } {
  return up !== undefined && (cpu >= up || broadcast === true) ? { cr4Mce: false } : {};
}

/** An uncorrected machine check of the same CPU: MCIP is set until its handler has run. */
function leavesMcip(injection: Injection, cpu: number): boolean {
  return injection.way === 'mce' && injection.cpu === cpu && MCI_STATUS_INTEL.decode(injection.status).UC;
}
