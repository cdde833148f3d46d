import { pageOf, pfnOf } from '@syndrome/decode/registers/address.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { PAGE_FILES } from '@syndrome/decode/registers/linux-pages.ts';
import { LabError, LabSkip } from './errors.ts';
import { kvmAccessible } from './machine/accel.ts';
import { KeptProcess } from './machine/keeper.ts';
import { frameList, giveBackLeft, leftPoison, poisonDir, PoisonRecord } from './poison-record.ts';
import { machineKind, machineKinds, type MachineSpec } from './machines/registry.ts';

/** One thing that has to be so before this very machine may be the host layer. */
interface Preflight {
  what: string;
  ok: boolean;
  /** How to make it so. */
  remedy: string;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const localKinds = (): string[] =>
  machineKinds()
    .filter(kind => kind.local !== undefined)
    .map(kind => kind.name);

/**
 * Looks whether this machine can be the host layer of a scenario. Nothing is changed.
 * @param consent the user has said that pages of this machine may be poisoned
 */
export function preflight(spec: MachineSpec, consent: boolean): Preflight[] {
  const cpu = read('/proc/cpuinfo');
  return [
    {
      what: 'the scenario has a host layer of x86-64',
      ok: machineKind(spec).local !== undefined,
      remedy: `Choose a scenario with machine kind ${localKinds().join(' or ')}.`,
    },
    { what: 'root', ok: process.getuid?.() === 0, remedy: 'gpa2hpa and hwpoison need root: run it as root.' },
    {
      what: 'hardware virtualisation of AMD (svm)',
      ok: /^flags\s*:.*\bsvm\b/m.test(cpu),
      remedy: 'Use a machine with AMD-V; elsewhere the emulated host layer does the same.',
    },
    { what: '/dev/kvm', ok: kvmAccessible(), remedy: 'Load kvm-amd: modprobe kvm-amd.' },
    {
      what: 'hwpoison_inject',
      ok: existsSync(PAGE_FILES.corrupt) && existsSync(PAGE_FILES.unpoison),
      remedy: 'Load it and mount debugfs: modprobe hwpoison_inject; mount -t debugfs none /sys/kernel/debug.',
    },
    {
      what: 'consent',
      ok: consent,
      remedy:
        'A page of this machine is poisoned: whoever uses it gets SIGBUS. Only pages of the guest are meant, and they are ' +
        'unpoisoned afterwards. Say that you want it with --poison-this-host.',
    },
  ];
}

/** @throws LabSkip naming everything that is not as it must be. */
export function requirePreflight(spec: MachineSpec, consent: boolean): void {
  const missing = preflight(spec, consent).filter(p => !p.ok);
  if (missing.length === 0) return;
  const left = leftPoison();
  const still =
    left.length === 0
      ? ''
      : ` Page frames that a killed run has left poisoned are given back then: ${frameList(left)}.`;
  throw new LabSkip(
    'E_LAB_HOST_LOCAL',
    `this machine cannot be the host layer: ${missing.map(p => p.what).join(', ')} missing`,
    {
      hint: missing.map(p => p.remedy).join(' ') + still,
    },
  );
}

/** The files by which the kernel of this machine is told. */
type KernelFiles = Readonly<Record<'corrupt' | 'unpoison' | 'softOffline', string>>;

/** Poison on this very machine, and its undoing. */
export class LocalHost {
  readonly #files: KernelFiles;
  readonly #folder: string;
  readonly #record: PoisonRecord;
  /** Guest physical addresses by the page frame of this machine that holds them. */
  readonly #guestPages = new Map<bigint, bigint>();
  readonly #poisoned = new Set<bigint>();
  #log: KeptProcess | undefined;

  /** @param folder where the poisoned frames are written down */
  constructor(files: KernelFiles = PAGE_FILES, folder: string = poisonDir()) {
    this.#files = files;
    this.#folder = folder;
    this.#record = new PoisonRecord(folder);
  }

  /** Follows the kernel log of this machine from now on. */
  follow(onLine: (line: string) => void): void {
    const scratch = join(tmpdir(), 'syndrome-no-folder');
    this.#log = new KeptProcess(['dmesg', '--follow-new', '--notime', '--color=never'], scratch, onLine);
  }

  /** Gives back what killed runs have left poisoned, and says so. The preflight has seen the user's consent. */
  giveBackLeft(say: (text: string) => void): void {
    const { given, refused } = giveBackLeft(pfn => this.#write(this.#files.unpoison, pfn), this.#folder);
    if (given.length > 0) say(`given back, left poisoned by a run that was killed: page frames ${frameList(given)}`);
    if (refused.length > 0) say(`still poisoned by a run that was killed: page frames ${frameList(refused)}`);
  }

  /** A page of the guest, as its VMM has translated it: only such pages may be poisoned. */
  guestPage(guest: bigint, address: bigint): void {
    this.#guestPages.set(pfnOf(address), pageOf(guest));
  }

  /** The guest physical address of the page at an address of this machine. @throws LabError when it is none of the guest. */
  guestAddress(address: bigint): bigint {
    const guest = this.#guestPages.get(pfnOf(address));
    if (guest !== undefined) return guest;
    throw new LabError('E_LAB_HOST_LOCAL', `0x${address.toString(16)} is not known as a page of the guest`, {
      hint: 'On this very machine only an address is poisoned that the VMM has told a step before.',
    });
  }

  /** @throws LabError for a page that is none of the guest, or when the kernel refuses. */
  poison(address: bigint, how: 'corrupt-pfn' | 'soft-offline'): void {
    this.guestAddress(address);
    const pfn = pfnOf(address);
    // Soft offline takes the frame out of use just as well.
    this.#poisoned.add(pfn);
    this.#record.write(this.#poisoned);
    if (how === 'corrupt-pfn') this.#write(this.#files.corrupt, pfn);
    else this.#write(this.#files.softOffline, address);
  }

  /** Gives back what was poisoned; called when the guest is gone. Returns the frames that the kernel did not take back. */
  async end(): Promise<bigint[]> {
    await this.#log?.stop();
    const refused: bigint[] = [];
    for (const pfn of this.#poisoned) {
      try {
        this.#write(this.#files.unpoison, pfn);
      } catch {
        refused.push(pfn);
      }
    }
    if (this.#poisoned.size > 0) this.#record.write(refused);
    this.#poisoned.clear();
    return refused;
  }

  #write(path: string, value: bigint): void {
    try {
      // Never made where the kernel does not have it.
      const fd = openSync(path, constants.O_WRONLY);
      try {
        writeSync(fd, `0x${value.toString(16)}\n`);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      throw new LabError('E_LAB_HOST_LOCAL', `the kernel refused 0x${value.toString(16)} in ${path}`, { cause: error });
    }
  }
}
