/**
 * The recipes of docs/recipes, each against a stand-in for the command line of its product: that they keep the contract of docs/exec.md, and
 * what they call. None of them was seen on a real server, and each says so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ANSWERS } from '@syndrome/supervisor/agent/exec/contract.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const RECIPES = join(import.meta.dirname, '../docs/recipes');
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'recipe-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Stand-ins write down what they are called with, and print the file that is named like that, where there is one. */
function standIn(name: string): void {
  const script = `#!/bin/sh
echo "${name} $*" >> ${folder}/calls
f="${folder}/$(echo "${name} $*" | tr '/ ' '__')"
[ -e "$f" ] && cat "$f"
[ -e "$f.fails" ] && { echo 'no quorum' >&2; exit 2; }
exit 0
`;
  writeFileSync(join(folder, name), script);
  chmodSync(join(folder, name), 0o755);
}
const prints = (call: string, value: unknown): void =>
  writeFileSync(join(folder, call.replaceAll(/[/ ]/g, '_')), JSON.stringify(value));
const calls = (): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');

function ask(recipe: string, question: object, env: Record<string, string>): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(RECIPES, `${recipe}.mjs`)], {
    input: JSON.stringify({ schema: 1, host: 'a', deadlineMs: 20_000, ...question }),
    encoding: 'utf8',
    env: { PATH: [folder, '/usr/bin', '/bin'].join(delimiter), ...env },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) });
  return JSON.parse(stdout);
}
const act = (kind: string, vm: string, more: object = {}): object => ({
  do: 'act',
  id: 'inc-1/x',
  act: kind,
  vm,
  epoch: 1,
  ...more,
});

test.each(globSync('*.mjs', { cwd: RECIPES }))('%s says that it was not seen on a real server', name => {
  expect(readFileSync(join(RECIPES, name), 'utf8').replaceAll(/\s*\/\/\s*/g, ' ')).toContain(
    'NOT SEEN ON A REAL SERVER',
  );
});

// A reset is confirmed by another process. The stand-ins have none: what is called is looked at, and which recipe is set up for it.
test.each([
  ['proxmox', '100', 'qm reset 100', false],
  [
    'openstack',
    '5a1e7ac6-5c4b-4f3c-9c55-0f0e5e0e0001',
    'openstack --os-cloud syndrome --os-compute-api-version 2.72 server reboot --hard --wait 5a1e7ac6-5c4b-4f3c-9c55-0f0e5e0e0001',
    true,
  ],
  ['kubevirt', 'shop/web', 'virtctl restart web -n shop', true],
])('%s resets, and is set up for it where its product makes another process', (recipe, vm, call, isSetUp) => {
  for (const name of ['qm', 'openstack', 'virtctl']) standIn(name);
  expect(ANSWERS.act.parse(ask(recipe, act('reset', vm), {}))).toEqual({ id: 'inc-1/x', state: 'done' });
  expect(calls()).toEqual([call]);
  const listed = /acts: \[([^\]]*)\]/.exec(readFileSync(join(RECIPES, `${recipe}.mjs`), 'utf8'))?.[1]?.split(', ');
  expect(listed).toContain('stop');
  expect(listed?.includes('reset')).toBe(isSetUp);
});

