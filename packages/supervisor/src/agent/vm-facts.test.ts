import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { processFacts } from './proc.ts';
import { checkNeeds } from './acts/check.ts';
import {
  factsBeside,
  filesOf,
  factsOfArgv,
  localCommand,
  needsOf,
  type QemuDefinition,
  qemuDefinition,
} from './vm-facts.ts';

describe('facts of a VM', () => {
  test('stand beside its socket, as YAML or JSON, and nothing else does', () => {
    const folder = mkdtempSync(join(tmpdir(), 'facts-'));
    const socket = join(folder, 'a.qmp');
    expect(factsBeside(socket)).toEqual({});
    writeFileSync(`${socket}.json`, '{"optedIn": true}');
    expect(factsBeside(socket)).toEqual({ optedIn: true });
    writeFileSync(`${socket}.yaml`, 'owner: masakari\nautostart: true\n');
    expect(factsBeside(socket)).toEqual({ owner: 'masakari', autostart: true });
    for (const bad of ['optedin: true', 'optedIn: yes please', '- a', ': :']) {
      writeFileSync(`${socket}.yaml`, bad);
      expect(() => factsBeside(socket)).toThrow(`${socket}.yaml does not describe a VM`);
    }
    rmSync(folder, { recursive: true });
  });

  test('disks and CPU model are read from a command line', () => {
    const words =
      'qemu -cpu host,+mce -drive file=/srv/a.img,format=raw,if=virtio -blockdev driver=file,filename=/srv/b.img,node-name=b -hda /srv/a.img -cdrom /srv/c.iso';
    expect(factsOfArgv(words.split(' '))).toEqual({
      disks: ['/srv/a.img', '/srv/b.img', '/srv/c.iso'],
      cpuModel: 'host',
    });
    expect(factsOfArgv(['-blockdev', '{"driver":"file","filename":"/d"}']).disks).toEqual(['/d']);
    expect(factsOfArgv([])).toEqual({ disks: [] });
  });
});

