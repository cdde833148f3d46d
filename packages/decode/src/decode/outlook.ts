/** @module What the consumers that can get a record do with it, short: the whole answer is `syndrome predict`. */
import { tellingLine } from '../outlook/telling.ts';
import { settingText } from '../outlook/explain-prediction.ts';
import type { Consumer, OutlookContext } from '../outlook/context.ts';
import { firstConsumer, predictAll } from '../outlook/predict.ts';
import { caseOf } from '../outlook/case.ts';
import type { OutlookCase } from '../outlook/case.ts';
import type { OutlookRecord } from '../outlook/record.ts';
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import type { DecodedOutlook, InputForm } from './record.ts';

/** Who can get what stands in such an input. What is not here says nothing of where it came from. */
const READERS: Partial<Record<InputForm, readonly Consumer[]>> = {
  // Written by the kernel that got it.
  linux: ['linux'],
  mcelog: ['linux'],
  rasdaemon: ['linux'],
  'mce-inject': ['linux'],
  'journal-export': ['linux'],
  'journal-json': ['linux'],
  cper: ['linux'],
  ghes: ['linux'],
  'cper-section': ['linux'],
  'mce-erst': ['linux'],
  xen: ['xen'],
  'xen-mcelog': ['xen', 'linux'],
  qemu: ['qemu', 'linux', 'xen'],
  qmp: ['qemu', 'linux'],
  vmm: ['vmm', 'linux'],
  // Systems whose rules are not here, what runs before any system, and what runs beside all of them.
  esxi: [],
  freebsd: [],
  macos: [],
  illumos: [],
  ontap: [],
  windows: [],
  firmware: [],
  bmc: [],
};

/** Whether anybody whose rules are known can get what stands in such an input. */
export function hasReaders(from: InputForm | undefined): boolean {
  return from === undefined || READERS[from]?.length !== 0;
}

/** Consumers of a record that was given as values: those of a machine without a monitor in between. */
function anybody(record: OutlookCase): readonly Consumer[] {
  if (record.kind === 'sigbus') return ['qemu'];
  if (record.kind === 'cxl') return ['linux'];
  if (record.kind !== 'arm-sea') return ['linux', 'xen'];
  const first = firstConsumer(record);
  return first === 'linux' ? ['linux', ...(record.el === undefined ? (['kvm'] as const) : [])] : [first, 'linux'];
}

/** The group of inputs whose records have the same consumers: one word. */
export function readersOf(from: InputForm | undefined): string {
  const readers = from === undefined ? undefined : READERS[from];
  if (readers?.length === 0) return 'none';
  return readers === undefined ? '' : `${from === 'qemu' ? 'monitor ' : ''}${readers.join(' ')}`;
}

/**
 * One answer for each consumer that can get the record and each state the CPU may have been in, with what the answer
 * depends on.
 * @param from how the input was read: a line of a kernel’s log was not given to a monitor
 */
export function outlookOf(record: OutlookRecord, from?: InputForm): DecodedOutlook[] {
  return outlookOfCase(caseOf(record), from);
}

/** The outlook of what rules get for a record. Of a machine check the case says afterwards which bits of the status counted. */
export function outlookOfCase(seen: OutlookCase, from?: InputForm): DecodedOutlook[] {
  const readers = (from === undefined || seen.kind === 'sigbus' ? undefined : READERS[from]) ?? anybody(seen);
  const known: Partial<OutlookContext> =
    from === 'qemu' && seen.kind === 'x86-mca' && MCI_STATUS_INTEL.read(seen.status).UC
      ? { delivery: 'exception' }
      : {};
  return predictAll(seen, known, { consumers: readers }).map(p => {
    const context: Record<string, string> = {};
    for (const setting of ['delivery', 'running'] as const) {
      const value = p.context[setting] ?? p.assumptions.find(a => a.setting === setting)?.value;
      if (value !== undefined) context[setting] = settingText(value);
    }
    return {
      consumer: p.consumer,
      context,
      outcome: p.outcome,
      certainty: p.certainty,
      rule: { id: p.rule.id, text: p.rule.text },
      dependsOn: p.dependsOn,
      messages: p.messages,
    };
  });
}

/** The one line of `messages` to look for in a log, without the numbers that differ from record to record. */
export function tellingMessage(messages: readonly string[]): string | undefined {
  return tellingLine(messages)
    ?.trim()
    .replaceAll(/0x[0-9a-f]+/g, '0x…')
    .replace(/\b(CPUs?) ?[0-9a-f]+\b/, '$1 …');
}
