/**
 * What an outlook looks at: the scene that the steps of a scenario make around an injection, as each of them says of itself
 * (`means` in steps/step.ts). Pure.
 */
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import type { Journey } from '@syndrome/decode/outlook/explore.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { MachineFacts } from '../machines/facts.ts';

/** An address in a scenario: a number, `0x…`, or `$name` of a saved value. */
export type Address = string | number;

/** What a step means for an outlook, beyond what it injects. A step that means none of these makes no difference to it. */
export type Meaning =
  /** A process has pages; `as` names the guest physical address of the first one. */
  | {
      is: 'page';
      process: string;
      as: string;
      size: '4k' | '2m' | '1g';
      /** `clean`: they are as their file is on disk. */
      lies: 'user' | 'clean';
      /** The process wants SIGBUS early. */
      early: boolean;
    }
  /** `as` names the address in another layer of what is at `address`. */
  | { is: 'translation'; address: Address; as: string }
  /** `as` names the address in the host layer of a page that is the VMM's own. */
  | { is: 'vmm-own'; as: string }
  /** `as` names the address of the machine at which a domain of Xen besides dom0 has a page. */
  | { is: 'domain-page'; as: string }
  /** Whether the process has a handler for SIGBUS from now on; it has one unless this is said. */
  | { is: 'handler'; process: string; handles: boolean }
  /** A process reads a page: once, or from now on, in user mode of a CPU. */
  | { is: 'read'; process: string; page: string; onCpu?: number }
  /** The kernel uses a page of a process, in a system call or to copy it. */
  | { is: 'kernel-read'; process: string; page: string }
  /** All virtual CPUs stand still, one of them in a mode that was looked for; and they run again. */
  | { is: 'stop'; cpu: number; mode: 'any' | 'user' | 'kernel' | 'idle' }
  | { is: 'go' }
  /** Linux polls its banks so often. */
  | { is: 'poll'; seconds: number }
  /** Somebody looks at what a layer counts and does not print. */
  | { is: 'count' }
  /** The lab goes on when it has seen this event. */
  | { is: 'awaited'; event: string }
  /** The machine boots once more: what went before is over, but for what firmware keeps. */
  | { is: 'reset' }
  /** The VMM itself reads the page that is hit. */
  | { is: 'vmm-reads' }
  /** From now on the CXL device reports protocol errors; and somebody asks for its poison list. */
  | { is: 'cxl-unmasked' }
  | { is: 'cxl-list-read' }
  /** Nothing happens to the machine. */
  | { is: 'nothing' }
  /** The same, for so long. */
  | { is: 'time'; seconds: number }
  /** What it does to the machine is not looked at: nothing can be said any more. */
  | { is: 'anything' };

type MeaningOf<K extends Meaning['is']> = Extract<Meaning, { is: K }>;

/** Those of some kinds, in their order. */
export function those<K extends Meaning['is']>(meanings: readonly Meaning[], ...kinds: K[]): MeaningOf<K>[] {
  return meanings.filter((m): m is MeaningOf<K> => (kinds as string[]).includes(m.is));
}

/** A scenario, seen from its one injection. */
export interface Plan {
  facts: MachineFacts;
  /** Values saved by the steps before the injection. */
  values: ReadonlyMap<string, FieldValue>;
  injection: Injection;
  /** What the other steps mean. */
  before: readonly Meaning[];
  after: readonly Meaning[];
}

/** What of a process and its page the rules ask. */
interface Victim {
  process?: string;
  /** Guest physical address of the page. */
  phys?: bigint;
  settings: Partial<Settings>;
  /** The process reads the page again once the error is there; `later`: when Linux has done with it what it does at once. */
  reads: boolean | 'later';
}

/** One journey; what its victim does to the page afterwards may add a signal of its own. */
export interface Leg {
  journey: Journey;
  victim: Victim;
  /** What it supposes of a machine that is not known to be so; the vendor of the host where this is missing. */
  differs?: string;
  /** Outcomes of this journey that are none of the system under test. */
  within?: (outcome: Outcome) => Outcome;
}

/** The journeys of a scenario: those in one list are alternatives, the lists come one after the other. */
export type Legs = readonly (readonly Leg[])[];

