/** @module How much may be done at a time. What decides about VMs can also kill them. */
import type { Host, State, Vm } from './state.ts';

/** Only an owner who wants it, and nobody else who would restart it: else the VM is observed. Undefined where we may act. */
export function handsOff(vm: Vm): string | undefined {
  if (!vm.optedIn) return 'its owner has not opted in';
  if (vm.owner !== undefined) return `${vm.owner} takes care of it`;
  if (vm.onCrash?.includes('restart') === true) return `its host restarts it by itself (on_crash ${vm.onCrash})`;
  return undefined;
}

/** VMs that are acted on now. Those that wait for a proof or a target hold nobody up. */
function movesUnderWay(s: State): number {
  return s.moving.filter(id => {
    const move = s.vms.get(id)?.move;
    return move?.begun === true && move.step === 'working';
  }).length;
}

/** Whether one more VM may be acted on. */
export function mayBegin(s: State): boolean {
  return movesUnderWay(s) < s.policy.budget.moves;
}

/** Whether a rule may close one more host. */
export function mayDrain(s: State, host: Host): boolean {
  if (host.draining !== undefined) return true;
  const { drainingPercent, drainingAtLeast } = s.policy.budget;
  const limit = Math.max(drainingAtLeast, Math.floor((s.hosts.size * drainingPercent) / 100));
  const draining = [...s.hosts.values()].filter(h => h.draining !== undefined).length;
  return draining < limit;
}
