/** @module What carries runs out, one after the other or many at once, and how a machine gets to the point where a run goes on. */
import type { TraceEvent, TraceHeader } from '@syndrome/trace/event.ts';
import type { PreparedRun, RunResult } from '../run.ts';
import type { RunSpec } from '../run-spec.ts';

/**
 * How a machine comes to the point of its injection, the cheapest first. `fork`: a machine that was led there once and
 * stopped is forked. `template`: its state at that point is loaded, its memory mapped from a file. `restore`: its state after
 * the boot is loaded, and all steps are done. `cold`: it is booted, and no state is kept.
 */
export const ENGINE_KINDS = ['fork', 'template', 'restore', 'cold'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** Why a machine or a computer is not run by an engine. */
export interface Refusal {
  engine: EngineKind;
  /** Stable, in kebab-case: `host`, `kvm`, `shared-memory`, `self-test`, … (fork-refusal.ts) */
  why: string;
  /** The same for people, with what was seen. */
  message: string;
}

/** CPU time of one run in seconds, user and system; absent where it is not known. */
interface CpuSeconds {
  /** Of QEMU, from where the run had the machine for itself. */
  qemu?: number;
  /** Of this process. What runs at the same time is in it too. */
  own?: number;
}

/** One run that was carried out. */
export interface CellRun {
  /** The judgement, with what `run --json` prints besides. */
  result: RunResult;
  header: TraceHeader;
  /** The whole trace, kept as a file or not, with what the machine went through before the run had it for itself. */
  events: readonly TraceEvent[];
  /** What carried it out. */
  engine: EngineKind;
  /** Why none before it in {@link ENGINE_KINDS} did, from the engine that was asked for on. */
  refusals: readonly Refusal[];
  cpuSeconds: CpuSeconds;
  /** The file of the trace, where it was kept. */
  trace?: string;
}

export interface EngineRunOptions {
  /** The machine, where the caller has put it together already. */
  prepared?: PreparedRun;
  /** Ends this run alone. */
  signal?: AbortSignal;
  /** Where the trace goes; default: a new file in the state folder. */
  trace?: string;
  /** Which traces are kept besides those of runs that did not pass; default: every one. */
  keep?: 'all' | ((result: RunResult, events: readonly TraceEvent[]) => boolean);
  onHeader?: (header: TraceHeader, trace: string) => void;
  /** With an engine that forks, the events before the fork come at once. */
  onEvent?: (event: TraceEvent) => void;
}

/** Carries runs out. Any number at once: the caller bounds them. */
export interface Engine {
  /** The one that was chosen; a run of a machine that it refuses is carried out by the next one. */
  readonly kind: EngineKind;
  /** Why none before it was chosen. */
  readonly refusals: readonly Refusal[];
  /** As `runScenario`: what goes wrong in the lab is part of the result. @throws LabInterrupted */
  run(spec: RunSpec, options?: EngineRunOptions): Promise<CellRun>;
  /** Ends every machine that it holds. Safe to call twice. */
  close(): Promise<void>;
}
