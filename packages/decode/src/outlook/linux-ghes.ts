/** @module What Linux does with a record from firmware. Source: Linux drivers/acpi/apei/ghes.c, 6.1 to 7.2. */
import { bit, defineRegister } from '../registers/register.ts';
import { CPER_SECTION_FLAGS } from '../cper/flags.ts';
import { SECTION_MEMORY, SECTION_PCIE, SECTION_PROC_ARM, SECTION_PROC_GENERIC } from '../cper/guid.ts';
import { MEMORY_ERROR_TYPES } from '../cper/memory.ts';
import type { CperRecord, CperSection } from '../cper/record.ts';
import type { Facts } from './facts.ts';
import { PrintedAddress } from './linux-messages.ts';
import { memoryFailure, signalled } from './memory-failure.ts';
import type { Ending, Run } from './prediction.ts';
import { defineRules } from './rule.ts';
import type { Rule } from './rule.ts';

export const GHES_RULES = defineRules('linux.ghes', 'Linux drivers/acpi/apei/ghes.c', {
  'previous-boot': [
    'Linux found the record at boot (BERT): it tells of the boot before. It is printed and nobody acts on it.',
    'read',
    'Linux drivers/acpi/apei/bert.c bert_print_all()',
  ],
  fatal: ['A fatal record stops the system.', 'observed'],
  corrected: ['A corrected record is printed and needs nothing.', 'observed'],
  threshold: ['A corrected memory error over its threshold: the page is moved elsewhere (soft offline).'],
  informational: ['A record without a severity is printed.'],
  asynchronous: ['A recoverable memory error that nobody consumed: its page goes to memory_failure().', 'observed'],
  synchronous: ['A recoverable memory error behind an external abort: memory_failure() with action required.'],
  'no-address': ['A memory error without a physical address names no page.'],
  'section-severity': ['The section itself is not recoverable: only printed.'],
  'arm-cache': ['A recoverable cache error of an Arm CPU with a physical address: its page goes to memory_failure().'],
  'arm-other': ['An Arm processor error that is no cache error, or has no address, is printed.'],
  unhandled: ['Nothing can be recovered from this kind of section: it is printed.'],
  'no-section': ['A record without a section names nothing: only its header is printed.'],
  'nothing-queued': ['Nothing could be done about an error that was consumed: the process gets SIGBUS.'],
  'kernel-abort': ['An abort of the kernel itself is not looked up in firmware records: it is fatal for the task.'],
});

const R = GHES_RULES;

/** An ARM error type as Linux reads it, which is that of UEFI since 2.9A: a bit mask. */
const ARM_ERROR_TYPE = defineRegister({
  name: 'ArmErrorType',
  width: 8,
  source: 'UEFI 2.10 N.2.4.4.1, type',
  fields: [bit(1, 'CACHE', 'cache error')],
});

/** As the kernel prints them. */
const SECTION_NAMES: Readonly<Record<string, string>> = {
  [SECTION_MEMORY]: 'memory error',
  [SECTION_PROC_ARM]: 'ARM processor error',
  [SECTION_PROC_GENERIC]: 'general processor error',
  [SECTION_PCIE]: 'PCIe error',
};
/** Memory error type of UEFI 2.10 N.2.5. */
const MIRROR_BROKEN = 11;

const wide = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
const word = (severity: CperRecord['severity']): string => (severity === 'none' ? 'info' : severity);

/** True for a record of the boot error record table. */
function ofPreviousBoot(record: CperRecord & { previousBoot?: true }): boolean {
  return record.previousBoot === true;
}

function print(record: CperRecord, run: Run): void {
  const previous = ofPreviousBoot(record);
  const line = (text: string): void => run.print(`${previous ? '' : '{<n>}'}[Hardware Error]: ${text}`);
  if (previous) run.print('BERT: Error records from previous boot:');
  else line('Hardware error from APEI Generic Hardware Error Source: <source>');
  if (record.severity === 'corrected') line('It has been corrected by h/w and requires no further action');
  line(`event severity: ${word(record.severity)}`);
  record.sections.forEach((section, i) => {
    line(` Error ${i}, type: ${word(section.severity)}`);
    const name = SECTION_NAMES[section.type];
    line(name === undefined ? `  section type: unknown, ${section.type}` : `  section_type: ${name}`);
    if (section.body.kind !== 'memory') return;
    const { errorStatus, physicalAddress, physicalAddressMask, errorType } = section.body;
    if (errorStatus !== undefined) line(`  error_status: <status>`);
    if (physicalAddress !== undefined) line(`  physical_address: ${wide(physicalAddress)}`);
    if (physicalAddressMask !== undefined) line(`  physical_address_mask: ${wide(physicalAddressMask)}`);
    if (errorType !== undefined) line(`  error_type: ${errorType}, ${kernelErrorType(errorType)}`);
  });
}

