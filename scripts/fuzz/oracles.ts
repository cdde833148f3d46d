/** What has to hold for more than one target. */
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { image } from './junk.ts';

/**
 * What may never come out on a screen, written down a second time: controls but the tab, formats, fillers and whatever
 * else shows nothing, lone surrogates, separators of lines, and what is no character.
 */
export const HOSTILE: RegExp =
  // oxlint-disable-next-line no-misleading-character-class
  /(?!\t)[\p{Cc}\p{Cf}\p{Noncharacter_Code_Point}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}\ud800-\udfff]/u;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const NONSENSE = /\bundefined\b|\bNaN\b|\[object /;
/** Full schema validation costs more than decoding: every so many cases. */
export const VALIDATE_EVERY = 16;
/** Most characters of rendered text per record. */
export const TEXT_PER_RECORD = 32_768;

/** Lines with control characters: the input's own words may be anything else. */
export function controlFaults(what: string, lines: readonly string[]): string[] {
  return lines.filter(line => CONTROL.test(line)).map(line => `${what}: control character in ${JSON.stringify(line)}`);
}

/** Lines of our own words that hold what no sentence does. */
export function textFaults(what: string, lines: readonly string[]): string[] {
  return lines.flatMap(line => {
    const wrong = controlFaults(what, [line]);
    return wrong.length === 0 && NONSENSE.test(line) ? [`${what}: nonsense in ${JSON.stringify(line)}`] : wrong;
  });
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** Longest message of an error: it quotes what it is about, bounded. */
const LONGEST_MESSAGE = 20_000;

/** What is wrong with an error: it has to be of one of these classes and carry a stable code. */
export function errorFaults(error: unknown, classes: readonly ErrorClass[]): string[] {
  if (!classes.some(c => error instanceof c)) {
    return [error instanceof Error ? (error.stack ?? error.message) : `threw ${image(error)}`];
  }
  const wrong: string[] = [];
  const { message } = error as Error;
  if (error instanceof SyndromeError && !/^E_[A-Z0-9_]+$/.test(error.code)) wrong.push(`code ${error.code}`);
  if (message === '') wrong.push('an error without a word');
  if (message.length > LONGEST_MESSAGE) wrong.push(`a message of ${message.length} characters`);
  return wrong;
}

/** Runs what may refuse its input with an error of these classes, and nothing else. */
export function attempt<T>(
  run: () => T,
  classes: readonly ErrorClass[],
): { value: T; wrong: string[]; error?: undefined } | { value: undefined; wrong: string[]; error: unknown } {
  try {
    return { value: run(), wrong: [] };
  } catch (error) {
    return { value: undefined, wrong: errorFaults(error, classes), error };
  }
}

/** The same for what answers later. */
export async function attemptLater<T>(
  run: () => Promise<T>,
  classes: readonly ErrorClass[],
): Promise<{ value: T | undefined; wrong: string[]; error?: unknown }> {
  try {
    return { value: await run(), wrong: [] };
  } catch (error) {
    return { value: undefined, wrong: errorFaults(error, classes), error };
  }
}

/** What two values that have to be the same differ in. */
export function differences(what: string, a: unknown, b: unknown): string[] {
  const [x, y] = [image(a), image(b)];
  if (x === y) return [];
  let at = 0;
  while (x[at] === y[at]) at++;
  const part = (text: string): string => text.slice(Math.max(0, at - 60), at + 200);
  return [`${what}: ${part(x)} / ${part(y)}`];
}

/** Puts a function of our own in the place of another one, to see what it would be given; returns how to put that back. */
export function standIn(on: object, name: string, value: (...args: never[]) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(on, name);
  Object.defineProperty(on, name, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(on, name);
    else Object.defineProperty(on, name, before);
  };
}
