/** @module The VMs of this host as the agent knows them: what sources found out is what acts work with. */
import { readFileSync } from 'node:fs';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { parseObject } from '@syndrome/decode/common/json.ts';
import type { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import type { ProcessGone } from '../core/act.ts';
import type { Epoch, VmId } from '../core/ids.ts';
import type { SeenEvent, VmReport } from '../core/said.ts';
import type { RamPiece } from './ram-piece.ts';
import type { Unit } from './units.ts';
import { bootId, UNKNOWN_BOOT, type ProcessId, howGone } from './proc.ts';

/** The process that a copy of a VM is, or was. It outlives the agent: a stop has to be provable later too. */
export interface Copy extends ProcessId {
  /** The kernel's boot in which it ran. */
  boot: string;
  /** Where its monitor listens, or the file that it writes. */
  socket: string;
  /** Under which it was started by us; none where somebody else has started it. */
  epoch?: Epoch;
  /** What was told of it first, without its definition: so that its end can be told by an agent that did not see it. */
  report?: VmReport;
  /** Where guest memory lies in it, hexadecimal, where it tells that once only. */
  ram?: readonly Record<keyof RamPiece, string>[];
  /** It went to another host alive: that it is gone here proves no stop. */
  left?: boolean;
  /** The service that it ran in: whether that starts it again is asked before each proof. */
  unit?: Unit;
  /** Its administrator says that this host starts it by itself. */
  autostart?: boolean;
  /** Further processes of the same VM that were there when this one was found: a stop is one of all of them. */
  others?: Omit<Copy, 'report' | 'others' | 'unit' | 'autostart'>[];
}

/**
 * A start that was begun, and whose process is not known: written down before there can be one. An older copy's end says nothing of it, so
 * that none is kept beside it.
 */
interface Begun {
  epoch: Epoch;
  socket: string;
  boot: string;
  /** Why no process came of it: then it is over. */
  nothing?: string;
}

/** How it is known that a copy is gone; undefined where it is there. After a reboot all are. */
export function howGoneCopy(copy: Copy, proc?: string): ProcessGone | undefined {
  const boot = bootId(proc);
  if (boot === copy.boot) return howGone(copy, proc);
  return boot === UNKNOWN_BOOT || copy.boot === UNKNOWN_BOOT ? undefined : 'host-rebooted';
}

/** One VM. */
export interface KnownVm {
  vm: VmId;
  vmm: VmReport['vmm'];
  /** While it can be asked. */
  qmp?: QmpClient;
  copy?: Copy;
  begun?: Begun;
  report?: VmReport;
  /** Where guest memory lies in its process. */
  ram?: RamPiece[];
  /** Of a reference VMM that is configured here: what it writes, and where it takes commands. */
  events?: string;
  control?: string;
}

const text = (value: unknown): value is string => typeof value === 'string';
const isCopy = (value: unknown): value is Copy => {
  const { pid, startTicks, boot, socket } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(pid) && text(startTicks) && text(boot) && text(socket);
};

const isBegun = (value: unknown): value is Begun => {
  const { epoch, socket, boot, nothing } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(epoch) && text(socket) && text(boot) && (nothing === undefined || text(nothing));
};

function bare(copy: Copy): Omit<Copy, 'report' | 'others' | 'unit' | 'autostart'> {
  const { pid, startTicks, boot, socket, epoch, left } = copy;
  const more = { ...(epoch === undefined ? {} : { epoch }), ...(left === undefined ? {} : { left }) };
  return { pid, startTicks, boot, socket, ...more };
}

const sameProcess = (a: Copy, b: Copy): boolean =>
  a.pid === b.pid && a.startTicks === b.startTicks && a.boot === b.boot && a.socket === b.socket;

/** What a file says of guest memory; undefined where that is none. */
function ramOfCopy(said: NonNullable<Copy['ram']>): RamPiece[] | undefined {
  const pieces = (Array.isArray(said) ? said : []).map(piece => {
    const [gpa, hva, bytes] = [piece?.gpa, piece?.hva, piece?.bytes].map(word => parseU64(String(word)));
    return gpa === undefined || hva === undefined || bytes === undefined ? undefined : { gpa, hva, bytes };
  });
  const whole = pieces.filter(piece => piece !== undefined);
  return whole.length > 0 && whole.length === pieces.length ? whole : undefined;
}

/** All VMs by their id; the copies are kept in a file, where there is one. */
export class Vms {
  readonly #path: string | undefined;
  readonly #known = new Map<VmId, KnownVm>();
  readonly #copies = new Map<VmId, Copy>();
  readonly #begun = new Map<VmId, Begun>();
  readonly #observers = new Set<(seen: SeenEvent) => void>();
  #isUnsaved = false;

  /** @param path a file of the agent's folder; one that is damaged counts as none: then no stop is proven from it */
  constructor(path?: string) {
    this.#path = path;
    let content = '';
    try {
      if (path !== undefined) content = readFileSync(path, 'utf8');
    } catch {
      // The first start.
    }
    for (const [vm, kept] of Object.entries(parseObject(content) ?? {})) {
      const { begun, ...copy } = (kept ?? {}) as { begun?: unknown };
      if (isCopy(copy)) this.#copies.set(vm, copy);
      if (isBegun(begun)) this.#begun.set(vm, begun);
    }
  }

  /** What is known of a VM; made where nothing is. */
  of(vm: VmId, vmm: VmReport['vmm'] = 'qemu'): KnownVm {
    let known = this.#known.get(vm);
    if (known === undefined) {
      const copy = this.#copies.get(vm);
      const begun = this.#begun.get(vm);
      const ram = copy?.ram === undefined ? undefined : ramOfCopy(copy.ram);
      known = {
        vm,
        vmm: copy?.report?.vmm ?? vmm,
        ...(copy === undefined ? {} : { copy }),
        ...(begun === undefined ? {} : { begun }),
        ...(ram === undefined ? {} : { ram }),
      };
      this.#known.set(vm, known);
    }
    return known;
  }

  /** What is known of a VM that a source has found, or that ran here before. */
  find(vm: VmId): KnownVm | undefined {
    return this.#known.has(vm) || this.#copies.has(vm) || this.#begun.has(vm) ? this.of(vm) : undefined;
  }

  /**
   * Those that an earlier agent has found since the boot are among them: what the kernel said while no agent was here is read before any
   * source has found a VM.
   */
  all(): KnownVm[] {
    const boot = bootId();
    for (const [vm, copy] of this.#copies) if (copy.boot === boot) this.of(vm);
    return [...this.#known.values()];
  }

  /** The VM whose process it is. */
  ofPid(pid: number): KnownVm | undefined {
    return this.all().find(known => known.copy?.pid === pid);
  }

  /**
   * It is about to be started here: durable when this returns, and the copy of before is forgotten. Its process is found by whoever started it,
   * or at its socket by a source of the next agent.
   * @throws the error of the file system: then it must not be started
   */
  begins(vm: VmId, begun: Begun): void {
    const [known, copy, before] = [this.of(vm), this.#copies.get(vm), this.#begun.get(vm)];
    this.#copies.delete(vm);
    this.#begun.set(vm, begun);
    try {
      this.#write();
    } catch (error) {
      if (copy !== undefined) this.#copies.set(vm, copy);
      if (before === undefined) this.#begun.delete(vm);
      else this.#begun.set(vm, before);
      throw error;
    }
    delete known.copy;
    delete known.ram;
    known.begun = begun;
  }

  /** No process came of the start that was begun, or none is left of it. Durable as `foundCopy` is. */
  cameToNothing(vm: VmId, why: string): void {
    const { begun } = this.of(vm);
    if (begun === undefined) return;
    begun.nothing = why;
    this.#save();
  }

  /** Its process was found. Durable when this returns, where the disk takes it; else with a later `flush`. */
  foundCopy(vm: VmId, process: Copy): void {
    const begun = this.#begun.get(vm);
    const isBegunOne = begun !== undefined && begun.socket === process.socket;
    // What a source looked at before the start, and is gone, is not what was started.
    const isGone = process.boot === bootId() && howGoneCopy(process) !== undefined;
    if (isBegunOne && process.epoch !== begun.epoch && isGone) return;
    const copy: Copy = isBegunOne ? { ...process, epoch: begun.epoch } : process;
    if (isBegunOne) {
      this.#begun.delete(vm);
      delete this.of(vm).begun;
    }
    const old = this.#copies.get(vm);
    const isSame = old !== undefined && sameProcess(old, copy);
    const before = old === undefined ? [] : [...(old.others ?? []), ...(isSame ? [] : [bare(old)])];
    const others = before.filter(other => howGoneCopy(other) === undefined && !sameProcess(other, copy));
    const left = isSame && old.left === true;
    const unit = copy.unit ?? (isSame ? old.unit : undefined);
    const epoch = copy.epoch ?? (isSame ? old.epoch : undefined);
    const found = {
      ...copy,
      ...(epoch === undefined ? {} : { epoch }),
      ...(unit && { unit }),
      ...(left ? { left } : {}),
      ...(others.length > 0 ? { others } : {}),
    };
    this.of(vm).copy = found;
    if (
      isSame &&
      old.report !== undefined &&
      (old.others ?? []).length === others.length &&
      old.unit?.name === unit?.name
    )
      return;
    this.#keep(vm, found);
  }

  /** Its process went to another host alive. Durable as `foundCopy` is; the next process that is found here has not left. */
  hasLeft(vm: VmId): void {
    const { copy } = this.of(vm);
    if (copy === undefined || copy.left === true) return;
    copy.left = true;
    this.#keep(vm, copy);
  }

  /** Copies that a VMM had or has, also before this agent was started. */
  copiesOf(vmm: VmReport['vmm']): [VmId, Copy][] {
    return [...this.#copies].filter(([, copy]) => copy.report?.vmm === vmm);
  }

  /** The copy whose monitor listens, or listened, on a socket. */
  ofSocket(socket: string): KnownVm | undefined {
    for (const [vm, copy] of this.#copies) if (copy.socket === socket) return this.of(vm);
    return undefined;
  }

  /** Hears what sources see of VMs: an act is verified by it. Returns what ends it. */
  observe(observer: (seen: SeenEvent) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  saw(seen: SeenEvent): void {
    for (const observer of this.#observers) observer(seen);
  }

  /** Writes what the disk did not take before. To be called about once a second. */
  flush(): void {
    if (!this.#isUnsaved) return;
    try {
      this.#write();
    } catch {
      // A full disk is no reason not to read, or to forget it here.
    }
  }

  #keep(vm: VmId, copy: Copy): void {
    this.#copies.set(vm, copy);
    this.#save();
  }

  #save(): void {
    this.#isUnsaved = true;
    this.flush();
  }

  /** @throws the error of the file system */
  #write(): void {
    if (this.#path === undefined) return;
    const of = (vm: VmId): object => {
      const begun = this.#begun.get(vm);
      return { ...this.#copies.get(vm), ...(begun === undefined ? {} : { begun }) };
    };
    const ids = new Set([...this.#copies.keys(), ...this.#begun.keys()]);
    writeWhole(this.#path, JSON.stringify(Object.fromEntries([...ids].map(vm => [vm, of(vm)]))));
    this.#isUnsaved = false;
  }
}
