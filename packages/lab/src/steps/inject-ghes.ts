import { z } from 'zod';
import { GHES_SECTIONS, ghesBlock, ghesInjection } from '@syndrome/decode/inject/ghes.ts';
import type { GhesInjection } from '@syndrome/decode/inject/injection.ts';
import { ABORT_FROM_VMM, KERNEL_ABORT_FROM_VMM } from '@syndrome/decode/inject/walk.ts';
import { fieldsOf, recordOf } from '@syndrome/decode/inject/ways.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import type { Journey } from '@syndrome/decode/outlook/explore.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { firmwareLegs } from '../outlook/firmware.ts';
import { hostPageLegs } from '../outlook/host-page.ts';
import { guestOfVmm, kernelReads, type Leg, type Legs, type Plan, those, victimOf } from '../outlook/scene.ts';
import { u64 } from './arguments.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    severity: z.enum(['recoverable', 'fatal', 'corrected', 'none']).default('recoverable'),
    section: z.enum(GHES_SECTIONS).default('memory').describe('what the record is about; arm-processor: a cache error'),
    address: u64.default(0).describe('physical address of the error, in a memory or Arm section'),
    errorType: z.int().min(0).max(15).default(3).describe('UEFI memory error type; 3 is multi-bit ECC'),
    threshold: z.boolean().default(false).describe('corrected errors have passed their threshold'),
  })
  .describe(
    'a CPER section for the layer right under the outer QEMU: by QMP inject-ghes-v2-error, or as its firmware (`apei: true`)',
  );

type Args = z.infer<typeof schema>;

const injection = ({ severity, section, address, errorType, threshold }: Args, value: Value): GhesInjection =>
  ghesInjection(severity, value(address), errorType, { threshold, section });

/** A signal to the VMM and lines on the host's console are nothing that its guest notices. */
const unnoticed = (outcome: Outcome): Outcome => (outcome === 'signalled' || outcome === 'logged' ? 'none' : outcome);

function legs(plan: Plan, { severity, address }: Args): Legs | undefined {
  const { ghes } = plan.facts;
  const record = recordOf(plan.injection);
  const victim = victimOf(address, plan);
  if (record === undefined || ghes === undefined) return undefined;
  const { vmm, qemu } = ghes;
  if (qemu === undefined && vmm === undefined) return firmwareLegs(plan, { address });
  if (vmm && severity === 'recoverable' && victim.process === undefined) return undefined;
  // In the host layer the page is the VMM's, which asks for early signals and takes them.
  const page: Partial<Settings> = vmm ? { page: 'user', earlyKill: true, sigbusHandler: true } : victim.settings;
  const linux = { ...ghes.linux, ...page };
  const journey: Journey =
    qemu === undefined
      ? { record, consumer: 'linux', layers: { linux } }
      : { record, consumer: 'qemu', layers: { qemu, linux } };
  if (!vmm) return [[{ journey, victim }]];
  const host: Leg = { journey, victim: { ...victim, reads: false }, within: unnoticed };
  if (qemu === undefined && severity === 'recoverable') {
    const inGuest = hostPageLegs(plan, address);
    return inGuest && [[host], ...inGuest];
  }
  const inKernel = kernelReads(address, plan);
  if (!(victim.reads || inKernel) || severity !== 'recoverable') return [[host]];
  // Only a VMM that has taken the error is known to answer the read with an abort.
  const taken = those(plan.after, 'awaited').some(({ event }) =>
    (vmm.tookError as readonly string[] | undefined)?.includes(event),
  );
  const guest = guestOfVmm(plan, victim);
  if (!taken || guest === undefined) return undefined;
  const abort: Journey = inKernel
    ? { record: KERNEL_ABORT_FROM_VMM, consumer: 'linux', layers: { linux: { ...guest, running: 'kernel' } } }
    : { record: ABORT_FROM_VMM, consumer: 'linux', layers: { linux: guest } };
  return [[host], [{ journey: abort, victim: { ...victim, reads: false } }]];
}

export const injectGhes = defineStep({
  name: 'inject-ghes',
  schema,
  injection,
  legs,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    const { firmware } = session;
    if (firmware !== undefined) {
      session.note('lab.injected', fieldsOf(made));
      return firmware.report(ghesBlock(made));
    }
    const { injectGhes: inject } = await import('@syndrome/qemu/qmp/ghes.ts');
    session.note('lab.injected', fieldsOf(made));
    // In a nested machine the firmware is that of the host layer.
    await inject(session.outer, ghesBlock(made));
  },
});
