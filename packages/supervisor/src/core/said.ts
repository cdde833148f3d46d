/** @module What an agent says of its host: rows of its spool, in order, at least once. */
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { ActResult } from './act.ts';
import type { HostId, Time, VmId } from './ids.ts';

/** Where an event was read. `console`: what a guest writes. `exec`: what a program of the operator's says of its VMs. `drill`: the injector of a drill is itself a witness. */
export const SOURCES = [
  'qmp',
  'libvirt',
  'kmsg',
  'tracefs',
  'sysfs',
  'qemu-log',
  'console',
  'vmm',
  'proc',
  'agent',
  'exec',
  'drill',
] as const;
export type SourceName = (typeof SOURCES)[number];

/** An event of the catalogue, seen by a source. */
export interface SeenEvent {
  kind: 'event';
  source: SourceName;
  event: LogEvent;
  /** The VM it is about, where the source knows. */
  vm?: VmId;
  /** When it happened by the writer's clock, ms UTC; the row's time where the writer says none. */
  when?: Time;
  /** Repeats that the agent put together because its spool was full or one page stormed: how many there were. Default 1. */
  count?: number;
  /** The host page behind a guest address, where the agent could tell (pagemap of the VMM's process). */
  pfn?: bigint;
  /** The guest address, where the agent could tell. */
  gpa?: bigint;
  /** Where in the hardware: the DIMM as its driver or the firmware calls it; of corrected errors bank and row in it, too. */
  where?: { dimm?: string; bank?: string; row?: string };
  /** log2 of the bytes that are lost with the page, where known: 12, 21, 30. */
  order?: number;
  /** The line as it was read, bounded; for a person, never for a decision. */
  raw?: string;
}

/** What became of a source. A gap is an event: what was lost in it is not known to be nothing. */
export interface SourceState {
  kind: 'source';
  source: SourceName;
  /** Of one VM only (its QMP socket). */
  vm?: VmId;
  /** `ended`: it is not to be read any more, since what it read (the socket of a VM) is taken away. */
  state: 'reading' | 'lost' | 'back' | 'stalled' | 'spool-full' | 'ended';
  /** Of `back`: how long nothing was read, ms; events known to be lost in it, where the source can count them. */
  gapMs?: number;
  lostEvents?: number;
  reason?: string;
}

/**
 * The lease of a host on its host id in a lockspace of sanlock, as its own agent has it now (sanlock(8), "delta leases"). Times are in seconds.
 */
export interface LeaseReport {
  lockspace: string;
  hostId: number;
  /** It grows each time the host joins. */
  generation: number;
  /** The name by which its daemon writes itself into the lease: the host's own, unlike that of a lockspace. Missing: it is not known. */
  owner?: string;
  /** Other times of the lease are multiples of it. */
  ioTimeout: number;
  /** It would reset this host if the lease were not renewed: how long after the lease is lost, and the device in its own words. */
  watchdog?: { fireSeconds: number; device: string };
  /** Why nothing would. */
  unarmed?: string;
}

/** The host itself: at the agent's start, after each boot, and when something of it changes. */
export interface HostReport {
  kind: 'host';
  /** The kernel's boot_id. Another one: the host has rebooted, and its poisoned pages are in use again unless re-offlined. */
  boot: string;
  arch: 'x86-64' | 'arm64';
  kernel: string;
  memoryBytes: number;
  freeBytes: number;
  /** CPU models that a VM may ask for; empty: not known, and the check before a move asks for the VM's own. */
  cpuModels: string[];
  /** Storage that it reaches, by the names that VMs' disks have. */
  storage: string[];
  /** Poisoned pages of the ledger that are not offline since this boot. */
  unapplied?: bigint[];
  /** sysfs memory_failure and EDAC ce_count counters, and HardwareCorrupted, at this moment, by name. */
  counters?: Record<string, number>;
  /** Its leases in the lockspaces of sanlock that its configuration names. */
  leases?: LeaseReport[];
}

export const VM_STATES = ['running', 'paused', 'crashed', 'shut-off', 'migrating-in', 'migrating-out', 'gone'] as const;
export type VmState = (typeof VM_STATES)[number];

/** A VM as its host has it now. `gone`: neither process nor (running) domain is there. */
export interface VmReport {
  kind: 'vm';
  vm: VmId;
  name: string;
  state: VmState;
  /** Why, in the source's word (libvirt's reason, QMP's status). */
  reason?: string;
  /** Its process: PIDs are used again, so that it counts with its start time in clock ticks since boot. */
  pid?: number;
  startTicks?: string;
  vmm: 'qemu' | 'libvirt' | 'reference' | 'exec';
  /** What a start elsewhere needs, without secrets: domain XML, or the argv of a bare QEMU as JSON. Sent when first seen or changed. */
  definition?: string;
  disks: string[];
  /**
   * Files that its start needs beside those in the folder of its monitor, by whole path: program, firmware, kernel, images. What is no path
   * is its CPU model, or says in words why no other host can start it (agent/needs.ts).
   */
  needs?: string[];
  memoryBytes: number;
  cpuModel?: string;
  /** Whether the host would start it again by itself (libvirt autostart, systemd Restart=). */
  autostart: boolean;
  /** libvirt's <on_crash>; `restart` makes the VM observe-only. */
  onCrash?: string;
  /** Another controller that restarts it (Masakari, Pacemaker, …), where one is marked; makes it observe-only. */
  owner?: string;
  /** Its owner wants us to act (label, metadata or configuration). */
  optedIn: boolean;
  /** The VMM can take a page out of the guest's memory. The reference VMM can. */
  canQuarantine?: boolean;
  /** Highest epoch that the agent has persisted for it. */
  epoch: number;
}

export interface ResultReport extends ActResult {
  kind: 'result';
}

export type Said = SeenEvent | SourceState | HostReport | VmReport | ResultReport;

/** One row of a spool. (host, spool, seq) is its identity for ever; it may come again, and out of order. */
export interface Row {
  host: HostId;
  /** Made up with the spool file. */
  spool: string;
  /** From 1, without holes. */
  seq: number;
  /** When the agent wrote it, ms UTC. */
  at: Time;
  said: Said;
}
