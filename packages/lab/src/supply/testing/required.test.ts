import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LIBVIRT_APT_LINE, requiredNeeds, skipWithout } from './required.ts';

const run = (missing: string | undefined, words: string): string => {
  let told = 'went on';
  const context = { skip: (reason: string): void => void (told = `skipped: ${reason}`) };
  skipWithout(context, 'mirror', missing, requiredNeeds(words));
  return told;
};

test('what is missing skips a test with the reason, and fails it where it is required', () => {
  expect(run(undefined, 'mirror')).toBe('went on');
  expect(run('no network', '')).toBe('skipped: no network');
  expect(() => run('no network', 'mirror')).toThrow('a mirror is required here: no network');
  expect(() => requiredNeeds('miror')).toThrow('no test needs "miror", but mirror');
});

test('.ci/run requires a mirror: a machine without one passes nothing', () => {
  const script = readFileSync(new URL('../../../../../.ci/run', import.meta.url), 'utf8');
  const words = /^export SYNDROME_TESTS_REQUIRE=(\S+)$/m.exec(script)?.[1];
  expect(requiredNeeds(words)).toEqual(['mirror']);
});

test('.ci/run as root requires all but what a mirror brings too, and brings them by the line that a skipped test names', () => {
  const script = readFileSync(new URL('../../../../../.ci/run', import.meta.url), 'utf8');
  const words = /id -u[^]*?^ +SYNDROME_TESTS_REQUIRE=(\S+)$/m.exec(script)?.[1];
  expect(requiredNeeds(words)).toEqual([
    'mirror',
    'packers',
    'libvirt',
    'systemd',
    'fence',
    'sanlock',
    'postgres',
    'prometheus',
  ]);
  expect(() => skipWithout({ skip: () => {} }, 'libvirt', 'no libvirtd', requiredNeeds(words))).toThrow('no libvirtd');
  expect(script).toContain(LIBVIRT_APT_LINE);
});
