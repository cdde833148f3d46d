/**
 * @module Host page ↔ process ↔ VM ↔ guest address: the kernel names pages, QEMU's process maps them, and its monitor says
 * which part of it is which guest memory. Needs root (pagemap hides frame numbers from others). Formats: proc(5),
 * admin-guide/mm/pagemap.rst.
 */
import { joined, lowHalf } from '@syndrome/decode/registers/field.ts';
import { PAGEMAP, PAGEMAP_SWAP } from '@syndrome/decode/registers/linux-pages.ts';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import type { SeenEvent } from '../core/said.ts';
import { pageSize } from './acts/host.ts';
import type { RamPiece } from './ram-piece.ts';
import type { KnownVm, Vms } from './vms.ts';
import { whereOf } from './where.ts';
import { HmpError } from '@syndrome/qemu/qmp/errors.ts';
import { gpa2hva } from '@syndrome/qemu/qmp/translate.ts';

/** A mapping of a process. */
interface Mapping {
  from: bigint;
  to: bigint;
}

/** Smaller mappings are no guest memory, bytes. */
const SMALLEST = 1n << 20n;
/** Entries of pagemap that are looked at in one go: 512 MiB of small pages. */
const ENTRIES = 1 << 17;
/** Above all swap files: entries of the kernel's own, among them that of a page taken out of use. Its offset is the frame. */
const FIRST_SPECIAL_SWAP = 20n;
const OFFSET_LOW = lowHalf(PAGEMAP_SWAP.masks.OFFSET);
/** Guest memory begins here: of a PC below and above the hole under 4 GiB, of arm64's `virt`. */
const BASES = [0n, 1n << 32n, 1n << 30n] as const;
const HOLE_END = 1n << 20n;
const PAGE = 4096n;

/** Large writable mappings in the text of /proc/PID/maps. @example mappings('7f00-8000 rw-p …') */
export function mappings(text: string): Mapping[] {
  const out: Mapping[] = [];
  for (const line of text.split('\n')) {
    const m = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) rw/.exec(line);
    if (m === null) continue;
    const [from, to] = [BigInt(`0x${m[1]}`), BigInt(`0x${m[2]}`)];
    if (to - from >= SMALLEST) out.push({ from, to });
  }
  return out;
}

/** The frame that an entry of pagemap, as two halves, names; undefined for none. */
export function frameOf(low: number, high: number): bigint | undefined {
  const entry = joined(high, low);
  const { PRESENT, SWAP, PFN } = PAGEMAP.read(entry);
  if (PRESENT) return PFN === 0n ? undefined : PFN;
  const { TYPE, OFFSET } = PAGEMAP_SWAP.read(entry);
  return SWAP && TYPE >= FIRST_SPECIAL_SWAP ? OFFSET : undefined;
}

