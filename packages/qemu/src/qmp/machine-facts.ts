import type { QmpClient } from './client.ts';
import { QmpCommandError } from './errors.ts';
import { property } from './property.ts';

/** What a running QEMU says of its machine; what it does not say is missing. Nothing of it is changed by asking. */
export interface MachineFacts {
  /** Of QEMU: `11.1.3`. */
  version: string;
  /** The accelerator is KVM. */
  kvm?: boolean;
  cpus?: number;
  /** Architecture of the CPUs, as QEMU names it: `x86_64`, `aarch64`. */
  target?: string;
  /** The vendor string that CPUID gives the guest: `GenuineIntel`. */
  cpuVendor?: string;
  /** The machine has a RAS switch, and it is on. Only arm64 `virt` has one. */
  ras?: boolean;
}

/** Asks; a command that this QEMU does not know leaves its answer out. */
async function answer<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof QmpCommandError) return undefined;
    throw error;
  }
}

/** Asks a running QEMU what the outlook of an injection depends on. */
export async function machineFacts(client: QmpClient): Promise<MachineFacts> {
  const { major, minor, micro } = client.greeting.version;
  const kvm = await answer(client.execute('query-kvm'));
  const cpus = (await answer(client.execute('query-cpus-fast'))) ?? [];
  const [first] = cpus;
  const vendor = first && (await property(client, first['qom-path'], 'vendor'));
  const ras = await property(client, '/machine', 'ras');
  return {
    version: `${major}.${minor}.${micro}`,
    ...(kvm === undefined ? {} : { kvm: kvm.enabled }),
    ...(first === undefined ? {} : { cpus: cpus.length, target: first.target }),
    ...(typeof vendor === 'string' ? { cpuVendor: vendor } : {}),
    ...(typeof ras === 'boolean' ? { ras } : {}),
  };
}
