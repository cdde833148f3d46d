/** @module Acts on libvirt's domains: carried out by `virsh`, whose words an operator knows, and verified by our own reading. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { readDefinition } from '@syndrome/qemu/libvirt/definition.ts';
import type { Act, StopProof } from '../../core/act.ts';
import type { HostId } from '../../core/ids.ts';
import { type Actuator, resultOf } from '../actuator.ts';
import { guardRefusal } from './migration-guard.ts';
import { Doing, MAX_WORDS, type Outcome } from './libvirt-doing.ts';
import type { DomainNow, LibvirtVms } from '../libvirt-vms.ts';

/** Another host, as the daemon of this one reaches it. */
interface MigrationPeer {
  /** Connection URI of its libvirt, from here: `qemu+ssh://host-b/system`. */
  uri: string;
  /** Where its QEMU takes the memory, where libvirt cannot choose: `tcp://10.0.0.2`. */
  migrateUri?: string;
  /** Disks are not on storage that libvirt knows to be shared (before libvirt 10.8 it cannot be told). */
  unsafe?: boolean;
}

interface LibvirtActuatorOptions {
  host: HostId;
  vms: LibvirtVms;
  /** Program and first arguments. Default `['virsh']`. */
  virsh?: readonly string[];
  /** Where VMs may be moved to. */
  peers?: Readonly<Record<HostId, MigrationPeer>>;
}

type Step = (doing: Doing, options: LibvirtActuatorOptions) => Promise<Outcome>;

const STEPS: Partial<Record<Act['kind'], Step>> = {
  'autostart-off': autostartOff,
  stop,
  prove,
  terminate: async (doing, options) => {
    const off = await autostartOff(doing);
    return off.state === 'confirmed' ? stop(doing, options) : off;
  },
  start,
  reset,
  pause,
  migrate,
};

/** Acts on the domains of one libvirt. An act that finds its end reached already is `confirmed`; nothing is done then. */
export function libvirtActuator(options: LibvirtActuatorOptions): Actuator {
  return {
    act: async (act, signal) => {
      if (act.vm === undefined) return resultOf(act, { state: 'refused', reason: 'the act names no VM' });
      const step = STEPS[act.kind];
      if (step === undefined) return resultOf(act, { state: 'refused', reason: `libvirt does not do ${act.kind}` });
      const doing = new Doing({ vms: options.vms, virsh: options.virsh ?? ['virsh'] }, act, act.vm, signal);
      try {
        return resultOf(act, doing.with(await step(doing, options)));
      } catch (error) {
        // libvirt did not answer, or the connection broke: what was asked may have been done.
        return resultOf(act, doing.with({ state: 'unknown', reason: messageOf(error).slice(0, MAX_WORDS) }));
      } finally {
        await doing.end();
      }
    },
  };
}

async function autostartOff(doing: Doing): Promise<Outcome> {
  const before = await doing.now();
  if (before?.autostart === true) await doing.virsh('autostart', '--disable', doing.vm);
  const now = await doing.now();
  if (now?.autostart === true) return doing.failed('libvirt still starts it with the host');
  return { state: 'confirmed', seen: { autostart: autostartOf(now) } };
}

function autostartOf(now: DomainNow | undefined): string {
  if (now === undefined) return 'libvirt does not have the domain';
  if (!now.persistent) return 'the domain is not persistent';
  return now.autostart ? 'on' : 'off';
}

async function stop(doing: Doing, options: LibvirtActuatorOptions): Promise<Outcome> {
  const before = await doing.now();
  if (before?.active === true) {
    // Known before it goes: the proof is about this process.
    options.vms.process(doing.vm, before.domain.name);
    await doing.virsh('destroy', doing.vm);
  }
  let last: Outcome | undefined;
  const settled = await doing.until(async () => {
    last = await prove(doing, options, before?.active === true);
    // That it has left does not change by waiting.
    return last.state === 'failed' ? undefined : last;
  });
  return (
    settled ?? { state: 'unknown', reason: `it is not proven that it stopped: ${last?.reason ?? 'no time to look'}` }
  );
}

