/** @module What hosts say of their VMs: where copies are, in which epoch, and whether there is one too many. */
import { handsOff } from './budget.ts';
import type { HostId, Time, VmId } from './ids.ts';
import { ranBy } from './clock.ts';
import { noteAfter } from './incident.ts';
import { homeCopy, isAlive, isPlannedStop, lifeAfter, newer, vmById } from './ledger.ts';
import { lookup, putCopy } from './lookup.ts';
import { placeOf } from './places.ts';
import { ageProof, dropProof, isProven, unprovenCopies } from './proof.ts';
import type { Row, VmReport } from './said.ts';
import type { Copy, State, Vm } from './state.ts';
import { over } from './times.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide } from './turn.ts';
import type { Turn } from './turn.ts';

/** During a live migration both hosts list the VM for 1.3 to 2 s (seen with libvirt 9.0). */
const DOUBLE_MS = 10_000;

/** Takes a report of a VM. What is older than what its host said last changes nothing. */
export function takeVmReport(t: Turn, row: Row, report: VmReport): void {
  const vm = vmById(t.s, report.vm);
  const { host, at } = row;
  const place = placeOf(t.s, row);
  let copy = vm.copies.find(c => c.host === host);
  if (copy !== undefined && !newer(place, copy.place)) return;
  if (copy === undefined) {
    // Where it may have run before anybody told of it, that it does not needs a proof too.
    copy = { host, epoch: report.epoch, state: 'gone', ran: true, since: 0, autostart: false, told: 0 };
    putCopy(t.s, vm, copy);
  }
  copy.told = Math.max(copy.told, report.epoch);
  const ordered = copy.state === 'starting';
  // A report from before the start that we ordered says nothing of it.
  const migrated = vm.move?.rung === 'migrate' && isAlive(report.state);
  if (ordered && !migrated && (report.epoch < copy.epoch || !isAlive(report.state))) {
    copy.place = place;
    copy.autostart = report.autostart;
    if (isAlive(report.state)) copy.another = true;
    return;
  }
  describe(vm, report, host);
  copy.place = place;
  copy.autostart = report.autostart;
  if (report.pid !== undefined) {
    const pid = `${report.pid}/${report.startTicks ?? '?'}`;
    // Somebody else has started it again. That of a start that we have ordered is counted already.
    if (copy.pid !== undefined && !isSameProcess(copy.pid, pid)) [copy.life, copy.lifeFrom] = [lifeAfter(copy), at];
    copy.pid = pid;
  }
  if (isAlive(report.state)) runs(t, vm, copy, report, at);
  else if (copy.ran && isAlive(copy.state)) goes(t, vm, copy, report, at);
  copy.state = report.state;
  settleHome(t, vm);
  t.vms.add(vm.id);
}

/** Whether two are one process, `PID/ticks` each; of one whose start time is not known the PID alone says it. */
function isSameProcess(a: string, b: string): boolean {
  const [pid, ticks] = a.split('/');
  const [other, start] = b.split('/');
  return pid === other && (ticks === '?' || start === '?' || ticks === start);
}

/** What a start elsewhere needs to know. Its home says it; another host only where nobody has yet. */
function describe(vm: Vm, report: VmReport, host: HostId): void {
  if (vm.home !== undefined && vm.home !== host && vm.vmm !== undefined) return;
  vm.name = report.name;
  vm.vmm = report.vmm;
  if (report.definition !== undefined) vm.definition = report.definition;
  if (report.disks.length > 0 || vm.disks.length === 0) vm.disks = report.disks;
  if (report.needs !== undefined) vm.needs = report.needs;
  vm.memoryBytes = report.memoryBytes;
  if (report.cpuModel !== undefined) vm.cpuModel = report.cpuModel;
  set(vm, 'onCrash', report.onCrash);
  set(vm, 'owner', report.owner);
  vm.optedIn = report.optedIn;
  vm.canQuarantine = report.canQuarantine ?? report.vmm === 'reference';
}

