/**
 * A host with an agent, as the controller sees them, without any VMM: VMs are entries of a list that outlives every connection. It
 * carries out each act once for its id, answers the same again, and refuses an epoch that is older than the highest it has seen.
 */
import { connect } from 'node:net';
import type { Act, ActResult } from '../../core/act.ts';
import type { Said, VmReport } from '../../core/said.ts';
import { LineSocket } from '../../wire/line-socket.ts';
import {
  type AgentMessage,
  messageLine,
  parseControllerMessage,
  rowsLine,
  MAX_LINE_BYTES,
  WIRE_VERSION,
} from '../../wire/messages.ts';
import { rowLine } from '../../wire/row.ts';

/** How long to wait before it connects again, ms. */
const AGAIN_MS = 20;
/** Rows of one message. */
const AT_ONCE = 100;

/** What all hosts of a test have in common: who runs where, and what was done how often. */
export class World {
  /** Running copies by VM: host, and the epoch of the start. */
  readonly copies = new Map<string, Map<string, number>>();
  /** How often each act was carried out, by its id: more than once is a defect of the test's own agents. */
  readonly effects = new Map<string, number>();
  /** How often each act was received. */
  readonly received = new Map<string, number>();
  /** Most copies of one VM at a time. */
  copiesMax = 0;

  start(vm: string, host: string, epoch: number): void {
    const copies = this.copies.get(vm) ?? new Map<string, number>();
    this.copies.set(vm, copies.set(host, epoch));
    this.copiesMax = Math.max(this.copiesMax, copies.size);
  }
}

export class Peer {
  readonly host: string;
  readonly world: World;
  readonly spool: string[] = [];
  /** Up to which row the controller has said that it has everything. */
  acked = 0;
  /** Rows that were acknowledged once, and that a controller has not any more: an agent has thrown them away. */
  takenBack = 0;
  /** Codes of refusals that it was told. */
  refusals: string[] = [];
  connections = 0;
  readonly #socket: string;
  readonly #epochs = new Map<string, number>();
  readonly #answers = new Map<string, ActResult>();
  readonly #waiting = new Set<() => void>();
  #lines: LineSocket | undefined;
  #sent = 0;
  #stopped = false;
  #held = false;
  #pid = 100;

  /** Takes acts and answers nothing, as one that is about to lose all that it knows. */
  deaf = false;
  /** Nothing that it does on a VM succeeds, and it says so. */
  stuck = false;
  readonly #spoolName: string;

  constructor(world: World, host: string, socket: string, spoolName = `${host}-spool`) {
    this.#spoolName = spoolName;
    this.world = world;
    this.host = host;
    this.#socket = socket;
    this.say({
      kind: 'host',
      boot: `${host}-boot`,
      arch: 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 2 ** 40,
      freeBytes: 2 ** 39,
      cpuModels: [],
      storage: ['nfs:/vms'],
    });
    this.#connect();
  }

  /** Puts a row into the spool, and sends it. */
  say(said: Said): number {
    const seq = this.spool.length + 1;
    this.spool.push(rowLine({ seq, at: Date.now(), said }));
    this.#flush();
    return seq;
  }

