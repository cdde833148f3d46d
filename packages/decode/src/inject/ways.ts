/** @module All ways to inject, and what can be asked of any injection. */
import type { Settings } from '../outlook/context.ts';
import type { OutlookRecord } from '../outlook/record.ts';
import { BOOT_RECORD } from './boot-record.ts';
import { EINJ } from './einj.ts';
import { CXL } from './cxl.ts';
import { GHES } from './ghes.ts';
import type { Injection, InjectionOf, Way } from './injection.ts';
import { MCE } from './mce.ts';
import { MONITOR } from './monitor.ts';
import { HOST_PAGE, PROCESS_PAGE } from './poison.ts';
import { STAGE_2_WALK } from './walk.ts';
import type { Fields, InjectedFields, WayOf } from './way.ts';
import { XEN_MCEINJ } from './xen-mceinj.ts';

const WAYS: { readonly [W in Way]: WayOf<InjectionOf<W>> } = {
  mce: MCE,
  ghes: GHES,
  'boot-record': BOOT_RECORD,
  einj: EINJ,
  'corrupt-pfn': HOST_PAGE,
  'soft-offline': HOST_PAGE,
  madvise: PROCESS_PAGE,
  'madvise-soft-offline': PROCESS_PAGE,
  userfaultfd: PROCESS_PAGE,
  'stage-2-walk': STAGE_2_WALK,
  cxl: CXL,
  'xen-mceinj': XEN_MCEINJ,
  hmp: MONITOR,
  qmp: MONITOR,
  'write-file': MONITOR,
  'write-msr': MONITOR,
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