/** Whether the copy of this host is gone: libvirt says so, and its process is gone. One that left alive is no such proof. */
async function prove(doing: Doing, { vms, host }: LibvirtActuatorOptions, destroyed = false): Promise<Outcome> {
  const now = await doing.now();
  if (now?.active === true) {
    vms.process(doing.vm, now.domain.name);
    return { state: 'failed', reason: `libvirt says ${now.state} (${now.reason})`, seen: seenOf(now) };
  }
  // Only who knows where it runs now may take the end of its process here for the end of this copy.
  if (doing.act.to === undefined && (now?.reason === 'migrated' || vms.left(doing.vm))) {
    return {
      state: 'refused',
      reason: 'it was migrated away: that it is gone here does not prove that it has stopped',
    };
  }
  const left = vms.gone(doing.vm);
  if (!left.gone) return { state: 'failed', reason: `its process ${left.process.pid} is there` };
  // A migration that undefines its source leaves the same: its process and its domain are gone, and the VM runs elsewhere. Nor does it
  // matter that no process of it is known: what was known of it may be lost.
  if (destroyed) vms.hasEnded(doing.vm);
  if (!vms.sawEnd(doing.vm) && doing.act.to === undefined) {
    if (now === undefined) {
      const reason = 'libvirt has the domain no more, and it was not destroyed by us: it may run on another host';
      return { state: 'unknown', reason };
    }
    // A libvirt that was started anew has forgotten why; and without a process that was seen to end nobody else knows either.
    if (left.last === undefined && now.reason === 'unknown') {
      const reason =
        'libvirt does not say why it is shut off, and no process of it was seen: it may have been migrated away';
      return { state: 'unknown', reason };
    }
  }
  const proof: StopProof = {
    kind: 'domain-destroyed',
    vm: doing.vm,
    host,
    epoch: doing.act.epoch,
    at: Date.now(),
    evidence: {
      // Not active is what libvirt calls shut off, whatever it says of why.
      domain: now === undefined ? 'undefined' : 'shut off',
      ...(now === undefined ? {} : { libvirt: `${now.state} (${now.reason})` }),
      process: left.how,
      ...(left.last === undefined ? {} : { pid: String(left.last.pid), startTicks: left.last.startTicks }),
      // What is not there, or not persistent, is not started with the host.
      autostart: now?.autostart === true ? 'on' : 'off',
    },
  };
  return { state: 'confirmed', proof };
}

/** The state in the word that the core knows, and in libvirt's own. */
function seenOf({ state, reason }: DomainNow): { state: string; libvirt: string } {
  return { state, libvirt: `${state} (${reason})` };
}

/** Its process, once libvirt says that it runs. */
async function runningProcess(doing: Doing, vms: LibvirtVms): Promise<Record<string, string> | undefined> {
  const now = await doing.now();
  if (now?.state !== 'running') return undefined;
  const process = vms.process(doing.vm, now.domain.name);
  if (process === undefined) return undefined;
  return { pid: String(process.pid), startTicks: process.startTicks, ...seenOf(now) };
}

async function start(doing: Doing, { vms }: LibvirtActuatorOptions): Promise<Outcome> {
  const { definition } = doing.act;
  if (definition === undefined) return { state: 'refused', reason: 'the act brings no definition' };
  const { uuid } = readDefinition(definition);
  if (uuid !== doing.vm) return { state: 'refused', reason: `the definition is that of ${uuid}` };
  const before = await doing.now();
  if (before?.active === true) {
    const seen = await runningProcess(doing, vms);
    if (seen !== undefined) return { state: 'confirmed', seen };
    return { state: 'failed', reason: `it is here already, ${before.state} (${before.reason})` };
  }
  await withFile(definition, path => doing.virsh('define', path));
  if ((await doing.now()) === undefined) {
    // It is not there, and was not there: it has not run here.
    if (before === undefined) vms.hasEnded(doing.vm);
    return doing.failed('libvirt does not take the definition');
  }
  try {
    vms.begins(doing.vm, doing.act.epoch);
  } catch (error) {
    return { state: 'failed', reason: `this host cannot write down what it starts: ${messageOf(error)}` };
  }
  const ran = await doing.virsh('start', doing.vm);
  if (ran.code !== 0) {
    const outcome = doing.failed('it did not start');
    if ((await doing.now())?.active === false) {
      if (outcome.state === 'failed') vms.hasEnded(doing.vm);
      // What we defined and what does not run would be in the way of whoever reads the list.
      if (before === undefined) await doing.virsh('undefine', '--keep-nvram', doing.vm);
    }
    return outcome;
  }
  const seen = await doing.until(() => runningProcess(doing, vms));
  if (seen === undefined) return { state: 'unknown', reason: 'it was started, and was not seen to run' };
  return { state: 'confirmed', seen };
}

