import { expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { domUScript } from './domu-image.ts';

/** The configuration that the script writes, as a shell writes it. */
function written(append: string, type: 'pv' | 'pvh' = 'pv'): string[] {
  const script = domUScript({ type, cpus: 2, memory: 192, append });
  const line = script.split('; ').find(part => part.startsWith('printf '));
  return execFileSync('/bin/sh', ['-c', String(line?.replace(/ > .*$/, ''))], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test('a domain as its configuration file has it', () => {
  const config = written('quiet');
  expect(config).toContain('type="pv"');
  expect(config).toContain('memory=192');
  expect(config).toContain('vcpus=2');
  expect(config).toContain('extra="console=hvc0 panic=-1 syndrome.port=/dev/hvc0 quiet"');
  // It stays when it has crashed.
  expect(config).toContain('on_crash="preserve"');
  expect(config.some(line => line.startsWith('tsc_mode'))).toBe(false);
  expect(written('', 'pvh')).toEqual(expect.arrayContaining(['type="pvh"', 'tsc_mode="native"']));
});

test('what is added to its command line stays in its place', () => {
  expect(written(`a='b' c="d"\nkernel="/x"`)).toContain(
    'extra="console=hvc0 panic=-1 syndrome.port=/dev/hvc0 a=b c=dkernel=/x"',
  );
});
