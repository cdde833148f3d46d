/** What a step of a scenario is: everything that has to be known of one kind stands in the file of its name. */
import type { z } from 'zod';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import type { Legs, Meaning, Plan } from '../outlook/scene.ts';
import type { Session } from '../session.ts';

/** The u64 that an argument stands for. @throws LabError E_LAB_VALUE where it is not known. */
export type Value = (argument: string | number) => bigint;

/** Something wrong with arguments that have the right shape: of the one that is named, or of the step. */
export interface ArgumentFault {
  argument?: string;
  message: string;
  hint?: string;
}

/** One kind of step. Its schema documents it: a description of the whole, and of each argument that needs one. */
export interface StepKind<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  name: N;
  schema: S;
  /** Names under which it saves values for later steps and expectations; the first is what its argument `as` says. */
  saves?: (args: z.infer<S>) => readonly [string, ...string[]];
  /** The process that it starts. In every other step the argument `process` names one that was started. */
  starts?: (args: z.infer<S>) => string;
  /** Its argument that is a condition on an event. */
  condition?: keyof z.infer<S> & string;
  /** What is wrong with its arguments beyond their shape. */
  faults?: (args: z.infer<S>) => readonly ArgumentFault[];
  /** What it injects; undefined where these arguments inject nothing. */
  injection?: (args: z.infer<S>, value: Value) => Injection | undefined;
  /**
   * What comes of its injection, as journeys that the rules of the outlook follow; undefined where they cannot. Every step
   * that injects says it: `unknown` where there are no rules for it.
   */
  legs?: ((plan: Plan, args: z.infer<S>) => Legs | undefined) | 'unknown';
  /** The same of an injection behind an earlier one, while the virtual CPUs stand still. Without it nothing is said of two. */
  legsOfSecond?: (plan: Plan, args: z.infer<S>, earlier: Injection) => Legs | undefined;
  /** What it means for the outlook of an injection before or behind it. */
  means?: (args: z.infer<S>) => Meaning;
  /** It goes on where the guest has died: it waits for another one. */
  outlives?: true;
  /** @throws LabError, or an error of the QMP or agent client, when it cannot be done */
  run: (session: Session, args: z.infer<S>) => Promise<void>;
}

/** A kind of step, with the types of its name and arguments. */
export function defineStep<const N extends string, S extends z.ZodObject>(kind: StepKind<N, S>): StepKind<N, S> {
  return kind;
}
