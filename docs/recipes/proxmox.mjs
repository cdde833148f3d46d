#!/usr/bin/env node
// Proxmox VE for the exec section of a Syndrome agent (docs/exec.md), one on each node. NOT SEEN ON A REAL SERVER: it was run against a
// stand-in for `qm` and `pvesh` only, made after their manual pages and the API viewer of Proxmox VE 8.
//
//   exec: { argv: [/usr/bin/node, /usr/local/lib/syndrome/proxmox.mjs], acts: [stop, terminate, start, migrate, autostart-off, pause] }
//
// A VM is known by its VMID. One that Proxmox's own HA manages is told with that owner, and is only watched: two that restart are one too many.
// `reset` can be asked for, and is never confirmed: `qm reset` keeps the process, and nothing that Proxmox VE tells grows with a reset.
// A VM takes part when it has the tag `syndrome`. A start elsewhere moves its configuration in /etc/pve from the old node to this one, as
// ha-manager does behind its fence: the controller asks for it only when each copy is proven to have stopped. Its disks must be on shared storage.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';

const ETC = process.env.SYNDROME_PVE_ETC ?? '/etc/pve/nodes';
const NODE = process.env.SYNDROME_PVE_NODE ?? hostname().split('.')[0];
const ask = JSON.parse(readFileSync(0, 'utf8'));
const until = Date.now() + ask.deadlineMs;
const run = (program, ...args) =>
  execFileSync(program, args, {
    encoding: 'utf8',
    timeout: Math.max(1, until - Date.now()),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
// The API by way of its own command line, which takes its time: all VMs are one question, `full` with QEMU's own word of each that runs.
const get = (path, ...more) => JSON.parse(run('pvesh', 'get', path, ...more, '--output-format', 'json'));
const answer = value => process.stdout.write(JSON.stringify(value));

function vmid(word) {
  if (!/^[1-9]\d{2,8}$/.test(word)) throw new Error(`${word} is no VMID`);
  return word;
}

/** `qmpstatus` is QEMU's own word; `status` is running or stopped. */
const STATES = {
  running: 'running',
  paused: 'paused',
  suspended: 'paused',
  prelaunch: 'paused',
  'internal-error': 'crashed',
  'io-error': 'paused',
};

/** A VM's file in the cluster's file system: `key: value` lines; behind the first `[…]` are pending changes and snapshots. */
function configOf(vm) {
  const [now] = readFileSync(`${ETC}/${NODE}/qemu-server/${vm}.conf`, 'utf8').split(/^\[/m);
  return Object.fromEntries([...now.matchAll(/^(\w+): *(.*)$/gm)].map(([, key, value]) => [key, value]));
}

/** Whether Proxmox's own HA manages it: a section `vm: ID` of its resources, but for those that it is told to ignore. */
function isManaged(vm) {
  const file = `${ETC}/../ha/resources.cfg`;
  if (!existsSync(file)) return false;
  const section = readFileSync(file, 'utf8')
    .split(/^(?=\S)/m)
    .find(text => text.startsWith(`vm: ${vm}\n`));
  return section !== undefined && !/^\s+state ignored$/m.test(section);
}

function look(vm, now) {
  if (!existsSync(`${ETC}/${NODE}/qemu-server/${vm}.conf`)) return { vm, state: 'gone', autostart: false };
  now ??= get(`/nodes/${NODE}/qemu/${vm}/status/current`);
  const config = configOf(vm);
  // virtio0: storage:vm-100-disk-0,size=32G
  const disks = Object.entries(config)
    .filter(([key, value]) => /^(?:ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/.test(key) && !/media=cdrom/.test(value))
    .map(([, value]) => `pve:${value.split(',')[0]}`);
  return {
    vm,
    name: config.name ?? vm,
    state: now.status === 'stopped' ? 'shut-off' : (STATES[now.qmpstatus] ?? 'running'),
    ...(now.status !== 'stopped' && now.pid ? { pid: Number(now.pid) } : {}),
    definition: vm,
    disks,
    memoryBytes: Number(now.maxmem ?? 0),
    autostart: config.onboot === '1',
    ...(isManaged(vm) ? { owner: 'pve-ha-manager' } : {}),
    optedIn: (config.tags ?? '').split(/[;, ]/).includes('syndrome'),
  };
}

function start(vm) {
  const here = `${ETC}/${NODE}/qemu-server/${vm}.conf`;
  const there = readdirSync(ETC)
    .map(node => `${ETC}/${node}/qemu-server/${vm}.conf`)
    .find(path => existsSync(path));
  if (there === undefined) throw new Error(`no node has VM ${vm}`);
  // One rename in the cluster's file system, which refuses it without a quorum.
  if (there !== here) renameSync(there, here);
  if (get(`/nodes/${NODE}/qemu/${vm}/status/current`).status !== 'running') run('qm', 'start', vm);
}

const ACTS = {
  stop: vm => run('qm', 'stop', vm),
  terminate: vm => (run('qm', 'set', vm, '--onboot', '0'), run('qm', 'stop', vm)),
  start,
  reset: vm => run('qm', 'reset', vm),
  migrate: (vm, to) => run('qm', 'migrate', vm, to, '--online'),
  'autostart-off': vm => run('qm', 'set', vm, '--onboot', '0'),
  pause: vm => run('qm', 'suspend', vm),
};

if (ask.do === 'list')
  answer({ vms: get(`/nodes/${NODE}/qemu`, '--full', '1').map(now => look(String(now.vmid), now)) });
else if (ask.do === 'look') answer(look(vmid(ask.vm)));
else {
  try {
    ACTS[ask.act](vmid(ask.vm), ask.to);
    answer({ id: ask.id, state: 'done' });
  } catch (error) {
    answer({ id: ask.id, state: 'failed', reason: String(error.message).slice(0, 500) });
  }
}
