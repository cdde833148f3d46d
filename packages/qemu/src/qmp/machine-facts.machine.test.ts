import { expect, test } from 'vitest';
import { machineFacts } from './machine-facts.ts';
import { startMachine } from './testing/machine.ts';

test.each([
  ['x86_64', ['-cpu', 'Skylake-Server'], { target: 'x86_64', cpus: 1, cpuVendor: 'GenuineIntel' }],
  ['x86_64', ['-cpu', 'EPYC', '-smp', '3'], { target: 'x86_64', cpus: 3, cpuVendor: 'AuthenticAMD' }],
  ['aarch64', ['-M', 'virt', '-cpu', 'max', '-m', '64'], { target: 'aarch64', cpus: 1, ras: false }],
] as const)('%s %j says what it is', async (target, args, facts) => {
  const machine = await startMachine(target, [...args]);
  try {
    const { major, minor, micro } = machine.qmp.greeting.version;
    expect(await machineFacts(machine.qmp)).toEqual({ version: `${major}.${minor}.${micro}`, kvm: false, ...facts });
  } finally {
    await machine.stop();
  }
});