async function reset(doing: Doing, { vms }: LibvirtActuatorOptions): Promise<Outcome> {
  const client = await doing.client();
  let reboots = 0;
  client.onEvent(e => {
    if (e.event === 'reboot' && e.domain.uuid === doing.vm) reboots++;
  });
  await client.listen();
  const before = await doing.now();
  if (before?.active !== true) return { state: 'failed', reason: 'it does not run here' };
  const ran = await doing.virsh('reset', doing.vm);
  if (ran.code !== 0) return doing.failed('it was not reset');
  // After a panic that was preserved the CPUs stand still.
  if (before.state === 'crashed') await doing.virsh('resume', doing.vm);
  const seen = await doing.until(async () => (reboots > 0 ? runningProcess(doing, vms) : undefined));
  return seen === undefined
    ? { state: 'unknown', reason: 'libvirt did not tell of a reboot after which it runs' }
    : { state: 'confirmed', seen };
}

async function pause(doing: Doing): Promise<Outcome> {
  const before = await doing.now();
  if (before?.active !== true) return { state: 'failed', reason: 'it does not run here' };
  if (before.state === 'running') await doing.virsh('suspend', doing.vm);
  const now = await doing.now();
  // A guest that panicked and was preserved stands still, too.
  if (now?.state !== 'paused' && now?.state !== 'crashed') return doing.failed('it was not paused');
  return { state: 'confirmed', seen: seenOf(now) };
}

/**
 * Moves a running VM. It has ended only when this host has neither domain nor process (`migrated-source-lives`); until then
 * the outcome is not known, and it is the source that has to be stopped.
 */
async function migrate(doing: Doing, { vms, peers = {} }: LibvirtActuatorOptions): Promise<Outcome> {
  const { to, definition } = doing.act;
  const peer = to === undefined || !Object.hasOwn(peers, to) ? undefined : peers[to];
  if (peer === undefined) return { state: 'refused', reason: `no address is configured for ${to ?? 'no host'}` };
  const before = await doing.now();
  if (before?.state !== 'running')
    return { state: 'failed', reason: `only a VM that runs can be moved; it is ${before?.state ?? 'not here'}` };
  vms.process(doing.vm, before.domain.name);
  const how = ['--live', '--p2p', '--persistent', '--undefinesource', '--abort-on-error'];
  if (peer.unsafe === true) how.push('--unsafe');
  const address = peer.migrateUri === undefined ? [] : ['--migrateuri', peer.migrateUri];
  const move = (...xml: string[]) => doing.virsh('migrate', ...how, ...xml, doing.vm, peer.uri, ...address);
  const ran = definition === undefined ? await move() : await withFile(definition, path => move('--xml', path));
  const end = await doing.until(async () => {
    const now = await doing.now();
    if (now?.active === true) return now.state === 'running' ? 'stays' : undefined;
    const left = vms.gone(doing.vm);
    return left.gone ? left : undefined;
  });
  if (end === undefined) return { state: 'unknown', reason: 'the move has begun, and this host still has the VM' };
  if (end === 'stays') {
    if (ran.code !== 0) return guardRefusal(ran.output) ?? doing.failed('it was not moved, and runs here');
    return { state: 'unknown', reason: 'virsh says that it was moved, and it runs here' };
  }
  vms.host.hasLeft(doing.vm);
  if (ran.code !== 0)
    return { ...doing.failed('it is gone here, but virsh does not say that it arrived'), state: 'unknown' };
  return { state: 'confirmed', seen: { source: end.how } };
}

/** A definition in a file of our own, 0600, for as long as virsh reads it. */
async function withFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'syndrome-definition-'));
  try {
    const path = join(folder, 'domain.xml');
    await writeFile(path, text, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
