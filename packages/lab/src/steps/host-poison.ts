import { pfnOf } from '@syndrome/decode/registers/address.ts';
import { z } from 'zod';
import type { HostInjection } from '@syndrome/decode/inject/injection.ts';
import { hostFile, hostValue } from '@syndrome/decode/inject/poison.ts';
import { fieldsOf, recordOf } from '@syndrome/decode/inject/ways.ts';
import { QEMU_SIGBUS } from '@syndrome/decode/mca/vmm-made.ts';
import type { Journey } from '@syndrome/decode/outlook/explore.ts';
import { gpa2hpa } from '@syndrome/qemu/qmp/translate.ts';
import { LabError } from '../errors.ts';
import { type Leg, type Legs, type Plan, running, those, victimOf } from '../outlook/scene.ts';
import { u64 } from './arguments.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    address: u64.describe('a physical address of the host layer'),
    how: z.enum(['corrupt-pfn', 'soft-offline']).default('corrupt-pfn'),
  })
  .describe('in the host layer: poison a page with hwpoison_inject, or take it offline softly');

type Args = z.infer<typeof schema>;

const injection = ({ address, how }: Args, value: Value): HostInjection => ({ way: how, addr: value(address) });

/** QEMU gets SIGBUS: action optional, and action required when the guest reads the page. */
function legs(plan: Plan, { address }: Args): Legs | undefined {
  const victim = victimOf(address, plan);
  const [known] = plan.facts.x86 ?? [];
  if (plan.injection.way !== 'corrupt-pfn' || known === undefined || victim.phys === undefined) return undefined;
  const sigbus = recordOf({ ...plan.injection, gpa: victim.phys });
  // QEMU's main thread tells the first CPU.
  const cpu = running(0, plan, victim);
  if (sigbus?.kind !== 'sigbus' || cpu === undefined) return undefined;
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
  // The bank may hold the record of the first signal, or be empty again.
  const choices = { qemu: { bankStatus: [0n, QEMU_SIGBUS['amd-optional'].status] } };
  const layersOfRead = { qemu: known.qemu, linux: { ...linux, running: 'user' as const } };
  return [[optional], [leg('BUS_MCEERR_AR', { choices, layers: layersOfRead })]];
}

export const hostPoison = defineStep({
  name: 'host-poison',
  schema,
  injection,
  legs,
  run: async (session, args) => {
    const { host, localHost } = session;
    const made = injection(args, valueIn(session));
    const { way, addr: hpa } = made;
    if (localHost) {
      // The kernel may have moved the guest's page meanwhile, and given the frame to somebody else.
      const { address: now } = await gpa2hpa(session.qmp, localHost.guestAddress(hpa));
      if (pfnOf(now) !== pfnOf(hpa)) {
        throw new LabError(
          'E_LAB_HOST_LOCAL',
          `the guest's page is no longer at 0x${hpa.toString(16)}: nothing is poisoned`,
        );
      }
    }
    session.note('lab.injected', fieldsOf(made));
    if (localHost) return localHost.poison(hpa, way);
    if (!host) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer whose pages could be poisoned');
    const slow = { deadlineMs: 60_000 };
    const value = hostValue(made);
    if (way === 'corrupt-pfn') await host.call('hwpoison', { pfn: value }, slow);
    else await host.call('write', { path: hostFile(way), value: `0x${value.toString(16)}` }, slow);
  },
});
