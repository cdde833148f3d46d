/** An emulated arm64 host whose VM has the reference VMM, with an agent beside it. */
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { type Assembly, assemble, type Services } from '@syndrome/lab/parts.ts';
import { NODE } from './hosts.ts';

/** Of the VM, on every host alike: what the reference VMM writes, and where it takes requests. */
export const VM_FILES = { events: '/run/vm.ndjson', control: '/run/vm.control' } as const;

/** A machine whose VMM writes and listens where an agent beside it reads and writes; with a line from that agent to us. */
export async function assembleArm64(vm: string, services: Services): Promise<Assembly> {
  const spec = machineSchema.parse({
    kind: 'arm64-host',
    cpus: 2,
    vmm: { sea: 'on', quarantine: 'now', maxErrors: 100 },
  });
  const assembly = await assemble(spec, { accel: 'tcg' }, services);
  const { host } = assembly;
  if (host === undefined) throw new Error('an arm64-host has a host layer');
  const own = ['--name', vm, '--events', VM_FILES.events, '--control', VM_FILES.control];
  return { ...assembly, uplink: true, host: { ...host, vmm: [...host.vmm, ...own] } };
}

/** What the agent of such a host is told of it. */
export const arm64Agent = (vm: string): object => ({
  start: { folder: '/run/vms', logs: '/run/logs', programs: [NODE] },
  vmms: [{ vm, name: vm, optedIn: true, ...VM_FILES }],
});
