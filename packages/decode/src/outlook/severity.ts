/** @module Linux's grades of a machine check, common to both vendors. */
import { MCG_STATUS } from '../mca/registers.ts';
import type { Facts } from './facts.ts';
import { contextKeptBy } from './linux-quirks.ts';
import type { Rule } from './rule.ts';
import { versionSince } from './version.ts';

/** Lowest first; DEFERRED and UCNA are one grade. Source: Linux arch/x86/kernel/cpu/mce/internal.h. */
export type Grade = 'NO' | 'DEFERRED' | 'UCNA' | 'KEEP' | 'SOME' | 'AO' | 'UC' | 'AR' | 'PANIC';

const RANK: Record<Grade, number> = { NO: 0, DEFERRED: 1, UCNA: 1, KEEP: 2, SOME: 3, AO: 4, UC: 5, AR: 6, PANIC: 7 };

/** True when `grade` is not worse than `limit`. */
export function atMost(grade: Grade, limit: Grade): boolean {
  return RANK[grade] <= RANK[limit];
}

export interface Severity {
  grade: Grade;
  /** The text Linux prints after `Machine check: ` when it panics; empty where the older AMD rules print none. */
  message: string;
  rule: Rule;
}

export type CpuContext = 'user' | 'kernel' | 'kernel-recoverable';

/**
 * In which context Linux believes the error happened. Without RIPV and EIPV the saved code segment is not believed, but
 * for the errata of linux-quirks.ts;
 * recovery inside the kernel wants both. A poll never believes anything. Source: severity.c error_context().
 */
export function cpuContext(facts: Facts, exception: boolean): CpuContext {
  if (!exception) return 'kernel';
  const { RIPV, EIPV } = MCG_STATUS.read(facts.get('mcgStatus'));
  if (!RIPV && !EIPV && contextKeptBy(facts) === undefined) return 'kernel';
  const running = facts.get('running');
  if (running === 'user') return 'user';
  if (running !== 'kernel-recoverable' || !RIPV || !EIPV) return 'kernel';
  // Copies from user space are recovered from since 5.10 (c0ab7ffce275).
  return versionSince(facts.get('version'), '5.10') ? 'kernel-recoverable' : 'kernel';
}
