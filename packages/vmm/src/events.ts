import { writeSync } from 'node:fs';
import type { ArmVerdict } from '@syndrome/decode/arm/classify.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import type { EventFields } from '@syndrome/decode/events/catalog.ts';
import type { REFERENCE_VMM } from '@syndrome/decode/events/reference-vmm.ts';
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
export type QuarantineReason = 'arm-sea' | 'sigbus' | 'control';

/** Where the guest was. */
export interface GuestPlace {
  vcpu: number;
  pc: bigint;
  el: number;
}

/** Members that hold several fields of the catalogue: `gpaSource` is the member `source` of `gpa`. */
type Outer = 'gpa' | 'sea';
type InnerOf<K, O extends string> = K extends `${O}${infer Inner}` ? (Inner extends '' ? never : Inner) : never;
/** Fields of the catalogue as members of an object on the wire. An address may come with word of whether it is valid. */
type Members<F> = {
  [K in keyof F as InnerOf<K, Outer> extends never ? K : never]: F[K] extends bigint | undefined
    ? F[K] | EventAddress
    : F[K];
} & { [O in Outer as InnerOf<keyof F, O> extends never ? never : O]: Nested<F, O> };
type Nested<F, O extends string> = { [K in keyof F as Uncapitalize<InnerOf<K, O>>]: F[K] };

/** What an event says beyond the fields of the catalogue, or more exactly. */
interface Details {
  started: {
    pid: number;
    api: number;
    memory: { gpa: bigint; bytes: bigint; hva: bigint };
    kernel: { gpa: bigint; bytes: bigint };
    bootargs: string;
  };
  'arm-sea': {
    /** What the syndrome says. */
    syndrome: ArmVerdict;
    gva: EventAddress;
    /** `certain`: the error lies there, and not in a table on the way to it. */
    gpa: EventAddress & { source: GpaSource; reason?: string };
    hva: EventAddress;
    hpa: EventAddress;
    /** The guest's descriptor that the aborted walk wanted: it may be what is poisoned, and was not read. */
    suspect?: EventAddress;
    action: InjectAction;
    quarantine: QuarantineAction;
  };
  'quarantine-hit': GuestPlace & { exit: 'mmio' | 'nisv'; action: InjectAction };
  sigbus: {
    vcpu?: number;
    code: number;
    gpa: EventAddress & { source: GpaSource };
    action: InjectAction;
    quarantine: QuarantineAction;
  };
  quarantined: { hva: bigint; hpa: EventAddress; by: QuarantineReason; ranges: number; ms: number };
  'quarantine-refused': { by: QuarantineReason };
  threshold: { stops: boolean };
  page: { hpa: EventAddress };
  'system-event': { type: number; name: SystemEvent; data: readonly bigint[] };
  'run-failed': { data: readonly bigint[] };
}

type NameOf<N> = N extends `vmm.${infer Event}` ? Event : never;
type Name = NameOf<keyof typeof REFERENCE_VMM>;

/**
 * Every event this VMM writes: those of the catalogue, with at least its fields. u64 values are bigint here and `0x` and 16
 * digits on the wire.
 */
type VmmEvent = {
  [N in Name]: { event: N } & Members<EventFields<`vmm.${N}`>> & (N extends keyof Details ? Details[N] : unknown);
}[Name];

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
