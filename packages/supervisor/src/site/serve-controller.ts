/** @module A controller as a site's file describes it, in this process, until it is told to stop. */
import { migrate } from '@syndrome/base/store/migrate.ts';
import { openStore } from '@syndrome/base/store/open.ts';
import { weaknessesOf } from '@syndrome/base/store/weakness.ts';
import { runController } from '../controller/controller.ts';
import { AgentGate } from '../controller/gate.ts';
import { listenTls } from '../controller/listen-tls.ts';
import type { ControllerOptions } from '../controller/options.ts';
import { patiently } from '../controller/passing.ts';
import { SCHEMA } from '../controller/schema.ts';
import { Share } from '../controller/share.ts';
import { TERM_MS } from '../core/times.ts';
import { deliver, type Sender } from '../notify/deliver.ts';
import { wants } from '../notify/target.ts';
import type { Api, ServedApi } from '../rest/serve.ts';
import type { Ledger, Site } from './site.ts';

/** What it says to people, a line each. */
type Log = (line: string) => void;
type OpenedStore = Awaited<ReturnType<typeof openStore>>;

/** One ledger of this process, and its store. */
type Opened = Ledger & { opened: OpenedStore };

/**
 * Runs the controller of a site; of each of its shards, where it has several. A store that is away at first is waited for.
 * @param out takes the notices of targets of kind `log`, a line each
 * @param page the page for people, where the site has an API
 * @throws StoreError, ControllerError
 */
export async function serveController(
  site: Site,
  stop: AbortSignal,
  log: Log,
  out: Log,
  page?: Api['page'],
): Promise<void> {
  const over = new AbortController();
  const ending = AbortSignal.any([stop, over.signal]);
  const ledgers: Opened[] = [];
  let api: ServedApi | undefined;
  try {
    for (const ledger of site.ledgers) {
      const opened = await patiently(() => openStore(ledger.store), stop, log);
      if (opened === undefined) return;
      ledgers.push({ ...ledger, opened });
    }
    const [first] = ledgers;
    if (first === undefined) return;
    const weaknesses = await patiently(() => weaknessesOf(first.store, first.opened), stop, log);
    const weak = [...site.weak, ...(weaknesses ?? [])];
    for (const line of weak) log(`weaker than it could be: ${line}`);
    const shards = site.ledgers.flatMap(({ shard }) => shard ?? []);
    // A site without an API loads nothing of it.
    if (site.api !== undefined) {
      const { serveApi } = await import('../rest/serve.ts');
      api = await serveApi({ ...site.api, ...(page && { page }) }, ending, log, shards);
    }
    const all = {
      ...tellOf(site, out),
      fences: site.fences,
      policy: { policy: site.policy, by: 'the file of the site' },
      weak,
    };
    if (shards.length === 0) {
      const { agentPort } = site;
      const door = agentPort && { agentDoor: (accept: AgentGate['accept']) => listenTls(agentPort, accept, log) };
      await work(first, { ...all, ...door, log }, api, ending);
    } else await share(site, ledgers, first.opened, { ...all, log }, api, ending, over);
  } finally {
    over.abort();
    await api?.ended;
    for (const { opened } of ledgers) await opened.close();
  }
}

/** Who is told of a notice, and how. */
function tellOf(
  { site, playbooks, targets }: Site,
  out: Log,
): Pick<ControllerOptions, 'targets' | 'targetsOf' | 'deliver'> {
  const sender: Sender = { site, playbooks, now: () => Date.now(), log: out };
  return {
    targets: targets.map(t => t.name),
    targetsOf: ({ type }) => targets.filter(t => wants(t, type)).map(t => t.name),
    deliver: async (notice, name, signal) => {
      const target = targets.find(t => t.name === name);
      return target === undefined ? { ok: true } : deliver(sender, target, notice, signal);
    },
  };
}

/** What all ledgers of a process are worked on with. */
type Common = Omit<ControllerOptions, 'store' | 'agentSocket' | 'adminSocket' | 'desk' | 'backup'>;

async function work(
  { shard, sockets, opened }: Opened,
  common: Common,
  api: ServedApi | undefined,
  stop: AbortSignal,
): Promise<void> {
  await runController(
    {
      store: opened,
      agentSocket: sockets.agents,
      adminSocket: sockets.admin,
      ...common,
      ...(api === undefined ? {} : { desk: api.deskOf(shard) }),
      ...(opened.backup === undefined ? {} : { backup: opened.backup.bind(opened) }),
    },
    stop,
  );
}

/** Works on its part of the shards, as one of several controllers. */
async function share(
  site: Site,
  ledgers: readonly Opened[],
  meeting: OpenedStore,
  common: Common,
  api: ServedApi | undefined,
  stop: AbortSignal,
  over: AbortController,
): Promise<void> {
  const { log } = common;
  if ((await patiently(() => migrate(meeting, SCHEMA), stop, log)) === undefined) return;
  const part = new Share(meeting, ledgers.length, common.ttlMs ?? TERM_MS, log);
  const gate = new AgentGate(site.shardOf);
  const port = site.agentPort && (await listenTls(site.agentPort, (socket, host) => gate.accept(socket, host), log));
  // What it cannot go on with another controller may: it takes the others, too.
  const orEnd = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      over.abort();
      throw error;
    });
  const works = ledgers.map(ledger => {
    const { shard = '' } = ledger;
    const say: Log = line => log(`${shard}: ${line}`);
    return work(ledger, { ...common, share: part, agentDoor: gate.door(shard), log: say }, api, stop);
  });
  const ended = await Promise.allSettled([...works, part.run(stop)].map(orEnd));
  over.abort();
  await port?.close();
  const fault = ended.find(e => e.status === 'rejected');
  if (fault !== undefined) throw fault.reason;
}
