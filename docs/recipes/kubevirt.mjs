#!/usr/bin/env node
// KubeVirt for the exec section of a Syndrome agent (docs/exec.md), one on each node, outside of pods or with hostPID: it looks at processes.
// NOT SEEN ON A REAL SERVER: it was run against a stand-in for `kubectl` and `virtctl` only, made after the user guide and the API of kubevirt.io/v1.
//
//   exec:
//     argv: [/usr/bin/node, /usr/local/lib/syndrome/kubevirt.mjs]
//     acts: [stop, terminate, start, reset, migrate, autostart-off]
//     deadlineSeconds: 120
//
// A VM is known as NAMESPACE/NAME, and takes part when it has the label `syndrome: "yes"` and the run strategy Manual: with Always or
// RerunOnFailure KubeVirt itself starts it again, and it is told as its owner. KubeVirt chooses the node of a live migration; a start is tied to
// this node by a node selector, which is taken away again once it runs.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';

const NODE = process.env.SYNDROME_KUBE_NODE ?? hostname();
const PROC = process.env.SYNDROME_PROC ?? '/proc';
const ask = JSON.parse(readFileSync(0, 'utf8'));
const until = Date.now() + ask.deadlineMs;
const run = (program, ...args) =>
  execFileSync(program, args, {
    encoding: 'utf8',
    timeout: Math.max(1, until - Date.now()),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const get = (...args) => JSON.parse(run('kubectl', 'get', ...args, '-o', 'json'));
const answer = value => process.stdout.write(JSON.stringify(value));

function parts(word) {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9.-]{0,252})$/.exec(word) ?? [];
  if (name === undefined) throw new Error(`${word} is no NAMESPACE/NAME`);
  return [namespace, name];
}

/** virt-launcher names its domain NAMESPACE_NAME: `-name guest=NAMESPACE_NAME,…` stands in the arguments of its QEMU. */
function pidOf(namespace, name) {
  const guest = `guest=${namespace}_${name}`;
  for (const pid of readdirSync(PROC).filter(word => /^\d+$/.test(word))) {
    try {
      const argv = readFileSync(`${PROC}/${pid}/cmdline`, 'utf8').split('\0');
      const at = argv.indexOf('-name');
      if (at >= 0 && argv[at + 1].split(',').includes(guest)) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}

/** status.phase of a VirtualMachineInstance. */
const STATES = {
  Running: 'running',
  Scheduled: 'paused',
  Scheduling: 'paused',
  Pending: 'paused',
  Succeeded: 'shut-off',
  Failed: 'crashed',
  Unknown: 'running',
};

function look(vm, instance, machine) {
  const [namespace, name] = parts(vm);
  const pid = pidOf(namespace, name);
  const isHere = instance?.status?.nodeName === NODE;
  if (!isHere && pid === undefined) return { vm, state: 'gone', autostart: false };
  const strategy = machine?.spec?.runStrategy ?? (machine?.spec?.running === true ? 'Always' : 'Halted');
  const isPaused = instance?.status?.conditions?.some(({ type, status }) => type === 'Paused' && status === 'True');
  return {
    vm,
    name,
    // A process that is there beside an instance that is elsewhere is a second copy, or one on its way.
    state: isHere ? (isPaused ? 'paused' : (STATES[instance.status.phase] ?? 'running')) : 'migrating-out',
    ...(pid === undefined ? {} : { pid }),
    definition: vm,
    disks: (machine?.spec?.template?.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim, dataVolume }) => {
      const claim = persistentVolumeClaim?.claimName ?? dataVolume?.name;
      return claim === undefined ? [] : [`pvc:${namespace}/${claim}`];
    }),
    autostart: strategy === 'Always' || strategy === 'RerunOnFailure',
    ...(strategy === 'Manual' || strategy === 'Halted' ? {} : { owner: `kubevirt (runStrategy ${strategy})` }),
    optedIn: machine?.metadata?.labels?.syndrome === 'yes',
  };
}

const all = items => new Map(items.map(item => [`${item.metadata.namespace}/${item.metadata.name}`, item]));
const one = (kind, namespace, name) =>
  get(kind, '-n', namespace, '--ignore-not-found', '--field-selector', `metadata.name=${name}`).items[0];
const patch = (namespace, name, value) =>
  run(
    'kubectl',
    'patch',
    'virtualmachines.kubevirt.io',
    name,
    '-n',
    namespace,
    '--type',
    'merge',
    '-p',
    JSON.stringify(value),
  );
const selector = value => ({ spec: { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': value } } } } });

const ACTS = {
  stop: (namespace, name) => run('virtctl', 'stop', name, '-n', namespace),
  terminate: (namespace, name) => (patch(namespace, name, { spec: { runStrategy: 'Halted' } }), undefined),
  start: (namespace, name) => {
    patch(namespace, name, selector(NODE));
    try {
      run('virtctl', 'start', name, '-n', namespace);
      run(
        'kubectl',
        'wait',
        `virtualmachineinstances.kubevirt.io/${name}`,
        '-n',
        namespace,
        '--for=jsonpath={.status.phase}=Running',
        `--timeout=${Math.max(1, Math.floor((until - Date.now()) / 2000))}s`,
      );
    } finally {
      patch(namespace, name, selector(null));
    }
  },
  // The instance gets another pod, and so another process, which the agent sees where the scheduler chooses this node again.
  reset: (namespace, name) => run('virtctl', 'restart', name, '-n', namespace),
  migrate: (namespace, name) => run('virtctl', 'migrate', name, '-n', namespace),
  'autostart-off': (namespace, name) => patch(namespace, name, { spec: { runStrategy: 'Manual' } }),
};

if (ask.do === 'list') {
  const instances = all(get('virtualmachineinstances.kubevirt.io', '-A', '-l', `kubevirt.io/nodeName=${NODE}`).items);
  const machines = all(get('virtualmachines.kubevirt.io', '-A').items);
  answer({ vms: [...instances].map(([vm, instance]) => look(vm, instance, machines.get(vm))) });
} else if (ask.do === 'look') {
  const [namespace, name] = parts(ask.vm);
  answer(
    look(
      ask.vm,
      one('virtualmachineinstances.kubevirt.io', namespace, name),
      one('virtualmachines.kubevirt.io', namespace, name),
    ),
  );
} else {
  try {
    ACTS[ask.act](...parts(ask.vm));
    answer({ id: ask.id, state: 'done' });
  } catch (error) {
    answer({ id: ask.id, state: 'failed', reason: String(error.message).slice(0, 500) });
  }
}
