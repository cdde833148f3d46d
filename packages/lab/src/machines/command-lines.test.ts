import { expect, test } from 'vitest';
import type { Accel } from '../machine/accel.ts';
import { channelEnd, type MachineEnds } from '../machine/channels.ts';
import { memoryEnds, qemuArgs } from '../machine/qemu-args.ts';
import { VMMS } from '../vmms/registry.ts';
import { amdHost } from './amd-host.ts';
import { arm64Host } from './arm64-host.ts';
import { arm64QemuHost } from './arm64-qemu-host.ts';
import type { MachineFiles } from './kind.ts';
import { machineKind, machineKinds, type MachineSpec, machineSchema } from './registry.ts';

const SPECS: Readonly<Record<string, object>> = {
  'linux-guest': {},
  'linux-guest, all of it': {
    cpu: 'EPYC,lmce=on',
    cpus: 4,
    memory: 512,
    modules: ['msr'],
    append: 'mce=print_all a=b,c',
    reboot: 'reset',
  },
  'linux-guest, whose firmware is the lab': { apei: true, erst: true, append: 'quiet' },
  'linux-guest, arm64': { arch: 'aarch64', cpu: 'max,pauth-impdef=on', append: 'quiet' },
  'linux-guest, arm64 with firmware': { arch: 'aarch64', cpu: 'max', firmware: true },
  'linux-guest, arm64 with RAS': { arch: 'aarch64', cpu: 'max', firmware: true, ras: true, append: 'quiet' },
  'cxl-guest': {},
  'cxl-guest, all of it': { cpu: 'Skylake-Server', cpus: 2, memory: 512, cxlMemory: 512, append: 'iomem=relaxed' },
  'xen-dom0': {},
  'xen-dom0, all of it': { cpu: 'EPYC', append: 'quiet a,b', xenAppend: 'mce=off', crashKernel: true, dom0Memory: 512 },
  'amd-host': {},
  'amd-host, all of it': {
    cpu: 'EPYC-Milan',
    cpus: 3,
    append: 'quiet',
    guest: { cpu: 'EPYC', cpus: 2, memory: 512, modules: ['msr'], append: 'mce=print_all' },
  },
  'amd-host, a guest in huge pages': { append: 'quiet', guest: { hugetlb: '2m' } },
  'amd-host, whose firmware is the lab': { apei: true },
  'arm64-host': {},
  'arm64-host, all of it': {
    append: 'kvm-arm.mode=nested',
    firmware: true,
    ras: true,
    vmm: { sea: 'off', quarantine: 'on-request', maxErrors: 9 },
    guest: { cpus: 2, memory: 512, append: 'quiet' },
  },
  'arm64-qemu-host': {},
  'arm64-qemu-host, all of it': {
    append: 'quiet',
    vmm: { ras: false },
    guest: { cpus: 2, memory: 512, append: 'quiet' },
  },
};

/** Kernel, initramfs and firmware have a comma: in QEMU's option values it is written twice. */
function filesOf(spec: MachineSpec): MachineFiles {
  return {
    qemu: ['/lib/ld.so', '/bin/qemu', '-L', '/share'],
    kernel: '/k,1/vmlinuz',
    initrd: '/i,1/initrd.cpio',
    ...('firmware' in spec && spec.firmware ? { firmware: '/f,1/code.fd' } : {}),
    ...('apei' in spec && spec.apei ? { tables: ['/t,1/bert.aml', '/t,1/hest.aml'] } : {}),
    ...(spec.kind === 'xen-dom0' ? { xen: '/x/xen' } : {}),
    ...('guest' in spec ? { guest: { kernel: '/g,1/vmlinuz', initrd: '/g/initrd.cpio' } } : {}),
  };
}

function outer(spec: MachineSpec, accel: Accel, ends: MachineEnds, append: string): string[] {
  return qemuArgs({ machine: spec, accel, files: filesOf(spec), append }, ends);
}

function inner(spec: MachineSpec, append: string): string[] {
  if (spec.kind === amdHost.name) return VMMS.qemu.command(['/qemu'], amdHost.schema.parse(spec).guest, {}, append);
  if (spec.kind === arm64QemuHost.name) {
    const { guest, vmm } = arm64QemuHost.schema.parse(spec);
    return VMMS.arm64Qemu.command(['/qemu'], guest, vmm, append);
  }
  if (spec.kind !== arm64Host.name) return [];
  const { guest, vmm } = arm64Host.schema.parse(spec);
  return VMMS.reference.command(['/node', 'main.js'], guest, vmm, append);
}

/** An argument a line: a difference shows which one it is. */
const lines = (title: string, argv: readonly string[]): string[] => ['', title, ...argv.map(a => `  ${a}`)];

test('every kind of machine is among them', () => {
  const kinds = new Set(Object.keys(SPECS).map(title => title.split(',')[0]));
  expect([...kinds]).toEqual(machineKinds().map(kind => kind.name));
});

test('the command lines of every kind of machine are as they were', async () => {
  const text = Object.entries(SPECS).flatMap(([title, rest]) => {
    const spec = machineSchema.parse({ kind: title.split(',')[0], ...rest });
    const channels = Object.fromEntries(machineKind(spec).channels.map(name => [name, channelEnd(name, '/run,1')]));
    const ends = { ...channels, ...memoryEnds(spec, name => `/run,1/${name}`) };
    const withGdb = { ...ends, gdb: '/run,1/gdb.sock' };
    return [
      ...lines(title, outer(spec, 'tcg', ends, '')),
      ...lines(`${title}: kvm, gdb, appended`, outer(spec, 'kvm', withGdb, 'x=1,2')),
      ...(inner(spec, '').length === 0 ? [] : lines(`${title}: VMM`, inner(spec, ''))),
      ...(inner(spec, '').length === 0 ? [] : lines(`${title}: VMM, appended`, inner(spec, 'x=1,2'))),
    ];
  });
  await expect(`${text.join('\n').trim()}\n`).toMatchFileSnapshot('golden/command-lines.txt');
});
