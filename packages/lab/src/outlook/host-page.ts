import { QEMU_SIGBUS } from '@syndrome/decode/mca/vmm-made.ts';
import type { Journey } from '@syndrome/decode/outlook/explore.ts';
import type { OutlookRecord } from '@syndrome/decode/outlook/record.ts';
import { type Address, type Leg, type Legs, type Plan, running, those, victimOf } from './scene.ts';

/**
 * The kernel of the host took away a page at `address` that its QEMU has: QEMU gets SIGBUS, action optional, and action required
 * when the guest reads the page.
 */
export function hostPageLegs(plan: Plan, address: Address): Legs | undefined {
  const victim = victimOf(address, plan);
  const { arm } = plan.facts;
  const known = arm ?? plan.facts.x86?.[0];
  if (known === undefined) return undefined;
  if (those(plan.before, 'vmm-own').some(({ as }) => `$${as}` === address)) {
    const layers = { qemu: { ...known.qemu, guestRam: false }, linux: known.linux };
    return [[{ journey: { record: { kind: 'sigbus', code: 'BUS_MCEERR_AO' }, consumer: 'qemu', layers }, victim }]];
  }
  if (victim.phys === undefined) return undefined;
  const sigbus: OutlookRecord = { kind: 'sigbus', code: 'BUS_MCEERR_AO', gpa: victim.phys };
  // QEMU's main thread tells the first CPU.
  const cpu = running(0, plan, victim);
  if (cpu === undefined) return undefined;
  const linux = { ...known.linux, ...victim.settings };
  const leg = (code: typeof sigbus.code, journey: Partial<Journey>): Leg => ({
    journey: { record: { ...sigbus, code }, consumer: 'qemu', layers: { qemu: known.qemu, linux }, ...journey },
    victim,
  });
  const optional = leg(sigbus.code, { choices: { linux: { running: cpu } } });
  if (those(plan.after, 'vmm-reads').length > 0) {
    const own = { qemu: { ...known.qemu, vmmReads: true }, linux };
    return [[optional], [leg('BUS_MCEERR_AR', { layers: own })]];
  }
  if (plan.facts.hugetlb) {
    // The host takes the whole huge page: the guest's kernel uses one of the neighbours sooner or later.
    const neighbour = { qemu: known.qemu, linux: { ...known.linux, running: 'kernel' as const } };
    const choices = { qemu: { bankStatus: [0n, QEMU_SIGBUS['amd-optional'].status] } };
    return [[optional], [leg('BUS_MCEERR_AR', { layers: neighbour, choices })]];
  }
  if (!victim.reads) return [[optional]];
  const layersOfRead = { qemu: known.qemu, linux: { ...linux, running: 'user' as const } };
  if (arm !== undefined) {
    const ownRead = { ...layersOfRead, qemu: { ...known.qemu, running: 'user' as const } };
    return [[optional], [leg('BUS_MCEERR_AR', { layers: ownRead })]];
  }
  // The bank may hold the record of the first signal, or be empty again.
  const choices = { qemu: { bankStatus: [0n, QEMU_SIGBUS['amd-optional'].status] } };
  return [[optional], [leg('BUS_MCEERR_AR', { choices, layers: layersOfRead })]];
}
