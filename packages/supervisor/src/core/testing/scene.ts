/** @module A fleet for tests: what agents say, in few words, and what the core wants of it, as lines that a person can read. */
import { event } from '@syndrome/decode/events/event.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { EventFields, EventName } from '@syndrome/decode/events/catalog.ts';
import type { Act, StopProof } from '../act.ts';
import type { Effect, Input, Order } from '../input.ts';
import type { Policy } from '../policy.ts';
import type { Said, SeenEvent, SourceName, VmReport } from '../said.ts';
import { newState } from '../state.ts';
import type { State } from '../state.ts';
import { step } from '../step.ts';

export { ACTS } from '../../sim/policies.ts';

/** 2026-12-01T00:00:00Z: all times of tests count from here. */
export const START = Date.UTC(2026, 11, 1);

/** A fleet under a policy, with a clock that only the test moves. */
export class Scene {
  state: State;
  /** Inputs with what was wanted of each. */
  readonly log: { input: Input; effects: Effect[] }[] = [];
  readonly effects: Effect[] = [];
  now = START;
  /** How far the clocks of hosts are ahead, ms. */
  readonly ahead = new Map<string, number>();
  readonly #seq = new Map<string, number>();

  constructor(policy?: Policy) {
    this.state = newState();
    if (policy !== undefined) this.send({ input: 'policy', at: this.now, by: 'test', policy });
  }

  send(input: Input): Effect[] {
    const effects = step(this.state, input);
    this.log.push({ input, effects });
    this.effects.push(...effects);
    return effects;
  }

  /** An agent's row, now. */
  say(host: string, said: Said): Effect[] {
    const seq = (this.#seq.get(host) ?? 0) + 1;
    this.#seq.set(host, seq);
    const at = this.now + (this.ahead.get(host) ?? 0);
    return this.send({ input: 'row', at: this.now, row: { host, spool: `${host}-1`, seq, at, said } });
  }

  see<N extends EventName>(
    host: string,
    source: SourceName,
    name: N,
    fields: EventFields<N>,
    more: Partial<SeenEvent> = {},
  ): Effect[] {
    return this.say(host, { kind: 'event', source, event: event(name, fields) as LogEvent, ...more });
  }

  /** A host whose agent is connected, with room for VMs. */
  host(host: string, more: Partial<Said & { kind: 'host' }> = {}): void {
    this.send({ input: 'agent', at: this.now, host, connected: true });
    this.say(host, {
      kind: 'host',
      boot: `${host}-boot-1`,
      arch: 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 64 * 2 ** 30,
      freeBytes: 32 * 2 ** 30,
      cpuModels: [],
      storage: ['nfs:/vms'],
      ...more,
    });
  }

  /** A VM that runs on a host, and whose owner wants us to act. */
  vm(host: string, vm: string, more: Partial<VmReport> = {}): Effect[] {
    return this.say(host, {
      kind: 'vm',
      vm,
      name: vm,
      state: 'running',
      vmm: 'libvirt',
      pid: 100,
      startTicks: '1',
      definition: `<domain ${vm}>`,
      disks: ['nfs:/vms'],
      memoryBytes: 2 ** 30,
      autostart: true,
      optedIn: true,
      epoch: 0,
      ...more,
    });
  }

  order(by: string, order: Order): Effect[] {
    return this.send({ input: 'order', at: this.now, by, order });
  }

  /** Time passes, with the ticks of a clock. */
  pass(seconds: number): Effect[] {
    const out: Effect[] = [];
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      out.push(...this.send({ input: 'tick', at: this.now }));
    }
    return out;
  }

  /** Acts that are under way, oldest first. */
  acts(): Act[] {
    return this.effects.flatMap(e => {
      if (e.effect !== 'act') return [];
      const state = this.state.acts.get(e.act.id)?.state;
      return state === 'intent' || state === 'sent' ? [e.act] : [];
    });
  }

  /** An agent's answer to the act that is under way. */
  answer(act: Act, result: Partial<Said & { kind: 'result' }>): Effect[] {
    return this.say(act.host, {
      kind: 'result',
      action: act.id,
      epoch: act.epoch,
      state: 'confirmed',
      ...(act.vm === undefined ? {} : { vm: act.vm }),
      ...result,
    });
  }

  /** Every act under way does what it should, until none is left. */
  allGood(): Act[] {
    const done: Act[] = [];
    for (let act = this.acts()[0]; act !== undefined && done.length < 100; act = this.acts()[0]) {
      done.push(act);
      this.good(act);
    }
    return done;
  }

  good(act: Act): void {
    if (act.kind === 'stop' || act.kind === 'prove' || act.kind === 'terminate')
      this.answer(act, { proof: goneProof(act) });
    else if (act.kind === 'start') this.answer(act, { seen: { pid: '200', startTicks: '9' } });
    else this.answer(act, {});
  }
}

/** The proof that an agent gives when it saw the process gone. */
export function goneProof(act: Pick<Act, 'vm' | 'host' | 'epoch'>, at = START): StopProof {
  return {
    kind: 'process-gone',
    vm: act.vm ?? '',
    host: act.host,
    epoch: act.epoch,
    at,
    evidence: { pid: '100', startTicks: '1', process: 'absent', autostart: 'off' },
  };
}

const clock = (at: number): string => `+${((at - START) / 1000).toFixed(3)}`;

/** Effects as lines: what was decided and why, what is done, what is told. */
export function linesOf(effects: readonly Effect[], at: number): string[] {
  return effects.map(e => {
    if (e.effect === 'act') {
      const { kind, host, vm, epoch, to, pfn, gpa } = e.act;
      const page = pfn ?? gpa;
      const about = [
        vm,
        to === undefined ? undefined : `to ${to}`,
        page === undefined ? undefined : `page 0x${page.toString(16)}`,
      ];
      return `${clock(at)}   act ${[kind, host, ...about].filter(x => x !== undefined).join(' ')} epoch ${epoch}`;
    }
    if (e.effect === 'notice') {
      const { type, severity, id, summary, notBefore } = e.notice;
      return `${clock(at)}   notice ${type} ${severity} ${id}${notBefore === undefined ? '' : ` notBefore ${clock(notBefore)}`}: ${summary}`;
    }
    const { rule, rung, incident, why } = e.decision;
    return `${clock(at)} ${incident ?? '-'} ${rule} → ${rung}: ${why}`;
  });
}
