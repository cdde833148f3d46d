/**
 * @module The storm breaker: when many hosts report new errors at once, something else than their memory is broken (power, firmware,
 * a source of ours), and nothing new is begun. When it closes, all is decided on what is the case then; what came meanwhile is
 * history.
 */
import { giveUpMove } from './move.ts';
import type { State } from './state.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide } from './turn.ts';
import type { Turn } from './turn.ts';

/** Whether too many hosts have new errors. */
export function watchBreaker(t: Turn): void {
  const { breaker, policy, hosts } = t.s;
  const { within, percent, hosts: least } = policy.breaker;
  // Oldest first: a storm costs no more at each step the longer it lasts.
  for (const [host, at] of breaker.hosts) {
    if (t.now - at <= within) break;
    breaker.hosts.delete(host);
  }
  if (breaker.open !== undefined) return;
  const limit = Math.max(least, Math.ceil((hosts.size * percent) / 100));
  if (breaker.hosts.size < limit) return;
  breaker.open = { at: t.now, last: t.now };
  dropWaiting(t, 'many hosts have errors at once, and the cause is looked for first');
  alarm(t, 'breaker-open', 'fleet', {
    summary:
      `${breaker.hosts.size} of ${hosts.size} hosts have new memory errors within ${Math.round(within / 60_000)} minutes. ` +
      'That is no set of bad DIMMs: nothing new is begun until it is over, or until somebody closes the breaker.',
  });
}

/** Closes it when nothing new has come for long enough. */
export function coolBreaker(t: Turn): void {
  const { open } = t.s.breaker;
  const { cooldown } = t.s.policy.breaker;
  if (open === undefined || cooldown === 0 || t.now - open.last < cooldown) return;
  closeBreaker(t, '', 'no host has had a new error for the time that the policy gives');
}

/** When {@link coolBreaker} closes it. */
export function dueBreaker({ breaker, policy }: State, due: Due): void {
  if (breaker.open !== undefined && policy.breaker.cooldown > 0) due(breaker.open.last + policy.breaker.cooldown);
}

/** Closes it, and has everything judged again as it is now. */
export function closeBreaker(t: Turn, by: string, reason: string): void {
  if (t.s.breaker.open === undefined) return;
  delete t.s.breaker.open;
  t.s.breaker.hosts.clear();
  calm(t, 'breaker-open', 'fleet');
  decide(t, {
    rule: 'core/breaker-close',
    rung: 'observe',
    inputs: { by },
    why: `The storm breaker is closed: ${reason}. All VMs and hosts are judged by their present state.`,
  });
  judgeAll(t, 'nothing asks for it any more');
}

/** What rules have planned and nobody has begun is history when all is judged anew. Its owners are told, unless it is planned again. */
export function dropWaiting(t: Turn, why: string): void {
  for (const id of t.s.moving) {
    const vm = t.s.vms.get(id);
    if (vm?.move === undefined || vm.move.begun || vm.move.by !== '') continue;
    giveUpMove(t, vm, why);
  }
}

/**
 * Forgets what was decided last, so that all is decided again on the present state.
 * @param why what was planned and is not planned again is not done
 */
export function judgeAll(t: Turn, why: string): void {
  dropWaiting(t, why);
  for (const vm of t.s.vms.values()) {
    delete vm.decided;
    t.vms.add(vm.id);
  }
  for (const host of t.s.hosts.values()) {
    delete host.decided;
    t.hosts.add(host.id);
  }
}
