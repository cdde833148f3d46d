import type { EventName } from '@syndrome/decode/events/catalog.ts';
import { encodeGhesBlock } from '@syndrome/decode/cper/ghes.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { GdbClient } from '@syndrome/qemu/gdb/client.ts';
import { breakStage2Walk } from '@syndrome/qemu/gdb/poke.ts';
import { AgentError } from '../guest/errors.ts';
import { decodeXenMcelog } from '@syndrome/decode/mca/xen-mcelog.ts';
import { namedMca } from '@syndrome/decode/mca/named.ts';
import { QmpClosedError } from '@syndrome/qemu/qmp/errors.ts';
import { injectGhes } from '@syndrome/qemu/qmp/ghes.ts';
import { injectMce, isMce, mceCommandLine } from '@syndrome/qemu/qmp/mce.ts';
import { gpa2hpa } from '@syndrome/qemu/qmp/translate.ts';
import { parseDuration } from '@syndrome/trace/duration.ts';
import { abortError, LabError } from '../errors.ts';
import { parseCondition, matchEvent } from '@syndrome/trace/expect/condition.ts';
import { showValue } from '@syndrome/trace/expect/judge.ts';
import type { Step, StepArgs, StepName } from '../scenario/steps.ts';
import type { Session } from '../session.ts';
import { findInterrupt, type InterruptLine } from './interrupts.ts';
import type { NamedEvent } from '@syndrome/trace/event.ts';
import { resolveU64 } from './values.ts';

/** Numbers too large for a double stand as `0x…` text in a scenario; QMP gets them as what they are. */
function exactNumbers(value: unknown): unknown {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(exactNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, exactNumbers(v)]));
}

type StepRunners = { [N in StepName]: (session: Session, args: StepArgs<N>) => Promise<void> };

const ns = (duration: string): number => parseDuration(duration) ?? 0;

/** Signs that the error behind a broken walk has been consumed. */
const CONSUMED: ReadonlySet<EventName | undefined> = new Set<EventName>([
  'vmm.arm-sea',
  'vmm.sigbus',
  'guest.serror',
  'guest.sea',
]);

/** Sums one line of /proc/interrupts. */
async function readInterrupt(session: Session, match: string): Promise<InterruptLine> {
  const table = await session.agent.readText('/proc/interrupts');
  const found = findInterrupt(table.split('\n'), match);
  if (!found) throw new LabError('E_LAB_INTERRUPTS', `/proc/interrupts of the guest has no line with "${match}"`);
  return found;
}

/** Linux admin-guide/mm, memory-hotplug: writing a physical address takes its page offline, keeping its content. */
const SOFT_OFFLINE = '/sys/devices/system/memory/soft_offline_page';

/** The granularity of the error: one 4 KiB page. */
const PAGE_MASK = 0xffff_ffff_ffff_f000n;