describe('Proxmox VE', () => {
  const env = (): Record<string, string> => ({ SYNDROME_PVE_ETC: join(folder, 'nodes'), SYNDROME_PVE_NODE: 'pve1' });
  const ha = (resources: string): void => writeFileSync(join(folder, 'ha/resources.cfg'), resources);
  const get = (path: string): string => `pvesh get ${path} --output-format json`;
  beforeEach(() => {
    standIn('pvesh');
    standIn('qm');
    for (const node of ['pve1', 'pve2']) mkdirSync(join(folder, 'nodes', node, 'qemu-server'), { recursive: true });
    const config =
      'name: web\nonboot: 1\ntags: prod;syndrome\nscsi0: ceph:vm-100-disk-0,size=32G\nide2: none,media=cdrom\n';
    // A change that waits for the next start, and a snapshot.
    const later = '\n[PENDING]\nonboot: 0\n\n[before]\nname: old\nscsi1: ceph:vm-100-disk-1,size=1G\n';
    writeFileSync(join(folder, 'nodes/pve1/qemu-server/100.conf'), config + later);
    mkdirSync(join(folder, 'ha'));
    ha('vm: 1001\n\tstate started\n\nvm: 100\n\tgroup a\n\tstate started\n\n');
    writeFileSync(join(folder, 'nodes/pve2/qemu-server/101.conf'), '');
    const now = { status: 'running', qmpstatus: 'running', pid: 4711, maxmem: 1024 };
    prints(get('/nodes/pve1/qemu --full 1'), [{ vmid: 100, ...now }]);
    prints(get('/nodes/pve1/qemu/100/status/current'), now);
    prints(get('/nodes/pve1/qemu/101/status/current'), { status: 'stopped', qmpstatus: 'stopped' });
  });

  test('lists its VMs', () => {
    const { vms } = ANSWERS.list.parse(ask('proxmox', { do: 'list' }, env()));
    expect(vms).toEqual([
      {
        vm: '100',
        name: 'web',
        state: 'running',
        pid: 4711,
        definition: '100',
        disks: ['pve:ceph:vm-100-disk-0'],
        memoryBytes: 1024,
        autostart: true,
        owner: 'pve-ha-manager',
        optedIn: true,
      },
    ]);
  });

  test('asks one program, for all VMs as for one', () => {
    const listed = ANSWERS.list.parse(ask('proxmox', { do: 'list' }, env())).vms;
    expect(ANSWERS.look.parse(ask('proxmox', { do: 'look', vm: '100' }, env()))).toEqual(listed[0]);
    expect(calls()).toEqual([get('/nodes/pve1/qemu --full 1'), get('/nodes/pve1/qemu/100/status/current')]);
  });

  test.each(['', 'vm: 100\n\tstate ignored\n\nvm: 101\n\tstate started\n'])(
    'takes part where its HA does not manage it: %j',
    resources => {
      ha(resources);
      expect(ANSWERS.look.parse(ask('proxmox', { do: 'look', vm: '100' }, env()))).not.toHaveProperty('owner');
    },
  );

  test('has nothing of a VM of another node', () => {
    expect(ANSWERS.look.parse(ask('proxmox', { do: 'look', vm: '101' }, env()))).toMatchObject({
      vm: '101',
      state: 'gone',
    });
  });

  test('starts a VM of another node: its configuration is moved, and it is started', () => {
    expect(ANSWERS.act.parse(ask('proxmox', act('start', '101', { definition: '101' }), env()))).toEqual({
      id: 'inc-1/x',
      state: 'done',
    });
    expect(globSync('nodes/*/qemu-server/101.conf', { cwd: folder })).toEqual(['nodes/pve1/qemu-server/101.conf']);
    expect(calls().at(-1)).toBe('qm start 101');
  });

  test('says what failed, and takes no word for a VMID', () => {
    writeFileSync(join(folder, 'qm_stop_100.fails'), '');
    expect(ANSWERS.act.parse(ask('proxmox', act('stop', '100'), env()))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('qm stop 100'),
    });
    expect(ask('proxmox', act('stop', '--all'), env())).toMatchObject({ state: 'failed', reason: '--all is no VMID' });
  });
});