  /** A VM that runs here from now on. */
  vm(vm: string, epoch = 0): void {
    this.world.start(vm, this.host, epoch);
    this.say(this.#report(vm, 'running', epoch));
  }

  /** A page of this host that a VM, or nobody known, has lost. */
  page(vm: string | undefined, pfn: bigint): void {
    this.say({
      kind: 'event',
      source: 'kmsg',
      event: { name: 'host.sigbus-sent', fields: { pfn, comm: 'qemu', pid: 100 } },
      ...(vm === undefined ? {} : { vm }),
    } as Said);
  }

  /** Sends nothing until it is released. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  /** Resolves when all rows are acknowledged. */
  settled(): Promise<void> {
    return this.until(() => this.acked === this.spool.length);
  }

  /** Resolves when something is so; it is looked at after every message. */
  async until(so: () => boolean): Promise<void> {
    while (!so()) await new Promise<void>(resolve => this.#waiting.add(resolve));
  }

  /** Sends whatever it is given, as it stands. */
  send(line: string): void {
    this.#lines?.send(line);
  }

  /** Ends the connection; it comes back by itself. */
  drop(): void {
    this.#lines?.close();
  }

  stop(): void {
    this.#stopped = true;
    this.#lines?.close();
  }

  #connect(): void {
    if (this.#stopped) return;
    const socket = connect(this.#socket);
    socket.once('connect', () => {
      this.connections++;
      const hello: AgentMessage = {
        type: 'hello',
        version: WIRE_VERSION,
        host: this.host,
        spool: this.#spoolName,
        agent: 'peer',
      };
      lines.send(messageLine(hello));
    });
    const lines = new LineSocket(socket, MAX_LINE_BYTES, {
      line: text => this.#take(text),
      ended: () => {
        this.#lines = undefined;
        setTimeout(() => this.#connect(), AGAIN_MS);
        this.#wake();
      },
    });
    this.#lines = lines;
    // Not before it is welcome.
    this.#sent = Number.POSITIVE_INFINITY;
  }

  #take(text: string): void {
    const message = parseControllerMessage(text);
    if (message.type === 'welcome') {
      this.takenBack = Math.max(this.takenBack, this.acked - message.upto);
      this.#sent = this.acked = message.upto;
      this.#flush();
    } else if (message.type === 'ack') this.acked = Math.max(this.acked, message.upto);
    else if (message.type === 'ping') this.#lines?.send(messageLine({ type: 'pong', n: message.n }));
    else if (message.type === 'refused') this.refusals.push(message.code);
    else this.#act(message.act);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiting) waiter();
    this.#waiting.clear();
  }

  #flush(): void {
    while (!this.#held && this.#lines !== undefined && this.#sent < this.spool.length) {
      const rows = this.spool.slice(this.#sent, this.#sent + AT_ONCE);
      this.#lines.send(rowsLine(rows));
      this.#sent += rows.length;
    }
  }

  #act(act: Act): void {
    this.world.received.set(act.id, (this.world.received.get(act.id) ?? 0) + 1);
    if (this.deaf) return;
    let answer = this.#answers.get(act.id);
    if (answer === undefined) {
      answer = this.#carryOut(act);
      this.#answers.set(act.id, answer);
    }
    this.say({ kind: 'result', ...answer });
  }

  #carryOut(act: Act): ActResult {
    const vm = act.vm ?? '';
    const base = { action: act.id, epoch: act.epoch, ...(act.vm === undefined ? {} : { vm }) };
    if (act.epoch < (this.#epochs.get(vm) ?? 0)) return { ...base, state: 'refused', reason: 'an older epoch' };
    this.#epochs.set(vm, act.epoch);
    this.world.effects.set(act.id, (this.world.effects.get(act.id) ?? 0) + 1);
    if (this.stuck) return { ...base, state: 'failed', reason: 'it does not end' };
    const copies = this.world.copies.get(vm);
    if (act.kind === 'stop' || act.kind === 'prove' || act.kind === 'terminate') {
      if (act.kind !== 'prove') copies?.delete(this.host);
      if (copies?.has(this.host)) return { ...base, state: 'failed', reason: 'it runs' };
      const evidence = { pid: '100', startTicks: '1', process: 'absent', autostart: 'off' };
      const proof = { kind: 'process-gone', vm, host: this.host, epoch: act.epoch, at: Date.now(), evidence } as const;
      return { ...base, state: 'confirmed', proof };
    }
    if (act.kind === 'start') {
      this.vm(vm, act.epoch);
      return { ...base, state: 'confirmed', seen: { pid: String(++this.#pid), startTicks: '1', state: 'running' } };
    }
    return { ...base, state: 'confirmed' };
  }

  #report(vm: string, state: VmReport['state'], epoch: number): VmReport {
    return {
      kind: 'vm',
      vm,
      name: vm,
      state,
      vmm: 'libvirt',
      pid: this.#pid,
      startTicks: '1',
      definition: `<domain ${vm}>`,
      disks: ['nfs:/vms'],
      memoryBytes: 2 ** 30,
      autostart: false,
      optedIn: true,
      epoch,
    };
  }
}