describe('a definition', () => {
  test.each([
    [['--object', 'secret,id=s,data=geheim,,mit,format=raw'], 'secret,id=s,data=,format=raw'],
    [['-object', '{"qom-type":"secret","id":"s","data":"ge\\"heim"}'], '{"qom-type":"secret","id":"s","data":""}'],
    [['-spice', 'port=5900,password=geheim'], 'port=5900,password='],
    [['-iscsi', 'user=u,password=geheim'], 'user=u,password='],
    [['-drive', 'file=http://u:geheim@host/x.img,if=virtio'], 'file=http://u@host/x.img,if=virtio'],
    [['-name', 'data=name'], 'data=name'],
    [
      ['-drive', 'file=rbd:pool/x:id=u:key=AQgeheim==:mon_host=a,,b,if=virtio'],
      'file=rbd:pool/x:id=u:key=:mon_host=a,,b,if=virtio',
    ],
    [['-hda', 'rbd:pool/x@s:mon_host=a\\:6789,,b:key=AQgeheim=='], 'rbd:pool/x@s:mon_host=a\\:6789,,b:key='],
    [
      ['-blockdev', '{"driver":"raw","file":"rbd:pool/x:key=AQgeheim==","node-name":"n"}'],
      '{"driver":"raw","file":"rbd:pool/x:key=","node-name":"n"}',
    ],
    [
      ['-drive', 'driver=https,url=https://h/x,cookie=sid=geheim,,mit,if=virtio'],
      'driver=https,url=https://h/x,cookie=,if=virtio',
    ],
    [['-drive', 'driver=qcow2,file.driver=https,file.cookie=geheim'], 'driver=qcow2,file.driver=https,file.cookie='],
    [['-blockdev', '{"driver":"https","cookie":"sid=ge\\"heim"}'], '{"driver":"https","cookie":""}'],
    [
      ['-drive', 'file=json:{"driver":"https",,"file.cookie":"geheim"},if=ide'],
      'file=json:{"driver":"https",,"file.cookie":""},if=ide',
    ],
    [['-blockdev', 'driver=https,cookie-secret=s0,node-name=n'], 'driver=https,cookie-secret=s0,node-name=n'],
    [['-name', 'cookie=name'], 'cookie=name'],
    // That a password is asked for is none.
    [['-vnc', '127.0.0.1:1,password=on'], '127.0.0.1:1,password=on'],
    [['-vnc', 'password=off,to=9'], 'password=off,to=9'],
    [['-display', 'vnc=:1,password=on,password-secret=s0'], 'vnc=:1,password=on,password-secret=s0'],
    [['-vnc', ':1,password'], ':1,password'],
    [['-spice', 'password=once,port=1'], 'password=,port=1'],
    // A token alone, and a comma in a word of an option.
    [['-drive', 'file=https://:geheim@host/x.img'], 'file=https://@host/x.img'],
    [['-drive', 'file=https://u:ge,,heim@host/x.img,if=ide'], 'file=https://u@host/x.img,if=ide'],
    [['-drive', 'file=nbd://host:10809/x'], 'file=nbd://host:10809/x'],
  ])('of %j has no secret', (words, kept) => {
    const facts = { pid: process.pid, startTicks: '1', state: 'S', comm: 'q', argv: ['/usr/bin/qemu', ...words] };
    const { argv, uid } = qemuDefinition(facts, '/run/a.qmp', {});
    expect(argv[2]).toBe(kept);
    expect(uid).toBe(process.geteuid?.());
  });

  test('says what was cut out of it, and such a VM is started nowhere else', async () => {
    const made = (words: string): QemuDefinition =>
      qemuDefinition({ ...processFacts(process.pid)!, argv: ['/q', ...words.split(' ')] }, '/run/a.qmp', {});
    const { cut } = made(
      '-object secret,id=s,data=geheim -spice password=geheim -vnc :1,password=on -drive driver=https,file.cookie=geheim ' +
        '-blockdev {"cookie":"geheim"} -object secret,id=t,file=/k -drive file=rbd:p/x:key=geheim ' +
        '-cdrom https://:geheim@host/x -cdrom https://:@host/x',
    );
    expect(cut).toEqual([
      'data of -object',
      'password of -spice',
      'file.cookie of -drive',
      'cookie of -blockdev',
      'key of -drive',
      'password in the URL of -cdrom',
    ]);
    expect(made('-vnc :1,password=on -object secret,id=t,file=/k').cut).toBeUndefined();
    const needs = needsOf(made('-cpu EPYC-Rome,+mce -spice password=geheim -kernel /k'));
    expect(needs).toEqual([expect.stringContaining('of -spice is a secret'), 'cpu EPYC-Rome of /q', '/q', '/k']);
    const check = { id: 'c', kind: 'check', host: 'b', epoch: 0, incident: 'i', deadline: 0, needs } as const;
    expect(await checkNeeds(check, { programs: [], signal: new AbortController().signal })).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^the password of -spice is a secret.*, \/q is not there/) as string,
    });
  });

  test('holds no secret, and an absolute program', () => {
    const self = processFacts(process.pid)!;
    const argv = ['qemu', '-object', 'secret,id=s,data=geheim,format=raw', '-name', 'data=name'];
    const definition = qemuDefinition({ ...self, argv }, '/run/a/web.qmp', { optedIn: true, log: '/l' });
    expect(definition.argv).toEqual([
      process.execPath,
      '-object',
      'secret,id=s,data=,format=raw',
      '-name',
      'data=name',
    ]);
    expect(definition).toMatchObject({ folder: '/run/a', socket: '/run/a/web.qmp', cwd: process.cwd() });
    expect(definition.facts).toEqual({ optedIn: true });
  });

  test('starts on another host with sockets of that host, not waiting', () => {
    const argv = [
      '/usr/bin/qemu',
      '-S',
      '-qmp',
      'unix:/run/a/web.qmp,server=on',
      '-incoming',
      'tcp:0:1',
      '-daemonize',
      '-m',
      '1G',
    ];
    const definition = {
      schema: 1,
      vmm: 'qemu',
      argv,
      cwd: '/',
      folder: '/run/a',
      socket: '/run/a/web.qmp',
      facts: {},
    } as const;
    expect(localCommand({ ...definition, argv: [...argv] }, '/run/b')).toEqual({
      argv: ['/usr/bin/qemu', '-qmp', 'unix:/run/b/web.qmp,server=on', '-m', '1G'],
      socket: '/run/b/web.qmp',
      facts: {},
    });
  });

  test('takes its console with it where that lies beside its socket, and no other', () => {
    const facts = { optedIn: true, console: '/run/a/web.console' };
    const given = {
      schema: 1,
      vmm: 'qemu',
      argv: ['/q'],
      cwd: '/',
      folder: '/run/a',
      socket: '/run/a/web.qmp',
    } as const;
    const here = (console: string): unknown =>
      localCommand({ ...given, argv: ['/q'], facts: { ...facts, console } }, '/run/b').facts;
    expect(here('/run/a/web.console')).toEqual({ optedIn: true, console: '/run/b/web.console' });
    expect(here('/run/ab/web.console')).toEqual({ optedIn: true });
  });
});

describe('the files that a QEMU needs', () => {
  test('program, kernel, firmware and images, but nothing of its socket folder, of a network, or that QEMU makes', () => {
    const argv = [
      '/usr/bin/qemu-system-x86_64',
      '-kernel',
      '/boot/vmlinuz',
      '-initrd',
      'initrd.img',
      '-L',
      '/usr/share/seabios',
      '-drive',
      'if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd',
      '-drive',
      'file=/srv/a,,b.img,if=virtio',
      '-blockdev',
      '{"driver":"file","filename":"/srv/c.img"}',
      '-drive',
      'file=nbd://store/x',
      '-drive',
      'file=/run/vms/seed.img',
      '-drive',
      'file=rbd:pool/x',
      '-chardev',
      'file,id=c,path=/var/log/c.log',
      '-qmp',
      'unix:/run/vms/web.qmp,server=on',
      '-object',
      'memory-backend-file,id=m,mem-path=/dev/hugepages,size=1G',
      '-append',
      'file=/no',
    ];
    expect(filesOf({ argv, cwd: '/home/vm', folder: '/run/vms' })).toEqual([
      '/usr/bin/qemu-system-x86_64',
      '/boot/vmlinuz',
      '/home/vm/initrd.img',
      '/usr/share/seabios',
      '/usr/share/OVMF/OVMF_CODE.fd',
      '/srv/a,b.img',
      '/srv/c.img',
      '/dev/hugepages',
    ]);
  });
});
