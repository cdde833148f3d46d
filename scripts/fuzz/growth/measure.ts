/**
 * How the time of a parser grows with what it is given. Nothing is said of how fast it is: times are compared with each
 * other, and before growth is believed the least of several measurements counts.
 */
import { createContext, Script } from 'node:vm';

/** Characters; the last three are what is told. */
const SIZES: readonly number[] = [160, 625, 2_500, 10_000, 20_000, 40_000];

interface Bounds {
  /** Time is that of the size to this power at most: 1 is linear, 2 quadratic. */
  exponent: number;
  /** Milliseconds below which no growth is judged. */
  floorMs: number;
  /** Measurements of a size before it counts as grown; two are enough of what has taken longer than this together. */
  repeats: number;
  patienceMs: number;
  /** Milliseconds after which a parser counts as never ending, however few characters it was given. */
  deadlineMs: number;
}

export const BOUNDS: Bounds = { exponent: 1.7, floorMs: 30, repeats: 6, patienceMs: 1_000, deadlineMs: 30_000 };

interface Growth {
  /** Size and least time in ms, as far as it was measured. */
  times: [size: number, ms: number][];
  /** What is wrong; nothing when it grows as it may. */
  wrong: string | undefined;
}

/** Power of the size that the time grows with between two measurements. */
export const power = ([n, a]: [number, number], [m, b]: [number, number]): number => Math.log(b / a) / Math.log(m / n);

/** Runs to its end what cannot be asked to stop; undefined when it had to be stopped, also in a regular expression. */
function inTime(run: () => number, ms: number): number | undefined {
  try {
    return new Script('run()').runInContext(createContext({ run }), { timeout: ms }) as number;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

/**
 * Time in ms. What passes counts others' work on a busy machine, CPU time counts that of our own helper threads (the CPU
 * time of a thread alone has no resolution): neither is less than what the work itself took.
 */
function timed(work: () => void): number {
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  work();
  const passed = performance.now() - at;
  const { user, system } = process.cpuUsage(cpu);
  return Math.max(0.001, Math.min(passed, (user + system) / 1000));
}

/**
 * Measures `parse` on texts of one shape. What it throws is its own matter, unless it is that its stack was full.
 * @param make the text of a shape in about so many characters
 */
export function growthOf(
  parse: (text: string) => unknown,
  make: (size: number) => string,
  bounds: Bounds = BOUNDS,
): Growth {
  const times: Growth['times'] = [];
  let full: string | undefined;
  const once = (text: string): number | undefined =>
    inTime(
      () =>
        timed(() => {
          try {
            parse(text);
          } catch (error) {
            if (error instanceof RangeError && /call stack/.test(error.message)) full = error.message;
          }
        }),
      bounds.deadlineMs,
    );
  for (const size of SIZES) {
    const text = make(size);
    const before = times.at(-1);
    const first = once(text);
    if (first === undefined) {
      return { times, wrong: `has not ended after ${bounds.deadlineMs / 1000} s on ${size} characters` };
    }
    if (full !== undefined) return { times, wrong: `${full} on ${size} characters` };
    const now: [number, number] = [size, first];
    times.push(now);
    if (before === undefined) continue;
    const shorter = make(before[0]);
    // One slow measurement looks like growth from the size before, hardly from the one before that.
    const further = times.at(-3) ?? before;
    const tooMuch = (): boolean =>
      now[1] > bounds.floorMs && power(before, now) > bounds.exponent && power(further, now) > bounds.exponent - 0.2;
    let spent = first;
    for (let n = 1; n < bounds.repeats && tooMuch() && (n === 1 || spent < bounds.patienceMs); n++) {
      before[1] = Math.min(before[1], once(shorter) ?? Infinity);
      const again = once(text) ?? Infinity;
      now[1] = Math.min(now[1], again);
      spent += again;
    }
    if (!tooMuch()) continue;
    const told = `${before[1].toFixed(1)} ms for ${before[0]} characters, ${now[1].toFixed(1)} ms for ${size}`;
    return { times, wrong: `grows with the power ${power(before, now).toFixed(1)} of the length: ${told}` };
  }
  return { times, wrong: undefined };
}
