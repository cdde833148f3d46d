/** @module The way of a stage-2 table that leads nowhere, set up by a debugger from outside of the host. */
import { namedEsr } from '../arm/encode.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import { KVM_ABORT } from '../arm/vmm-made.ts';
import { hex64 } from '../common/hex.ts';
import type { WalkInjection } from './injection.ts';
import { u64Of } from './way.ts';
import type { WayOf } from './way.ts';

function named(name: string): ArmSeaRecord {
  const found = namedEsr(name);
  if (found === undefined) throw new Error(`there is no syndrome ${name}`);
  return { kind: 'arm-sea', esr: found.esr, el: found.el };
}

/** What the guest of a VMM that injects gets: the external abort KVM gives a guest in user mode. */
export const ABORT_FROM_VMM: ArmSeaRecord = named('kvm-data-el0');
/** The same, where the guest's kernel itself accessed the page. */
export const KERNEL_ABORT_FROM_VMM: ArmSeaRecord = { kind: 'arm-sea', esr: KVM_ABORT.kernel, el: 1 };
/** What KVM gets: an abort on the stage-2 walk at level 3, for a data access of EL0. */
const WALK_ABORT = named('host-stage2-walk');

export const STAGE_2_WALK: WayOf<WalkInjection> = {
  // Many reads and one write of memory through a debugger.
  command: () => undefined,
  record: () => WALK_ABORT,
  words: ({ addr }) =>
    `the stage-2 descriptor in front of guest address ${hex64(addr)} points at memory that is not there`,
  fields: ({ addr }) => ({ kind: 'stage-2 walk', addr }),
  read: ({ kind, addr: address }) => {
    const addr = u64Of(address);
    return kind === 'stage-2 walk' && addr !== undefined ? { way: 'stage-2-walk', addr } : undefined;
  },
};
