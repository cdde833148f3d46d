/** @module The work of the one controller that may write, from the moment it may until it ends or is told that it may not. */
import { type Lease, takeLease } from '@syndrome/base/store/lease.ts';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { ActResult } from '../core/act.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Row } from '../core/said.ts';
import { parsePolicy } from '../policy/check.ts';
import type { ListName, Question } from '../wire/admin.ts';
import { type Respond, serveAdmin } from './admin.ts';
import { Agents } from './agents.ts';
import { auditPage, beginning } from './audit.ts';
import { type Clocks, SteadyTime } from './clock.ts';
import type { Desk } from './desk.ts';
import type { ControllerOptions } from './options.ts';
import { ControllerError } from './errors.ts';
import { Committer, type Timeless } from './committer.ts';
import { isPassing } from './passing.ts';
import { Meters } from './meters.ts';
import { Journal, type OpenAct } from './journal.ts';
import { powerOff } from './fence.ts';
import { type Listening, listenAt } from './listen.ts';
import { Outbox } from './outbox.ts';
import { replay } from './replay.ts';
import { Past } from './state-at.ts';
import { fleetView } from './fleet-view.ts';
import {
  actionsView,
  explainView,
  hostsView,
  incidentsView,
  pagesView,
  statusView,
  unservedView,
  vmsView,
  waitingView,
} from './views.ts';

/** Time passes for the core so often, ms. */
const TICK_MS = 500;

export class Leader {
  readonly #options: ControllerOptions;
  readonly #clocks: Clocks;
  readonly #lease: Lease;
  readonly #ttlMs: number;
  readonly #ended = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  readonly #listening: Listening[] = [];
  readonly #subscribers = new Set<(event: unknown) => void>();
  readonly #watchers = new Set<() => void>();
  readonly #fencing = new Set<string>();
  readonly #meters = new Meters();

  constructor(options: ControllerOptions, clocks: Clocks, lease: Lease, ttlMs: number) {
    this.#options = options;
    this.#clocks = clocks;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
  }

  /** Ends the work in order. */
  end(): void {
    this.#ended.resolve();
  }

  /** @throws StoreError E_STORE_LEASE when another one works now; StoreError, ControllerError when nothing can go on */
  async work(): Promise<void> {
    const failed = (error: unknown): void => this.#ended.reject(error);
    this.#ended.promise.catch(() => {});
    const renew = this.#keepLease(failed);
    try {
      await this.#lead(failed);
    } finally {
      clearInterval(renew);
      this.#over.abort();
    }
  }

