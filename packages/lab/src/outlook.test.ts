import { describe, expect, test } from 'vitest';
import { outlookOf, type OutlookInput } from './outlook.ts';
import { bundledScenarios, parseScenarios, type Scenario } from './scenario/load.ts';
import { OR } from '@syndrome/trace/expect/verdict.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';

/** Versions as `assemble` writes them. */
const QEMU = '11.1.3 tcg';
const AMD64 = '7.2.12+deb13-cloud-amd64';
const ARM64 = '7.2.12+deb13-arm64';
const PARTS: Readonly<Record<string, Record<string, string>>> = {
  'linux-guest': { qemu: QEMU, kernel: `${AMD64} amd64` },
  'cxl-guest': { qemu: QEMU, kernel: `${AMD64} amd64` },
  'xen-dom0': { qemu: QEMU, kernel: '7.2.12+deb13-amd64 amd64', xen: '4.20' },
  'amd-host': { qemu: QEMU, kernel: `${AMD64} amd64`, hostKernel: AMD64, hostQemu: '11.1.3' },
  'arm64-host': { qemu: QEMU, kernel: `${ARM64} arm64`, hostKernel: ARM64 },
  'arm64-qemu-host': { qemu: QEMU, kernel: `${ARM64} arm64`, hostKernel: ARM64, hostQemu: '11.1.3' },
};

/** What the steps save before they inject: each page, and its place in the host. */
const VALUES: ReadonlyMap<string, FieldValue> = new Map([
  ['page', 0x87e_e000n],
  ['region', 0x800_0000n],
  ['hostpage', 0x5123_4000n],
  ['before', 0x5123_4000n],
  ['frame', 0x5a60_0000n],
  ['own', 0x6a70_0000n],
]);

function inputOf(scenario: Scenario, more: Partial<OutlookInput> = {}): OutlookInput {
  const { machine, steps, without } = scenario;
  const configs = without && {
    guest: new Set(['CONFIG_X86_64', 'CONFIG_MEMORY_FAILURE'].filter(o => !without.includes(o))),
  };
  const found = PARTS[machine.kind] ?? {};
  // A scenario may be about one version.
  const { kernel } = 'guest' in machine ? (machine.guest as { kernel: string }) : machine;
  const parts = /^\d/.test(kernel) ? { ...found, kernel: `${kernel}+deb13-cloud-amd64 amd64` } : found;
  return { machine, accel: 'tcg', parts, ...(configs && { configs }), steps, values: VALUES, ...more };
}

const all = bundledScenarios();
const named = (name: string): Scenario => all.find(s => s.name === name) as Scenario;

/** Scenarios for which nothing is stated, and why. */
const SILENT: Record<string, string> = {
  'host-soft-offline': 'the outlook has no rules for soft offline',
  'cec-soft-offline': 'the outlook looks at one error, and the kernel counts them',
  'poisoned-vm-reset': 'a reset may end anything',
  'hugetlb-guest-reset': 'a reset may end anything',
  'mce-inject-module.corrected': 'the record comes from a file of the guest',
  'mce-inject-module.uncorrected': 'the record comes from a file of the guest',
  'guest-memfd-poison': 'the outlook has no rules for a VM that a process of the guest has',
  'kdump-over-poison': 'a file of the guest ends it, and its crash kernel is another one',
  'xen-page-offline': 'nothing is injected: a tool asks for a page',
};

describe('the scenarios that come with the program', () => {
  test.each(all.filter(s => SILENT[s.name] === undefined))('$name: the rules say what it states', scenario => {
    const outlook = outlookOf(inputOf(scenario));
    const stated = scenario.outcome.split(OR);
    expect(stated).toContain(outlook?.outcome);
    expect(stated).toContain(outlook?.possible?.[0]);
  });

  test.each(all.filter(s => SILENT[s.name] !== undefined))('$name: nothing is said', scenario => {
    expect(outlookOf(inputOf(scenario))).toBeUndefined();
  });

  test('only what the CPU runs, and whether somebody looks in time, is left open', () => {
    const open = all.flatMap(s => {
      const outlook = outlookOf(inputOf(s));
      return outlook?.certainty === 'depends' ? [[s.name, outlook.possible, outlook.dependsOn]] : [];
    });
    expect(open).toEqual([
      ['amd-deferred-ways.default-poll', ['signalled', 'none'], ['whether Linux polls in time']],
      ['amd-succor-tcg.in-kernel', ['panicked', 'signalled', 'logged'], ['running', 'when the page is read']],
      ['intel-guest-on-amd-host', ['panicked', 'logged'], ['running']],
      ['xen-uc-as-written', ['hung', 'logged', 'none'], ['whether somebody asks']],
    ]);
  });
});

