/** All steps. A new one is a file with its name, its import and its place in this list. */
import type { z } from 'zod';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import type { Session } from '../session.ts';
import { alive } from './alive.ts';
import { breakWalk } from './break-walk.ts';
import { checkInterval } from './check-interval.ts';
import { gpa2hpa } from './gpa2hpa.ts';
import { hmp } from './hmp.ts';
import { hostPoison } from './host-poison.ts';
import { injectGhes } from './inject-ghes.ts';
import { injectMce } from './inject-mce.ts';
import { interrupts } from './interrupts.ts';
import { map } from './map.ts';
import { mcelog } from './mcelog.ts';
import { mendWalk } from './mend-walk.ts';
import { note } from './note.ts';
import { onSignal } from './on-signal.ts';
import { pause } from './pause.ts';
import { poison } from './poison.ts';
import { qmp } from './qmp.ts';
import { quarantine } from './quarantine.ts';
import { readMsr } from './read-msr.ts';
import { resume } from './resume.ts';
import { spawn } from './spawn.ts';
import { spin } from './spin.ts';
import { touch } from './touch.ts';
import { verify } from './verify.ts';
import { vmmPage } from './vmm-page.ts';
import { wait } from './wait.ts';
import type { StepKind, Value } from './step.ts';

const KINDS = [
  spawn,
  map,
  onSignal,
  touch,
  spin,
  verify,
  poison,
  checkInterval,
  interrupts,
  gpa2hpa,
  hostPoison,
  readMsr,
  vmmPage,
  breakWalk,
  mendWalk,
  quarantine,
  mcelog,
  injectMce,
  injectGhes,
  pause,
  resume,
  qmp,
  hmp,
  wait,
  alive,
  note,
] as const;

type Kind = (typeof KINDS)[number];
export type StepName = Kind['name'];
type KindOf<N extends StepName> = Extract<Kind, { name: N }>;
export type StepArgs<N extends StepName> = z.infer<KindOf<N>['schema']>;
/** One step: its name and its checked arguments. */
export type Step = { [N in StepName]: { step: N; args: StepArgs<N> } }[StepName];

/** The kinds, in the order in which they are listed to people. */
export const stepKinds: readonly StepKind[] = KINDS as readonly unknown[] as readonly StepKind[];

const BY_NAME: ReadonlyMap<string, StepKind> = new Map(stepKinds.map(kind => [kind.name, kind]));

/** The kind of step with this name; undefined when there is none. */
export function stepKind(name: string): StepKind | undefined {
  return BY_NAME.get(name);
}

function kindOf({ step }: Step): StepKind {
  return BY_NAME.get(step) as StepKind;
}

/** What a step injects; undefined for one that does not. @throws what `value` throws */
export function injectionOf(step: Step, value: Value): Injection | undefined {
  return kindOf(step).injection?.(step.args, value);
}

/** Whether a step injects something, whatever the values are that it uses. */
export function injects(step: Step): boolean {
  return injectionOf(step, () => 0n) !== undefined;
}

/** Carries out one step. @throws LabError, or an error of the QMP or agent client, when it cannot be done. */
export async function runStep(session: Session, step: Step): Promise<void> {
  await kindOf(step).run(session, step.args);
}
