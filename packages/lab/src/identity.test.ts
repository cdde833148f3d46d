import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guestIdentity, hostIdentity, runIdentity, stepIdentities } from './identity.ts';
import { machineSchema } from './machines/registry.ts';
import type { Assembly } from './parts.ts';
import { type RunSpec, scenarioData, scenarioOf } from './run-spec.ts';
import { bundledScenarios, findScenario } from './scenario/load.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'identity-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** A machine whose files are `name` in the folder, each with its name as content. */
function assembled(spec: object = { kind: 'linux-guest' }): Assembly {
  const machine = machineSchema.parse(spec);
  const guest = 'guest' in machine ? { guest: { kernel: write('gk', 'gk'), initrd: write('gi', 'gi') } } : {};
  const files = { qemu: [write('q', 'q')], kernel: write('k', 'k'), initrd: write('i', 'i'), ...guest };
  const host = { diskModules: [], copies: [], vmm: ['/vmm'], output: '', guestModules: [] };
  const parts = { qemu: '11.1.3', kernel: '7.2.12' };
  return { machine, accel: 'tcg', files, modules: [], builtIn: [], parts, ...('guest' in machine ? { host } : {}) };
}

/** Those of the files whose change changes `identity`; each is put back. */
function decidingFiles(identity: () => string): string[] {
  const before = identity();
  const deciding = ['q', 'k', 'i', 'gk', 'gi'].filter(name => {
    write(name, 'X'.repeat(name.length));
    const changed = identity() !== before;
    write(name, name);
    return changed;
  });
  expect(identity()).toBe(before);
  return deciding;
}

describe('a machine after its boot is known by', () => {
  test('the content of its files, not only by their names', () => {
    const flat = assembled();
    expect(decidingFiles(() => guestIdentity(flat, dir + '/cache'))).toEqual(['q', 'k', 'i']);
  });

  test.each(['amd-host', 'arm64-host'])('those of the host layer and of the guest in it: %s', kind => {
    const nested = assembled({ kind });
    expect(decidingFiles(() => guestIdentity(nested, dir + '/cache'))).toEqual(['q', 'k', 'i', 'gk', 'gi']);
    // A host layer stands for every guest.
    expect(decidingFiles(() => hostIdentity(nested, dir + '/cache'))).toEqual(['q', 'k', 'i']);
    const other = assembled({ kind, guest: { append: 'quiet' } });
    expect(hostIdentity(other, dir)).toBe(hostIdentity(nested, dir));
  });

  test('the line that was asked for besides, also where nothing else differs', () => {
    const nested = assembled({ kind: 'arm64-host' });
    const tied: Assembly = { ...nested, uplink: true };
    expect(hostIdentity(tied, dir)).not.toBe(hostIdentity(nested, dir));
    expect(guestIdentity(tied, dir)).not.toBe(guestIdentity(nested, dir));
  });

  test('size and time of what is in the cache, which is never written again', () => {
    mkdirSync(join(dir, 'cache'));
    const machine = assembled();
    machine.files.kernel = write('cache/k', 'first');
    const time = new Date(1e12);
    utimesSync(machine.files.kernel, time, time);
    const first = guestIdentity(machine, join(dir, 'cache'));
    writeFileSync(machine.files.kernel, 'other');
    utimesSync(machine.files.kernel, time, time);
    expect(guestIdentity(machine, join(dir, 'cache'))).toBe(first);
  });

  test('its command line, its accelerator, and what was done after the boot', () => {
    const machine = assembled();
    const all = [
      machine,
      { ...machine, accel: 'kvm' as const },
      { ...machine, append: 'quiet' },
      { ...machine, seed: 1 },
      { ...machine, seed: 2 },
      { ...machine, modules: ['/modules/msr.ko'] },
      { ...machine, crash: ['kexec'] },
      assembled({ kind: 'linux-guest', memory: 512 }),
    ].map(each => guestIdentity(each, dir));
    expect(new Set(all).size).toBe(all.length);
  });

  test('a name that kept states have from earlier versions', () => {
    const files = { qemu: ['/nowhere/qemu'], kernel: '/nowhere/kernel', initrd: '/nowhere/initrd' };
    const flat = { ...assembled(), files, modules: ['/modules/msr.ko'], append: 'quiet' };
    expect(guestIdentity(flat, '/nowhere/cache')).toBe('b4b39ff9a2726cb7c93c7dd575b6fac7');
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

  test('of another machine are others', () => {
    const [a, b] = [stepIdentities('m', first), stepIdentities('n', first)];
    expect(a.filter(identity => b.includes(identity))).toEqual([]);
  });
});

describe('a run is known by', () => {
  const scenario = scenarioData(findScenario('intel-ce-logged'));
  const identity = (spec: Partial<RunSpec> = {}, changed: Partial<Assembly> = {}): string =>
    runIdentity({ scenario, ...spec }, { ...assembled(), ...changed }, join(dir, 'cache'));

  test('what newest is now, the accelerator, the host layer, and the options of the run', () => {
    const all = [
      identity(),
      identity({}, { parts: { ...assembled().parts, kernel: '7.2.13' } }),
      identity({}, { accel: 'kvm' }),
      identity({}, { local: true }),
      identity({}, { machine: machineSchema.parse({ kind: 'linux-guest', cpu: 'EPYC' }) }),
      identity({}, { append: 'mce=ignore_ce' }),
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
      };
      const back = JSON.parse(JSON.stringify(spec)) as RunSpec;
      expect(back).toEqual(spec);
      expect(scenarioOf(back.scenario)).toEqual(each);
      const machine = assembled(each.machine);
      expect(runIdentity(back, machine, dir)).toBe(runIdentity(spec, machine, dir));
    },
  );
});
