import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { LabError, LabSkip } from './errors.ts';
import { kvmAccessible } from './machine/accel.ts';
import { KeptProcess } from './machine/keeper.ts';
import type { MachineSpec } from './scenario/schema.ts';

/** One thing that has to be so before this very machine may be the host layer. */
export interface Preflight {
  what: string;
  ok: boolean;
  /** How to make it so. */
  remedy: string;
}

const HWPOISON = '/sys/kernel/debug/hwpoison';
const SOFT_OFFLINE = '/sys/devices/system/memory/soft_offline_page';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/**
 * Looks whether this machine can be the host layer of a scenario. Nothing is changed.
 * @param consent the user has said that pages of this machine may be poisoned
 */
export function preflight(spec: MachineSpec, consent: boolean): Preflight[] {
  const cpu = read('/proc/cpuinfo');
  return [
    {
      what: 'the scenario has a host layer of x86-64',
      ok: spec.kind === 'amd-host',
      remedy: 'Choose a scenario with machine kind amd-host.',
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
      ok: existsSync(`${HWPOISON}/corrupt-pfn`) && existsSync(`${HWPOISON}/unpoison-pfn`),
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
  throw new LabSkip(
    'E_LAB_HOST_LOCAL',
    `this machine cannot be the host layer: ${missing.map(p => p.what).join(', ')} missing`,
    {
      hint: missing.map(p => p.remedy).join(' '),
    },
  );
}

/** Poison on this very machine, and its undoing. */
export class LocalHost {
  #poisoned = new Set<bigint>();
  #log: KeptProcess | undefined;

  /** Follows the kernel log of this machine from now on. */
  follow(onLine: (line: string) => void): void {
    const scratch = join(tmpdir(), 'syndrome-no-folder');
    this.#log = new KeptProcess(['dmesg', '--follow-new', '--notime', '--color=never'], scratch, onLine);
  }

  /** @throws LabError when the kernel refuses. */
  poison(address: bigint, how: 'corrupt-pfn' | 'soft-offline'): void {
    const pfn = address >> 12n;
    if (how === 'corrupt-pfn') this.#poisoned.add(pfn);
    this.#write(
      how === 'corrupt-pfn' ? `${HWPOISON}/corrupt-pfn` : SOFT_OFFLINE,
      how === 'corrupt-pfn' ? pfn : address,
    );
  }

  /** Gives back what was poisoned; called when the guest is gone. Returns the frames that the kernel did not take back. */
  async end(): Promise<bigint[]> {
    await this.#log?.stop();
    const refused: bigint[] = [];
    for (const pfn of this.#poisoned) {
      try {
        this.#write(`${HWPOISON}/unpoison-pfn`, pfn);
      } catch {
        refused.push(pfn);
      }
    }
    this.#poisoned.clear();
    return refused;
  }

  #write(path: string, value: bigint): void {
    try {
      writeFileSync(path, `0x${value.toString(16)}\n`);
    } catch (error) {
      throw new LabError('E_LAB_HOST_LOCAL', `the kernel refused 0x${value.toString(16)} in ${path}`, { cause: error });
    }
  }
}
