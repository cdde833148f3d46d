/** @module All ways to inject, and what can be asked of any injection. */
import type { Settings } from '../outlook/context.ts';
import { dangersOf } from '../outlook/danger.ts';
import type { Danger, Target } from '../outlook/danger.ts';
import { firstConsumer, predictChain } from '../outlook/predict.ts';
import type { ChainOptions, LayerSettings } from '../outlook/predict.ts';
import type { OutlookRecord } from '../outlook/record.ts';
import { GHES } from './ghes.ts';
import type { Injection, InjectionOf, Way } from './injection.ts';
import { MCE } from './mce.ts';
import { MONITOR } from './monitor.ts';
import { HOST_PAGE, PROCESS_PAGE } from './poison.ts';
import { STAGE_2_WALK } from './walk.ts';
import type { Fields, InjectedFields, WayOf } from './way.ts';

const WAYS: { readonly [W in Way]: WayOf<InjectionOf<W>> } = {
  mce: MCE,
  ghes: GHES,
  'corrupt-pfn': HOST_PAGE,
  'soft-offline': HOST_PAGE,
  madvise: PROCESS_PAGE,
  'madvise-soft-offline': PROCESS_PAGE,
  'stage-2-walk': STAGE_2_WALK,
  hmp: MONITOR,
};

const wayOf = ({ way }: Injection): WayOf<Injection> => WAYS[way] as WayOf<Injection>;

/**
 * As a person would do it: a monitor command, a QMP command, a line of shell; undefined where no line does it.
 * @example
 * commandOf(mceInjection({ named: namedMca('uc-fatal') })) // 'mce 0 1 0xb200000000000000 0x4 0x0 0x0'
 * commandOf({ way: 'corrupt-pfn', addr: 0x1000n }) // 'echo 0x1 > /sys/kernel/debug/hwpoison/corrupt-pfn'
 */
export function commandOf(injection: Injection): string | undefined {
  return wayOf(injection).command(injection);
}

/** What the first layer on the way gets (see firstConsumer); undefined where the outlook has no such record. */
export function recordOf(injection: Injection): OutlookRecord | undefined {
  return wayOf(injection).record(injection);
}

/** What the injection itself settles of the layer that meets it first: whether a machine check goes to all CPUs. */
export function settledBy(injection: Injection): Partial<Settings> {
  return wayOf(injection).settles?.(injection) ?? {};
}

/**
 * What is done, in words without a line break; undefined where only the author of the command knows.
 * @example
 * wordsOf({ way: 'madvise', process: 'victim', page: 'page' }) // 'page page of victim is poisoned, by its own madvise(MADV_HWPOISON)'
 */
export function wordsOf(injection: Injection): string | undefined {
  return wayOf(injection).words(injection);
}

/** The fields of the event `lab.injected`. */
export function fieldsOf(injection: Injection): InjectedFields {
  return wayOf(injection).fields(injection);
}

/** The injection that the fields of a `lab.injected` event describe, of a run or of a file; undefined for damaged ones. */
export function injectionOf(fields: Fields): Injection | undefined {
  for (const way of Object.values(WAYS)) {
    const injection = way.read(fields);
    if (injection !== undefined) return injection;
  }
  return undefined;
}

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
