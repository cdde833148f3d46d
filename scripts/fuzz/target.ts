/** What a fuzz target is. */
import type { Chance } from '../chance.ts';

/** Cases that may share what a target keeps between them (a parser); a block starts anew. */
export const BLOCK = 1000;

/** Runs one case and says what is wrong with the outcome; nothing when all is well. */
export type Step = (chance: Chance, n: number) => string[] | Promise<string[]>;

/** One decoder, parser or protocol under test. */
export interface Target {
  /** Room and thing: `qmp:protocol`. `--only qmp` takes all of a room. */
  name: string;
  /** One line: what goes in, and what has to hold. */
  holds: string;
  /** Its share of all cases, in relation to the other targets'. */
  weight: number;
  /** More cases than this are not worth their time. */
  most?: number;
  /** It measures times itself and has its own deadline: how long a case takes in all says nothing. */
  measures?: true;
  /** What is to be told of all cases so far, beside whether they failed. */
  note?(): string | undefined;
  /** Starts a block. */
  open(): Step;
}