describe('OpenStack Nova', () => {
  const VM = '5a1e7ac6-5c4b-4f3c-9c55-0f0e5e0e0001';
  const env = (): Record<string, string> => ({ SYNDROME_NOVA_HOST: 'cmp1', SYNDROME_LIBVIRT_PIDS: folder });
  const cli = (rest: string): string => `openstack --os-cloud syndrome --os-compute-api-version 2.72 ${rest}`;
  const server = (more: object = {}): void =>
    prints(cli(`server show ${VM} -f json`), {
      name: 'web',
      status: 'ACTIVE',
      'OS-EXT-SRV-ATTR:host': 'cmp1',
      'OS-EXT-SRV-ATTR:instance_name': 'instance-0000000a',
      properties: { syndrome: 'yes', HA_Enabled: 'True' },
      ...more,
    });
  beforeEach(() => {
    standIn('openstack');
    writeFileSync(join(folder, 'instance-0000000a.pid'), '4711');
    prints(cli('server list --all-projects --host cmp1 -f json'), [{ ID: VM, Name: 'web' }]);
    server();
  });

  test('lists its servers, with the process that libvirt knows', () => {
    const { vms } = ANSWERS.list.parse(ask('openstack', { do: 'list' }, env()));
    expect(vms).toMatchObject([{ vm: VM, name: 'web', state: 'running', pid: 4711, owner: 'masakari', optedIn: true }]);
  });

  test.each([
    ['down', 'server evacuate --host cmp1 --wait'],
    ['up', 'server migrate --host cmp1 --wait'],
  ])('starts a server of a host whose service is %s', (state, call) => {
    server({ 'OS-EXT-SRV-ATTR:host': 'cmp2', status: 'SHUTOFF' });
    prints(cli('compute service list --service nova-compute --host cmp2 -f json'), [{ Host: 'cmp2', State: state }]);
    expect(ask('openstack', act('start', VM, { definition: VM }), env())).toMatchObject({ state: 'done' });
    expect(calls()).toContain(cli(`${call} ${VM}`));
  });
});

describe('KubeVirt', () => {
  const env = (): Record<string, string> => ({ SYNDROME_KUBE_NODE: 'node1' });
  const instance = { metadata: { namespace: 'shop', name: 'web' }, status: { phase: 'Running', nodeName: 'node1' } };
  const machine = {
    metadata: { namespace: 'shop', name: 'web', labels: { syndrome: 'yes' } },
    spec: {
      runStrategy: 'Always',
      template: { spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'web-disk' } }] } },
    },
  };
  beforeEach(() => {
    for (const name of ['kubectl', 'virtctl']) standIn(name);
    prints('kubectl get virtualmachineinstances.kubevirt.io -A -l kubevirt.io/nodeName=node1 -o json', {
      items: [instance],
    });
    prints('kubectl get virtualmachines.kubevirt.io -A -o json', { items: [machine] });
  });

  test('lists the instances of its node, with the QEMU that has their name', () => {
    const qemu = spawn('sh', ['-c', 'sleep 600; true', 'qemu', '-name', 'guest=shop_web,debug-threads=on'], {
      stdio: 'ignore',
    });
    try {
      const { vms } = ANSWERS.list.parse(ask('kubevirt', { do: 'list' }, env()));
      expect(vms).toEqual([
        {
          vm: 'shop/web',
          name: 'web',
          state: 'running',
          pid: qemu.pid,
          definition: 'shop/web',
          disks: ['pvc:shop/web-disk'],
          memoryBytes: 0,
          autostart: true,
          owner: 'kubevirt (runStrategy Always)',
          optedIn: true,
        },
      ]);
    } finally {
      qemu.kill('SIGKILL');
    }
  });

  test('starts a VM on this node, and lets it go elsewhere later', () => {
    expect(ask('kubevirt', act('start', 'shop/web', { definition: 'shop/web' }), env())).toMatchObject({
      state: 'done',
    });
    const patched = calls().filter(call => call.includes('nodeSelector'));
    expect(patched.map(call => /"kubernetes.io\/hostname":("node1"|null)/.exec(call)?.[1])).toEqual([
      '"node1"',
      'null',
    ]);
    expect(calls()).toContain('virtctl start web -n shop');
  });

  test('has nothing of what is neither here nor known, and takes no option for a name', () => {
    for (const kind of ['virtualmachineinstances', 'virtualmachines'])
      prints(`kubectl get ${kind}.kubevirt.io -n shop --ignore-not-found --field-selector metadata.name=db -o json`, {
        items: [],
      });
    expect(ANSWERS.look.parse(ask('kubevirt', { do: 'look', vm: 'shop/db' }, env()))).toMatchObject({ state: 'gone' });
    expect(ask('kubevirt', act('stop', '-n/web'), env())).toMatchObject({ state: 'failed' });
  });
});
