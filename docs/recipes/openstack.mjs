#!/usr/bin/env node
// OpenStack Nova (libvirt driver) for the exec section of a Syndrome agent (docs/exec.md), one on each compute host. NOT SEEN ON A REAL
// SERVER: it was run against a stand-in for `openstack` only, made after the documentation of python-openstackclient and of the Compute API.
//
//   exec:
//     argv: [/usr/bin/node, /usr/local/lib/syndrome/openstack.mjs]
//     acts: [stop, terminate, start, reset, migrate, autostart-off]
//     deadlineSeconds: 300
//
// The credentials are in /etc/openstack/clouds.yaml, cloud `syndrome`, of a role that may use the admin actions. A server is known by its UUID,
// and takes part when it has the property `syndrome=yes`. Do not let Masakari have the same ones (HA_Enabled): it is told as their owner.
// The deadlines of the policy (start, stop) must be as long as Nova takes: minutes.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

const HOST = process.env.SYNDROME_NOVA_HOST ?? hostname();
const PIDS = process.env.SYNDROME_LIBVIRT_PIDS ?? '/run/libvirt/qemu';
const ask = JSON.parse(readFileSync(0, 'utf8'));
const until = Date.now() + ask.deadlineMs;
const openstack = (...args) =>
  execFileSync('openstack', ['--os-cloud', 'syndrome', '--os-compute-api-version', '2.72', ...args], {
    encoding: 'utf8',
    timeout: Math.max(1, until - Date.now()),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const json = (...args) => JSON.parse(openstack(...args, '-f', 'json'));
const answer = value => process.stdout.write(JSON.stringify(value));

function uuid(word) {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(word)) throw new Error(`${word} is no server`);
  return word;
}

/** GET /servers/{id}: server status; `SHUTOFF` and `ERROR` may still have a process, which the agent looks at. */
const STATES = {
  ACTIVE: 'running',
  PAUSED: 'paused',
  SUSPENDED: 'shut-off',
  SHUTOFF: 'shut-off',
  ERROR: 'crashed',
  REBOOT: 'running',
  HARD_REBOOT: 'running',
  MIGRATING: 'migrating-out',
};

/** libvirt writes the PID of a domain's QEMU beside its state. */
function pidOf(instance) {
  try {
    return Number(readFileSync(`${PIDS}/${instance}.pid`, 'utf8').trim()) || undefined;
  } catch {
    return undefined;
  }
}

const show = vm => json('server', 'show', vm);

function look(vm, server = show(vm)) {
  const properties = server.properties ?? {};
  if (server['OS-EXT-SRV-ATTR:host'] !== HOST) return { vm, state: 'gone', autostart: false };
  const pid = pidOf(server['OS-EXT-SRV-ATTR:instance_name']);
  return {
    vm,
    name: server.name,
    state: STATES[server.status] ?? 'running',
    ...(pid === undefined ? {} : { pid }),
    definition: vm,
    // Volumes are everywhere where Nova may start it, and so is shared instance storage: name `nova` as storage of each host.
    disks: ['nova'],
    // nova.conf [DEFAULT] resume_guests_state_on_host_boot is of the host, and the same for all: leave it at false.
    autostart: false,
    ...(String(properties.HA_Enabled).toLowerCase() === 'true' ? { owner: 'masakari' } : {}),
    optedIn: properties.syndrome === 'yes',
  };
}

/**
 * Nova starts a server where it believes it to be. From a host whose compute service is down it is rebuilt here (POST /servers/{id}/action
 * evacuate); from one that is up it is moved while it is off (migrate, confirmResize) and started.
 */
function start(vm) {
  const server = show(vm);
  const from = server['OS-EXT-SRV-ATTR:host'];
  if (from !== HOST) {
    const [service] = json('compute', 'service', 'list', '--service', 'nova-compute', '--host', from);
    if (service?.State === 'down') return openstack('server', 'evacuate', '--host', HOST, '--wait', vm);
    openstack('server', 'migrate', '--host', HOST, '--wait', vm);
    openstack('server', 'migration', 'confirm', vm);
  }
  if (show(vm).status !== 'ACTIVE') openstack('server', 'start', vm);
}

const ACTS = {
  stop: vm => openstack('server', 'stop', vm),
  terminate: vm => openstack('server', 'stop', vm),
  start,
  // Nova destroys the domain and makes it anew (libvirt driver): the agent sees another process.
  reset: vm => openstack('server', 'reboot', '--hard', '--wait', vm),
  migrate: (vm, to) => openstack('server', 'migrate', '--live-migration', '--host', to, '--wait', vm),
  'autostart-off': () => undefined,
};

if (ask.do === 'list')
  answer({
    vms: json('server', 'list', '--all-projects', '--host', HOST).map(({ ID }) => look(uuid(ID))),
  });
else if (ask.do === 'look') answer(look(uuid(ask.vm)));
else {
  try {
    ACTS[ask.act](uuid(ask.vm), ask.to);
    answer({ id: ask.id, state: 'done' });
  } catch (error) {
    answer({ id: ask.id, state: 'failed', reason: String(error.message).slice(0, 500) });
  }
}