function set(vm: Vm, name: 'onCrash' | 'owner', value: string | undefined): void {
  if (value === undefined) delete vm[name];
  else vm[name] = value;
}

/**
 * Whether a copy was told alive in a later boot of its host than that of its proof. By the time of its row alone that is not certain: a
 * boot may set the clock back.
 */
function isOfLaterBoot(s: State, { host: id, place, proofBoot }: Copy): boolean {
  const host = s.hosts.get(id);
  // An agent's first words come before all else that it tells of a boot.
  const begun = host?.sources.get('agent')?.place;
  if (place === undefined || begun === undefined || proofBoot === undefined || host?.boot === proofBoot) return false;
  return newer(place, begun);
}

export function voidProof(t: Turn, vm: Vm, copy: Copy, reported: number): void {
  const { proof, host } = copy;
  if (proof === undefined) return;
  dropProof(copy);
  decide(t, {
    vm: vm.id,
    host,
    rule: 'core/proof-void',
    rung: 'hold',
    inputs: { proof: proof.kind, epoch: proof.epoch, reported },
    why: `The copy on ${host} was proven to have stopped, and its host says that it runs again.`,
  });
}

/** A host has told of another boot: what it has told of VMs since then is newer than what was proven before. */
export function looksAfterBoot(t: Turn, host: HostId): void {
  for (const vm of lookup(t.s).copiesOn(host))
    for (const copy of vm.copies) {
      if (copy.host !== host || !isAlive(copy.state) || copy.proof === undefined || !isOfLaterBoot(t.s, copy)) continue;
      voidProof(t, vm, copy, copy.epoch);
      t.vms.add(vm.id);
    }
}

function runs(t: Turn, vm: Vm, copy: Copy, report: VmReport, at: Time): void {
  ranBy(t, vm, copy, at);
  const { place, proofPlace } = copy;
  if (place === undefined || newer(place, proofPlace) || isOfLaterBoot(t.s, copy)) voidProof(t, vm, copy, report.epoch);
  copy.epoch = Math.max(copy.epoch, report.epoch);
  vm.epoch = Math.max(vm.epoch, copy.epoch);
  copy.ran = true;
  // It was stopped, and somebody has started it again. That it still runs undoes no announcement.
  if (vm.plannedStop !== undefined && !isAlive(copy.state)) delete vm.plannedStop;
  if (report.state === 'crashed') noteAfter(t, vm, copy.host, 'panicked', at);
}

/** A VM that goes without having been asked to has died; what libvirt calls destroyed or shut down was asked for. */
function goes(t: Turn, vm: Vm, copy: Copy, report: VmReport, at: Time): void {
  // What could not be proven while it ran can be now.
  if (vm.move?.step === 'unproven') {
    vm.move.tried.delete(`${copy.host}/${copy.epoch}`);
    [vm.move.again, vm.move.rounds] = [0, 0];
  }
  if (report.state !== 'gone') return;
  const asked = vm.move?.begun === true || vm.home !== copy.host || isPlannedStop(vm, at);
  if (!asked && (report.reason === undefined || /fail|crash|signal|kill/i.test(report.reason)))
    noteAfter(t, vm, copy.host, 'died', at);
}

/** Where the VM is now: a copy that runs, where the one that was its home does not. */
function settleHome(t: Turn, vm: Vm): void {
  if (vm.home === undefined) {
    const only = vm.copies.find(c => isAlive(c.state)) ?? vm.copies[0];
    if (only !== undefined) vm.home = only.host;
    return;
  }
  const home = homeCopy(vm);
  if (vm.move?.begun === true || (home !== undefined && isAlive(home.state))) return;
  // Somebody else has moved it. A copy of an older epoch than that of its home is no move but a copy too many.
  const elsewhere = vm.copies.find(c => c.host !== vm.home && isAlive(c.state) && c.epoch >= (home?.epoch ?? 0));
  if (elsewhere === undefined) return;
  vm.home = elsewhere.host;
  elsewhere.since = elsewhere.place?.at ?? t.now;
  delete elsewhere.answered;
}

