/**
 * @module What was ordered and done: the highest epoch of each VM, and the results of acts. Both are on the disk before anything
 * is done, so that no crash makes an act happen twice or under an old epoch.
 */
import { readFileSync } from 'node:fs';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { parseObject } from '@syndrome/decode/common/json.ts';
import type { Act, ActResult } from '../../core/act.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import { resultOf } from '../actuator.ts';

/** Results that are remembered. A controller repeats an act for as long as it has no result: minutes, not thousands of acts. */
const KEEP = 4096;

interface Page {
  epochs: Record<VmId, Epoch>;
  /** The highest epoch whose end was looked for here: no copy of it begins any more. */
  ended?: Record<VmId, Epoch>;
  /** In the order of their begin. `begun`: no result yet. */
  acts: [id: string, ActResult | 'begun'][];
}

function isPage(value: Record<string, unknown> | undefined): boolean {
  const { epochs, acts } = value ?? {};
  return typeof epochs === 'object' && epochs !== null && Array.isArray(acts);
}

/** Acts behind which no copy of their epoch begins any more, since they may prove that there is none. */
export const LOOKS_FOR_END: ReadonlySet<Act['kind']> = new Set(['prove', 'stop', 'terminate']);

/** Whether an act may be done, or what is answered instead. */
type Begin = { begin: true } | { begin: false; answer: ActResult | undefined };

export class ActBook {
  readonly #path: string;
  readonly #epochs = new Map<VmId, Epoch>();
  readonly #ended = new Map<VmId, Epoch>();
  readonly #acts = new Map<string, ActResult | 'begun'>();
  /** Begun by this process: their results are to come. */
  readonly #running = new Set<string>();

  /**
   * @param path a file of the agent's folder
   * @throws SyndromeError E_AGENT_BOOK where it is damaged: without it nobody knows which epoch is old
   */
  constructor(path: string) {
    this.#path = path;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const value = parseObject(text);
    if (!isPage(value)) {
      throw new SyndromeError('E_AGENT_BOOK', `${path} is damaged: it holds the epochs of the VMs of this host`, {
        hint: 'Restore it from a backup; or make sure that none of these VMs runs elsewhere, and remove it.',
      });
    }
    const page = value as unknown as Page;
    for (const [vm, epoch] of Object.entries(page.epochs)) this.#epochs.set(vm, epoch);
    for (const [vm, epoch] of Object.entries(page.ended ?? {})) this.#ended.set(vm, epoch);
    for (const [id, result] of page.acts) this.#acts.set(id, result);
  }

  /** The highest epoch seen for a VM; 0 where none was. */
  epochOf(vm: VmId): Epoch {
    return this.#epochs.get(vm) ?? 0;
  }

  /**
   * Takes an act: refuses an epoch older than the highest, and a start of one whose end was looked for, since a start that came late
   * would make a second copy beside the one that the proof has allowed; answers what was done before, and else is durable when it returns
   * `begin`. An act that an earlier run began and did not end is `unknown`: it is looked at, and never done again.
   */
  begin(act: Act, now: number): Begin {
    const known = this.#acts.get(act.id);
    if (known === 'begun') {
      if (this.#running.has(act.id)) return { begin: false, answer: undefined };
      const answer = resultOf(act, { state: 'unknown', reason: 'the agent ended in the middle of it' });
      this.end(answer);
      return { begin: false, answer };
    }
    if (known !== undefined) return { begin: false, answer: known };
    // A copy of another host that is looked at has the epoch of that, whatever this one has seen.
    const vm = act.of === undefined ? act.vm : undefined;
    const highest = vm === undefined ? 0 : this.epochOf(vm);
    const refused = (reason: string): Begin => ({ begin: false, answer: resultOf(act, { state: 'refused', reason }) });
    if (act.epoch < highest)
      return refused(`epoch ${act.epoch} of ${vm} is older than ${highest}, which this host has seen`);
    if (act.kind === 'start' && vm !== undefined && act.epoch <= (this.#ended.get(vm) ?? -1))
      return refused(`the end of epoch ${act.epoch} of ${vm} was looked for here: no copy of it begins any more`);
    if (act.deadline <= now) return refused(`its deadline is over, by ${Math.round((now - act.deadline) / 1000)} s`);
    const ended = vm === undefined ? undefined : this.#ended.get(vm);
    if (vm !== undefined) this.#epochs.set(vm, act.epoch);
    if (vm !== undefined && LOOKS_FOR_END.has(act.kind)) this.#ended.set(vm, act.epoch);
    this.#acts.set(act.id, 'begun');
    this.#running.add(act.id);
    try {
      this.#write();
    } catch (error) {
      // Nothing was done, and nothing may be: a crash would not remember it.
      this.#acts.delete(act.id);
      this.#running.delete(act.id);
      if (vm !== undefined) {
        if (highest > 0) this.#epochs.set(vm, highest);
        else this.#epochs.delete(vm);
        if (ended === undefined) this.#ended.delete(vm);
        else this.#ended.set(vm, ended);
      }
      return refused(`this host cannot write down what it does: ${messageOf(error)}`);
    }
    return { begin: true };
  }

  /** What became of an act. Durable when this returns, where the disk takes it: else it is `unknown` after a crash. */
  end(result: ActResult): void {
    this.#running.delete(result.action);
    this.#acts.set(result.action, result);
    for (const [id] of this.#acts) {
      if (this.#acts.size <= KEEP) break;
      if (!this.#running.has(id)) this.#acts.delete(id);
    }
    try {
      this.#write();
    } catch {
      // Its result is told all the same.
    }
  }

  #write(): void {
    const page: Page = {
      epochs: Object.fromEntries(this.#epochs),
      ended: Object.fromEntries(this.#ended),
      acts: [...this.#acts],
    };
    writeWhole(this.#path, JSON.stringify(page));
  }
}
