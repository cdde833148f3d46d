/** What Xen knows of the page that an error is in. */
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import { recordOf } from '@syndrome/decode/inject/ways.ts';
import { type Address, type Legs, type Plan, those, victimOf } from './scene.ts';

/**
 * Whose page it is, where a step has asked for it or the machine has no domain but dom0.
 * @param address where the error is said to be
 */
export function pageOwner(plan: Plan, address: Address | undefined): Partial<Settings> {
  const { domu } = plan.facts;
  if (domu === undefined) return { owner: 'dom0' };
  const named = typeof address === 'string' ? address.replace(/^\$/, '') : undefined;
  if (those(plan.before, 'domain-page').some(page => page.as === named)) return { owner: domu, page: 'user' };
  return those(plan.before, 'translation').some(page => page.as === named) ? { owner: 'dom0', page: 'user' } : {};
}

/** What comes of a machine check that Xen plays to itself; it goes to all CPUs. */
export function xenLegs(plan: Plan, domain: number, address: Address): Legs | undefined {
  const { facts, injection } = plan;
  const record = recordOf(injection);
  if (record?.kind !== 'x86-mca' || facts.x86 === undefined) return undefined;
  const victim = victimOf(address, plan);
  // An address of a domain that Xen translates is of that domain.
  const owner =
    domain > 0 && facts.domu === 'hvm' ? { owner: facts.domu, page: 'user' as const } : pageOwner(plan, address);
  const legs = facts.x86.flatMap(({ qemu: { vendor }, linux, xen, cpuid }) =>
    vendor !== 'intel' && vendor !== 'amd'
      ? []
      : {
          journey: {
            record: { ...record, vendor, ...(cpuid === undefined ? {} : { cpuid }) },
            consumer: 'xen' as const,
            layers: {
              xen: { ...xen, ...owner, broadcast: true, delivery: 'exception' as const },
              linux: { ...linux, ...victim.settings },
            },
          },
          victim,
        },
  );
  return legs.length === 0 ? undefined : [legs];
}
