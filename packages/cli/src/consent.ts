/** Whether a machine that we did not start may be given a record unasked: what the outlook says of everybody it may run. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import { dangersOfInjection } from '@syndrome/decode/inject/outcome.ts';
import { vendorOfId } from '@syndrome/decode/mca/cpu.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import { type Danger, type Target, dangerText } from '@syndrome/decode/outlook/danger.ts';
import type { MachineFacts } from '@syndrome/qemu/qmp/machine-facts.ts';
import { type ContextOptions, contextOf } from './context-options.ts';

/** What is asked of the user, and why. */
export interface Consent {
  needed: boolean;
  because: Danger[];
}

/** Settings that the record itself or its own options decide. */
const NOT_SET = {
  delivery: 'the kind decides it',
  broadcast: 'use --broadcast',
  mcgStatus: 'use --mcgstatus',
} as const;

/** What the user says of the machine, with `--consumer` and `--set`. @throws UsageError. */
export function statedTarget(options: ContextOptions): Target {
  const { consumer, ...known } = contextOf(options);
  if (consumer !== undefined && consumer !== 'linux' && consumer !== 'xen')
    throw new UsageError('E_USAGE', `--consumer ${consumer}: expected linux, xen`, {
      hint: 'It says who runs on the machine.',
    });
  for (const [name, instead] of Object.entries(NOT_SET)) {
    if (name in known) throw new UsageError('E_USAGE', `--set ${name} does not apply to inject: ${instead}`);
  }
  if (known.version !== undefined && consumer === undefined) {
    throw new UsageError('E_USAGE', `--set version=${known.version}: the version of what?`, {
      hint: 'Say who runs on the machine, too: --consumer linux, or --consumer xen.',
    });
  }
  const { version: _, ...vmm } = known;
  return { ...(consumer === undefined ? {} : { guests: [consumer] }), vmm, guest: known };
}

/** What the machine says of itself; what the user says wins over it. */
export function knownTarget({ guests, vmm, guest }: Target, facts: MachineFacts): Target {
  const vendor = facts.cpuVendor === undefined ? undefined : vendorOfId(facts.cpuVendor);
  const x86 = facts.target === 'x86_64' || facts.target === 'i386';
  const said: Partial<Settings> = {
    version: facts.version,
    ...(facts.kvm === true ? { platform: 'kvm' } : {}),
    ...(facts.cpus === undefined ? {} : { cpus: facts.cpus }),
    ...(vendor === undefined ? {} : { vendor }),
    // Only an x86 CPU has banks; only arm64 has GHES, where it is on.
    ...(facts.target === undefined || x86 ? {} : { mcgCap: 0n }),
    ...(x86 || facts.ras === false ? { ras: false } : {}),
  };
  // A guest may use fewer CPUs than it has, but not more.
  const one: Partial<Settings> = facts.cpus === 1 ? { cpus: 1 } : {};
  return { ...(guests && { guests }), vmm: { ...said, ...vmm }, guest: { ...one, ...guest } };
}

/** Asks the outlook. */
export function consentFor(injection: Injection, target: Target): Consent {
  const because = dangersOfInjection(injection, target);
  // Of what it has no rules for nobody knows what it does.
  if (because === undefined) return { needed: true, because: [] };
  return { needed: because.length > 0, because };
}

/** Who would come to harm, a line each. */
export function consentLines({ because }: Consent): string[] {
  return because.map(danger => `  ${dangerText(danger)}`);
}
