import { expect, test } from 'vitest';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { kernelKind } from './part-options.ts';

test.each([
  [{ kind: 'linux-guest' }, 'amd64', 'cloud'],
  [{ kind: 'linux-guest', flavour: 'generic' }, 'amd64', 'generic'],
  [{ kind: 'linux-guest', arch: 'aarch64' }, 'arm64', 'cloud'],
  [{ kind: 'linux-guest', arch: 'aarch64', flavour: 'generic' }, 'arm64', 'generic'],
  [{ kind: 'xen-dom0' }, 'amd64', 'generic'],
  [{ kind: 'amd-host' }, 'amd64', 'cloud'],
  [{ kind: 'arm64-host' }, 'arm64', 'cloud'],
])('the kernels of %j are %s, %s', (spec, arch, flavour) => {
  expect(kernelKind(machineSchema.parse(spec))).toEqual({ arch, flavour });
});

test('every scenario named for arm64 runs kernels of arm64', () => {
  const arm = bundledScenarios().filter(s => kernelKind(s.machine).arch === 'arm64');
  expect(arm.map(s => s.name)).toEqual(
    bundledScenarios()
      .map(s => s.name)
      .filter(name => name.startsWith('arm64-')),
  );
  expect(arm.length).toBeGreaterThan(3);
});