  /** Renews the lease, from before the ledger is read: that may take its time. */
  #keepLease(failed: (error: unknown) => void): NodeJS.Timeout {
    const { store, log } = this.#options;
    let asking = false;
    return setInterval(() => {
      // A store that does not answer has enough to do.
      if (asking) return;
      asking = true;
      takeLease(store, this.#lease.name, this.#lease.owner, this.#ttlMs)
        .then(
          lease => {
            if (lease?.epoch !== this.#lease.epoch)
              failed(new StoreError('E_STORE_LEASE', 'the lease has passed to another controller'));
          },
          (error: unknown) => (isPassing(error) ? log(messageOf(error)) : failed(error)),
        )
        .finally(() => (asking = false));
    }, this.#ttlMs / 3);
  }

  async #lead(failed: (error: unknown) => void): Promise<void> {
    const { store, targets, log } = this.#options;
    const journal = await Journal.open(store, this.#lease, { ...this.#options, ttlMs: this.#ttlMs });
    const time = new SteadyTime(this.#clocks, journal.state.now);
    log(`the ledger has ${journal.seq} inputs and ${journal.state.decisions.count} decisions`);
    for (const { target, waiting } of await unservedView(store.query, targets))
      log(`${waiting} notices wait for ${target}, which is no target any more: name it again, or nobody is told`);
    const committer = new Committer(journal, time, log, failed, committed => {
      this.#meters.rows(committed.rows, time.now());
      this.#meters.again += committed.again;
      for (const act of committed.ended) this.#meters.ended(act, time.now());
      if (committed.notices) outbox.wake();
      for (const effect of [...committed.effects.values()].flat()) for (const tell of this.#subscribers) tell(effect);
      for (const tell of this.#watchers) tell();
      dispatch();
    });
    const outbox = new Outbox(
      {
        ...this.#options,
        lease: this.#lease,
        ttlMs: this.#ttlMs,
        // The clock of the store's rows is that of the inputs.
        now: () => time.now(),
        told: (target, notice) => this.#meters.told(target, notice.at, time.now()),
        failed: error => (isPassing(error) ? log(messageOf(error)) : failed(error)),
      },
      targets,
    );
    /** An act that an agent has had, and of which the one that is here may know nothing: to send it again could do it twice. */
    const forget = (open: OpenAct): void => {
      open.handed = true;
      const reason = 'its agent has another spool, and may have lost what it did';
      committer.put([{ input: 'act', action: open.act.id, state: 'unknown', reason }]).catch(() => {});
    };
    const agents = new Agents({
      take: rows => this.#take(committer, journal, rows),
      upto: (host, spool) => journal.upto(host, spool),
      came: (host, anew) => {
        committer.put([{ input: 'agent', host, connected: true }]).catch(() => {});
        for (const open of journal.openActs.values()) {
          if (open.act.host !== host) continue;
          if (anew && open.state === 'sent') forget(open);
          // It is sent behind that commit.
          else open.handed = false;
        }
      },
      went: host => void committer.put([{ input: 'agent', host, connected: false }]).catch(() => {}),
      log,
      time: () => time.now(),
    });
    const dispatch = (): void => {
      for (const open of journal.openActs.values()) {
        if (!open.handed) this.#send(agents, committer, journal, open);
      }
    };
    const tick = setInterval(() => void committer.put([{ input: 'tick' }]).catch(() => {}), TICK_MS);
    try {
      await Promise.race([this.#begin(committer, journal), this.#ended.promise]);
      dispatch();
      const { agentSocket, adminSocket, agentDoor } = this.#options;
      this.#listening.push(await listenAt(agentSocket, socket => agents.accept(socket)));
      if (agentDoor !== undefined)
        this.#listening.push(await agentDoor((socket, identity) => agents.accept(socket, identity)));
      const respond: Respond = (question, tell, ended) =>
        this.#answer(question, { committer, journal, time, tell, ended });
      this.#listening.push(await listenAt(adminSocket, socket => serveAdmin(socket, respond, log)));
      this.#options.desk?.(this.#desk(committer, journal, time, agents));
      await this.#ended.promise;
    } finally {
      this.#options.desk?.(undefined);
      clearInterval(tick);
      await Promise.all(this.#listening.map(listening => listening.close()));
      await outbox.close();
      await committer.close();
    }
  }

  #desk(committer: Committer, journal: Journal, time: SteadyTime, agents: Agents): Desk {
    const { query } = this.#options.store;
    // Nothing of the state may stay in what is kept of it.
    const past = new Past(query, state => structuredClone(fleetView(state)));
    return {
      epoch: Number(this.#lease.epoch),
      over: this.#over.signal,
      query,
      state: () => journal.state,
      meters: this.#meters,
      openActs: () => journal.openActs.values(),
      backlogs: () => agents.backlogs(),
      log: this.#options.log,
      list: list => this.#list(list, journal, time),
      explain: id => explainView(journal.state, query, id),
      fleetAt: input => past.at(input),
      now: () => time.now(),
      wouldWant: input => journal.wouldWant({ ...input, at: time.now() } as Input),
      put: (inputs, beside) => committer.put(inputs, beside),
      onCommit: tell => {
        this.#watchers.add(tell);
        return () => this.#watchers.delete(tell);
      },
    };
  }

  /** What has changed while nobody worked. */
  async #begin(committer: Committer, journal: Journal): Promise<void> {
    const hosts = [...journal.state.hosts.values()];
    const { strayed } = journal;
    const reason = `the last ${strayed} inputs are decided otherwise by this version: compare \`fleet actions\` with what runs before you resume`;
    if (strayed > 0) this.#options.log(`paused: ${reason}`);
    // Before the first order of this start.
    const [audited] = await auditPage(this.#options.store.query, { newestFirst: true, limit: 1 });
    if (audited === undefined) await committer.put([], beginning(journal.seq));
    await committer.put([
      // Before anything else is wanted.
      ...(strayed > 0 ? [{ input: 'order', by: 'controller', order: { order: 'pause', reason } } as Timeless] : []),
      // Before time passes: nobody could be heard, and whoever was away then is silent from now on.
      ...hosts.map(({ id }): Timeless => ({ input: 'agent', host: id, connected: false })),
      { input: 'tick' },
      { input: 'fences', hosts: Object.keys(this.#options.fences ?? {}).toSorted() },
      ...(this.#options.policy === undefined
        ? []
        : [{ input: 'policy', site: true, ...this.#options.policy } as Timeless]),
    ]);
  }

  async #take(committer: Committer, journal: Journal, rows: readonly Row[]): Promise<number> {
    await committer.put(rows.map(row => ({ input: 'row', row })));
    return journal.upto(rows[0]?.host ?? '', rows[0]?.spool ?? '');
  }

  /**
   * Sends an act that is not over. The same act may be sent again, never under another id: its agent knows it by that. None is
   * sent after its deadline: its outcome is unknown then, and is looked at.
   */
  #send(agents: Agents, committer: Committer, journal: Journal, open: OpenAct): void {
    const { act } = open;
    // What the state says now is not written, and perhaps never will be.
    if (!journal.settled) return;
    // One that was sent may not have been read: sent again it would be done now. To look is no act.
    if (journal.state.paused !== undefined && open.act.kind !== 'prove') return;
    if (act.deadline <= journal.state.now) return;
    // Another version wanted it: the state goes on without it, and would take its answer for nobody's.
    if (!journal.state.acts.has(act.id)) return;
    if (act.kind === 'fence') return this.#fence(committer, journal, open);
    if (!agents.send(act)) return;
    open.handed = true;
    if (open.state === 'intent') committer.put([{ input: 'act', action: act.id, state: 'sent' }]).catch(() => {});
  }

  #fence(committer: Committer, journal: Journal, { act }: OpenAct): void {
    if (this.#fencing.has(act.id)) return;
    this.#fencing.add(act.id);
    const fences = this.#options.fences ?? {};
    const agent = Object.hasOwn(fences, act.host) ? fences[act.host] : undefined;
    const refused = (reason: string): Promise<ActResult> =>
      Promise.resolve({ action: act.id, epoch: act.epoch, state: 'refused', reason });
    // Wanted while nobody could ask it; it can be asked now.
    const isHere = journal.state.hosts.get(act.host)?.connected === true;
    const result = isHere
      ? refused('its agent is here again: it is asked, and not switched off')
      : agent === undefined
        ? refused('the file of the site names no fence agent for it')
        : powerOff(agent, act, this.#over.signal);
    void result
      .then(async done => {
        if (!this.#over.signal.aborted) await committer.put([{ input: 'result', host: act.host, result: done }]);
      })
      .catch(() => {})
      .finally(() => this.#fencing.delete(act.id));
  }

  async #answer(question: Question, counter: Counter): Promise<unknown> {
    const { committer, journal, time, tell, ended } = counter;
    const { store, backup } = this.#options;
    // The kernel cannot be asked through Node who it is; who may connect is the same user, or root.
    const by = 'by' in question ? `${question.by} (as stated)` : '';
    const order = async (input: Timeless, dryRun = false): Promise<Effect[]> =>
      dryRun
        ? journal.wouldWant({ ...input, at: time.now() } as Input)
        : committer.put([input], { actor: by, via: 'socket' });
    switch (question.ask) {
      case 'list':
        return this.#list(question.list, journal, time);
      case 'explain':
        return explainView(journal.state, store.query, question.id);
      case 'order':
        if (question.order.order === 'attest' && question.dryRun !== true && this.#options.twoAttest === true)
          throw new ControllerError(
            'E_CONTROLLER_REFUSED',
            'this site has fencers: what one of them states another one confirms',
            {
              hint: 'Each of them with a token of their own: `syndrome fleet attest … --token FILE`, then `syndrome fleet confirm ATTESTATION … --token FILE`.',
            },
          );
        return order({ input: 'order', by, order: question.order }, question.dryRun);
      case 'policy': {
        const policy = parsePolicy(question.policy, question.file ?? 'the policy');
        return order({ input: 'policy', by, policy }, question.dryRun);
      }
      case 'replay':
        return replay(store.query);
      case 'backup':
        if (backup === undefined)
          throw new ControllerError('E_CONTROLLER_ASK', 'this store is backed up by its own tools');
        await backup(question.path);
        return { path: question.path };
      case 'subscribe':
        this.#subscribers.add(tell);
        ended.addEventListener('abort', () => this.#subscribers.delete(tell), { once: true });
        return { seq: journal.seq };
    }
  }

  async #list(list: ListName, journal: Journal, time: SteadyTime): Promise<unknown> {
    const { state } = journal;
    const { query } = this.#options.store;
    switch (list) {
      case 'status':
        return {
          ...statusView(state),
          weak: this.#options.weak ?? [],
          unserved: await unservedView(query, this.#options.targets),
          epoch: Number(this.#lease.epoch),
          inputs: journal.seq,
          clockJumps: time.jumps,
        };
      case 'hosts':
        return hostsView(state);
      case 'vms':
        return vmsView(state);
      case 'pages':
        return pagesView(state);
      case 'incidents':
        return incidentsView(state);
      case 'actions':
        return actionsView(state, query);
      case 'outbox':
        return waitingView(query);
    }
  }
}

interface Counter {
  committer: Committer;
  journal: Journal;
  time: SteadyTime;
  tell: (event: unknown) => void;
  ended: AbortSignal;
}
