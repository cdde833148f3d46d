/** @module A question to the program of an exec section, and its answer, or what is wrong with it. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { PROGRAM_ENV, whyNotChosen, whyNotProgram } from '@syndrome/base/disk/program.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { HostId } from '../../core/ids.ts';
import { parseLine } from '../../wire/json.ts';
import { runOnce } from '../acts/child.ts';
import { ANSWERS, type Answer, type Ask } from './contract.ts';

/** Thousands of VMs with their definitions. */
const MAX_ANSWER = 16 * 2 ** 20;
const MAX_WORDS = 300;

/** No answer that counts; `cut`: none came in time, and the program was killed. */
export class NoAnswer extends Error {
  readonly cut: boolean;

  constructor(why: string, cut = false) {
    super(why);
    this.cut = cut;
  }
}

/** It was not started: nothing was done, and nothing will be. */
export class NotRun extends NoAnswer {
  constructor(why: string) {
    super(`it is not run: ${why}`);
  }
}

/** A program, and what it is told of whoever asks. */
export interface Asker {
  argv: readonly string[];
  host: HostId;
  deadlineMs: number;
  /** What it finds in its environment, beside {@link environment}'s own. */
  env?: Readonly<Record<string, string>>;
}

/** Of ours it gets nothing but what is here: a secret in the environment of an agent is no secret of its programs. */
function environment(): Record<string, string> {
  try {
    return { ...PROGRAM_ENV, HOME: userInfo().homedir };
  } catch {
    // A user whom the system does not know.
    return { ...PROGRAM_ENV };
  }
}

/** The path in an argument: `/etc/x`, `--config=/etc/x`. */
const pathIn = (word: string): string => (word.startsWith('/') ? word : word.slice(word.indexOf('=/') + 1));

/** Why a program is not run: others could choose what it is. Looked at for each run; what its arguments name is what it runs, too, with all folders on the way. */
function fault(argv: readonly string[]): string | undefined {
  const [program = '', ...args] = argv;
  const why = whyNotProgram(program);
  if (why !== undefined) return `${program} ${why}`;
  for (const path of args.map(pathIn).filter(word => word.startsWith('/') && existsSync(word))) {
    const not = whyNotChosen(path);
    if (not !== undefined) return not;
  }
  return undefined;
}

/**
 * Asks, and checks the answer.
 * @param deadlineMs where less than that of the program is left
 * @throws NotRun for one that others could change, or that cannot be started
 * @throws NoAnswer for a program that hangs, fails, says what is no answer, or answers another question
 */
export async function ask<A extends Ask>(
  { argv, host, deadlineMs: most, env }: Asker,
  question: A,
  signal: AbortSignal,
  deadlineMs = most,
): Promise<Answer<A['do']>> {
  const why = fault(argv);
  if (why !== undefined) throw new NotRun(why);
  const ms = Math.max(1, Math.floor(Math.min(most, deadlineMs)));
  const input = `${JSON.stringify({ schema: 1, host, deadlineMs: ms, ...question })}\n`;
  const { code, stdout, output, unstarted, cut, short } = await runOnce(argv, ms, signal, {
    maxOutput: MAX_ANSWER,
    input,
    env: { ...environment(), ...env },
  });
  if (unstarted === true) throw new NotRun(safeText(output, MAX_WORDS));
  if (cut) throw new NoAnswer(`no answer within ${ms} ms: it was killed`, true);
  if (short === true) throw new NoAnswer(`an answer of more than ${MAX_ANSWER} bytes`);
  if (code !== 0) {
    const last = safeText(output.split('\n').at(-1) ?? '', MAX_WORDS);
    throw new NoAnswer(`${code === undefined ? 'it was ended' : `exit code ${code}`}${last === '' ? '' : `: ${last}`}`);
  }
  let answer: Answer<keyof typeof ANSWERS>;
  try {
    answer = parseLine<Answer<keyof typeof ANSWERS>>(ANSWERS[question.do], stdout, `the answer to ${question.do}`);
  } catch (error) {
    throw new NoAnswer(messageOf(error));
  }
  const other =
    question.do === 'act'
      ? 'id' in answer && answer.id !== question.id && `act ${answer.id}`
      : question.do === 'look' && 'vm' in answer && answer.vm !== question.vm && `VM ${answer.vm}`;
  if (typeof other === 'string')
    throw new NoAnswer(`an answer about ${safeText(other, MAX_WORDS)}, which was not asked for`);
  return answer as Answer<A['do']>;
}
