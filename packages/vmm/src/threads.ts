/** What the main thread gives to its workers, and what they say to it. */

export type QuarantinePolicy = 'now' | 'on-request' | 'off';

export interface VcpuThreadData {
  index: number;
  vm: string;
  vmFd: number;
  vcpuFd: number;
  eventsFd: number;
  run: { address: bigint; bytes: number };
  /** Offset of the ring of coalesced writes in the run area. */
  ring: number | undefined;
  ram: { gpa: bigint; hva: bigint; bytes: number };
  shared: SharedArrayBuffer;
  console: SharedArrayBuffer;
  agent: SharedArrayBuffer;
  quarantine: QuarantinePolicy;
}

export type FromVcpu =
  /** The guest ended, or can no longer run. */
  | { kind: 'ended'; reason: string }
  /**
   * A memory error came up. `lsb`: log2 of the bytes that are lost, 0 where only an address is known. With `quarantine` the thread
   * waits for an answer in its cells.
   */
  | { kind: 'error'; vcpu: number; by: 'arm-sea' | 'sigbus'; gpa?: bigint; lsb: number; quarantine: boolean };

/** From the thread that takes early notices of poisoned pages. */
export type FromSigbus = { kind: 'sigbus'; code: number; hva: bigint; lsb: number };
