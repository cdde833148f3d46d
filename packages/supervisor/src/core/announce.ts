/**
 * @module What an owner was told will be done with a VM. What is not done after all is told too: with a transition of its own, when
 * nothing of the kind is planned any more.
 */
import { nameOf } from './words.ts';
import type { Time } from './ids.ts';
import type { Rung } from './policy.ts';
import type { Incident, Vm } from './state.ts';
import { tellOnce } from './turn.ts';
import type { Turn } from './turn.ts';

const PLANNED: Partial<Record<Rung, string>> = {
  reboot: 'is reset where it runs',
  migrate: 'is moved to another host while it runs',
  'restart-elsewhere': 'is stopped and started again on another host',
  terminate: 'is stopped for good',
};
const NOT_DONE: Partial<Record<Rung, string>> = {
  reboot: 'is not reset where it runs',
  migrate: 'is not moved to another host while it runs',
  'restart-elsewhere': 'is not stopped and started again on another host',
  terminate: 'is not stopped for good',
};

const because = (t: Turn, { cause, host }: Incident): string => {
  if (cause === 'order') return 'as its operator has ordered';
  const emptied = cause === 'host' && t.s.hosts.get(host)?.draining?.evacuate === true;
  return emptied ? 'because its host is being emptied' : 'because of memory errors of its host';
};

const withdrawn = (transition: string): string => `${transition}/withdrawn`;

/** Tells the owner what its move will do, and not before when. What was withdrawn and is planned again is told again, and so is an earlier time. */
export function tellPlanned(t: Turn, vm: Vm, rung: Rung, incident: Incident, wait: Time): void {
  const first = `planned/${rung}/${vm.epoch}`;
  const before = vm.move?.announced;
  const sooner = before?.rung === rung && wait < before.wait;
  const isUsed = (transition: string): boolean =>
    incident.told.includes(withdrawn(transition)) || (sooner && incident.told.includes(transition));
  let transition = first;
  for (let n = 2; isUsed(transition); n++) transition = `${first}/${n}`;
  if (vm.move !== undefined) vm.move.announced = { rung, incident: incident.id, transition, wait };
  tellOnce(t, incident, transition, {
    type: 'vm.restart.planned',
    severity: 'warning',
    host: incident.host,
    vm: vm.id,
    vmName: vm.name,
    ...(wait > t.now ? { notBefore: wait } : {}),
    summary: `VM ${nameOf(vm)} ${PLANNED[rung] ?? rung}, ${because(t, incident)}.`,
    playbook: 'restart-planned.md',
  });
}

/** What was announced of a VM's move is not done, unless the same is planned again before this step ends. */
export function withdraw(t: Turn, vm: Vm, why: string): void {
  const announced = vm.move?.announced;
  if (announced !== undefined) t.withdrawn.push({ vm: vm.id, ...announced, why });
}

/** At the end of a step: tells what was announced and is neither done nor planned any more. */
export function tellWithdrawn(t: Turn): void {
  for (const { vm: id, rung, incident: of, transition, why } of t.withdrawn) {
    const [vm, incident] = [t.s.vms.get(id), t.s.incidents.get(of)];
    if (vm === undefined || incident === undefined || vm.move?.announced?.rung === rung) continue;
    tellOnce(t, incident, withdrawn(transition), {
      type: 'vm.restart.withdrawn',
      severity: 'info',
      host: vm.home ?? incident.host,
      vm: id,
      vmName: vm.name,
      summary: `VM ${nameOf(vm)} ${NOT_DONE[rung] ?? `is not ${rung}`}, as was announced: ${why}.`,
      playbook: 'restart-planned.md',
    });
  }
}
