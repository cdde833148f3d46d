import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** The lab could not do its work: nothing is known about the system under test. Verdict `error`, exit code 3. */
export class LabError extends SyndromeError {}

/** What the scenario needs is not here; verdict `skip`, exit code 4. */
export class LabSkip extends SyndromeError {}

/** The run was stopped by a signal; everything is cleaned up, nothing is judged. */
export class LabInterrupted extends SyndromeError {
  constructor() {
    super('E_LAB_INTERRUPTED', 'the run was interrupted');
  }
}

/** Why a wait for `what` ended early: the scenario's timeout passed, or the user interrupted the run. */
export function abortError(signal: AbortSignal, what: string): LabError | LabInterrupted {
  const reason: unknown = signal.reason;
  if (!(reason instanceof Error && reason.name === 'TimeoutError')) return new LabInterrupted();
  return new LabError('E_LAB_TIMEOUT', `the scenario's timeout passed while the lab waited for ${what}`, {
    hint: 'A slow machine may need a longer --timeout.',
  });
}
