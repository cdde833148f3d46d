import { describe, expect, test } from 'vitest';
import { libvirtConfigSchema } from './config.ts';
import { libvirtPart } from './libvirt-part.ts';
import { Vms } from './vms.ts';

describe('the libvirt part of a configuration', () => {
  test('has a default for everything, and makes a source and acts', () => {
    const config = libvirtConfigSchema.parse({});
    expect(config).toEqual({
      socket: '/run/libvirt/libvirt-sock',
      uri: 'qemu:///system',
      logs: '/var/log/libvirt/qemu',
      peers: {},
    });
    const part = libvirtPart(config, { host: 'a', vms: new Vms(), epochOf: () => 0 });
    expect(part.sources.map(s => s.name)).toEqual(['libvirt']);
  });

  test.each([
    [{ peers: { b: { uri: '--help' } } }],
    [{ peers: { b: { uri: 'qemu+ssh://b/system', migrateUri: 'tcp://b --unsafe' } } }],
    [{ peers: { b: {} } }],
    [{ socket: 'libvirt-sock' }],
    [{ uri: 'xen:///system' }],
    [{ command: 'virsh' }],
  ])('refuses %j', config => {
    expect(libvirtConfigSchema.safeParse(config).success).toBe(false);
  });
});
