/** @module What is said of a whole record: the rules are asked with what decides, and its own values are put in. */
import { decidingOf } from './deciding.ts';
import { layoutsOf } from './describe.ts';
import type { McaRegister } from './describe.ts';
import { explainIn, explanationFrame } from './explain.ts';
import type { Finding } from './lint-codes.ts';
import { findingsOf } from './lint.ts';
import { stepsFor } from './next-step.ts';
import { pageIn, pageShape } from './page.ts';
import type { PageRef } from './page.ts';
import type { X86McaRecord } from './record.ts';
import type { RegisterView } from '../registers/view.ts';

/**
 * Says what the record is, what reported it and which memory it names. A few sentences, no line breaks, made of
 * registers only (no untrusted text).
 */
export function explain(record: X86McaRecord): string {
  return explainIn(explanationFrame(decidingOf(record)), record, pageOf(record));
}

/** What is known about the CPU beside the record. */
interface LintContext {
  /** MCG_CAP, for records that do not carry it. */
  mcgCap?: bigint;
  /** CPUID leaf 1 EAX, for records that do not carry it. */
  cpuid?: bigint;
}

/**
 * What is wrong or remarkable about a record, errors first. Empty for a record that hardware may well have written.
 * `context` supplies what the record does not carry; the record's own registers win.
 */
export function lint(record: X86McaRecord, context: LintContext = {}): Finding[] {
  const mcgCap = record.mcgCap ?? context.mcgCap;
  const cpuid = record.cpuid ?? context.cpuid;
  return findingsOf(
    decidingOf({
      ...record,
      ...(mcgCap === undefined ? {} : { mcgCap }),
      ...(cpuid === undefined ? {} : { cpuid }),
    }),
  );
}

/** What to do next: the most useful step first. One sentence each; empty only when nothing is known at all. */
export function nextStep(record: X86McaRecord): string[] {
  return stepsFor(decidingOf(record));
}

/**
 * The system memory a record names, or undefined when its address cannot be taken for a system physical one: no
 * ADDRV; vendor not known; a granularity beyond any physical address; Intel: no MISCV or another address mode than
 * physical; AMD: neither PADDRV nor POISON, nor, up to family 16h, a DRAM ECC error of the northbridge.
 */
export function pageOf(record: X86McaRecord): PageRef | undefined {
  if (record.addr === undefined) return undefined;
  const found = pageShape(decidingOf(record));
  return found === undefined ? undefined : pageIn(found, record.addr);
}

/** Every register the record has, in the order a person reads them. */
export function describeRecord(record: X86McaRecord): RegisterView<McaRegister>[] {
  return layoutsOf(decidingOf(record)).map(({ member, name, register }) => {
    const value = record[member] ?? 0n;
    if (register === undefined) return { member, name, value, width: 64, rows: [] };
    const { width, source } = register;
    return { member, name, value, width, source, rows: register.describe(value) };
  });
}
