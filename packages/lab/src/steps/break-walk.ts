import { z } from 'zod';
import type { EventName } from '@syndrome/decode/events/catalog.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { WalkInjection } from '@syndrome/decode/inject/injection.ts';
import { ABORT_FROM_VMM } from '@syndrome/decode/inject/walk.ts';
import { fieldsOf, recordOf } from '@syndrome/decode/inject/ways.ts';
import type { Journey } from '@syndrome/decode/outlook/explore.ts';
import { LabError } from '../errors.ts';
import { guestOfVmm, type Legs, type Plan, those, victimOf } from '../outlook/scene.ts';
import { duration, ns, u64 } from './arguments.ts';
import { defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    address: u64.describe('guest physical address; all of its 2 MiB stand behind the table descriptor that is changed'),
    within: duration.default('30s'),
  })
  .describe(
    'from outside, while the guest runs: point a stage-2 table descriptor at memory that is not there, so that the next walk is an external abort taken to EL2',
  );

/** Signs that the error behind a broken walk has been consumed. */
const CONSUMED: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'vmm.arm-sea',
  'vmm.sigbus',
  'guest.serror',
  'guest.sea',
]);

type Args = z.infer<typeof schema>;

const injection = ({ address }: Args, value: Value): WalkInjection => ({ way: 'stage-2-walk', addr: value(address) });

function legs(plan: Plan, { address }: Args): Legs | undefined {
  const { sea } = plan.facts;
  const victim = victimOf(address, plan);
  const linux = guestOfVmm(plan, victim);
  const record = recordOf(plan.injection);
  // All of the 2 MiB have to be the process's: anything else in them would be hit first.
  const page = those(plan.before, 'page').find(p => `$${p.as}` === address);
  if (page?.size !== '2m' || !victim.reads) return undefined;
  if (sea === undefined || linux === undefined || record === undefined) return undefined;
  const journey: Journey = { record, consumer: 'kvm', layers: { kvm: sea.kvm, linux }, vmm: () => ABORT_FROM_VMM };
  return [[{ journey, victim: { ...victim, reads: false } }]];
}

export const breakWalk = defineStep({
  name: 'break-walk',
  schema,
  injection,
  legs,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    if (session.gdbPath === undefined) throw new LabError('E_LAB_NO_GDB', 'this machine has no debugger port');
    // No other step needs a debugger.
    const { GdbClient } = await import('@syndrome/qemu/gdb/client.ts');
    const { breakStage2Walk } = await import('@syndrome/qemu/gdb/poke.ts');
    const gdb = await GdbClient.connect(
      { path: session.gdbPath },
      {
        signal: session.signal,
        onTranscript: entry => session.tape.record(undefined, 'machine', 'gdb', entry.payload, entry.direction),
      },
    );
    session.note('lab.injected', fieldsOf(made));
    const attempts = Math.max(1, Math.round(ns(args.within) / 20e6));
    let broken;
    try {
      broken = await breakStage2Walk(gdb, { ipa: made.addr, attempts });
    } catch (error) {
      await gdb.close();
      throw error;
    }
    session.note('lab.note', {
      text: `stage-2 descriptor at ${hex64(broken.descriptorAddress)}: ${hex64(broken.was)} → ${hex64(broken.now)}`,
    });
    // The host's own walks of these tables (DAMON, the end of the VM) would crash it: mended as soon as it has served.
    const mend = async (): Promise<void> => {
      try {
        await session.nextEvent(ns('2m') / 1e6, e => CONSUMED.has(e.name));
      } finally {
        try {
          await broken.restore();
        } finally {
          await gdb.close();
        }
        session.note('lab.note', { text: 'stage-2 descriptor put back' });
      }
    };
    const mended = mend();
    mended.catch(() => {});
    session.pending.push(mended);
  },
});
