import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineIdentities, runIdentity, stepIdentities } from './identity.ts';
import { machineSchema } from './machines/registry.ts';
import type { Assembly } from './parts.ts';
import { type RunSpec, scenarioData, scenarioOf } from './run-spec.ts';
import { bundledScenarios, findScenario } from './scenario/load.ts';

let dir: string;
/** Where the files of a machine are. */
let home: string;
beforeEach(() => void (home = dir = mkdtempSync(join(tmpdir(), 'identity-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const scenario = scenarioData(findScenario('intel-ce-logged'));

const write = (name: string, text: string): string => {
  const file = join(home, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

/** A machine whose files are `name` in the folder, each with its name as content. */
function assembled(spec: object = { kind: 'linux-guest' }): Assembly {
  const machine = machineSchema.parse(spec);
  const guest = 'guest' in machine ? { guest: { kernel: write('gk', 'gk'), initrd: write('gi', 'gi') } } : {};
  mkdirSync(join(home, 'roms'), { recursive: true });
  const [loader, rom] = [write('q', 'q'), write('roms/r', 'r')];
  const files = { qemu: [loader, '-L', dirname(rom)], kernel: write('k', 'k'), initrd: write('i', 'i'), ...guest };
  const host = { diskModules: [], copies: [], vmm: ['/vmm'], output: '', guestModules: [] };
  const parts = { qemu: '11.1.3', kernel: '7.2.12', kernelPath: files.kernel };
  return {
    machine,
    accel: 'tcg',
    files,
    modules: [],
    builtIn: [],
    kernels: [],
    parts,
    ...('guest' in machine ? { host } : {}),
  };
}

const cache = (): string => join(dir, 'cache');
const guestIdentity = (assembly: Assembly): string => machineIdentities(assembly, cache()).guest;
const hostIdentity = (assembly: Assembly): string | undefined => machineIdentities(assembly, cache()).host;

/** Those of the files whose change changes `identity`; each is put back. */
function decidingFiles(identity: () => string | undefined): string[] {
  const before = identity();
  const deciding = ['q', 'roms/r', 'k', 'i', 'gk', 'gi'].filter(name => {
    const text = name.slice(-2).replace('/', '');
    write(name, 'X'.repeat(text.length));
    const changed = identity() !== before;
    write(name, text);
    return changed;
  });
  expect(identity()).toBe(before);
  return deciding;
}

describe('a machine after its boot is known by', () => {
  test('the content of its files, and of the folders of QEMU', () => {
    const flat = assembled();
    expect(decidingFiles(() => guestIdentity(flat))).toEqual(['q', 'roms/r', 'k', 'i']);
    expect(machineIdentities(flat, cache())).not.toHaveProperty('host');
  });

  test.each(['amd-host', 'arm64-host'])('those of the host layer and of the guest in it: %s', kind => {
    const nested = assembled({ kind });
    expect(decidingFiles(() => guestIdentity(nested))).toEqual(['q', 'roms/r', 'k', 'i', 'gk', 'gi']);
    // A host layer stands for every guest.
    expect(decidingFiles(() => hostIdentity(nested))).toEqual(['q', 'roms/r', 'k', 'i']);
    const other = { ...assembled({ kind, guest: { append: 'quiet' } }), append: 'quiet' };
    expect(hostIdentity(other)).toBe(hostIdentity(nested));
  });

  test('the line that was asked for besides, also where nothing else differs', () => {
    const nested = assembled({ kind: 'arm64-host' });
    const tied: Assembly = { ...nested, uplink: true };
    expect(hostIdentity(tied)).not.toBe(hostIdentity(nested));
    expect(guestIdentity(tied)).not.toBe(guestIdentity(nested));
  });

  test('content alone, in the cache too: the same size and time are not enough', () => {
    const machine = assembled();
    mkdirSync(cache());
    machine.files.kernel = join(cache(), 'k');
    const time = new Date(1e12);
    const identity = (text: string): string => {
      writeFileSync(machine.files.kernel, text);
      utimesSync(machine.files.kernel, time, time);
      return guestIdentity(machine);
    };
    const first = identity('first');
    expect(identity('other')).not.toBe(first);
    expect(identity('first')).toBe(first);
  });

  test.each([{ kind: 'linux-guest' }, { kind: 'amd-host' }, { kind: 'xen-dom0' }])(
    'nothing of where its files are: those of another home have the same, %j',
    spec => {
      const xen = (): object => (spec.kind === 'xen-dom0' ? { xen: write('x', 'x') } : {});
      const inHome = (name: string): [Assembly, string] => {
        home = join(dir, name);
        const machine = assembled(spec);
        machine.files = { ...machine.files, firmware: write('f', 'f'), ...xen() };
        return [machine, home];
      };
      const [[one, first], [two, second]] = [inHome('alice'), inHome('bob/some/where, else')];
      expect(Object.values(two.files).flat()).not.toEqual(Object.values(one.files).flat());
      expect(machineIdentities(two, join(second, 'cache'))).toEqual(machineIdentities(one, join(first, 'cache')));
      const run = (of: Assembly): object => runIdentity({ scenario }, of, machineIdentities(of, cache()));
      expect(run(two)).toEqual(run(one));
    },
  );

  test('its command line, its accelerator, its seed, and what was done after the boot', () => {
    const machine = assembled();
    const nested = assembled({ kind: 'amd-host' });
    const host = nested.host ?? expect.fail('no host layer');
    const all = [
      machine,
      { ...machine, accel: 'kvm' as const },
      { ...machine, append: 'quiet' },
      { ...machine, seed: 1 },
      { ...machine, seed: 2 },
      { ...machine, modules: ['/modules/msr.ko'] },
      { ...machine, crash: ['kexec'] },
      assembled({ kind: 'linux-guest', memory: 512 }),
      nested,
      { ...nested, host: { ...host, vmm: ['/vmm', '-m', '64'] } },
      { ...nested, host: { ...host, guestModules: ['/modules/msr.ko'] } },
    ].map(guestIdentity);
    expect(new Set(all).size).toBe(all.length);
  });

  test('a name that kept states have from earlier versions', () => {
    const flat = { ...assembled(), modules: ['/modules/msr.ko'], append: 'quiet' };
    expect(guestIdentity(flat)).toBe('a7722af96a5172bf1ebf31bf6a389a79');
  });

  test('no file that is gone: that is an error of the file system', () => {
    const machine = assembled();
    rmSync(machine.files.kernel);
    expect(() => guestIdentity(machine)).toThrow('ENOENT');
  });
});

describe('the beginnings of a run', () => {
  const [first, second] = [findScenario('intel-srao-process').steps, findScenario('intel-srar-process').steps];

  test('are known as far as they are the same', () => {
    const [a, b] = [stepIdentities('m', first), stepIdentities('m', second)];
    const apart = first.findIndex((step, i) => JSON.stringify(step) !== JSON.stringify(second[i]));
    expect(apart).toBeGreaterThan(0);
    expect(b.slice(0, apart + 1)).toEqual(a.slice(0, apart + 1));
    expect(b.slice(apart + 1).filter(identity => a.includes(identity))).toEqual([]);
    expect(a).toHaveLength(first.length + 1);
  });

  test('and the run itself: its header has that of the machine, and one for each step', () => {
    const assembly = assembled();
    const machine = machineIdentities(assembly, cache());
    const { run, states } = runIdentity({ scenario }, assembly, machine);
    expect(states).toEqual(stepIdentities(machine.guest, scenario.steps));
    expect([run, ...states].filter(each => !/^[0-9a-f]{32}$/.test(each))).toEqual([]);
    expect(states).not.toContain(run);
  });

  test('of another machine are others', () => {
    const [a, b] = [stepIdentities('m', first), stepIdentities('n', first)];
    expect(a.filter(identity => b.includes(identity))).toEqual([]);
  });
});

describe('a run is known by', () => {
  const identity = (spec: Partial<RunSpec> = {}, changed: Partial<Assembly> = {}): string => {
    const assembly = { ...assembled(), ...changed };
    return runIdentity({ scenario, ...spec }, assembly, machineIdentities(assembly, cache())).run;
  };

  test('what newest is now, the accelerator, the host layer, and the options of the run', () => {
    const all = [
      identity(),
      identity({}, { parts: { ...assembled().parts, kernel: '7.2.13' } }),
      identity({}, { accel: 'kvm' }),
      identity({}, { machine: machineSchema.parse({ kind: 'linux-guest', cpu: 'EPYC' }) }),
      identity({}, { append: 'mce=ignore_ce' }),
      identity({}, { seed: 1 }),
      identity({ timeout: 60e9 }),
      identity({ cold: true }),
      identity({ scenario: { ...scenario, expect: scenario.expect.slice(1) } }),
      identity({ scenario: { ...scenario, steps: scenario.steps.slice(1) } }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('what its scenario says, not by the file and its comments', () => {
    const file = write('own.yaml', readFileSync(findScenario('intel-ce-logged').file, 'utf8'));
    appendFileSync(file, '# a comment\n');
    expect(identity({ scenario: scenarioData(findScenario(file)) })).toBe(identity());
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('outcome: logged', 'outcome: none'));
    expect(identity({ scenario: scenarioData(findScenario(file)) })).not.toBe(identity());
  });

  test.each(bundledScenarios().map(each => [each.name, each] as const))(
    'its data: JSON keeps all of %s',
    (_name, each) => {
      const spec: RunSpec = {
        scenario: scenarioData(each),
        kernel: '6.19',
        hostLocal: { consent: false },
        timeout: 1e9,
        seed: 7,
      };
      const back = JSON.parse(JSON.stringify(spec)) as RunSpec;
      expect(back).toEqual(spec);
      expect(scenarioOf(back.scenario)).toEqual(each);
      const machine = { ...assembled(each.machine), seed: spec.seed ?? expect.fail('no seed') };
      const states = machineIdentities(machine, cache());
      expect(runIdentity(back, machine, states)).toEqual(runIdentity(spec, machine, states));
    },
  );
});
