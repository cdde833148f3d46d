import { describe, expect, test } from 'vitest';
import { readDefinition, withoutSecrets } from './definition.ts';
import { LibvirtDefinitionError } from './errors.ts';

const NOVA = 'http://openstack.org/xmlns/libvirt/nova/1.1';

/** As libvirt 9.0 writes one, cut to what matters. */
const domain = (inside = ''): string => `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>t1</name>
  <uuid>83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7</uuid>
  <metadata><nova:instance xmlns:nova="${NOVA}"><nova:name>web &amp; more</nova:name></nova:instance></metadata>
  <memory unit='KiB'>196608</memory>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>Skylake-Server</model></cpu>
  <on_crash>preserve</on_crash>
  <devices>
    <disk type='file' device='disk'><source file='/vm/t1.raw'/></disk>
    <disk type='block' device='disk'><source dev='/dev/vg/t1'/></disk>
    <disk type='volume' device='disk'><source pool='p' volume='v'/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='rbd/t1'/><auth username='u'><secret type='ceph' uuid='x'/></auth></disk>
    <disk type='network' device='cdrom'><source protocol='https' name='iso'><cookies><cookie name='s'>hush</cookie></cookies></source></disk>
    <disk type='file' device='cdrom'/>
    ${inside}
  </devices>
</domain>
`;

describe('a definition', () => {
  test('says what a start elsewhere needs', () => {
    const { metadata, ...facts } = readDefinition(domain());
    expect(facts).toEqual({
      name: 't1',
      uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7',
      memoryBytes: 192 * 2 ** 20,
      cpuModel: 'Skylake-Server',
      onCrash: 'preserve',
      disks: ['/vm/t1.raw', '/dev/vg/t1', 'p/v', 'rbd:rbd/t1', 'https:iso'],
      files: ['/vm/t1.raw', '/dev/vg/t1'],
    });
    const direct = domain('<emulator>/usr/bin/qemu-system-x86_64</emulator>').replace(
      '<devices>',
      '<os><type>hvm</type><loader>/fw/OVMF_CODE.fd</loader><nvram>/nv/t1.fd</nvram><kernel>/boot/vmlinuz</kernel></os><devices>',
    );
    expect(readDefinition(direct).files.slice(0, 3)).toEqual([
      '/usr/bin/qemu-system-x86_64',
      '/fw/OVMF_CODE.fd',
      '/boot/vmlinuz',
    ]);
    expect([...metadata.keys()]).toEqual([NOVA]);
  });

  test.each([
    ["<serial type='pty'><log file='/var/log/t1.console' append='on'/></serial>", '/var/log/t1.console'],
    ["<serial type='pty'/><console type='file'><source path='/c'/></console>", '/c'],
    ["<serial type='unix'><source mode='bind' path='/run/t1.agent'/></serial>", undefined],
    ["<serial type='file'><source path='relative'/></serial>", undefined],
  ])('keeps the console of %s', (inside, file) => {
    expect(readDefinition(domain(inside)).console).toBe(file);
  });

  test.each([
    ["<memory unit='KiB'>196608</memory>", "<memory unit='GiB'>2</memory>", 2 ** 31],
    ["<memory unit='KiB'>196608</memory>", '<memory>4</memory>', 4096],
    ["<memory unit='KiB'>196608</memory>", "<memory unit='MB'>5</memory>", 5_000_000],
  ])('%s as %s', (from, to, bytes) => {
    expect(readDefinition(domain().replace(from, to)).memoryBytes).toBe(bytes);
  });

  test.each([
    ['<network><name>n</name></network>'],
    [domain().replace('<name>t1</name>', '')],
    [domain().replace('196608', 'much')],
    [domain().replace("unit='KiB'", "unit='constructor'")],
  ])('that is none is refused: %#', xml => {
    expect(() => readDefinition(xml)).toThrow(LibvirtDefinitionError);
  });

  test('without secrets has none, still names those that libvirt keeps, and is otherwise the same', () => {
    const secrets = `<graphics type='vnc' passwd='hush' passwdValidTo='2026-01-01T00:00:00'/>`;
    const arguments_ = `<qemu:commandline><qemu:arg value='secret,id=s,data=hush,format=raw'/><qemu:arg value='{"qom-type":"secret","data":"hu\\"sh"}'/><qemu:env name='API_TOKEN' value='hush'/><qemu:env name='LANG' value='C'/></qemu:commandline>`;
    const { definition: clean, cut } = withoutSecrets(domain(secrets + arguments_));
    // A display without its password is closed, and its VM runs.
    expect(cut).toEqual([
      'cookie of a network disk',
      'value in a <qemu:arg> (data)',
      "value of <qemu:env name='API_TOKEN'>",
    ]);
    expect(clean).not.toMatch(/hush|hu\\/);
    expect(clean).toContain('passwd=""');
    expect(clean).toContain('secret,id=s,data=,format=raw');
    expect(clean).toContain('value="C"');
    expect(clean).toContain('uuid="x"');
    expect(readDefinition(clean)).toEqual(readDefinition(domain()));
    expect(withoutSecrets(clean)).toEqual({ definition: clean, cut: [] });
    const asks = `<qemu:commandline><qemu:arg value=':0,password=on'/><qemu:arg value='x,password=hush'/></qemu:commandline>`;
    const asked = withoutSecrets(domain(asks));
    expect(asked.definition).toContain('":0,password=on"');
    expect(asked.definition).toContain('"x,password="');
    expect(asked.cut).toContain('value in a <qemu:arg> (password)');
  });
});
