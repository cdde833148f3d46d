/** @module What Linux does with a page that has gone bad. Source: Linux mm/memory-failure.c, 6.1 to 7.2. */
import type { Facts } from './facts.ts';
import type { PrintedAddress } from './linux-messages.ts';
import type { Ending, OutlookOutcome, Run, SignalCode } from './prediction.ts';
import { defineRules } from './rule.ts';
import { versionSince } from './version.ts';

export const MEMORY_FAILURE_RULES = defineRules('linux.memory-failure', 'Linux mm/memory-failure.c', {
  off: ['Without CONFIG_MEMORY_FAILURE the kernel cannot take a page away.'],
  outside: ['The address is not memory that the kernel manages.'],
  already: ['The page was taken away before; an access to it is answered with SIGBUS.'],
  free: ['A free page is taken out of the allocator; nobody is told.', 'observed'],
  clean: [
    'A page that is as its file is on disk is dropped; nobody is told, and the next access reads it again.',
    'observed',
    'Linux mm/memory-failure.c me_pagecache_clean()',
  ],
  kernel: ['A page of the kernel itself cannot be taken away.'],
  'action-required': [
    'The page is taken away and the thread that consumed it gets SIGBUS BUS_MCEERR_AR.',
    'observed',
    'Linux mm/memory-failure.c kill_proc()',
  ],
  early: [
    'The page is taken away; processes that asked for early kill get SIGBUS BUS_MCEERR_AO.',
    'observed',
    'Linux mm/memory-failure.c kill_proc()',
  ],
  late: ['The page is taken away; who maps it learns it only at the next access (BUS_MCEERR_AR).', 'observed'],
});

export const SIGNAL_RULES = defineRules('linux.sigbus', 'Linux signal(7); prctl(2) PR_MCE_KILL', {
  handled: ['The process handles SIGBUS and goes on.', 'observed'],
  deadly: ['Without a handler SIGBUS ends the process.', 'observed'],
});

/** A process gets SIGBUS: whether it lives. */
export function signalled(facts: Facts, run: Run, code: SignalCode, assumedHandler?: boolean): Ending {
  const handled = facts.get('sigbusHandler', assumedHandler);
  const outcome: OutlookOutcome = handled ? 'signalled' : 'killed';
  return { ...run.end(outcome, handled ? SIGNAL_RULES.handled : SIGNAL_RULES.deadly, `SIGBUS ${code}`), signal: code };
}

/** What memory_failure() took away counts as handled, and its record is not printed unless mce=print_all. */
export function tookAway({ rule }: Ending): boolean {
  const R = MEMORY_FAILURE_RULES;
  return rule !== R.off && rule !== R.outside && rule !== R.already && rule !== R.kernel;
}

/**
 * memory_failure() of the page at `address`. With `actionRequired` the current thread consumed the data; when the
 * page cannot be taken away the caller of Linux kills that thread, which `failed` says.
 */
export function memoryFailure(
  address: PrintedAddress,
  actionRequired: boolean,
  facts: Facts,
  run: Run,
): Ending & { failed?: true } {
  const R = MEMORY_FAILURE_RULES;
  const pfn = address.page;
  const failed = (ending: Ending): Ending & { failed?: true } =>
    actionRequired ? { ...ending, failed: true } : ending;
  if (!facts.get('memoryFailure')) return failed(run.end('logged', R.off, `page ${pfn} stays as it is`));
  const page = facts.get('page');
  switch (page) {
    case 'none':
      run.print(
        versionSince(facts.get('version'), '6.19')
          ? `Memory failure: ${pfn}: recovery action for non struct page pfn: Ignored`
          : `Memory failure: ${pfn}: memory outside kernel control`,
      );
      return failed(run.end('logged', R.outside, `no page at ${address.text}`));
    case 'poisoned':
      run.print(`Memory failure: ${pfn}: already hardware poisoned`);
      run.note(R.already, `page ${pfn}`, 'memory-failure');
      return actionRequired ? signalled(facts, run, 'BUS_MCEERR_AR') : { outcome: 'logged', rule: R.already };
    case 'free':
      run.print(`Memory failure: ${pfn}: recovery action for free buddy page: Recovered`);
      return run.end('logged', R.free, `page ${pfn}`);
    case 'clean':
      run.print(`Memory failure: ${pfn}: corrupted page was clean: dropped without side effects`);
      run.print(`Memory failure: ${pfn}: recovery action for clean LRU page: Recovered`);
      return run.end('logged', R.clean, `page ${pfn}`);
    case 'kernel':
      run.print(`Memory failure: ${pfn}: recovery action for reserved kernel page: Ignored`);
      return failed(run.end('logged', R.kernel, `page ${pfn}`));
    case 'user':
      break;
  }
  const early = actionRequired || facts.get('earlyKill');
  if (early) run.print(`Memory failure: ${pfn}: Sending SIGBUS to <comm>:<pid> due to hardware memory corruption`);
  run.print(`Memory failure: ${pfn}: recovery action for <page type>: Recovered`);
  if (!early) return run.end('logged', R.late, `page ${pfn}`);
  run.note(actionRequired ? R['action-required'] : R.early, `page ${pfn}`, 'memory-failure');
  return actionRequired
    ? signalled(facts, run, 'BUS_MCEERR_AR')
    : signalled(facts, run, 'BUS_MCEERR_AO', facts.get('earlyKill'));
}