describe('what a choice of parts changes', () => {
  const withParts = (name: string, parts: Record<string, string>, more: Partial<OutlookInput> = {}) => {
    const scenario = named(name);
    return outlookOf(inputOf(scenario, { parts: { ...PARTS[scenario.machine.kind], ...parts }, ...more }));
  };

  test.each([
    ['6.18.15', 'signalled'],
    ['6.19.6', 'panicked'],
    ['6.19.9', 'panicked'],
    ['6.19.10', 'signalled'],
    ['7.0.4', 'signalled'],
  ])('amd-deferred on Linux %s: %s', (kernel, outcome) => {
    expect(withParts('amd-deferred', { kernel: `${kernel}+deb13-cloud-amd64 amd64` })).toMatchObject({
      outcome,
      certainty: 'certain',
      possible: [outcome],
    });
  });

  test('a page read before the poll is signalled, after it the guest has panicked: both are possible', () => {
    expect(withParts('amd-consumed', { kernel: '6.19.6 amd64' })).toMatchObject({
      certainty: 'depends',
      possible: ['panicked', 'signalled'],
    });
  });

  test('an option of the kernel command line counts, one that is not understood ends all certainty', () => {
    const parts = { kernel: '6.19.6 amd64' };
    expect(withParts('amd-deferred', parts, { append: 'mce=ignore_ce' })).toMatchObject({ possible: ['none'] });
    expect(withParts('amd-deferred', parts, { append: 'mce=recovery' })).toBeUndefined();
    expect(withParts('amd-deferred', parts, { append: 'quiet' })).toBeUndefined();
    expect(withParts('amd-deferred', parts, { append: 'acpi=off' })).toBeUndefined();
  });

  // Linux Documentation/admin-guide/kernel-parameters: the CPUs that are left out keep CR4.MCE clear.
  test.each(['maxcpus=1', 'nr_cpus=1', 'possible_cpus=1', 'nosmp', 'nolapic', 'maxcpus=0'])(
    'a machine check for all CPUs resets a machine of which Linux started one: %s',
    append => {
      const outlook = withParts('intel-srao-process', {}, { append });
      expect(outlook).toMatchObject({ outcome: 'reset', certainty: 'certain', rule: 'qemu.inject.mce-off' });
      expect(withParts('intel-srao-process', {}, { append: 'maxcpus=2' })?.outcome).toBe('signalled');
    },
  );

  test.each([
    ['Skylake-Server,+mce', 'signalled'],
    ['Skylake-Server,-lmce', 'signalled'],
    ['Skylake-Server,succor=on', 'signalled'],
    ['Skylake-Server,-mce', undefined],
    ['Skylake-Server,lmce=on', 'signalled'],
  ])('a feature that is named leaves the outlook where it is followed: %s', (cpu, outcome) => {
    const scenario = named('intel-srao-process');
    const machine = { ...scenario.machine, cpu } as Scenario['machine'];
    expect(outlookOf(inputOf({ ...scenario, machine }))?.outcome).toBe(outcome);
  });

  test('under KVM a guest may enable local machine checks: what is injected through the monitor is the same', () => {
    const scenario = named('intel-srao-process');
    const on = (cpu: string) =>
      outlookOf(
        inputOf({ ...scenario, machine: { ...scenario.machine, cpu } as Scenario['machine'] }, { accel: 'kvm' }),
      );
    expect(on('Skylake-Server,lmce=on')).toEqual(on('Skylake-Server'));
    expect(on('Skylake-Server,lmce=on')?.possible).toContain('signalled');
  });

  test('a kernel that was built without machine checks is reset by each, one without memory_failure() only logs', () => {
    const without = (option: string) => {
      const configs = { guest: new Set(['CONFIG_X86_64', 'CONFIG_X86_MCE', 'CONFIG_MEMORY_FAILURE']) };
      configs.guest.delete(option);
      return withParts('intel-srao-process', {}, { configs });
    };
    expect(without('')).toMatchObject({ outcome: 'signalled', certainty: 'certain' });
    expect(without('CONFIG_X86_MCE')).toMatchObject({
      outcome: 'reset',
      certainty: 'certain',
      rule: 'qemu.inject.mce-off',
    });
    expect(without('CONFIG_MEMORY_FAILURE')).toMatchObject({ outcome: 'logged', rule: 'linux.memory-failure.off' });
  });

  test('a host without KVM_EXIT_ARM_SEA turns the abort into an SError', () => {
    expect(withParts('arm64-sea-exit', { hostKernel: '6.18.15' })).toMatchObject({ possible: ['panicked'] });
  });

  test('of parts of the user’s own nothing is certain', () => {
    const outlook = withParts('amd-deferred', { kernel: '6.19.6 amd64' }, { own: true });
    expect(outlook).toMatchObject({ outcome: 'panicked', certainty: 'depends', dependsOn: ['parts of your own'] });
    expect(outlook?.possible).toBeUndefined();
  });

  test('a CPU of the host’s own may have a quirk: what it decides is said, and nothing assumed', () => {
    const scenario = named('intel-srar-process');
    const on = (cpu: string) => {
      const machine = { ...scenario.machine, cpu, append: 'mce=30000000' } as Scenario['machine'];
      return outlookOf(inputOf({ ...scenario, machine }, { accel: 'kvm' }));
    };
    expect(on('host')?.dependsOn).toContain('the model of the CPU');
    expect(on('host')).toMatchObject({ certainty: 'depends' });
    expect(on('host')?.possible).toEqual(expect.arrayContaining(on('Icelake-Server')?.possible ?? []));
    expect(on('Icelake-Server')?.dependsOn).not.toContain('the model of the CPU');
  });

  test('under KVM the host’s vendor decides whether a guest recovers', () => {
    expect(withParts('intel-srao-process', {}, { accel: 'kvm' })).toMatchObject({ certainty: 'depends' });
  });
});

