/** @module What the ledger of a drill holds when all has ended: replayed, and read for its times. */
import { openSqlite } from '@syndrome/base/store/sqlite.ts';
import { inputsOf } from '@syndrome/supervisor/controller/input-json.ts';
import { inputsAfter } from '@syndrome/supervisor/controller/journal.ts';
import { replay } from '@syndrome/supervisor/controller/replay.ts';
import type { StopProof } from '@syndrome/supervisor/core/act.ts';
import type { Decision } from '@syndrome/supervisor/core/input.ts';
import type { Notice } from '@syndrome/supervisor/core/notice.ts';
import { newState } from '@syndrome/supervisor/core/state.ts';
import type { Incident, Page } from '@syndrome/supervisor/core/state.ts';
import { step } from '@syndrome/supervisor/core/step.ts';

export interface LedgerFacts {
  replay: 'same' | 'differs';
  incidents: Incident[];
  pages: Page[];
  /** Sources by the times at which what they saw of the VM's errors became durable, ms UTC. */
  seen: { source: string; event: string; durable: number; when: number }[];
  decisions: Decision[];
  /** What customer and operator were told, in that order. */
  notices: Notice[];
  proofs: StopProof[];
  /** When the VM was first seen running on a host, by its agent, ms UTC; with its epoch. */
  running: { host: string; at: number; epoch: number }[];
}

/** Reads a ledger, and decides everything again. @throws StoreError, ControllerError */
export async function factsOfLedger(file: string, vm: string): Promise<LedgerFacts> {
  const store = await openSqlite(file);
  try {
    const state = newState();
    const facts: Pick<LedgerFacts, 'seen' | 'decisions' | 'notices' | 'running'> = {
      seen: [],
      decisions: [],
      notices: [],
      running: [],
    };
    for await (const row of inputsAfter(store.query, 0)) {
      for (const input of inputsOf(row)) {
        for (const effect of step(state, input)) {
          if (effect.effect === 'decision') facts.decisions.push(effect.decision);
          if (effect.effect === 'notice') facts.notices.push(effect.notice);
        }
        if (input.input !== 'row') continue;
        const { said, host, at } = input.row;
        if (said.kind === 'event' && said.vm === vm) {
          facts.seen.push({ source: said.source, event: said.event.name, durable: input.at, when: said.when ?? at });
        }
        if (
          said.kind === 'vm' &&
          said.vm === vm &&
          said.state === 'running' &&
          !facts.running.some(r => r.host === host)
        )
          facts.running.push({ host, at, epoch: said.epoch });
      }
    }
    const copies = state.vms.get(vm)?.copies ?? [];
    const { differs } = await replay(store.query);
    return {
      ...facts,
      replay: differs === undefined ? 'same' : 'differs',
      incidents: [...state.incidents.values()],
      pages: [...state.hosts.values()].flatMap(host => [...host.pages.values()]),
      proofs: copies.flatMap(copy => (copy.proof === undefined ? [] : [copy.proof])),
    };
  } finally {
    await store.close();
  }
}
