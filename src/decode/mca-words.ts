/** @module What the classes of machine checks mean for a reader: severity, headline, next step. */
import type { McaClass } from '../mca/classify.ts';
import type { DecodedSeverity } from './record.ts';

export const MCA_SEVERITY: Readonly<Record<McaClass, DecodedSeverity>> = {
  invalid: 'info',
  CE: 'corrected',
  Deferred: 'deferred',
  UCNA: 'no-action',
  SRAO: 'action-optional',
  SRAR: 'action-required',
  UC: 'uncorrected',
  PCC: 'fatal',
  unknown: 'unknown',
};

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

export const MCA_NEXT: Readonly<Record<McaClass, string>> = {
  invalid: 'Nothing to do for this bank. If something went wrong all the same, look at the other banks and CPUs.',
  CE: 'Count them: one is noise, many from one place in a day mean that a part wears out. Compare address, bank and channel of the others, and take the page offline when they repeat.',
  Deferred:
    'Find out whether the page was taken away (`Memory failure:` in the log). Until it is, whoever reads it will consume the poison; expect a second record from the core that does.',
  UCNA: 'Nothing was consumed. Look for the page being taken offline, and for an SRAR or SRAO record with the same address.',
  SRAO: 'Find the page in `Memory failure:` lines: Recovered means it is out of use. Processes that asked for it got SIGBUS BUS_MCEERR_AO. Plan to replace the part behind the address.',
  SRAR: 'The process that ran on this CPU was killed or signalled (BUS_MCEERR_AR); in kernel mode the machine panicked. Look at the lines after this record, and replace the part behind the address.',
  UC: 'The operating system could not tell whose data it was. Look for a panic right after it, and at the other banks of the same event for the address.',
  PCC: 'Expect a panic or a reset. Look at the first bank that reported in this event: the later ones are often only its echo. A PCC error with a bus, timeout or internal code is a CPU or board matter, not a memory page.',
  unknown:
    'Say which CPU it was (`--vendor intel` or `--vendor amd`, or the PROCESSOR line): Intel and AMD read these bits differently.',
};
