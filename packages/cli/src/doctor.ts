import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { hostFile } from '@syndrome/decode/inject/poison.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { requireSafeTemporary } from '@syndrome/base/disk/own-folder.ts';
import { gatherParts } from '@syndrome/lab/gather.ts';
import { kvmAccessible } from '@syndrome/lab/machine/accel.ts';
import { machineKinds } from '@syndrome/lab/machines/registry.ts';
import { assemble } from '@syndrome/lab/parts.ts';
import { frameList, leftPoison } from '@syndrome/lab/poison-record.ts';
import { stateFolder } from '@syndrome/lab/state-dir.ts';
import { bundledScenarios, findScenario, type Scenario } from '@syndrome/lab/scenario/load.ts';
import { EXIT } from './exit-codes.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printJson, stdoutStyle } from './output.ts';
import { bytes } from './progress.ts';

/** What was found out about one topic. `why` and `remedy` are there when something does not work. */
interface Answer {
  status: 'ok' | 'limited' | 'missing';
  detail: string;
  why?: string;
  remedy?: string;
}

type Finding = Answer & { topic: string };

/** One thing to find out. What it throws is its answer: `missing`, with the error as the reason. */
interface Check {
  topic: string;
  /** What does not work when the check itself fails. */
  broken: string;
  remedy?: string;
  ask: (options: SupplyOptions) => Answer | Promise<Answer>;
}

