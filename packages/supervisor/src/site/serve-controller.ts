/** @module A controller as a site's file describes it, in this process, until it is told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { openStore } from '@syndrome/base/store/open.ts';
import { weaknessesOf } from '@syndrome/base/store/weakness.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { runController } from '../controller/controller.ts';
import { AgentGate } from '../controller/gate.ts';
import type { Listening } from '../controller/listen.ts';
import { isTaken, listenTls } from '../controller/listen-tls.ts';
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

/**
 * Runs the controller of a site; of each of its shards, where it has several. A store that is away at first is waited for. A shard that cannot go on is
 * left alone and tried again later; the others are worked on.
 * @param out takes the notices of targets of kind `log`, a line each
 * @param page the page for people, where the site has an API
 * @throws StoreError, ControllerError where nothing is left that could be worked on
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
  let api: ServedApi | undefined;
  let port: Listening | undefined;
  try {
    const shards = site.ledgers.flatMap(({ shard }) => shard ?? []);
    const gate = new AgentGate(shards.length === 0 ? () => '' : site.shardOf);
    // A site without an API loads nothing of it.
    if (site.api !== undefined) {
      const { serveApi } = await import('../rest/serve.ts');
      api = await serveApi({ ...site.api, ...(page && { page }) }, ending, log, shards);
    }
    const { agentPort } = site;
    if (agentPort !== undefined) {
      port = await whenFree(() => listenTls(agentPort, (socket, host) => gate.accept(socket, host), log), ending, log);
      if (port === undefined) return;
    }
    const desk: Working = { site, gate, api, log, out };
    const [only] = site.ledgers;
    if (shards.length === 0 && only !== undefined) await workOn(only, desk, ending);
    else await share(desk, ending, over);
  } finally {
    over.abort();
    await port?.close();
    await api?.ended;
  }
}

/** What all ledgers of a process are worked on with. */
interface Working {
  site: Site;
  gate: AgentGate;
  api: ServedApi | undefined;
  log: Log;
  out: Log;
  share?: Share;
}

/** How soon a port is asked for again that another process of this machine has, ms. */
const PORT_AGAIN_MS = 250;

/** Whoever's agents nobody could reach works on nothing: the port is waited for before that. */
async function whenFree<T>(listen: () => Promise<T>, stop: AbortSignal, log: Log): Promise<T | undefined> {
  for (let said = false; !stop.aborted; said = true) {
    try {
      return await listen();
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (!said)
        log(
          `${messageOf(error)}: this controller waits until the port is free; two of one machine that work at a time need a port each (agents.port)`,
        );
    }
    await sleep(PORT_AGAIN_MS, undefined, { signal: stop }).catch(() => {});
  }
  return undefined;
}

/** Whether an attestation can be made by two people: two tokens may fence. */
const hasFencers = ({ api }: Site): boolean => (api?.tokens ?? []).filter(t => t.roles.includes('fencer')).length >= 2;

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

/** Opens a ledger, and works on it until the signal. @throws StoreError, ControllerError when that cannot go on */
async function workOn(ledger: Ledger, working: Working, stop: AbortSignal, came?: () => void): Promise<void> {
  const { site, gate, api, out, share } = working;
  const { shard = '', store, sockets } = ledger;
  const log: Log = shard === '' ? working.log : line => working.log(`${shard}: ${line}`);
  const opened = await patiently(() => openStore(store), stop, log);
  if (opened === undefined) return;
  try {
    const weak = [...site.weak, ...((await patiently(() => weaknessesOf(store, opened), stop, log)) ?? [])];
    for (const line of weak) log(`weaker than it could be: ${line}`);
    const tellDesk = api?.deskOf(ledger.shard);
    await runController(
      {
        store: opened,
        agentSocket: sockets.agents,
        adminSocket: sockets.admin,
        ...tellOf(site, out),
        fences: site.fences,
        policy: { policy: site.policy, by: 'the file of the site' },
        weak,
        twoAttest: hasFencers(site),
        log,
        ...(site.agentPort && { agentDoor: gate.door(shard) }),
        ...(share && { share }),
        desk: desk => {
          if (desk !== undefined) came?.();
          tellDesk?.(desk);
        },
        elsewhere: holder => {
          came?.();
          gate.elsewhere(shard, holder);
        },
        ...(opened.backup === undefined ? {} : { backup: opened.backup.bind(opened) }),
      },
      stop,
    );
  } finally {
    share?.forget(opened);
    await opened.close();
  }
}

/** How long a shard that cannot go on is left alone, ms: first, and at most, after failures one behind the other. */
const [FIRST_MS, LONGEST_MS] = [1000, 60_000];

/**
 * Does something until the signal, again and again: what it cannot go on with is tried again later, and told each time.
 * @param attempt @throws whatever it cannot go on with
 */
async function again(
  attempt: () => Promise<void>,
  failed: (error: unknown, pauseMs: number) => void,
  stop: AbortSignal,
): Promise<void> {
  for (let pauseMs = FIRST_MS; !stop.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
    const begun = performance.now();
    try {
      await attempt();
    } catch (error) {
      if (performance.now() - begun > LONGEST_MS) pauseMs = FIRST_MS;
      failed(error, pauseMs);
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/** Works on its part of the shards, as one of several controllers. @throws what the last of them could not go on with, when none of them can */
async function share(working: Working, stop: AbortSignal, over: AbortController): Promise<void> {
  const { site, log, api } = working;
  const { ledgers } = site;
  const part = new Share(ledgers.length, TERM_MS, log);
  const fallen = new Set<Ledger>();
  let last: unknown;
  const works = ledgers.map(ledger =>
    again(
      () =>
        workOn(ledger, { ...working, share: part }, stop, () => {
          fallen.delete(ledger);
          api?.failing(ledger.shard, undefined);
        }),
      (error, pauseMs) => {
        fallen.add(ledger);
        api?.failing(ledger.shard, messageOf(error));
        log(`${ledger.shard}: this shard cannot go on, and is tried again in ${pauseMs / 1000} s: ${messageOf(error)}`);
        if (fallen.size < ledgers.length) return;
        last = error;
        over.abort();
      },
      stop,
    ),
  );
  // Without the place where they meet each of them takes what nobody works on for a while.
  const meet = async (): Promise<void> => {
    const [first] = ledgers;
    const meeting = first && (await patiently(() => openStore(first.store), stop, log));
    if (meeting === undefined) return;
    try {
      if ((await patiently(() => migrate(meeting, SCHEMA), stop, log)) !== undefined) await part.run(meeting, stop);
    } finally {
      await meeting.close();
    }
  };
  const unmet = (error: unknown): void => log(`who else works is not known: ${messageOf(error)}`);
  await Promise.all([...works, again(meet, unmet, stop)]);
  if (last !== undefined) throw last;
}
