/** What several owners of one lease have done and been told, and what may not be in it. */

/** One thing that was asked of the store, and its answer; times are of one steady clock. */
export type LeaseEvent = { owner: string; asked: number; answered: number } & (
  | { kind: 'take'; epoch: bigint | undefined }
  | { kind: 'write'; epoch: bigint; id: number; outcome: 'done' | 'refused' }
);

/** A write as the store has it, in the order of the store. */
export interface LeaseWrite {
  id: number;
  owner: string;
  epoch: bigint;
}

/**
 * What is wrong with a history: nothing, where each epoch had one owner, no epoch came before one that was known already, nothing
 * was written under an epoch after a later one had written, and what was confirmed is there and what was refused is not.
 */
export function leaseFaults(history: readonly LeaseEvent[], written: readonly LeaseWrite[]): string[] {
  const faults: string[] = [];
  const owners = new Map<bigint, string>();
  const taken = history.flatMap(e => (e.kind === 'take' && e.epoch !== undefined ? [{ ...e, epoch: e.epoch }] : []));
  for (const { epoch, owner } of [...taken, ...written]) {
    const known = owners.get(epoch) ?? owner;
    if (known !== owner) faults.push(`epoch ${epoch} is of ${known} and of ${owner}`);
    owners.set(epoch, known);
  }
  for (const a of taken) {
    const late = taken.find(b => b.asked > a.answered && b.epoch < a.epoch);
    if (late !== undefined) faults.push(`epoch ${late.epoch} was given after epoch ${a.epoch} was known`);
  }
  for (const [i, { epoch, id }] of written.entries()) {
    const before = written[i - 1];
    if (before !== undefined && before.epoch > epoch)
      faults.push(`write ${id} of epoch ${epoch} stands after one of epoch ${before.epoch}`);
  }
  const there = new Map(written.map(w => [w.id, w]));
  if (there.size < written.length) faults.push('a write is there twice');
  for (const e of history) {
    if (e.kind !== 'write') continue;
    if (e.outcome === 'done' && there.get(e.id)?.epoch !== e.epoch)
      faults.push(`write ${e.id} was confirmed and is lost`);
    if (e.outcome === 'refused' && there.has(e.id)) faults.push(`write ${e.id} was refused and is there`);
  }
  return faults;
}
