/** Everything is killed and paused at random moments while pages are lost and a VM is moved; and then it is counted what that has cost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@syndrome/base/store/open.ts';
import { PostgresServer } from '@syndrome/base/store/testing/postgres-server.ts';
import { replay } from '@syndrome/supervisor/controller/replay.ts';
import { chance } from '@syndrome/supervisor/sim/chance.ts';
import { AcceptedRows } from './rows.ts';
import { HOSTS, SoakSite, type VmAnswer } from './site.ts';

/** After so long without a process of the VM a person looks, ms. */
const DOWN_MS = 4000;
/** After so long it counts as stuck: what a person does has not helped, ms. */
const STUCK_MS = 180_000;
/** The longest pause, ms: a lease of a controller ends after 5 s. */
const PAUSE_MS = 7000;
/** Pages that are lost between two strikes. */
const PAGES_A_STRIKE = 3;

interface SoakOptions {
  /** Program and first arguments of a QEMU. */
  qemu: readonly string[];
  /** Kills and pauses. */
  kills: number;
  seed: number;
  /** Two controllers on a PostgreSQL that is killed too, instead of one on a file. */
  postgres?: boolean;
  /** Told after each. */
  onStrike?: (struck: number) => void;
  signal?: AbortSignal;
}

/** What a soak came to; `lost`, `doubled` and `stuck` have to be 0. */
interface SoakResult {
  seed: number;
  store: 'sqlite' | 'postgresql';
  kills: number;
  /** How often what was struck, by name: `pause-…` for pauses. */
  struck: Record<string, number>;
  /** Rows that an agent had in its spool. */
  accepted: number;
  /** Accepted rows that the ledger has not as they were written, and numbers that it leaves out. */
  lost: number;
  /** Acts begun twice, confirmed ones that nobody began, and moments at which the VM had more than one process. */
  doubled: number;
  /** Waits that did not end: for the VM, for a page, for an act, for a row. */
  stuck: number;
  pages: number;
  acts: number;
  /** Processes of the VM, one after the other. */
  processes: number;
  byHand: { restarts: number; attested: number };
  /** Decisions of the ledger, which a replay takes again; `differs` where it does not. */
  decisions: number;
  differs?: unknown;
  seconds: number;
  /** What is wrong, in words. */
  faults: string[];
}