/** A scenario of the user's own, with these steps and this machine. */
function own(steps: string[], machine = '{ kind: linux-guest, cpus: 2, append: mce=30000000 }'): OutlookInput {
  const head = 'name: own\ntitle: t\nabout: a\nwhy: w\nsources: [s]\noutcome: none\nexpect:\n  - never: guest.panic\n';
  const text = `${head}machine: ${machine}\nsteps:\n${steps.map(s => `  - ${s}\n`).join('')}`;
  return inputOf(parseScenarios(text, 'own.yaml')[0]);
}

const MAP = ['spawn: { process: victim }', 'map: { process: victim, as: page, kill: early }'];
const SRAO = 'inject-mce: { record: srao, addr: $page, broadcast: true }';

describe('scenarios of the user’s own', () => {
  test('one machine check is followed to its end', () => {
    expect(outlookOf(own([...MAP, SRAO]))).toMatchObject({ outcome: 'signalled', certainty: 'certain' });
  });

  test('without a handler the process dies', () => {
    const steps = [...MAP, 'on-signal: { process: victim, action: default }', SRAO];
    expect(outlookOf(own(steps))).toMatchObject({ outcome: 'killed', certainty: 'certain' });
  });

  test('a late process is not told; whether it reads the page is another question', () => {
    const late = [MAP[0] ?? '', 'map: { process: victim, as: page, kill: late }', SRAO];
    expect(outlookOf(own(late))).toMatchObject({ possible: ['logged'] });
    const read = [...late, 'touch: { process: victim, page: page }'];
    expect(outlookOf(own(read))).toMatchObject({ certainty: 'depends', possible: ['signalled', 'logged'] });
  });

  test('without broadcast Linux waits for the other CPU until it panics', () => {
    const steps = [...MAP, 'inject-mce: { record: srao, addr: $page }'];
    expect(outlookOf(own(steps))).toMatchObject({ possible: ['panicked'], rule: 'linux.mce.rendezvous-timeout' });
  });

  test('what a CPU runs is not known unless it was stopped there', () => {
    const steps = [...MAP, 'inject-mce: { record: srar-data, addr: $page, broadcast: true }'];
    expect(outlookOf(own(steps))).toMatchObject({
      outcome: 'panicked',
      certainty: 'depends',
      dependsOn: expect.arrayContaining(['running']) as string[],
    });
  });

  test('a poll that may not come in time leaves it open', () => {
    const steps = [...MAP, 'inject-mce: { record: ce, addr: $page }'];
    const machine = '{ kind: linux-guest, cpus: 2, append: mce=print_all }';
    expect(outlookOf(own(steps, machine))).toMatchObject({ certainty: 'depends', possible: ['logged', 'none'] });
    const polling = ['check-interval: { seconds: 1 }', ...steps];
    expect(outlookOf(own(polling, machine))).toMatchObject({ certainty: 'certain', possible: ['logged'], within: 32 });
  });

  test.each([
    ['a raw monitor command', [...MAP, SRAO, 'hmp: { command: "info mice" }']],
    ['a raw QMP command', ['qmp: { execute: query-status }', ...MAP, SRAO]],
    ['two injections while the guest runs', [...MAP, SRAO, SRAO]],
    ['madvise', [...MAP, 'poison: { process: victim, page: page }']],
    ['CPUs that are never let run again', [...MAP, 'pause: {}', SRAO]],
    ['no injection', MAP],
  ] as [string, string[]][])('%s: nothing is said', (_name, steps) => {
    expect(outlookOf(own(steps))).toBeUndefined();
  });

  test('a value that is not saved yet: nothing is said', () => {
    expect(outlookOf({ ...own([...MAP, SRAO]), values: new Map() })).toBeUndefined();
  });

  test('a -cpu option that changes the machine check features: nothing is said', () => {
    const machine = '{ kind: linux-guest, cpu: "Skylake-Server,-mca" }';
    expect(outlookOf(own([...MAP, SRAO], machine))).toBeUndefined();
  });
});

