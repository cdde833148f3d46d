/**
 * @module One host with a fault, and hosts that are well beside it, under one policy: the production core decides, agents of the simulation do
 * what it wants, and what comes of it is counted by the truth of who runs where. Nothing else fails here; that is what `simulate` is for.
 */
import { event } from '@syndrome/decode/events/event.ts';
import { addressOf } from '@syndrome/decode/registers/address.ts';
import type { Act } from '../core/act.ts';
import type { HostId, VmId } from '../core/ids.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Policy } from '../core/policy.ts';
import type { SeenEvent } from '../core/said.ts';
import { newState } from '../core/state.ts';
import { step } from '../core/step.ts';
import { Agenda } from '../sim/agenda.ts';
import { Fleet } from '../sim/fleet.ts';
import type { Assumed } from './assumptions.ts';
import { type Happening, type Timeline, VMS, WATCHED_MS } from './timeline.ts';

const START = Date.UTC(2026, 11, 1);
const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SICK = 'sick';
const HOSTS: readonly HostId[] = [SICK, 'well-1', 'well-2', 'well-3'];
const PAGE_MB = 4096 / 2 ** 20;
/** How long an act takes. A stop lets the guest shut down. */
const TAKES: Partial<Record<Act['kind'], number>> = { stop: 10 * SECOND, start: 5 * SECOND, migrate: MINUTE };
/** A VM that is migrated stands still for so long at its end. */
const MIGRATION_DOWN_MS = 300;
/** A host that has panicked is back after its dump. */
const HOST_BOOT_MS = 8 * MINUTE;
/** An owner is told in time, or late. */
const IN_TIME_MS = MINUTE;
/** A guest that lives and uses its bad page again does so later. */
const AGAIN_MS = HOUR;
/** Of errors in a host's kernel that were used, those that end it; in a guest that was told early, what becomes of it. */
const KERNEL_ENDS = 0.5;
const EARLY = { panics: 0.05, process: 0.3 };
/** Between two looks of the core at its time. */
const MOST_IDLE_MS = HOUR;

const OFFLINES: ReadonlySet<Act['kind']> = new Set(['soft-offline', 'hard-offline', 're-offline']);

/** What came of one fault. Of VMs unless it says otherwise. */
export interface Outcome {
  /** Ended by an error or by a migration: the guest panicked, its VMM died, or its host did. */
  crashes: number;
  /** Errors that a guest or a process in it used, those that ended it among them. */
  consumed: number;
  /** VMs that were hurt at least once. */
  harmed: number;
  /** Of them, whose owners were told later than a minute after, or never. */
  late: number;
  /** Stopped or reset by the policy while they served. */
  restarts: number;
  /** Of them, those that nothing would have hurt any more had nobody done anything. */
  needlessRestarts: number;
  /** Moved while they ran. */
  migrations: number;
  needlessMigrations: number;
  /** In which they did not serve. */
  downMinutes: number;
  /** The host took no VM. */
  closedHostDays: number;
  /** Taken out of use before or after they were bad. */
  offlinedMb: number;
  /** The same page hurt again. */
  repeats: number;
}

/** What came of it, and what would tell of another policy what was needless. */
interface Told {
  outcome: Outcome;
  /** When each VM was hurt last. */
  hurt: ReadonlyMap<VmId, number>;
}

interface Truth {
  /** It runs, and its guest does. */
  panicked: boolean;
  downSince?: number;
  /** Grows with each boot of it: a new guest knows no bad page of the old one. */
  life: number;
  hurtFirst?: number;
  hurtLast?: number;
  toldInTime: boolean;
}

