/** @module What arm64 Linux does with an external abort or an SError. Source: Linux arch/arm64/mm/fault.c, kernel/traps.c. */
import { armPageOf, classifyArm } from '../arm/classify.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import type { Facts } from './facts.ts';
import { PrintedAddress } from './linux-messages.ts';
import { memoryFailure, signalled } from './memory-failure.ts';
import type { Ending, Run } from './prediction.ts';
import { defineRules } from './rule.ts';

export const SEA_RULES = defineRules('linux.sea', 'Linux arch/arm64/mm/fault.c do_sea()', {
  'no-abort': ['The syndrome is no external abort, no parity error and no SError: nothing of a memory error.'],
  claimed: ['A process was running and APEI has a record for the abort: memory_failure() with action required.'],
  user: ['A process was running and nobody claims the abort: it gets SIGBUS BUS_OBJERR.', 'observed'],
  'user-walk': ['The abort hit the walk of the page tables: the process is killed.'],
  kernel: ['An abort of the kernel is never claimed: the kernel oopses and the task dies.', 'observed'],
  'kernel-fatal': ['An oops of the idle task, or with panic_on_oops, is a panic.'],
});

export const SERROR_RULES = defineRules('linux.serror', 'Linux arch/arm64/kernel/traps.c do_serror()', {
  contained: ['Corrected or restartable (AET CE or UEO): Linux goes on.'],
  unknown: ['The syndrome says nothing that Linux may believe (IDS, or another fault code): panic.', 'observed'],
  fatal: ['The program cannot go on (AET UC, UEU or UER): panic.'],
});

const wide = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0');

/** The kernel's name of the abort. */
function abortName(kind: ReturnType<typeof classifyArm>): string {
  const level = kind.walkLevel === undefined ? '' : `level ${kind.walkLevel} `;
  switch (kind.class) {
    case 'sea-walk':
      return `${level}(translation table walk)`;
    case 'parity':
      return 'synchronous parity or ECC error';
    case 'parity-walk':
      return `${level}synchronous parity error (translation table walk)`;
    default:
      return 'synchronous external abort';
  }
}

/** A synchronous external abort at EL1. */
export function linuxSea(record: ArmSeaRecord, facts: Facts, run: Run): Ending {
  const R = SEA_RULES;
  const kind = classifyArm(record);
  const walk = kind.class === 'sea-walk' || kind.class === 'parity-walk';
  if (kind.class !== 'sea' && kind.class !== 'parity' && !walk) return run.end('none', R['no-abort'], kind.class);
  const user = kind.from === undefined ? facts.get('running') === 'user' : kind.from === 'lower';
  if (!user) {
    run.print(`Internal error: ${abortName(kind)}: ${wide(record.esr)} [#1]`);
    run.note(R.kernel, 'oops');
    const idle = facts.get('running', 'kernel') === 'idle';
    if (!idle && !facts.get('panicOnOops')) return { outcome: 'killed', rule: R.kernel };
    run.print(
      `Kernel panic - not syncing: ${idle ? 'Attempted to kill the idle task!' : `${abortName(kind)}: Fatal exception`}`,
    );
    return run.end('panicked', R['kernel-fatal'], 'panic');
  }
  if (facts.get('apeiClaims')) {
    run.note(R.claimed, 'memory_failure()');
    const page = armPageOf(record);
    // The address is in the firmware's record; without it the page is taken to be one of the process.
    if (page?.space !== 'system') return signalled(facts, run, 'BUS_MCEERR_AR');
    const ending = memoryFailure(new PrintedAddress(page.address), true, facts, run);
    return ending.failed ? signalled(facts, run, 'SI_KERNEL') : ending;
  }
  if (walk) return run.end('killed', R['user-walk'], 'SIGKILL');
  run.note(R.user, 'SIGBUS');
  return signalled(facts, run, 'BUS_OBJERR');
}

/** An SError at EL1. */
export function linuxSerror(record: ArmSeaRecord, run: Run): Ending {
  const { state } = classifyArm(record);
  if (record.ras !== false && (state === 'CE' || state === 'UEO')) {
    return run.end('none', SERROR_RULES.contained, `AET ${state}`);
  }
  run.print(
    `SError Interrupt on CPU${record.cpu ?? '<cpu>'}, code 0x${wide(record.esr)} -- SError`,
    'Kernel panic - not syncing: Asynchronous SError Interrupt',
  );
  const rule = state === 'unknown' || record.ras === false ? SERROR_RULES.unknown : SERROR_RULES.fatal;
  return run.end('panicked', rule, 'panic');
}