/** The process whose page stands at `address`, following the translation to a host address. */
export function victimOf(address: Address | undefined, { before, after, values, facts }: Plan): Victim {
  const nameOf = (at: Address | undefined): string | undefined =>
    typeof at === 'string' ? at.replace(/^\$/, '') : undefined;
  const named = nameOf(address);
  const translated = those(before, 'translation').find(t => t.as === named)?.address;
  const as = nameOf(translated) ?? named;
  const page = those(before, 'page').findLast(p => p.as === as);
  if (page === undefined) return { settings: isBeyond(address, facts) ? { page: 'none' } : {}, reads: false };
  const { process } = page;
  const reads = (m: MeaningOf<'read'>): boolean => m.process === process && m.page === page.as;
  const phys = values.get(page.as);
  return {
    process,
    ...(typeof phys === 'bigint' ? { phys } : {}),
    settings: {
      page: page.lies,
      // The policy is that of the process: each of its mappings sets it anew.
      earlyKill: those(before, 'page').findLast(p => p.process === process)?.early ?? page.early,
      sigbusHandler: handles(process, before),
    },
    // What is read again from disk is not bad.
    reads: page.lies === 'user' && readsWhen({ before, after }, reads),
  };
}

/** Seconds after which Linux, emulated on a busy computer too, has done what it does of itself. */
const DONE_WITHIN = 1;

/** When a read of a kind happens: false where there is none. */
function readsWhen(
  { before, after }: Pick<Plan, 'before' | 'after'>,
  is: (read: MeaningOf<'read'>) => boolean,
): Victim['reads'] {
  if (those(before, 'read').some(m => m.onCpu !== undefined && is(m))) return true;
  const at = after.findIndex(m => m.is === 'read' && is(m));
  if (at === -1) return false;
  const passed = those(after.slice(0, at), 'time').reduce((sum, { seconds }) => sum + seconds, 0);
  return passed >= DONE_WITHIN ? 'later' : true;
}

/** Whether a process handles SIGBUS. */
const handles = (process: string, before: readonly Meaning[]): boolean =>
  those(before, 'handler').findLast(h => h.process === process)?.handles ?? true;

/** Where a PC goes on with its memory that does not fit below its devices. Source: QEMU hw/i386/pc.c, above_4g_mem_start. */
const ABOVE_DEVICES = 2n ** 32n;

/** Whether an address is outside of all memory of the machine, wherever that lies. */
function isBeyond(address: Address | undefined, { memory, memoryFrom = 0n }: MachineFacts): boolean {
  if (memory === undefined || address === undefined) return false;
  const number = typeof address === 'number' ? BigInt(address) : parseU64(address);
  return number !== undefined && (number < memoryFrom || number >= ABOVE_DEVICES + BigInt(memory) * 2n ** 20n);
}

/** Whom a machine check hits whose address is nobody's page: who runs on the CPU, if that is known. */
export function whoRuns(cpu: number, { before }: Plan): Partial<Settings> {
  const busy = those(before, 'read').findLast(r => r.onCpu === cpu);
  return busy === undefined ? {} : { sigbusHandler: handles(busy.process, before) };
}

/**
 * What the CPU that takes an error may be running, the likeliest first.
 * @returns undefined where it runs a process of which nothing is known
 */
export function running(cpu: number, { before }: Plan, victim: Victim): Settings['running'][] | undefined {
  const busy = those(before, 'read').findLast(r => r.onCpu === cpu);
  const last = those(before, 'stop', 'go').at(-1);
  if (last?.is !== 'stop' || last.mode === 'any' || last.cpu !== cpu) {
    const any: Settings['running'][] = ['idle', 'kernel', 'kernel-recoverable', 'user'];
    return busy === undefined ? any : any.toReversed();
  }
  if (last.mode === 'idle') return ['idle'];
  if (last.mode === 'kernel') return ['kernel', 'kernel-recoverable', 'idle'];
  // In user mode it matters who is hit: only the process that was sent to that CPU is known.
  const known = busy !== undefined && (victim.process === undefined || busy.process === victim.process);
  return known ? ['user'] : undefined;
}

/** Whether the kernel uses the page at `address` once the error is there. */
export function kernelReads(address: Address, { before, after }: Plan): boolean {
  const at = those(before, 'translation').find(t => `$${t.as}` === address)?.address ?? address;
  return those(after, 'kernel-read').some(({ page }) => `$${page}` === at);
}

/** The Linux under a VMM, hit in the user mode of `victim`; undefined where the machine has no such VMM. */
export function guestOfVmm({ facts: { sea } }: Plan, victim: Victim): Partial<Settings> | undefined {
  return sea && { ...sea.linux, running: 'user', ...victim.settings };
}
