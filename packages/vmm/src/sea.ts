/** What to do about a synchronous external abort of the guest. Pure: the decision, apart from carrying it out. */
import type { ArmVerdict } from '@syndrome/decode/arm/classify.ts';
import type { GpaSource, InjectAction, QuarantineAction } from './events.ts';
import type { QuarantinePolicy } from './threads.ts';

interface SeaResponse {
  action: InjectAction;
  quarantine: QuarantineAction;
  /** Whether the address is that of the error. See {@link seaResponse}. */
  certain: boolean;
}

/**
 * The abort goes back into the guest, of its own kind, so that the guest ends no more than what consumed the error.
 *
 * Where the error lies is certain only when the access itself was aborted. An abort on a table walk (FSC 0x13 to 0x17)
 * may come from any table of the guest's stage 1 or of the host's stage 2, and the address is only that of the access
 * that wanted the translation: such a page is not taken away on suspicion; a supervisor may still ask for it.
 */
export function seaResponse(input: {
  syndrome: ArmVerdict;
  gpa: bigint | undefined;
  source: GpaSource;
  isRam: boolean;
  isQuarantined: boolean;
  policy: QuarantinePolicy;
}): SeaResponse {
  const { syndrome, gpa } = input;
  const certain = gpa !== undefined && (input.source === 'exit' || syndrome.walkLevel === undefined);
  return { action: actionFor(syndrome.access), certain, quarantine: quarantineAction(input, certain) };
}

/** Only an abort is of an access. */
function actionFor(access: ArmVerdict['access']): InjectAction {
  if (access === undefined) return 'none';
  return access === 'instruction' ? 'inject-instruction-abort' : 'inject-data-abort';
}

function quarantineAction(
  input: { gpa: bigint | undefined; isRam: boolean; isQuarantined: boolean; policy: QuarantinePolicy },
  certain: boolean,
): QuarantineAction {
  if (input.gpa === undefined || !input.isRam) return 'no-address';
  if (input.isQuarantined) return 'already';
  if (input.policy === 'now' && !certain) return 'not-certain';
  return input.policy;
}
