import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { messageOf, SyndromeError } from '../common/errors.ts';
import { safeText } from '../common/screen.ts';
import { stringify } from '../common/hex.ts';
import { kvmAccessible } from '../lab/machine/accel.ts';
import { assemble } from '../lab/parts.ts';
import { findScenario } from '../lab/scenario/load.ts';
import { EXIT } from './exit-codes.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, stdoutStyle } from './output.ts';
import { bytes } from './progress.ts';

/** One thing this machine can or cannot do. `why` and `remedy` are there when it cannot. */
interface Finding {
  topic: string;
  status: 'ok' | 'limited' | 'missing';
  detail: string;
  why?: string;
  remedy?: string;
}

type Check = (options: SupplyOptions) => Finding | Promise<Finding>;

const inPath = (tool: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some(dir => {
    try {
      accessSync(join(dir, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const CHECKS: Check[] = [
  () => ({ topic: 'node', status: 'ok', detail: process.version }),
  () => {
    const [cpus, memory] = [availableParallelism(), totalmem()];
    const detail = `${cpus} CPUs, ${bytes(freemem())} of ${bytes(memory)} memory free`;
    if (freemem() > 2e9) return { topic: 'machine', status: 'ok', detail };
    const remedy = 'Free memory, or run scenarios one at a time; linux-guest needs about 0.6 GB, xen-dom0 2 GB.';
    return { topic: 'machine', status: 'limited', detail, why: 'less than 2 GB of memory is free', remedy };
  },
  () => {
    const missing = ['apt-get', 'dpkg-deb'].filter(tool => !inPath(tool));
    if (missing.length === 0)
      return { topic: 'packages', status: 'ok', detail: 'apt-get and dpkg-deb are here; no root needed' };
    return {
      topic: 'packages',
      status: 'missing',
      detail: 'parts cannot be fetched from Debian packages',
      why: `${missing.join(' and ')} not found`,
      remedy: 'Use a Debian system, or give your own parts with --qemu, --guest-kernel, --xen, --firmware.',
    };
  },
  async options => {
    const supply = await openSupply({ ...options, offline: true });
    mkdirSync(supply.cacheDir, { recursive: true, mode: 0o700 });
    const fs = statfsSync(supply.cacheDir);
    const free = fs.bavail * fs.bsize;
    const parts = await supply.list();
    const detail = `${supply.cacheDir}: ${parts.length} parts, ${bytes(free)} free`;
    const damaged = parts.filter(p => !p.verifies);
    if (damaged.length > 0) {
      const why = damaged.map(p => `${p.name}: ${p.damage[0]}`).join('; ');
      return {
        topic: 'cache',
        status: 'limited',
        detail,
        why,
        remedy: 'The damaged parts are fetched again when needed; or run `syndrome supply clean`.',
      };
    }
    if (free > 1e9) return { topic: 'cache', status: 'ok', detail };
    return {
      topic: 'cache',
      status: 'limited',
      detail,
      why: 'less than 1 GB is free',
      remedy: 'Free some space, or choose another place with SYNDROME_CACHE.',
    };
  },
  async options => {
    const scenarios = ['intel-srao-process', 'arm64-ghes-memory', 'xen-ce'];
    const supply = await openSupply({ ...options, offline: true });
    const missing: string[] = [];
    for (const name of scenarios) {
      await assemble(findScenario(name).machine, { supply, accel: 'tcg' }).catch((error: unknown) => {
        missing.push(`${name} (${error instanceof SyndromeError ? error.code : messageOf(error)})`);
      });
    }
    if (missing.length === 0)
      return { topic: 'offline', status: 'ok', detail: 'everything the scenarios need is in the cache' };
    return {
      topic: 'offline',
      status: 'limited',
      detail: 'some scenarios need the package mirror first',
      why: `not in the cache: ${missing.join(', ')}`,
      remedy: 'Run `syndrome supply fetch` while the mirror can be reached.',
    };
  },
  async options => {
    const remedy = 'Nothing is lost but time: emulation (TCG) gives the same verdicts.';
    if (!existsSync('/dev/kvm')) {
      const why = 'there is no /dev/kvm: no hardware virtualisation, or its module is not loaded';
      return { topic: 'kvm', status: 'limited', detail: 'guests run emulated', why, remedy };
    }
    if (!kvmAccessible()) {
      return {
        topic: 'kvm',
        status: 'limited',
        detail: 'guests run emulated',
        why: '/dev/kvm is there but this user may not open it',
        remedy: 'Join the group that owns it (often kvm), then log in again.',
      };
    }
    const supply = await openSupply({ ...options, offline: true });
    try {
      await assemble(findScenario('intel-srao-process').machine, { supply, accel: 'kvm' });
      return { topic: 'kvm', status: 'ok', detail: 'a stock guest booted under KVM' };
    } catch (error) {
      return { topic: 'kvm', status: 'limited', detail: 'guests run emulated', why: messageOf(error), remedy };
    }
  },
  () => {
    const dir = tmpdir();
    const length = Buffer.byteLength(join(dir, 'syndrome-XXXXXX', 'console.sock'));
    if (length < 100) return { topic: 'sockets', status: 'ok', detail: `run folders go to ${dir}` };
    const why = `unix socket paths hold 108 bytes and ${dir} is too long`;
    return {
      topic: 'sockets',
      status: 'limited',
      detail: 'run folders go to /tmp',
      why,
      remedy: 'Set TMPDIR to a shorter path.',
    };
  },
  () => {
    const root = process.getuid?.() === 0;
    const hwpoison = existsSync('/sys/kernel/debug/hwpoison/corrupt-pfn');
    const text = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '?');
    if (root && hwpoison)
      return {
        topic: 'host poison',
        status: 'ok',
        detail: `hwpoison_inject is loaded on Linux ${text('/proc/sys/kernel/osrelease')}`,
      };
    return {
      topic: 'host poison',
      status: 'limited',
      detail: 'this very machine cannot be used as the host layer',
      why: root ? 'hwpoison_inject is not loaded, or debugfs is not mounted' : 'it needs root',
      remedy: 'No scenario of this version needs it.',
    };
  },
];

const MARK = { ok: ['green', 'ok     '], limited: ['yellow', 'limited'], missing: ['red', 'missing'] } as const;

/** `syndrome doctor`. Exit code 3 when something is missing without which no scenario runs. */
export async function doctor(options: GlobalOptions & SupplyOptions & { json?: boolean }): Promise<void> {
  const style = stdoutStyle(options);
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    const finding = await check(options);
    findings.push(finding);
    if (options.json) continue;
    const [color, mark] = MARK[finding.status];
    print(`${style(color, mark)}  ${finding.topic.padEnd(12)} ${safeText(finding.detail, 300)}`);
    if (finding.why !== undefined) print(`${' '.repeat(22)}why: ${safeText(finding.why, 500)}`);
    if (finding.remedy !== undefined) print(`${' '.repeat(22)}${finding.remedy}`);
  }
  if (options.json) print(stringify({ schemaVersion: 1, findings }));
  if (findings.some(f => f.status === 'missing')) process.exitCode = EXIT.error;
}
