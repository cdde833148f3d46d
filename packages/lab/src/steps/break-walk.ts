import { z } from 'zod';
import type { EventName } from '@syndrome/decode/events/catalog.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { WalkInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { GdbClient } from '@syndrome/qemu/gdb/client.ts';
import { breakStage2Walk } from '@syndrome/qemu/gdb/poke.ts';
import { LabError } from '../errors.ts';
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

const injection = ({ address }: z.infer<typeof schema>, value: Value): WalkInjection => ({
  way: 'stage-2-walk',
  addr: value(address),
});

export const breakWalk = defineStep({
  name: 'break-walk',
  schema,
  injection,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    if (session.gdbPath === undefined) throw new LabError('E_LAB_NO_GDB', 'this machine has no debugger port');
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