describe('the CPU model decides where Linux knows an erratum', () => {
  const hit = (cpu: string, inject: string, append = ''): OutlookInput =>
    own(
      [
        ...MAP,
        'spin: { process: victim, page: page, cpu: 0 }',
        'pause: { cpu: 0, mode: user }',
        `inject-mce: { ${inject}, addr: $page, misc: 0x8c }`,
        'resume: {}',
      ],
      `{ kind: linux-guest, cpu: "${cpu}", cpus: 2, append: "mce=30000000 mce=print_all ${append}" }`,
    );
  const COPY = 'bank: 1, status: 0xbd80000000000134, mcgstatus: 0xf';
  const FETCH = 'bank: 0, status: 0xbd80000000000150, mcgstatus: 0x4, broadcast: true';
  const ZEN = 'bank: 1, status: 0xbd00080000000000, mcgstatus: 0x4';
  const SUCCOR = 'setcpuid=succor,overflow_recov';

  test.each([
    ['Skylake-Server', COPY, '', 'none', 'linux.quirk.string-copy'],
    ['Icelake-Server', COPY, '', 'signalled', 'linux.sigbus.handled'],
    ['SandyBridge,model=45', FETCH, '', 'signalled', 'linux.sigbus.handled'],
    ['SandyBridge', FETCH, '', 'panicked', 'linux.mce.fatal'],
    ['EPYC', ZEN, SUCCOR, 'signalled', 'linux.sigbus.handled'],
    ['Opteron_G5', ZEN, SUCCOR, 'panicked', 'linux.mce.local-fatal'],
  ])('%s: %s %s', (cpu, inject, append, outcome, rule) => {
    expect(outlookOf(hit(cpu, inject, append))).toMatchObject({ outcome, rule });
  });
});
