import { LabInterrupted } from '../errors.ts';
import type { Scenario } from '../scenario/load.ts';

/**
 * Does something for as long as a run of the scenario might take, or until one of the signals comes.
 * @throws LabInterrupted in that case
 */
export async function deadlineOf<T>(
  { timeout }: Pick<Scenario, 'timeout'>,
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), timeout / 1e6);
  const ends = signals.filter(signal => signal !== undefined);
  try {
    return await work(AbortSignal.any([late.signal, ...ends]));
  } catch (error) {
    if (ends.some(signal => signal.aborted)) throw new LabInterrupted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
