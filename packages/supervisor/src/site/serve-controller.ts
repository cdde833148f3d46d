/** @module A controller as a site's file describes it, in this process, until it is told to stop. */
import { openStore } from '@syndrome/base/store/open.ts';
import { weaknessesOf } from '@syndrome/base/store/weakness.ts';
import { runController } from '../controller/controller.ts';
import { patiently } from '../controller/passing.ts';
import { deliver, type Sender } from '../notify/deliver.ts';
import { wants } from '../notify/target.ts';
import type { ServedApi } from '../rest/serve.ts';
import type { Site } from './site.ts';

/** What it says to people, a line each. */
type Log = (line: string) => void;

/**
 * Runs the controller of a site. A store that is away at first is waited for.
 * @param out takes the notices of targets of kind `log`, a line each
 * @throws StoreError, ControllerError
 */
export async function serveController(site: Site, stop: AbortSignal, log: Log, out: Log): Promise<void> {
  const store = await patiently(() => openStore(site.store), stop, log);
  if (store === undefined) return;
  const over = new AbortController();
  const ending = AbortSignal.any([stop, over.signal]);
  let api: ServedApi | undefined;
  const sender: Sender = { site: site.site, playbooks: site.playbooks, now: () => Date.now(), log: out };
  try {
    const weak = [...site.weak, ...((await patiently(() => weaknessesOf(site.store, store), stop, log)) ?? [])];
    for (const line of weak) log(`weaker than it could be: ${line}`);
    // A site without an API loads nothing of it.
    if (site.api !== undefined) api = await (await import('../rest/serve.ts')).serveApi(site.api, ending, log);
    await runController(
      {
        store,
        agentSocket: site.sockets.agents,
        adminSocket: site.sockets.admin,
        targets: site.targets.map(t => t.name),
        targetsOf: ({ type }) => site.targets.filter(t => wants(t, type)).map(t => t.name),
        deliver: async (notice, name, signal) => {
          const target = site.targets.find(t => t.name === name);
          return target === undefined ? { ok: true } : deliver(sender, target, notice, signal);
        },
        fences: site.fences,
        policy: { policy: site.policy, by: 'the file of the site' },
        weak,
        ...(api === undefined ? {} : { desk: api.desk }),
        ...(site.agentPort === undefined ? {} : { agentPort: site.agentPort }),
        ...(store.backup === undefined ? {} : { backup: store.backup.bind(store) }),
        log,
      },
      stop,
    );
  } finally {
    over.abort();
    await api?.ended;
    await store.close();
  }
}
