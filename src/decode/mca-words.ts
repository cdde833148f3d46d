/** @module The classes of machine checks in a headline. */
import type { McaClass } from '../mca/classify.ts';

export const MCA_HEADLINE: Readonly<Record<McaClass, string>> = {
  invalid: 'no error (VAL is clear)',
  CE: 'corrected',
  Deferred: 'deferred: bad data marked, not consumed',
  UCNA: 'uncorrected, no action required (UCNA)',
  SRAO: 'uncorrected, action optional (SRAO)',
  SRAR: 'uncorrected, action required (SRAR)',
  UC: 'uncorrected',
  PCC: 'uncorrected and fatal, processor context corrupt (PCC)',
  unknown: 'class depends on the CPU vendor',
};
