import { writeSync } from 'node:fs';
import { stringify } from '@syndrome/decode/common/hex.ts';
import type { AbortSyndrome } from './esr.ts';
import type { SystemEvent } from './exits.ts';
import type { SharedBlock } from './shared.ts';

/** An address in an event: its value, and whether it means anything. */
export interface EventAddress {
  valid: boolean;
  value?: bigint;
}

/** How the guest physical address of an error was found. */
export type GpaSource = 'exit' | 'stage1-walk' | 'hva' | 'none';

/** What was done about an error, for the guest. */
export type InjectAction = 'inject-data-abort' | 'inject-instruction-abort' | 'none';
export type QuarantineAction = 'now' | 'on-request' | 'off' | 'no-address' | 'not-certain' | 'already';

/** Where the guest was. */
export interface GuestPlace {
  vcpu: number;
  pc: bigint;
  el: number;
}

/** Every event this VMM writes. u64 values are bigint here and `0x` and 16 digits on the wire. */
type VmmEvent =
  | {
      event: 'started';
      pid: number;
      api: number;
      sea: { capability: number; enabled: boolean };
      vcpus: number;
      memory: { gpa: bigint; bytes: bigint; hva: bigint };
      kernel: { gpa: bigint; bytes: bigint };
      bootargs: string;
      ms: number;
    }
  | ({
      event: 'arm-sea';
      flags: bigint;
      esr: bigint;
      syndrome: AbortSyndrome;
      gva: EventAddress;
      /** `certain`: the error lies there, and not in a table on the way to it. */
      gpa: EventAddress & { source: GpaSource; certain: boolean; reason?: string };
      hva: EventAddress;
      hpa: EventAddress;
      /** The guest's descriptor that the aborted walk wanted: it may be what is poisoned, and was not read. */
      suspect?: EventAddress;
      action: InjectAction;
      quarantine: QuarantineAction;
    } & GuestPlace)
  | ({
      event: 'quarantine-hit';
      exit: 'mmio' | 'nisv';
      gpa: bigint;
      write: boolean | undefined;
      action: InjectAction;
    } & GuestPlace)
  | {
      event: 'sigbus';
      vcpu: number | undefined;
      code: number;
      codename: string;
      lsb: number;
      hva: bigint;
      gpa: EventAddress & { source: GpaSource };
      action: InjectAction;
      quarantine: QuarantineAction;
    }
  | {
      event: 'quarantined';
      gpa: bigint;
      bytes: bigint;
      hva: bigint;
      hpa: EventAddress;
      by: QuarantineReason;
      slots: number;
      ranges: number;
      ms: number;
    }
  | { event: 'quarantine-refused'; gpa: bigint; by: QuarantineReason; reason: string }
  | { event: 'threshold'; errors: number; pages: number; limit: number; stops: boolean }
  | { event: 'page'; gpa: bigint; hva: bigint; hpa: EventAddress; quarantined: boolean }
  | { event: 'system-event'; vcpu: number; type: number; name: SystemEvent; data: readonly bigint[] }
  | { event: 'unhandled-mmio'; vcpu: number; gpa: bigint; write?: boolean; value?: bigint; length?: number }
  | { event: 'run-failed'; vcpu: number; reason: string; data: readonly bigint[] }
  | { event: 'control-refused'; reason: string }
  | { event: 'stopped'; reason: string; errors: number; pages: number };

export type QuarantineReason = 'arm-sea' | 'sigbus' | 'control';

/**
 * Writes events as NDJSON: schema version, number, monotonic and wall time, name of the VM, then the event. Each line is
 * out before `emit` returns, so that an error is on record before the guest can act on it. Shared by all threads.
 */
export class EventWriter {
  readonly fd: number;
  readonly #vm: string;
  readonly #shared: SharedBlock;

  constructor(fd: number, vm: string, shared: SharedBlock) {
    this.fd = fd;
    this.#vm = vm;
    this.#shared = shared;
  }

  emit(event: VmmEvent): void {
    this.#shared.eventMutex.run(() => {
      const line = {
        v: 1,
        seq: this.#shared.nextSequence(),
        t_ns: process.hrtime.bigint(),
        time: new Date().toISOString(),
        vm: this.#vm,
        ...event,
      };
      const bytes = Buffer.from(`${stringify(line)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    });
  }
}