/** Where in a process a frame is mapped, or was until the kernel took it away; undefined where it is not, or may not be seen. */
export function addressOf(pid: number, pfn: bigint, proc = '/proc'): bigint | undefined {
  try {
    const page = pageSize(proc);
    const fd = openSync(`${proc}/${pid}/pagemap`, 'r');
    try {
      const entries = new Uint32Array(2 * ENTRIES);
      for (const { from, to } of mappings(readFileSync(`${proc}/${pid}/maps`, 'utf8'))) {
        for (let at = from; at < to; at += BigInt(ENTRIES) * page) {
          const n = readSync(fd, entries, 0, 8 * Math.min(ENTRIES, Number((to - at) / page)), (at / page) * 8n);
          const index = indexOf(entries, n / 8, pfn);
          if (index >= 0) return at + BigInt(index) * page;
        }
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    // Not ours to read, or gone.
  }
  return undefined;
}

function indexOf(entries: Uint32Array, count: number, pfn: bigint): number {
  const presentLow = lowHalf(PAGEMAP.encode({ PFN: pfn }));
  const swapLow = lowHalf(PAGEMAP_SWAP.encode({ OFFSET: pfn }));
  for (let i = 0; i < count; i++) {
    const low = entries[2 * i] as number;
    // Most are neither, and need no exact look.
    if (low !== presentLow && (low & OFFSET_LOW) >>> 0 !== swapLow) continue;
    if (frameOf(low, entries[2 * i + 1] as number) === pfn) return i;
  }
  return -1;
}

/** The frame behind an address of a process; undefined where there is none, or it may not be seen. */
export function frameAt(pid: number, hva: bigint, proc = '/proc'): bigint | undefined {
  try {
    const fd = openSync(`${proc}/${pid}/pagemap`, 'r');
    try {
      const entry = new Uint32Array(2);
      if (readSync(fd, entry, 0, 8, (hva / pageSize(proc)) * 8n) !== 8) return undefined;
      return frameOf(entry[0] as number, entry[1] as number);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Asks a monitor where guest memory lies in its process. */
export async function ramOf(qmp: QmpClient, memoryBytes: number): Promise<RamPiece[]> {
  const hvaOf = async (gpa: bigint): Promise<bigint | undefined> => {
    try {
      return (await gpa2hva(qmp, gpa)).address;
    } catch (error) {
      // Nothing is there, or no memory.
      if (error instanceof HmpError) return undefined;
      throw error;
    }
  };
  const pieces: RamPiece[] = [];
  for (const base of BASES) {
    if (pieces.some(p => base >= p.gpa && base < p.gpa + p.bytes)) continue;
    // What lies below 1 MiB of a PC is partly firmware.
    const probe = base === 0n ? HOLE_END : base;
    const found = await hvaOf(probe);
    if (found === undefined) continue;
    const hva = found - (probe - base);
    const isPart = async (bytes: bigint): Promise<boolean> => (await hvaOf(base + bytes - PAGE)) === hva + bytes - PAGE;
    // The largest size at which its last page still is where it would be.
    let [good, bad] = [(probe - base) / PAGE + 1n, BigInt(memoryBytes) / PAGE + 1n];
    while (bad - good > 1n) {
      const middle = (good + bad) / 2n;
      if (await isPart(middle * PAGE)) good = middle;
      else bad = middle;
    }
    pieces.push({ gpa: base, hva, bytes: good * PAGE });
  }
  return pieces;
}

/** The guest address of an address of QEMU's process. */
export function guestAddress(ram: readonly RamPiece[], hva: bigint): bigint | undefined {
  const piece = ram.find(p => hva >= p.hva && hva < p.hva + p.bytes);
  return piece === undefined ? undefined : piece.gpa + (hva - piece.hva);
}

/** Puts VM and guest address to what the host's kernel says of a page, where a VM of this host has it. */
export class Joiner {
  readonly #vms: Vms;
  readonly #proc: string | undefined;
  /** Pages that were looked for: a page that storms is looked for once. */
  readonly #seen = new Map<bigint, { vm: KnownVm; gpa: bigint | undefined } | undefined>();

  constructor(vms: Vms, proc?: string) {
    this.#vms = vms;
    this.#proc = proc;
  }

  /** The same event, with what could be found out. */
  join(said: SeenEvent): SeenEvent {
    if (said.vm !== undefined || (said.source !== 'kmsg' && said.source !== 'tracefs')) return said;
    const where = whereOf(said.event);
    const seen = where === undefined ? said : { ...said, where };
    const { pfn, pid } = seen.event.fields as { pfn?: bigint; pid?: number };
    const named = pid === undefined ? undefined : this.#vms.ofPid(pid);
    if (pfn === undefined) return named === undefined ? seen : { ...seen, vm: named.vm };
    const found = this.#find(pfn, named);
    if (found === undefined) return { ...seen, pfn };
    const { vm, gpa } = found;
    return { ...seen, pfn, vm: vm.vm, ...(gpa === undefined ? {} : { gpa }) };
  }

  #find(pfn: bigint, named: KnownVm | undefined): { vm: KnownVm; gpa: bigint | undefined } | undefined {
    const before = this.#seen.get(pfn);
    if (before !== undefined) return before;
    // Not mapped by any yet: a VM that the kernel names may be told a moment later.
    if (named === undefined && this.#seen.has(pfn)) return undefined;
    let found: { vm: KnownVm; gpa: bigint | undefined } | undefined;
    for (const vm of named === undefined ? this.#vms.all() : [named]) {
      if (vm.copy === undefined) continue;
      const hva = addressOf(vm.copy.pid, pfn, this.#proc);
      if (hva === undefined) continue;
      found = { vm, gpa: guestAddress(vm.ram ?? [], hva) };
      break;
    }
    if (found === undefined && named !== undefined) found = { vm: named, gpa: undefined };
    if (this.#seen.size >= 1024) this.#seen.delete(this.#seen.keys().next().value as bigint);
    this.#seen.set(pfn, found);
    return found;
  }
}