const inPath = (tool: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some(dir => {
    try {
      accessSync(join(dir, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Writes a file in a new folder below `dir`, and removes both; throws what the file system says. */
function tryFolder(dir: string): void {
  const made = mkdtempSync(join(dir, 'syndrome-'));
  try {
    writeFileSync(join(made, 'probe'), 'x');
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The folder itself, or the nearest one above it that is there: what is missing is made when it is needed. */
function nearestFolder(dir: string): string {
  return existsSync(dir) || dirname(dir) === dir ? dir : nearestFolder(dirname(dir));
}

/** Which of these scenarios lack a part in the cache, with the error; empty when all is there. */
async function notInCache(scenarios: readonly Scenario[], options: SupplyOptions): Promise<string[]> {
  const supply = await openSupply({ ...options, offline: true });
  const missing: string[] = [];
  for await (const found of gatherParts(scenarios, supply)) {
    if ('error' in found) missing.push(`${found.scenario} (${found.error.code})`);
  }
  return missing;
}

const CHECKS: readonly Check[] = [
  { topic: 'node', broken: 'no version', ask: () => ({ status: 'ok', detail: process.version }) },
  {
    topic: 'machine',
    broken: 'the machine cannot be looked at',
    ask: () => {
      // Within a control group less than what is free may be used.
      const [cpus, memory, free] = [availableParallelism(), totalmem(), process.availableMemory()];
      const detail = `${cpus} CPUs, ${bytes(free)} of ${bytes(memory)} memory free`;
      if (free > 2e9) return { status: 'ok', detail };
      const needs = machineKinds().flatMap(({ name, memoryGb }) => (memoryGb === undefined ? [] : [[name, memoryGb]]));
      const told = needs.map(([name, gb], i) => `${name} ${i === 0 ? 'needs about ' : ''}${gb} GB`).join(', ');
      const remedy = `Free memory, or run scenarios one at a time; ${told}.`;
      return { status: 'limited', detail, why: 'less than 2 GB of memory is free', remedy };
    },
  },
  {
    topic: 'packages',
    broken: 'PATH cannot be searched',
    ask: () => {
      const missing = ['apt-get', 'dpkg-deb'].filter(tool => !inPath(tool));
      if (missing.length === 0) return { status: 'ok', detail: 'apt-get and dpkg-deb are here; no root needed' };
      return {
        status: 'missing',
        detail: 'parts cannot be fetched from Debian packages',
        why: `${missing.join(' and ')} not found`,
        remedy: 'Use a Debian system, or give your own parts with --qemu, --guest-kernel, --xen, --firmware.',
      };
    },
  },
  {
    topic: 'cache',
    broken: 'there is no place for packages',
    remedy: 'Choose another place with SYNDROME_CACHE or --cache.',
    ask: async options => {
      const supply = await openSupply({ ...options, offline: true });
      tryFolder(supply.cacheDir);
      const fs = statfsSync(supply.cacheDir);
      const free = fs.bavail * fs.bsize;
      const parts = await supply.list();
      const detail = `${supply.cacheDir}: ${parts.filter(p => p.kind !== 'derived').length} parts, ${bytes(free)} free`;
      const damaged = parts.filter(p => !p.verifies);
      if (damaged.length > 0) {
        const why = damaged.map(p => `${p.name}: ${p.damage[0]}`).join('; ');
        const remedy =
          'What is damaged is fetched or made again when needed; or run `syndrome supply clean --damaged`.';
        return { status: 'limited', detail, why, remedy };
      }
      if (free > 1e9) return { status: 'ok', detail };
      const remedy = 'Free some space, or choose another place with SYNDROME_CACHE.';
      return { status: 'limited', detail, why: 'less than 1 GB is free', remedy };
    },
  },
  {
    topic: 'offline',
    broken: 'the cache cannot be used',
    remedy: 'See "cache".',
    ask: async options => {
      const scenarios = bundledScenarios();
      const missing = await notInCache(scenarios, options);
      const all = scenarios.length;
      if (missing.length === 0) return { status: 'ok', detail: `everything the ${all} scenarios need is in the cache` };
      return {
        status: 'limited',
        detail: `${missing.length} of ${all} scenarios need the package mirror first`,
        why: `not in the cache: ${missing.join(', ')}`,
        remedy: 'Run `syndrome supply fetch` while the mirror can be reached.',
      };
    },
  },
  {
    topic: 'kvm',
    broken: 'not tried',
    remedy: 'See "cache".',
    ask: async options => {
      const detail = 'guests run emulated';
      const remedy = 'Nothing is lost but time: emulation (TCG) gives the same verdicts.';
      if (!existsSync('/dev/kvm')) {
        const why = 'there is no /dev/kvm: no hardware virtualisation, or its module is not loaded';
        return { status: 'limited', detail, why, remedy };
      }
      if (!kvmAccessible()) {
        const why = '/dev/kvm is there but this user may not open it';
        return {
          status: 'limited',
          detail,
          why,
          remedy: 'Join the group that owns it (often kvm), then log in again.',
        };
      }
      const scenario = findScenario('intel-srao-process');
      // Without a guest to boot nothing is known about KVM.
      const missing = await notInCache([scenario], options);
      if (missing.length > 0) {
        return {
          status: 'limited',
          detail: 'not tried: /dev/kvm can be opened, but only a guest that boots proves that it works',
          why: `the guest to try it with is not in the cache: ${missing.join(', ')}`,
          remedy: 'Run `syndrome supply fetch`, then this again.',
        };
      }
      const supply = await openSupply({ ...options, offline: true });
      try {
        await assemble(scenario.machine, { accel: 'kvm' }, { supply });
        return { status: 'ok', detail: 'a stock guest booted under KVM' };
      } catch (error) {
        return { status: 'limited', detail, why: messageOf(error), remedy };
      }
    },
  },
  {
    topic: 'run folders',
    broken: 'runs have no place for their sockets',
    remedy: 'Set TMPDIR to a folder that can be written to.',
    ask: () => {
      const dir = resolve(tmpdir());
      // A run moves to /tmp where the name of its sockets would not fit.
      const fits = Buffer.byteLength(join(dir, 'syndrome-XXXXXX', 'outer.sock')) < 100;
      requireSafeTemporary(fits ? dir : '/tmp');
      tryFolder(fits ? dir : '/tmp');
      if (fits) return { status: 'ok', detail: `run folders go to ${dir}` };
      return {
        status: 'limited',
        detail: 'run folders go to /tmp',
        why: `unix socket paths hold 108 bytes and ${dir} is too long`,
        remedy: 'Set TMPDIR to a shorter path.',
      };
    },
  },
  {
    topic: 'state',
    broken: 'traces cannot be kept',
    remedy: 'Choose another place with SYNDROME_STATE, or name a file with --trace.',
    ask: () => {
      const dir = dirname(stateFolder('traces'));
      const there = nearestFolder(dir);
      tryFolder(there);
      return { status: 'ok', detail: `traces go to ${dir}${there === dir ? '' : ', which is made when needed'}` };
    },
  },
  {
    topic: 'host poison',
    broken: 'this very machine cannot be looked at',
    ask: () => {
      const root = process.getuid?.() === 0;
      const hwpoison = existsSync(hostFile('corrupt-pfn'));
      const left = leftPoison();
      if (left.length > 0) {
        return {
          status: 'limited',
          detail: `page frames of this very machine are still poisoned: ${frameList(left)}`,
          why: 'a run with --host local was killed, or the kernel did not take them back',
          remedy: 'The next `run --host local --poison-this-host` gives them back; so does a reboot.',
        };
      }
      if (root && hwpoison) {
        const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
        return { status: 'ok', detail: `hwpoison_inject is loaded on Linux ${release}` };
      }
      return {
        status: 'limited',
        detail: 'this very machine cannot be used as the host layer',
        why: root ? 'hwpoison_inject is not loaded, or debugfs is not mounted' : 'it needs root',
        remedy: 'Only `run --host local` needs it: modprobe hwpoison_inject, as root, on a machine with AMD-V.',
      };
    },
  },
];

const MARK = { ok: ['green', 'ok     '], limited: ['yellow', 'limited'], missing: ['red', 'missing'] } as const;

/** Asks one question; what goes wrong is an answer too, so that the others are asked all the same. */
async function find({ topic, broken, remedy, ask }: Check, options: SupplyOptions): Promise<Finding> {
  try {
    return { topic, ...(await ask(options)) };
  } catch (error) {
    const hint = remedy ?? (error instanceof SyndromeError ? error.hint : undefined);
    return {
      topic,
      status: 'missing',
      detail: broken,
      why: messageOf(error),
      ...(hint === undefined ? {} : { remedy: hint }),
    };
  }
}

/** `syndrome doctor`. Exit code 3 when something is missing without which no scenario runs. */
export async function doctor(options: GlobalOptions & SupplyOptions & { json?: boolean }): Promise<void> {
  const style = stdoutStyle(options);
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    const finding = await find(check, options);
    findings.push(finding);
    if (options.json) continue;
    const [color, mark] = MARK[finding.status];
    print(`${style(color, mark)}  ${finding.topic.padEnd(12)} ${safeText(finding.detail, 300)}`);
    if (finding.why !== undefined) print(`${' '.repeat(22)}why: ${safeText(finding.why, 500)}`);
    if (finding.remedy !== undefined) print(`${' '.repeat(22)}${safeText(finding.remedy, 300)}`);
  }
  if (options.json) printJson({ schemaVersion: 1, findings });
  if (findings.some(f => f.status === 'missing')) process.exitCode = EXIT.error;
}