const runners: StepRunners = {
  spawn: async (session, { process }) => {
    await session.agent.call('spawn', { name: process });
  },

  map: async (session, args) => {
    const { process, as, pages, size, sharing, kill } = args;
    const map = () => session.agent.call('map', { proc: process, id: as, pages, size, kind: sharing, kill });
    const reply = await map().catch(async (error: unknown) => {
      if (!(error instanceof AgentError && error.errno === 'EOPNOTSUPP' && size !== '4k')) throw error;
      // No free huge page at this moment: memory is put together, and the guest asked once more.
      await session.agent.call('write', { path: '/proc/sys/vm/compact_memory', value: '1' });
      return map();
    });
    const { phys, virt } = reply;
    if (phys === undefined) {
      throw new LabError('E_LAB_MAP', `the agent did not tell where the pages of "${as}" are`);
    }
    session.note('process.mapped', { proc: process, id: as, virt, phys, pages });
    session.save(as, phys);
    session.save(`${as}.virt`, virt);
  },

  'on-signal': async (session, { process, action }) => {
    await session.agent.call('on-signal', { proc: process, action });
  },

  touch: async (session, { process, page, write }) => {
    // Without a handler the signal kills the process, and with it the answer.
    const reply = await session.agent.call('touch', { proc: process, id: page, write }).catch((error: unknown) => {
      if (error instanceof AgentError && error.errno === 'ESRCH') return undefined;
      throw error;
    });
    if (!reply) return;
    const { value, signal, codename } = reply;
    const result = value === undefined ? { signal: `${signal} ${codename}` } : { value };
    session.note('process.touched', { proc: process, id: page, ...result });
  },

  spin: async (session, { process, page, cpu }) => {
    await session.agent.call('spin', { proc: process, id: page, cpu });
  },

  verify: async (session, { process, page }) => {
    const { intact, bytes } = await session.agent.call('verify', { proc: process, id: page });
    session.note('process.verified', { proc: process, id: page, intact, bytes });
  },

  poison: async (session, { process, page, how }) => {
    session.note('lab.injected', { kind: how, process, page });
    await session.agent.call('poison', { proc: process, id: page, how });
  },

  'check-interval': async (session, { seconds }) => {
    await session.agent.call('check-interval', { seconds });
  },

  interrupts: async (session, { match, as, until, within }) => {
    const before = session.counters.get(as);
    const deadline = session.recorder.now() + ns(within);
    let line = await readInterrupt(session, match);
    while (until !== undefined && line.count - (before ?? line.count) < until && session.recorder.now() < deadline) {
      await session.nextEvent(500, event => event.layer === 'xen' || event.name === 'guest.panic');
      line = await readInterrupt(session, match);
    }
    session.counters.set(as, line.count);
    const delta = before === undefined ? {} : { delta: line.count - before };
    session.note('guest.interrupts', { name: as, count: line.count, ...delta, description: line.description });
  },

  gpa2hpa: async (session, { address, as }) => {
    const gpa = resolveU64(address, session.values);
    const { address: hpa } = await gpa2hpa(session.qmp, gpa);
    session.localHost?.guestPage(gpa, hpa);
    session.save(as, hpa);
  },

  'host-poison': async (session, { address, how }) => {
    const { host, localHost } = session;
    const hpa = resolveU64(address, session.values);
    if (localHost) {
      // The kernel may have moved the guest's page meanwhile, and given the frame to somebody else.
      const { address: now } = await gpa2hpa(session.qmp, localHost.guestAddress(hpa));
      if (now >> 12n !== hpa >> 12n) {
        throw new LabError(
          'E_LAB_HOST_LOCAL',
          `the guest's page is no longer at 0x${hpa.toString(16)}: nothing is poisoned`,
        );
      }
    }
    session.note('lab.injected', { kind: how, addr: hpa, pfn: hpa >> 12n });
    if (localHost) return localHost.poison(hpa, how);
    if (!host) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer whose pages could be poisoned');
    const slow = { deadlineMs: 60_000 };
    if (how === 'corrupt-pfn') await host.call('hwpoison', { pfn: hpa >> 12n }, slow);
    else await host.call('write', { path: SOFT_OFFLINE, value: `0x${hpa.toString(16)}` }, slow);
  },

  'read-msr': async (session, { layer, cpu, msr }) => {
    const agent = layer === 'host' ? session.host : session.agent;
    if (!agent) throw new LabError('E_LAB_NO_HOST', 'this machine has no host layer');
    const address = resolveU64(msr, session.values);
    const bytes = await agent.readBytes(`/dev/cpu/${cpu}/msr`, { max: 8, offset: address });
    if (bytes.length !== 8) throw new LabError('E_LAB_MSR', `MSR 0x${address.toString(16)} gave ${bytes.length} bytes`);
    session.note(`${layer}.msr`, { cpu, msr: address, value: bytes.readBigUInt64LE() });
  },

  'vmm-page': async (session, { address, as }) => {
    const gpa = resolveU64(address, session.values);
    const from = session.recorder.index.named('vmm.page').length;
    session.control({ cmd: 'page', gpa: hex64(gpa) });
    const deadline = session.recorder.now() + 30e9;
    const answer = (): NamedEvent<'vmm.page'> | undefined => session.recorder.index.named('vmm.page')[from];
    while (!answer() && session.recorder.now() < deadline) await session.nextEvent(1000, e => e.name === 'vmm.page');
    const hpa = answer()?.fields?.hpa;
    if (typeof hpa !== 'bigint') throw new LabError('E_LAB_PAGE', `the VMM did not tell where ${hex64(gpa)} is`);
    session.save(as, hpa);
  },

  'break-walk': async (session, { address, within }) => {
    const ipa = resolveU64(address, session.values);
    if (session.gdbPath === undefined) throw new LabError('E_LAB_NO_GDB', 'this machine has no debugger port');
    const gdb = await GdbClient.connect(
      { path: session.gdbPath },
      {
        signal: session.signal,
        onTranscript: entry => session.tape.record(undefined, 'machine', 'gdb', entry.payload, entry.direction),
      },
    );
    session.note('lab.injected', { kind: 'stage-2 walk', addr: ipa });
    const attempts = Math.max(1, Math.round(ns(within) / 20e6));
    let broken;
    try {
      broken = await breakStage2Walk(gdb, { ipa, attempts });
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

  'mend-walk': async session => {
    await Promise.all(session.pending.splice(0));
  },

  quarantine: async (session, { address }) => {
    session.control({ cmd: 'quarantine', gpa: hex64(resolveU64(address, session.values)) });
  },

  mcelog: async session => {
    const bytes = await session.agent.readBytes('/dev/mcelog');
    for (const record of decodeXenMcelog(bytes)) session.recordMcelog(record);
  },

  'inject-mce': async (session, args) => {
    const named = args.record === undefined ? undefined : namedMca(args.record);
    const pick = (value: string | number | undefined, fallback: bigint | undefined): bigint =>
      value === undefined ? (fallback ?? 0n) : resolveU64(value, session.values);
    const mce = {
      cpu: args.cpu,
      bank: args.bank ?? named?.bank ?? 0,
      status: pick(args.status, named?.status),
      mcgStatus: pick(args.mcgstatus, named?.mcgStatus),
      addr: pick(args.addr, undefined),
      misc: pick(args.misc, named?.misc),
      broadcast: args.broadcast,
    };
    session.note('lab.injected', {
      kind: 'mce',
      ...(args.record === undefined ? {} : { record: args.record }),
      ...mce,
      command: mceCommandLine(mce),
    });
    const result = await injectMce(session.qmp, mce);
    session.tape.hmp(result.output);
  },

  'inject-ghes': async (session, { severity, address, errorType }) => {
    const physicalAddress = resolveU64(address, session.values);
    const bytes = encodeGhesBlock({
      severity,
      sections: [{ body: { kind: 'memory', physicalAddress, physicalAddressMask: PAGE_MASK, errorType } }],
    });
    session.note('lab.injected', { kind: 'ghes', severity, addr: physicalAddress, errorType, bytes: bytes.length });
    // In a nested machine the firmware is that of the host layer.
    await injectGhes(session.outer, bytes);
  },

  pause: async (session, { cpu, mode, within }) => {
    const deadline = session.recorder.now() + ns(within);
    for (;;) {
      if (session.signal.aborted) throw abortError(session.signal, `CPU ${cpu} in ${mode} mode`);
      await session.qmp.execute('stop');
      if (mode === 'any') return;
      // Current privilege level, as QEMU prints it in `info registers` of an x86 CPU.
      const level = /\bCPL=([0-3])\b/.exec(await session.qmp.hmp('info registers', { cpuIndex: cpu }))?.[1];
      if (level === undefined)
        throw new LabError('E_LAB_PAUSE', `QEMU does not tell the privilege level of CPU ${cpu}`);
      if ((level === '3') === (mode === 'user')) return;
      await session.qmp.execute('cont');
      if (session.recorder.now() >= deadline) {
        throw new LabError('E_LAB_PAUSE', `CPU ${cpu} was not seen in ${mode} mode within ${within}`);
      }
    }
  },

  resume: async session => {
    await session.qmp.execute('cont');
  },

  qmp: async (session, { execute, arguments: args }) => {
    await session.qmp.execute(execute, exactNumbers(args) as Record<string, unknown>);
  },

  hmp: async (session, { command, injects }) => {
    const sent = session.recorder.now();
    const accepted = (): void => {
      if (injects || isMce(command)) session.note('lab.injected', { kind: 'hmp', command, sent });
    };
    try {
      await session.hmp(command);
    } catch (error) {
      // A VMM that ends of a command does not answer it.
      if (error instanceof QmpClosedError) accepted();
      throw error;
    }
    accepted();
  },

  wait: async (session, { for: condition, within }) => {
    const wanted = parseCondition(condition);
    let looked = 0;
    const seen = (): boolean => {
      for (const event of session.recorder.index.named(wanted.name).slice(looked)) {
        looked++;
        if (matchEvent(wanted, event, session.values, showValue).ok) return true;
      }
      return false;
    };
    const deadline = session.recorder.now() + ns(within);
    while (!seen()) {
      const left = (deadline - session.recorder.now()) / 1e6;
      if (left <= 0) {
        throw new LabError('E_LAB_WAIT', `${condition} was not seen within ${within}`, {
          hint: 'The run never reached the state that the scenario wanted to look at.',
        });
      }
      await session.nextEvent(left, event => event.name === wanted.name);
    }
  },

  alive: async (session, { within }) => {
    try {
      const { kernel } = await session.agent.call('hello', {}, { deadlineMs: ns(within) / 1e6 });
      session.note('guest.alive', { kernel });
    } catch (error) {
      if (session.signal.aborted) throw error;
      session.note('guest.silent', { reason: error instanceof Error ? error.message : String(error) });
    }
  },

  note: async (session, { text: message }) => {
    session.note('lab.note', { text: message });
  },
};

/** Carries out one step. @throws LabError, or an error of the QMP or agent client, when it cannot be done. */
export async function runStep(session: Session, step: Step): Promise<void> {
  const run = runners[step.step] as (session: Session, args: Step['args']) => Promise<void>;
  await run(session, step.args);
}
