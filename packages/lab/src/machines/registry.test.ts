import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VMMS } from '../vmms/registry.ts';
import { kindsTaking, machineFaults, machineKind, machineKinds, machineSchema } from './registry.ts';

const kinds = machineKinds();

test.each(['machines', 'vmms'])('each file of %s is in its registry, or is what they have in common', folder => {
  const common = new Set([
    'registry',
    'kind',
    'facts',
    'firmware',
    'host-layer',
    'named-kernel',
    'arm64-layer',
    'vmm',
    'qemu-base',
  ]);
  const files = globSync('*.ts', { cwd: join(import.meta.dirname, '..', folder) }).filter(f => !f.endsWith('.test.ts'));
  const own = files.map(file => basename(file, '.ts')).filter(file => !common.has(file));
  const known = folder === 'vmms' ? Object.values(VMMS).map(vmm => vmm.name) : kinds.map(kind => kind.name);
  expect(own.toSorted()).toEqual(known.toSorted());
});

describe.each(kinds.map(kind => [kind.name, kind] as const))('%s', (name, kind) => {
  const spec = machineSchema.parse({ kind: name });

  test('is what its own machines are of', () => {
    expect(machineKind(spec)).toBe(kind);
    expect(kind.schema.parse({ kind: name })).toEqual(spec);
  });

  test('has a host layer where it has a VMM in one, and that VMM is registered', () => {
    expect(kind.layers.includes('host')).toBe(kind.vmm !== undefined);
    expect(kind.channels.includes('hostAgent')).toBe(kind.vmm !== undefined);
    if (kind.vmm) expect(Object.values<unknown>(VMMS)).toContain(kind.vmm);
  });

  test('has lines to its guest, and one on which its VMM is controlled', () => {
    const control = kind.vmm?.control === 'requests' ? 'control' : 'qmp';
    expect(kind.channels).toEqual(expect.arrayContaining(['console', 'agent', control]));
    expect(new Set(kind.channels).size).toBe(kind.channels.length);
  });
});

test('choices of the user are for the kinds that have a use for them', () => {
  expect(kindsTaking('xen')).toEqual(['xen-dom0']);
  expect(kindsTaking('hostKernel')).toEqual(['amd-host', 'arm64-host', 'arm64-qemu-host']);
  expect(kindsTaking('hostQemu')).toEqual(['amd-host', 'arm64-qemu-host']);
  expect(kindsTaking('cpu')).toEqual(['linux-guest', 'cxl-guest', 'xen-dom0', 'amd-host']);
  // Elsewhere only where the scenario asks for firmware.
  expect(kindsTaking('firmware')).toEqual(['arm64-qemu-host']);
  const uefi = machineSchema.parse({ kind: 'arm64-host', firmware: true });
  expect(machineKind(uefi).takes(uefi)).toContain('firmware');
});

test.each([
  ['linux-guest', {}, undefined],
  ['xen-dom0', { xen: '/own/xen' }, ['/own/xen']],
  ['amd-host', { guest: { kernel: './bzImage' } }, ['./bzImage']],
  ['arm64-host', { guest: { kernel: '7.0' } }, ['7.0']],
])('%s with %j names parts besides its kernel', (kind, more, parts) => {
  const spec = machineSchema.parse({ kind, ...more });
  expect(machineKind(spec).named?.(spec)).toEqual(parts);
});

test.each([
  [{ kind: 'linux-guest' }, []],
  [{ kind: 'linux-guest', firmware: true }, ['firmware: true needs arch: aarch64']],
  [{ kind: 'linux-guest', firmware: true, arch: 'aarch64', ras: true }, []],
  [{ kind: 'arm64-host', ras: true }, ['ras: true needs firmware: true']],
  [{ kind: 'linux-guest', ras: true }, ['ras: true needs firmware: true']],
  [{ kind: 'nothing', ras: true }, []],
  [{ kind: { a: 1 } }, []],
])('what does not fit together in %j', (data, messages) => {
  expect(machineFaults(data).map(fault => fault.message)).toEqual(messages);
});