/** Copies that run beside that of the VM's home, and should not. */
function strays(s: State, vm: Vm): Copy[] {
  const home = homeCopy(vm);
  if (home === undefined || home.state === 'gone' || home.state === 'shut-off') return [];
  const migrating = vm.move?.rung === 'migrate' && vm.move.begun ? vm.move.to : undefined;
  return vm.copies.filter(
    c => c !== home && c.host !== migrating && c.ran && !isProven(vm, c) && isAlive(c.state) && s.hosts.has(c.host),
  );
}

/** Whether the copy is one that we have replaced: it may be stopped. Of two that others started nobody knows which is right. */
function isReplaced(vm: Vm, copy: Copy): boolean {
  const home = homeCopy(vm);
  if (home === undefined) return false;
  // An old host tells the epoch that it was told of, and not that of its copy.
  return home.epoch > copy.epoch ? home.epoch > 0 : home.epoch === copy.epoch && home.ordered === true;
}

/** A second copy that a replaced host runs again, which may be stopped at once; the others are told. */
export function watchCopies(t: Turn, vm: Vm): Copy[] {
  const found = strays(t.s, vm);
  const { doubled } = lookup(t.s);
  for (const copy of vm.copies) if (!found.includes(copy)) delete copy.doubled;
  if (found.length === 0) {
    doubled.delete(vm.id);
    calm(t, 'second-copy', vm.id);
    return [];
  }
  const replaced: Copy[] = [];
  for (const copy of found) {
    copy.doubled ??= t.now;
    doubled.add(vm.id);
    const old = isReplaced(vm, copy);
    if (!old && t.now - copy.doubled < DOUBLE_MS) continue;
    alarm(t, 'second-copy', vm.id, {
      host: copy.host,
      vm: vm.id,
      vmName: vm.name,
      summary:
        `VM ${vm.id} runs on ${vm.home ?? '?'} and on ${copy.host} too: both may write to its disks. ` +
        (old ? `That on ${copy.host} is the old one.` : 'Neither was started by us; stop one of them now.'),
    });
    if (old && handsOff(vm) === undefined) replaced.push(copy);
  }
  return replaced;
}

/** Hosts whose agent does not know yet that a newer copy of the VM was ordered: it has to refuse what is older. */
export function staleHosts(s: State, vm: Vm): Copy[] {
  const home = homeCopy(vm);
  if (home === undefined || home.epoch === 0 || unprovenCopies(vm).some(c => c !== home)) return [];
  return vm.copies.filter(c => c !== home && c.told < home.epoch && s.hosts.get(c.host)?.connected === true);
}

/** An agent is back, or its host has booted: what it could not prove before it may prove now. */
export function askAgain(s: State, host: HostId): void {
  // What has not begun was looked at from aside alone, and has no time to wait for.
  for (const id of lookup(s).begun) {
    const move = s.vms.get(id)?.move;
    if (move !== undefined) [move.again, move.rounds] = [0, 0];
  }
  for (const vm of lookup(s).copiesOn(host))
    for (const copy of vm.copies) {
      if (copy.host !== host) continue;
      vm.move?.tried.delete(`${copy.host}/${copy.epoch}`);
      ageProof(copy);
      if (copy.told < vm.epoch) delete copy.taught;
    }
}

/** VMs that may run twice. */
export function doubledVms(s: State): VmId[] {
  const { doubled } = lookup(s);
  return [...doubled].filter(id => s.vms.get(id)?.copies.some(copy => copy.doubled !== undefined) === true);
}

/** A VM that may run twice is looked at at each tick. */
export function dueCopies(s: State, due: Due): void {
  if (doubledVms(s).length > 0) due(over(s.now));
}