export class Episode {
  readonly #given: Assumed;
  readonly #timeline: Timeline;
  readonly #agenda = new Agenda(START);
  readonly #fleet: Fleet;
  readonly #state = newState();
  readonly #vms = new Map<VmId, Truth>();
  /** Pages that nobody uses any more. */
  readonly #offline = new Set<bigint>();
  readonly #without: ReadonlyMap<VmId, number> | undefined;
  readonly #outcome: Outcome = {
    crashes: 0,
    consumed: 0,
    harmed: 0,
    late: 0,
    restarts: 0,
    needlessRestarts: 0,
    migrations: 0,
    needlessMigrations: 0,
    downMinutes: 0,
    closedHostDays: 0,
    offlinedMb: 0,
    repeats: 0,
  };
  #closedAt: number | undefined;
  #end = START + WATCHED_MS;
  #changed = START;
  #ticking = false;

  /** @param without when each VM was hurt last by the same fault while nobody did anything; to tell what was needless */
  constructor(timeline: Timeline, policy: Policy, given: Assumed, without?: ReadonlyMap<VmId, number>) {
    this.#given = given;
    this.#timeline = timeline;
    this.#without = without;
    const vms = Array.from({ length: VMS }, (_, i) => `v${i}`);
    for (const vm of vms) this.#vms.set(vm, { panicked: false, life: 1, toldInTime: false });
    this.#fleet = new Fleet(
      HOSTS,
      vms.map(vm => [vm, SICK, true] as const),
      {
        now: () => this.#agenda.now,
        heard: () => this.#agenda.now,
        fenced: (host, result) => this.#take({ input: 'result', at: 0, host, result }),
        down: host => this.#take({ input: 'agent', at: 0, host, connected: false }),
      },
    );
    this.#take({ input: 'policy', at: 0, by: 'site', policy });
    for (const host of HOSTS) this.#take({ input: 'agent', at: 0, host, connected: true });
    this.#listen();
  }

  /** Lets all of it happen. */
  run(): Told {
    for (const happening of this.#timeline.happenings)
      this.#agenda.after(HOUR + happening.at, () => this.#happen(happening));
    // Until its memory is replaced; whatever is done then to those that are still there is the same under each policy.
    while (this.#agenda.now < this.#end && this.#agenda.length > 0)
      this.#agenda.until(Math.min(this.#end, this.#agenda.now + DAY));
    const end = Math.min(this.#end, this.#agenda.now);
    for (const truth of this.#vms.values()) this.#up(truth, end, 0);
    if (this.#closedAt !== undefined) this.#outcome.closedHostDays = (end - this.#closedAt) / DAY;
    const hurt = [...this.#vms].filter(([, { hurtLast }]) => hurtLast !== undefined);
    this.#outcome.harmed = hurt.length;
    this.#outcome.late = hurt.filter(([, { toldInTime }]) => !toldInTime).length;
    return { outcome: this.#outcome, hurt: new Map(hurt.map(([vm, { hurtLast = 0 }]) => [vm, hurtLast])) };
  }

  /** The core takes something, and what it wants is begun. */
  #take(input: Input): void {
    const { now } = this.#agenda;
    if (input.input !== 'tick') this.#changed = now;
    for (const effect of step(this.#state, { ...input, at: now })) this.#want(effect);
    this.#watchDraining();
    this.#tickSoon();
  }

  /** What agents have written goes to the core at once. */
  #listen(): void {
    for (const host of HOSTS) {
      const agent = this.#fleet.agent(host);
      if (!agent.connected) continue;
      for (const row of agent.unsent.splice(0)) this.#take({ input: 'row', at: 0, row });
    }
  }

  /** Time passes for the core often while something is under way, and less and less often when nothing comes of it. */
  #tickSoon(): void {
    const { flying, moving, incidents, hosts } = this.#state;
    const isIdle =
      flying.length === 0 &&
      moving.length === 0 &&
      [...incidents.values()].every(({ state }) => state !== 'open') &&
      [...hosts.values()].every(({ connected }) => connected);
    if (this.#ticking || isIdle) return;
    this.#ticking = true;
    const quiet = (this.#agenda.now - this.#changed) / 4;
    const most = flying.length > 0 ? 2 * SECOND : MOST_IDLE_MS;
    this.#agenda.after(Math.min(most, Math.max(SECOND, quiet)), () => {
      this.#ticking = false;
      this.#take({ input: 'tick', at: 0 });
    });
  }

  #want(effect: Effect): void {
    if (effect.effect === 'act') return this.#begin(effect.act);
    if (effect.effect !== 'notice' || !effect.notice.type.startsWith('vm.')) return;
    const truth = this.#vms.get(effect.notice.vm ?? '');
    if (truth?.hurtFirst !== undefined && this.#agenda.now - truth.hurtFirst <= IN_TIME_MS) truth.toldInTime = true;
  }

  #begin(act: Act): void {
    this.#agenda.after(0, () => this.#take({ input: 'act', at: 0, action: act.id, state: 'sent' }));
    this.#agenda.after(TAKES[act.kind] ?? SECOND, () => {
      this.#obey(act);
      this.#listen();
    });
  }

  #obey(act: Act): void {
    const agent = this.#fleet.agent(act.host);
    if (!agent.connected) return;
    if (OFFLINES.has(act.kind)) {
      if (act.pfn !== undefined) this.#offlined(act.pfn);
      const { id: action, epoch } = act;
      return this.#fleet.spool(act.host, { kind: 'result', action, epoch, state: 'confirmed' });
    }
    const truth = this.#vms.get(act.vm ?? '');
    const served = truth !== undefined && truth.downSince === undefined;
    const before = this.#fleet.at(act.vm ?? '').size;
    this.#fleet.obey(act, 'done');
    if (truth === undefined || act.vm === undefined) return;
    if (this.#fleet.isDoubled(act.vm)) throw new Error(`I4: ${act.vm} runs twice`);
    const isDone = agent.answers.get(act.id)?.state === 'confirmed';
    const { now } = this.#agenda;
    if (act.kind === 'reset' && isDone) {
      if (served) this.#interrupted(act.vm);
      this.#down(truth);
      this.#up(truth, now, this.#given.bootSeconds * SECOND);
    } else if (act.kind === 'migrate' && isDone) {
      this.#outcome.migrations++;
      if (!this.#wouldBeHurt(act.vm)) this.#outcome.needlessMigrations++;
      // By its mean: it is rare, and drawing it would only add noise.
      const { migrationBreaks, byHandMinutes, bootSeconds } = this.#given;
      this.#outcome.crashes += migrationBreaks;
      this.#outcome.downMinutes += MIGRATION_DOWN_MS / MINUTE;
      this.#outcome.downMinutes += migrationBreaks * (byHandMinutes + bootSeconds / 60);
    } else if (before > 0 && this.#fleet.at(act.vm).size === 0) {
      if (served) this.#interrupted(act.vm);
      this.#down(truth);
    } else if (before === 0 && this.#fleet.at(act.vm).size > 0) this.#up(truth, now, this.#given.bootSeconds * SECOND);
  }

  #offlined(pfn: bigint): void {
    if (this.#offline.has(pfn)) return;
    this.#offline.add(pfn);
    this.#outcome.offlinedMb += PAGE_MB;
  }

  #wouldBeHurt(vm: VmId): boolean {
    return (this.#without?.get(vm) ?? 0) > this.#agenda.now;
  }

  #interrupted(vm: VmId): void {
    this.#outcome.restarts++;
    if (!this.#wouldBeHurt(vm)) this.#outcome.needlessRestarts++;
  }

  #down(truth: Truth): void {
    truth.downSince ??= this.#agenda.now;
  }

  /** It serves again; what it was down for counts. */
  #up(truth: Truth, at: number, boots: number): void {
    truth.panicked = false;
    if (truth.downSince === undefined) return;
    truth.life++;
    this.#outcome.downMinutes += (Math.max(0, at - truth.downSince) + boots) / MINUTE;
    delete truth.downSince;
  }

  /** A closed host is repaired; one that has lost data, too, when somebody notices. */
  #watchDraining(): void {
    const { now } = this.#agenda;
    if (this.#closedAt !== undefined || this.#state.hosts.get(SICK)?.draining === undefined) return;
    this.#closedAt = now;
    this.#end = Math.min(this.#end, now + this.#given.repairDays * DAY);
  }

  #see(seen: SeenEvent['event'], source: SeenEvent['source'], more: Partial<SeenEvent> = {}): void {
    this.#fleet.spool(SICK, { kind: 'event', source, event: seen, ...more });
  }

  #happen(happening: Happening): void {
    const { page } = happening;
    if (this.#offline.has(page.pfn) || !this.#fleet.agent(SICK).up) return;
    if (happening.is === 'corrected') {
      const { mode, located } = this.#timeline;
      const of = mode === 'dimm' ? Number(page.pfn % 16n) : 3;
      const row = mode === 'bank' || mode === 'dimm' ? Number(page.pfn) : 77;
      const where = located ? { where: { dimm: 'A1', bank: String(of), row: String(row) } } : {};
      const { count } = happening;
      this.#see(event('host.edac-corrected', { count, message: 'CE', addr: addressOf(page.pfn) }), 'kmsg', where);
    } else this.#uncorrected(happening);
    this.#listen();
  }

  #uncorrected({ page, luck, repeats }: Happening & { is: 'uncorrected' }): void {
    const { now } = this.#agenda;
    this.#end = Math.min(this.#end, now + this.#given.noticedDays * DAY);
    this.#offlined(page.pfn);
    const where = this.#timeline.located ? { where: { dimm: 'A1' } } : {};
    const isUsed = luck[0] < this.#given.consumed;
    const vm = page.slot === 'kernel' ? undefined : `v${page.slot}`;
    const truth = this.#vms.get(vm ?? '');
    const isThere = vm !== undefined && truth !== undefined && this.#fleet.runs(vm, SICK);
    const kind = page.slot === 'kernel' ? 'reserved kernel page' : isThere ? 'dirty LRU page' : 'free buddy page';
    const result = page.slot === 'kernel' ? 'Ignored' : 'Recovered';
    this.#see(event('host.memory-failure', { pfn: page.pfn, page: kind, result }), 'kmsg', where);
    if (page.slot === 'kernel' && isUsed && luck[1] < KERNEL_ENDS) return this.#hostPanics();
    if (!isThere || truth.downSince !== undefined) return;
    this.#see(event('host.sigbus-sent', { pfn: page.pfn, comm: 'qemu', pid: 1 }), 'kmsg', { vm });
    const { dies, panics } = this.#given;
    if (isUsed && luck[1] < dies) return this.#dies(vm, truth);
    const told = { recipient: 'guest', action: 'inject', actionRequired: isUsed, recursive: false } as const;
    this.#see(event('vmm.memory-failure', told), 'qmp', { vm });
    if (luck[1] < (isUsed ? dies + (1 - dies) * panics : EARLY.panics)) return this.#panics(vm, truth);
    if (!isUsed && luck[1] >= EARLY.process) return;
    this.#hurt(truth);
    this.#again(vm, truth, page.pfn, repeats);
  }

  /** An error was used: by a process of the guest at the least. */
  #hurt(truth: Truth): void {
    this.#outcome.consumed++;
    truth.hurtFirst ??= this.#agenda.now;
    truth.hurtLast = this.#agenda.now;
  }

  #again(vm: VmId, truth: Truth, pfn: bigint, left: number): void {
    if (left === 0) return;
    const { life } = truth;
    this.#agenda.after(AGAIN_MS, () => {
      if (truth.life !== life || truth.downSince !== undefined || !this.#fleet.runs(vm, SICK)) return;
      this.#see(event('host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }), 'kmsg', { vm });
      const told = { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false } as const;
      this.#see(event('vmm.memory-failure', told), 'qmp', { vm });
      this.#outcome.repeats++;
      this.#hurt(truth);
      this.#listen();
      this.#again(vm, truth, pfn, left - 1);
    });
  }

  #crashed(truth: Truth): void {
    this.#outcome.crashes++;
    this.#hurt(truth);
    this.#down(truth);
  }

  #panics(vm: VmId, truth: Truth): void {
    this.#crashed(truth);
    truth.panicked = true;
    this.#see(event('vmm.guest-panicked', { action: 'pause' }), 'qmp', { vm });
    this.#byHand(vm, truth);
  }

  #dies(vm: VmId, truth: Truth): void {
    this.#crashed(truth);
    this.#fleet.die(vm);
    this.#byHand(vm, truth);
  }

  /** Its owner starts it where it was, unless it is seen to already. */
  #byHand(vm: VmId, truth: Truth): void {
    const since = truth.downSince;
    this.#agenda.after(this.#given.byHandMinutes * MINUTE, () => {
      if (truth.downSince !== since) return;
      // What is begun is not interfered with.
      if (this.#state.vms.get(vm)?.move?.begun === true || !this.#fleet.agent(SICK).up) return this.#byHand(vm, truth);
      if (truth.panicked) this.#see(event('vmm.reset', { guest: false }), 'qmp', { vm });
      else if (this.#fleet.at(vm).size === 0) this.#fleet.begin(SICK, vm);
      this.#up(truth, this.#agenda.now, this.#given.bootSeconds * SECOND);
      this.#listen();
    });
  }

  /** The host goes down with all that run on it, and they come back with it. Its kernel has forgotten which pages are bad. */
  #hostPanics(): void {
    this.#listen();
    for (const vm of this.#fleet.on(SICK)) {
      const truth = this.#vms.get(vm);
      if (truth !== undefined && truth.downSince === undefined) this.#crashed(truth);
    }
    this.#fleet.crash(SICK);
    this.#offline.clear();
    this.#agenda.after(HOST_BOOT_MS, () => {
      this.#fleet.boot(SICK, []);
      this.#fleet.agent(SICK).connected = true;
      for (const vm of this.#fleet.on(SICK)) {
        const truth = this.#vms.get(vm);
        if (truth !== undefined) this.#up(truth, this.#agenda.now, this.#given.bootSeconds * SECOND);
      }
      this.#take({ input: 'agent', at: 0, host: SICK, connected: true });
      this.#listen();
    });
  }
}
