/** @module One act on a domain while it is done: its connection, its commands, its time. */
import { LibvirtClient } from '@syndrome/qemu/libvirt/client.ts';
import { LibvirtDeadlineError } from '@syndrome/qemu/libvirt/errors.ts';
import type { Act, ActResult } from '../../core/act.ts';
import type { VmId } from '../../core/ids.ts';
import type { DomainNow, LibvirtVms } from '../libvirt-vms.ts';
import { pause } from '../reconnect.ts';
import { type Ran, runOnce } from './child.ts';

export type Outcome = Omit<ActResult, 'action' | 'vm' | 'epoch'>;

/** Between two looks at what has to come about, ms. */
const LOOK_MS = 50;
/** Of one answer of libvirt, ms. */
const ANSWER_MS = 10_000;
/** What virsh says is for a person. */
export const MAX_WORDS = 1024;

export class Doing {
  readonly act: Act;
  readonly vm: VmId;
  readonly #vms: LibvirtVms;
  readonly #virsh: readonly string[];
  readonly #signal: AbortSignal;
  readonly #ran: Ran[] = [];
  #client: LibvirtClient | undefined;

  constructor(by: { vms: LibvirtVms; virsh: readonly string[] }, act: Act, vm: VmId, signal: AbortSignal) {
    this.act = act;
    this.vm = vm;
    this.#vms = by.vms;
    this.#virsh = by.virsh;
    this.#signal = signal;
  }

  /** A connection to the daemon; another one where that has ended. */
  async client(): Promise<LibvirtClient> {
    if (this.#client?.isOpen !== true) {
      const { socket: path, uri } = this.#vms.place;
      const options = { signal: this.#signal, deadlineMs: Math.min(this.#restMs(), ANSWER_MS) };
      this.#client = await LibvirtClient.connect({ path }, uri === undefined ? options : { uri, ...options });
    }
    return this.#client;
  }

  async now(): Promise<DomainNow | undefined> {
    return this.#vms.now(await this.client(), this.vm);
  }

  /** Runs virsh on this host's daemon. What it answers is kept for a person; what it did is looked at. */
  async virsh(...args: readonly string[]): Promise<Ran> {
    const argv = [...this.#virsh, '-q', '-c', this.#vms.connection, ...args];
    const ran = await runOnce(argv, this.#restMs(), this.#signal);
    this.#ran.push(ran);
    return ran;
  }

  /** Looks until something is there; undefined where the deadline or the end of the agent came first. */
  async until<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (;;) {
      const value = await look().catch((error: unknown) => {
        // An answer that does not come before the deadline is one of the things that were not seen in time.
        if (error instanceof LibvirtDeadlineError && Date.now() >= this.act.deadline) return undefined;
        throw error;
      });
      if (value !== undefined) return value;
      if (this.#signal.aborted || Date.now() >= this.act.deadline) return undefined;
      await pause(LOOK_MS, this.#signal);
    }
  }

  /** A result with the exact commands, and what they answered. */
  with(outcome: Outcome): Outcome {
    if (this.#ran.length === 0) return outcome;
    const answers = this.#ran.flatMap(r => (r.output === '' ? [] : [r.output.slice(0, MAX_WORDS)]));
    const seen = {
      ...outcome.seen,
      commands: JSON.stringify(this.#ran.map(r => r.argv)),
      ...(answers.length === 0 ? {} : { answers: answers.join('\n') }),
    };
    return { ...outcome, seen };
  }

  /** Why the last command did not bring it about, in virsh's words. */
  failed(what: string): Outcome {
    const last = this.#ran.at(-1);
    if (last?.cut === true) return { state: 'unknown', reason: `${what}: virsh did not end before the deadline` };
    return { state: 'failed', reason: `${what}: ${last?.output.slice(0, MAX_WORDS) || 'virsh says nothing'}` };
  }

  async end(): Promise<void> {
    await this.#client?.close();
  }

  /** ms until the deadline of the act; at least 1. */
  #restMs(): number {
    return Math.max(1, this.act.deadline - Date.now());
  }
}
