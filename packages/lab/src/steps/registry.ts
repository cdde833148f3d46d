/** All steps. A new one is a file with its name, its import and its place in this list. */
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import type { Legs, Meaning, Plan } from '../outlook/scene.ts';
import type { Session } from '../session.ts';
import { alive } from './alive.ts';
import { awaitBoot } from './await-boot.ts';
import { bootRecord } from './boot-record.ts';
import { breakWalk } from './break-walk.ts';
import { checkInterval } from './check-interval.ts';
import { cxlPoisonList } from './cxl-poison-list.ts';
import { cxlRegion } from './cxl-region.ts';
import { cxlUnmask } from './cxl-unmask.ts';
import { errorRecords } from './error-records.ts';
import { exec } from './exec.ts';
import { gpa2hpa } from './gpa2hpa.ts';
import { hmp } from './hmp.ts';
import { hostPoison } from './host-poison.ts';
import { injectCxl } from './inject-cxl.ts';
import { injectEinj } from './inject-einj.ts';
import { injectGhes } from './inject-ghes.ts';
import { injectMce } from './inject-mce.ts';
import { interrupts } from './interrupts.ts';
import { map } from './map.ts';
import { mcelog } from './mcelog.ts';
import { mendWalk } from './mend-walk.ts';
import { note } from './note.ts';
import { offlineCpu } from './offline-cpu.ts';
import { onSignal } from './on-signal.ts';
import { pause } from './pause.ts';
import { poison } from './poison.ts';
import { qmp } from './qmp.ts';
import { quarantine } from './quarantine.ts';
import { readFile } from './read-file.ts';
import { readMsr } from './read-msr.ts';
import { readVmcore } from './read-vmcore.ts';
import { reset } from './reset.ts';
import { resume } from './resume.ts';
import { runVm } from './run-vm.ts';
import { sleep } from './sleep.ts';
import { spawn } from './spawn.ts';
import { spin } from './spin.ts';
import { systemCall } from './system-call.ts';
import { touch } from './touch.ts';
import { translate } from './translate.ts';
import { traceEvents } from './trace-events.ts';
import { verify } from './verify.ts';
import { vmmHmp } from './vmm-hmp.ts';
import { vmmMemory } from './vmm-memory.ts';
import { vmmPage } from './vmm-page.ts';
import { vmmQmp } from './vmm-qmp.ts';
import { wait } from './wait.ts';
import { writeFile } from './write-file.ts';
import { writeMsr } from './write-msr.ts';
import { xenHptool } from './xen-hptool.ts';
import { xenMceinj } from './xen-mceinj.ts';
import { xenP2m } from './xen-p2m.ts';
import type { StepKind, Value } from './step.ts';

const KINDS = [
  spawn,
  exec,
  map,
  onSignal,
  touch,
  spin,
  verify,
  translate,
  systemCall,
  runVm,
  poison,
  checkInterval,
  interrupts,
  gpa2hpa,
  hostPoison,
  readMsr,
  vmmPage,
  vmmMemory,
  breakWalk,
  mendWalk,
  quarantine,
  mcelog,
  errorRecords,
  injectMce,
  xenP2m,
  xenMceinj,
  xenHptool,
  injectGhes,
  bootRecord,
  injectEinj,
  readFile,
  writeFile,
  writeMsr,
  offlineCpu,
  sleep,
  reset,
  awaitBoot,
  readVmcore,
  traceEvents,
  cxlRegion,
  cxlUnmask,
  injectCxl,
  cxlPoisonList,
  pause,
  resume,
  qmp,
  hmp,
  vmmQmp,
  vmmHmp,
  wait,
  alive,
  note,
];

/** One step: its name and its checked arguments. What these are only its own file knows. */
export interface Step {
  step: string;
  args: Readonly<Record<string, unknown>>;
}

/** The kinds, in the order in which they are listed to people. */
export const stepKinds: readonly StepKind[] = KINDS as readonly unknown[] as readonly StepKind[];

const BY_NAME: ReadonlyMap<string, StepKind> = new Map(stepKinds.map(kind => [kind.name, kind]));

/** The kind of step with this name; undefined when there is none. */
export function stepKind(name: string): StepKind | undefined {
  return BY_NAME.get(name);
}

function kindOf({ step }: Step): StepKind {
  const kind = BY_NAME.get(step);
  if (kind === undefined) throw new Error(`there is no step ${step}`);
  return kind;
}

/** What a step injects; undefined for one that does not. @throws what `value` throws */
export function injectionOf(step: Step, value: Value): Injection | undefined {
  return kindOf(step).injection?.(step.args, value);
}

/** Whether a step injects something, whatever the values are that it uses. */
export function injects(step: Step): boolean {
  return injectionOf(step, () => 0n) !== undefined;
}

/** Whether a step goes on where the guest has died. */
export function outlives(step: Step): boolean {
  return kindOf(step).outlives === true;
}

/** The names under which a step saves values. */
export function savedBy(step: Step): readonly string[] {
  return kindOf(step).saves?.(step.args) ?? [];
}

/** What a step means for the outlook of an injection before or behind it; undefined for nothing. */
export function meaningOf(step: Step): Meaning | undefined {
  return kindOf(step).means?.(step.args);
}

/**
 * What comes of the injection of a step; undefined where the rules of the outlook cannot be followed.
 * @param earlier an injection before it, since when the virtual CPUs stand still
 */
export function legsOf(step: Step, plan: Plan, earlier?: Injection): Legs | undefined {
  const { legs, legsOfSecond } = kindOf(step);
  if (earlier !== undefined) return legsOfSecond?.(plan, step.args, earlier);
  return legs === 'unknown' ? undefined : legs?.(plan, step.args);
}

/** Carries out one step. @throws LabError, or an error of the QMP or agent client, when it cannot be done. */
export async function runStep(session: Session, step: Step): Promise<void> {
  await kindOf(step).run(session, step.args);
}
