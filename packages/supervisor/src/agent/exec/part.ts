/** @module What an agent reads of a program and does by it, by its configuration. */
import type { Epoch, HostId, VmId } from '../../core/ids.ts';
import type { Actuator } from '../actuator.ts';
import type { ExecConfig } from '../config.ts';
import type { Source } from '../source.ts';
import type { Vms } from '../vms.ts';
import { ExecActs } from './acts.ts';
import { ExecSource } from './source.ts';

/** Source and acts of the VMs that a program speaks for. */
export function execPart(
  { argv, acts, env, everySeconds, deadlineSeconds }: ExecConfig,
  { host, vms, epochOf }: { host: HostId; vms: Vms; epochOf: (vm: VmId) => Epoch },
): { sources: Source[]; exec: Actuator } {
  const asker = { argv, host, deadlineMs: deadlineSeconds * 1000, env };
  return {
    sources: [new ExecSource(asker, { vms, epochOf, everyMs: everySeconds * 1000 })],
    exec: new ExecActs(asker, { vms, epochOf, acts }),
  };
}