/** @throws Error where a part ends by itself; AbortError */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sk-'));
  let server: PostgresServer | undefined;
  let site: SoakSite | undefined;
  try {
    server = options.postgres ? await PostgresServer.make() : undefined;
    const url = await server?.database('soak');
    site = new SoakSite(folder, { program: options.qemu, ...(url === undefined ? {} : { url }) });
    return await new Soak(site, server, options).run();
  } finally {
    await site?.end();
    await server?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Soak {
  readonly #site: SoakSite;
  readonly #server: PostgresServer | undefined;
  readonly #options: SoakOptions;
  readonly #random: () => number;
  readonly #rows = new AcceptedRows();
  readonly #struck: Record<string, number> = {};
  readonly #byHand = { restarts: 0, attested: 0 };
  readonly #faults: string[] = [];
  readonly #started = performance.now();
  #stuck = 0;
  #pages = 0;

  constructor(site: SoakSite, server: PostgresServer | undefined, options: SoakOptions) {
    this.#site = site;
    this.#server = server;
    this.#options = options;
    this.#random = chance(options.seed);
  }

  async run(): Promise<SoakResult> {
    const { kills, onStrike, signal } = this.#options;
    const site = this.#site;
    await site.begin();
    await this.#until('the VM is not seen', async () => this.#isSeen());
    const bag: string[] = [];
    for (let n = 0; n < kills && this.#stuck === 0; n++) {
      signal?.throwIfAborted();
      await this.#there();
      for (let i = 0; i < PAGES_A_STRIKE; i++) {
        site.loseAPage(++this.#pages);
        await sleep(this.#random() * 60);
      }
      await sleep(this.#random() * 1200);
      // Each of them as often as the others, in an order of chance.
      if (bag.length === 0) bag.push(...this.#strikes());
      const [what = 'vm'] = bag.splice(Math.floor(this.#random() * bag.length), 1);
      this.#struck[what] = (this.#struck[what] ?? 0) + 1;
      await this.#strike(what);
      onStrike?.(n + 1);
    }
    return this.#count();
  }

  #strikes(): string[] {
    const { controllers } = this.#site;
    const killed = [...controllers, ...HOSTS, 'vm', 'vm', ...(this.#server ? ['postgresql'] : [])];
    // Pauses are slow: one in a round.
    const paused = ['vm', ...controllers, ...HOSTS];
    return [...killed, `pause-${paused[Math.floor(this.#random() * paused.length)]}`];
  }

  async #strike(what: string): Promise<void> {
    const site = this.#site;
    const [, paused] = /^pause-(.*)$/.exec(what) ?? [];
    if (paused === 'vm') return site.pauseVm(this.#random() * PAUSE_MS);
    if (paused !== undefined) return site.pause(paused, this.#random() * PAUSE_MS);
    if (what === 'vm') return site.killVm();
    if (what === 'postgresql') {
      await this.#server?.kill9();
      await sleep(this.#random() * 200);
      return this.#server?.start();
    }
    await site.kill(what);
    for (const host of HOSTS) if (host === what) this.#rows.keep(host, join(site.folder, host));
    site.start(what);
  }

  async #isSeen(): Promise<boolean> {
    const vms = await this.#site.list<VmAnswer>('vms');
    return vms?.[0]?.copies.some(({ state }) => state === 'running') === true;
  }

  /** Waits until the VM has a process. */
  async #there(): Promise<void> {
    const begun = performance.now();
    let since = begun;
    await this.#until('the VM stays down', async () => {
      if (this.#site.running.length > 0) return true;
      const now = performance.now();
      if (now - since > DOWN_MS) {
        await this.#repair(now - begun > 5 * DOWN_MS);
        since = now;
      }
      return false;
    });
  }

  /**
   * What a person does who finds the VM down and nothing under way: has it started; where that does not help, attests the copies
   * that nobody could prove gone: there is none in /proc, and an agent refuses an act that is over.
   */
  async #repair(again: boolean): Promise<void> {
    const site = this.#site;
    const vm = (await site.list<VmAnswer>('vms'))?.[0];
    if (vm === undefined || (await this.#isUnderWay()) !== false) return;
    for (const { host, epoch, proof } of vm.copies) {
      if (!again || proof !== undefined || site.running.length > 0) continue;
      this.#byHand.attested++;
      await site.order({ order: 'attest', vm: site.vm, host, epoch, statement: 'no process of it is in /proc' });
    }
    this.#byHand.restarts++;
    await site.order({ order: 'restart', vm: site.vm });
  }

  /** Whether an act is open; undefined while nobody answers. */
  async #isUnderWay(): Promise<boolean | undefined> {
    const acts = await this.#site.list<{ state: string }>('actions');
    return acts?.some(({ state }) => state === 'intent' || state === 'sent');
  }

  /** @returns whether it came to be so; else it counts as stuck */
  async #until(fault: string, isSo: () => Promise<boolean>): Promise<boolean> {
    for (const end = performance.now() + STUCK_MS; !(await isSo()); await sleep(20)) {
      this.#options.signal?.throwIfAborted();
      if (performance.now() < end) continue;
      const seen = { vms: await this.#site.list('vms'), acts: await this.#site.list('actions') };
      this.#faults.push(`${fault}: ${JSON.stringify(seen)}`);
      this.#stuck++;
      return false;
    }
    return true;
  }

  async #count(): Promise<SoakResult> {
    const site = this.#site;
    await this.#there();
    await this.#until('pages do not arrive', async () => ((await site.list('pages'))?.length ?? 0) >= this.#pages);
    await this.#until('an act stays open', async () => (await this.#isUnderWay()) === false);
    // Also what comes last, and is of no page: all that the spools hold now has to be in the ledger once it was sent.
    for (const host of HOSTS) {
      await site.stop(host);
      this.#rows.keep(host, join(site.folder, host));
      site.start(host);
    }
    let missing: string[] = [];
    await this.#until('rows do not arrive', async () => {
      missing = await this.#rows.missingIn(site.store);
      return missing.length === 0;
    });
    this.#faults.push(...missing);
    for (const name of [...HOSTS, ...site.controllers]) await site.stop(name);

    const store = await openStore(site.store);
    try {
      const gaps = await store.query(
        `select host, spool, count(*) as rows, min("row") as first, max("row") as last from input where kind = 'row' group by host, spool having min("row") <> 1 or max("row") <> count(*)`,
      );
      for (const { host, spool } of gaps) this.#faults.push(`numbers are left out of ${host} ${spool}`);
      const acts = HOSTS.flatMap(host => site.begun(host));
      const confirmed = await store.query(`select id from act where state = 'confirmed'`);
      const twice = acts.filter((id, i) => acts.indexOf(id) !== i).map(id => `${id} was begun twice`);
      const unbegun = confirmed
        .filter(({ id }) => !acts.includes(String(id)))
        .map(({ id }) => `${id} is confirmed, and nobody began it`);
      const beside = site.copies
        .filter(({ copies }) => copies.length > 1)
        .map(line => `two at once: ${JSON.stringify(line)}`);
      const processes = new Set(site.copies.flatMap(line => line.copies.map(c => `${c.pid}/${c.startTicks}`)));
      const starts = acts.filter(id => id.includes('/start/')).length;
      const unordered = processes.size - 1 > starts ? [`${processes.size} processes after ${starts} starts`] : [];
      this.#faults.push(...twice, ...unbegun, ...beside, ...unordered);
      const { decisions, ...replayed } = await replay(store.query);
      const differs = 'differs' in replayed ? { differs: replayed.differs } : {};
      return {
        seed: this.#options.seed,
        store: this.#server ? 'postgresql' : 'sqlite',
        kills: Object.values(this.#struck).reduce((sum, n) => sum + n, 0),
        struck: this.#struck,
        accepted: this.#rows.size,
        lost: missing.length + gaps.length,
        doubled: twice.length + unbegun.length + beside.length + unordered.length,
        stuck: this.#stuck,
        pages: this.#pages,
        acts: acts.length,
        processes: processes.size,
        byHand: this.#byHand,
        decisions: Number(decisions),
        ...differs,
        seconds: Math.round((performance.now() - this.#started) / 1000),
        faults: this.#faults,
      };
    } finally {
      await store.close();
    }
  }
}