/** The kernel's word for a memory error type: mem_err_type_strs of drivers/firmware/efi/cper.c. */
function kernelErrorType(type: number): string {
  if (type === MIRROR_BROKEN) return 'mirror Broken';
  return MEMORY_ERROR_TYPES[type] ?? 'unknown';
}

interface Work {
  address: bigint;
  rule: Rule;
}

/** Cache errors with a physical address in an ARM processor section. */
function armCacheErrors(body: CperSection['body']): bigint[] {
  if (body.kind !== 'arm-processor') return [];
  return body.errors.flatMap(e =>
    e.physicalAddress !== undefined && ARM_ERROR_TYPE.read(BigInt(e.type ?? 0)).CACHE ? [e.physicalAddress] : [],
  );
}

/** The pages of one section that go to memory_failure(), and the rule that said so or said why not. */
function workOf(section: CperSection, record: CperRecord, synchronous: boolean): { work: Work[]; rule: Rule } {
  if (section.body.kind === 'memory' && section.type === SECTION_MEMORY) {
    if (section.body.physicalAddress === undefined) return { work: [], rule: R['no-address'] };
    if (record.severity !== 'recoverable' || section.severity !== 'recoverable') {
      return { work: [], rule: R['section-severity'] };
    }
    const rule = synchronous ? R.synchronous : R.asynchronous;
    return { work: [{ address: section.body.physicalAddress, rule }], rule };
  }
  if (section.type === SECTION_PROC_ARM) {
    const pages = section.severity === 'recoverable' ? armCacheErrors(section.body) : [];
    return pages.length === 0
      ? { work: [], rule: R['arm-other'] }
      : { work: pages.map(address => ({ address, rule: R['arm-cache'] })), rule: R['arm-cache'] };
  }
  return { work: [], rule: R.unhandled };
}

const ORDER: readonly Ending['outcome'][] = ['killed', 'signalled', 'logged'];

/** A record of the generic hardware error source; `synchronous`: it came with an external abort. */
export function linuxGhes(record: CperRecord, synchronous: boolean, facts: Facts, run: Run): Ending {
  if (ofPreviousBoot(record)) {
    print(record, run);
    return run.end('logged', R['previous-boot'], 'printed');
  }
  if (synchronous && facts.get('running') !== 'user' && record.severity !== 'fatal') {
    run.note(R['kernel-abort'], 'oops');
    const panics = facts.get('panicOnOops') || facts.get('running') === 'idle';
    run.print('Internal error: synchronous external abort: <esr> [#1]');
    if (panics) run.print('Kernel panic - not syncing: <cause>');
    return { outcome: panics ? 'panicked' : 'killed', rule: R['kernel-abort'] };
  }
  print(record, run);
  if (record.severity === 'fatal') {
    run.print('Kernel panic - not syncing: GHES: Fatal hardware error');
    return run.end('panicked', R.fatal, 'panic');
  }
  if (record.severity === 'corrected') {
    const over = record.sections.some(
      s =>
        s.body.kind === 'memory' &&
        s.body.physicalAddress !== undefined &&
        CPER_SECTION_FLAGS.read(BigInt(s.flags)).THRESHOLD_EXCEEDED,
    );
    return over ? run.end('logged', R.threshold, 'soft offline') : run.end('logged', R.corrected, 'printed');
  }
  if (record.severity === 'none') return run.end('logged', R.informational, 'printed');
  if (record.sections.length === 0) run.note(R['no-section'], 'printed');
  let worst: Ending | undefined;
  for (const section of record.sections) {
    const { work, rule } = workOf(section, record, synchronous);
    run.note(rule, work.length === 0 ? 'printed' : `${work.length === 1 ? 'one page' : `${work.length} pages`}`);
    for (const { address } of work) {
      const ending = memoryFailure(new PrintedAddress(address), synchronous, facts, run);
      const done = ending.failed ? signalled(facts, run, 'SI_KERNEL') : ending;
      if (worst === undefined || ORDER.indexOf(done.outcome) < ORDER.indexOf(worst.outcome)) worst = done;
    }
  }
  if (worst !== undefined) return worst;
  if (!synchronous) return { outcome: 'logged' };
  run.note(R['nothing-queued'], 'SIGBUS');
  return signalled(facts, run, 'SI_KERNEL');
}
