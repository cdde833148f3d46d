/** The small block of memory that all threads of the VMM share, besides the serial lines. */
import { SharedMutex } from './mutex.ts';
import { MAX_VCPUS } from './layout.ts';
import type { Range } from './quarantine.ts';

/** What the main thread wants of a vCPU thread. */
export const COMMAND = { RUN: 0, PAUSE: 1, STOP: 2 } as const;
/** What a vCPU thread is doing; in every state but RUNNING it touches neither guest memory nor KVM_RUN. */
export const STATE = { STARTING: 0, RUNNING: 1, PARKED: 2, STOPPED: 3 } as const;

const WORDS_PER_VCPU = 4;
const HEADER_WORDS = 4;
const MUTEX_WORD = 0;
const SEQUENCE_WORD = 1;
const QUARANTINED_COUNT_WORD = 2;
const RING_MUTEX_WORD = 3;
const CELL = { COMMAND: 0, STATE: 1, THREAD: 2, ANSWERS: 3 } as const;

/** More ranges than this and the machine has long passed any threshold. */
export const MAX_QUARANTINED = 1024;
const RANGES_AT = (HEADER_WORDS + WORDS_PER_VCPU * MAX_VCPUS) * 4;
const SHARED_BYTES = RANGES_AT + MAX_QUARANTINED * 16;

/** Views over the shared block; every thread makes its own. */
export class SharedBlock {
  readonly buffer: SharedArrayBuffer;
  /** Held while an event is written. */
  readonly eventMutex: SharedMutex;
  /** Held while the ring of coalesced writes is emptied. */
  readonly ringMutex: SharedMutex;
  readonly #words: Int32Array;
  readonly #ranges: BigUint64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(SHARED_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, RANGES_AT / 4);
    this.#ranges = new BigUint64Array(buffer, RANGES_AT, MAX_QUARANTINED * 2);
    this.eventMutex = new SharedMutex(this.#words.subarray(MUTEX_WORD, MUTEX_WORD + 1));
    this.ringMutex = new SharedMutex(this.#words.subarray(RING_MUTEX_WORD, RING_MUTEX_WORD + 1));
  }

  /** Numbers of events, from 1. */
  nextSequence(): number {
    return Atomics.add(this.#words, SEQUENCE_WORD, 1) + 1;
  }

  /** The control words of one vCPU. */
  vcpu(index: number): VcpuCells {
    const at = HEADER_WORDS + index * WORDS_PER_VCPU;
    return new VcpuCells(this.#words.subarray(at, at + WORDS_PER_VCPU));
  }

  /** Notes a range as quarantined; false when the list is full. Main thread only. */
  addQuarantined(range: Range): boolean {
    const count = Atomics.load(this.#words, QUARANTINED_COUNT_WORD);
    if (count >= MAX_QUARANTINED) return false;
    this.#ranges[count * 2] = range.gpa;
    this.#ranges[count * 2 + 1] = range.size;
    Atomics.store(this.#words, QUARANTINED_COUNT_WORD, count + 1);
    return true;
  }

  /** Whether the address is in memory that was taken out of the guest. */
  isQuarantined(gpa: bigint): boolean {
    const count = Atomics.load(this.#words, QUARANTINED_COUNT_WORD);
    for (let i = 0; i < count; i++) {
      const from = this.#ranges[i * 2] ?? 0n;
      if (gpa >= from && gpa - from < (this.#ranges[i * 2 + 1] ?? 0n)) return true;
    }
    return false;
  }
}

class VcpuCells {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  get command(): number {
    return Atomics.load(this.#words, CELL.COMMAND);
  }

  order(command: number): void {
    Atomics.store(this.#words, CELL.COMMAND, command);
    Atomics.notify(this.#words, CELL.COMMAND);
  }

  /** Blocks while the command is `command`. vCPU threads only. */
  waitWhile(command: number): void {
    while (this.command === command) Atomics.wait(this.#words, CELL.COMMAND, command);
  }

  get state(): number {
    return Atomics.load(this.#words, CELL.STATE);
  }

  enter(state: number): void {
    Atomics.store(this.#words, CELL.STATE, state);
    Atomics.notify(this.#words, CELL.STATE);
  }

  /** Blocks until the thread is in another state, at most `timeoutMs`. */
  waitForChange(state: number, timeoutMs: number): void {
    Atomics.wait(this.#words, CELL.STATE, state, timeoutMs);
  }

  get threadId(): number {
    return Atomics.load(this.#words, CELL.THREAD);
  }

  set threadId(id: number) {
    Atomics.store(this.#words, CELL.THREAD, id);
  }

  get answers(): number {
    return Atomics.load(this.#words, CELL.ANSWERS);
  }

  /** The main thread has done what this vCPU asked for. */
  answer(): void {
    Atomics.add(this.#words, CELL.ANSWERS, 1);
    Atomics.notify(this.#words, CELL.ANSWERS);
  }

  /** Blocks until one more answer than `seen` came; false when `timeoutMs` passed first. */
  waitForAnswer(seen: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, CELL.ANSWERS, seen, timeoutMs) !== 'timed-out';
  }
}
