/** @module What an injection comes to, by the rules of the outlook. Who only names injections, as an agent does, does not load them. */
import { dangersOf } from '../outlook/danger.ts';
import type { Danger, Target } from '../outlook/danger.ts';
import { firstConsumer, predictChain } from '../outlook/predict.ts';
import type { ChainOptions, LayerSettings } from '../outlook/predict.ts';
import type { OutlookRecord } from '../outlook/record.ts';
import type { Injection } from './injection.ts';
import { recordOf, settledBy } from './ways.ts';

/**
 * The record that an operating system in the machine finds, by the rules of the outlook: QEMU does not write MCG_STATUS
 * for a corrected error, makes a machine check of a SIGBUS, and so on.
 * @param layers what is known of the layers on the way
 * @returns undefined where none is handed to it, or where the outlook has no rules for this way
 * @example
 * seenRecord(mceInjection({ named: namedMca('uc-fatal') })).mcgStatus // 4n
 */
export function seenRecord(
  injection: Injection,
  layers: LayerSettings = {},
  options: ChainOptions = {},
): OutlookRecord | undefined {
  const record = recordOf(injection);
  if (record === undefined) return undefined;
  const consumer = firstConsumer(record);
  const known = { ...layers, [consumer]: { ...layers[consumer], ...settledBy(injection) } };
  const chain = predictChain(record, { consumer }, known, { alternatives: false, ...options });
  const given = chain.find(p => p.handover?.consumer === 'linux' || p.handover?.consumer === 'xen');
  return given?.handover?.record;
}

/**
 * What the injection may do to a machine that is not ours, as the outlook says: none means that it can be given unasked.
 * @returns undefined where the outlook has no rules for this way: it may do anything
 * @example
 * const fatal = mceInjection({ named: namedMca('uc-fatal'), broadcast: true });
 * dangersOfInjection(fatal, { guests: ['xen'] }).map(danger => danger.outcome).includes('panicked') // true
 */
export function dangersOfInjection(injection: Injection, target: Target = {}): Danger[] | undefined {
  const record = recordOf(injection);
  if (record === undefined) return undefined;
  return dangersOf(record, { ...target, vmm: { ...target.vmm, ...settledBy(injection) } });
}
